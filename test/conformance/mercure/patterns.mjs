// SPDX-License-Identifier: Apache-2.0
//
// What URL patterns, and the URI templates of 0.x, must do: the cases of the Mercure protocol by their numbers in
// the project's digest of it.

import assert from "node:assert/strict";

import { HUB_PATH } from "../../harness/hub.mjs";
import { test, testOnEachLog } from "../../harness/test.mjs";

const MARK = "urn:mark";

const byPattern = (pattern) => `match_urlpattern=${encodeURIComponent(pattern)}&match=${MARK}`;
const byTemplate = (template) => `topic=${encodeURIComponent(template)}&topic=${MARK}`;

// Returns those of `topics` that a reader with `query` gets, live and from history.
async function matched(hub, query, topics) {
  const live = await hub.subscribe(query);
  const ids = new Map();
  const begin = await hub.publish({ topic: MARK });
  for (const topic of topics) {
    ids.set(await hub.publish({ topic }), topic);
  }
  const end = await hub.publish({ topic: MARK });

  const read = async (stream) => {
    const got = [];
    for (let event = await stream.next(); event.id !== end; event = await stream.next()) {
      if (event.id !== begin) {
        got.push(ids.get(event.id));
      }
    }
    stream.close();
    return got;
  };
  const got = await read(live);
  const again = `${query}&last_event_id=${encodeURIComponent(begin)}`;
  assert.deepEqual(await read(await hub.subscribe(again)), got, query);
  return got;
}

testOnEachLog("43: what is no pattern, or cannot be run, is refused by name", async (t) => {
  const hub = await t.hub();
  const patterns = [
    "https://a.example/(",
    "https://a.example/{a",
    "/a/:id/:id",
    "https://[::1/x",
    "https://a.example/((?=a)a)",
    "https://a.example/(a)(\\1)",
    "https://a.example/((?:a{1000}){1000})",
    "https://a.example/(caf\u00e9)",
  ];
  for (const pattern of patterns) {
    const target = `${HUB_PATH}?match=a&match_urlpattern=${encodeURIComponent(pattern)}`;
    const { status, json } = await hub.ask({ target, headers: { accept: "text/event-stream" } });
    assert.equal(status, 400, pattern);
    assert.equal(json.field, "match_urlpattern", pattern);
  }
});

// The hub's URL is a reference from http://localhost here.
testOnEachLog("47: a pattern matches as the protocol means it, live and in history", async (t) => {
  const hub = await t.hub();
  const cases = [
    {
      pattern: "https://example.com/books/:id",
      yes: [
        "https://example.com/books/1",
        "https://example.com/books/1?x=1#f",
        "https://user:pw@example.com/books/1",
        "https://EXAMPLE.com:443/books/1",
      ],
      no: [
        "https://example.com/books/",
        "https://example.com/books/1/2",
        "https://example.com/Books/1",
        "https://example.com:8443/books/1",
      ],
    },
    {
      pattern: "https://example.com/a/:x",
      yes: ["https://example.com/a/b%2Fc", "https://example.com/a/c/../b"],
      no: [],
    },
    { pattern: "https://example.com/books/1", yes: [], no: ["https://example.com/books/%31"] },
    {
      pattern: "https://example.com/é",
      yes: ["https://example.com/%C3%A9"],
      no: ["https://example.com/%c3%a9"],
    },
    {
      pattern: "https://example.com",
      yes: ["https://example.com", "https://example.com/any/path"],
      no: ["https://www.example.com/"],
    },
    {
      pattern: "https://example.com/users/42/*",
      yes: ["https://example.com/users/42/", "https://example.com/users/42/a/b"],
      no: ["https://example.com/users/42"],
    },
    {
      pattern: "https://example.com/items{/:tail}?",
      yes: ["https://example.com/items", "https://example.com/items/3"],
      no: ["https://example.com/items/"],
    },
    {
      pattern: "/books/:id",
      yes: ["/books/1", "http://localhost/books/1"],
      no: ["https://example.com/books/1", "http://[bad"],
    },
    { pattern: "books/:id", yes: ["books/1", "/.well-known/books/1"], no: ["/books/1"] },
    { pattern: "urn\\:uuid\\:*", yes: ["urn:uuid:abc"], no: ["urn:isbn:1"] },
    { pattern: "urn:uuid:*", yes: [], no: ["urn:uuid:abc"] },
    { pattern: "https://example.com/bar/:id", yes: ["https://example.com/bar/:id"], no: [] },
  ];
  for (const { pattern, yes, no } of cases) {
    assert.deepEqual(await matched(hub, byPattern(pattern), [...no, ...yes]), yes, pattern);
  }
});

test("47: what is no whole URL is a reference from the hub's URL, whatever tokens call the hub", async (t) => {
  const publicUrl = "https://hub.example.com/.well-known/mercure";
  const cases = [
    { audiences: "urn:hub", publicUrl },
    { audiences: "https://issuer.example/apis/hub", publicUrl },
    { audiences: "urn:hub,https://hub.example.com/other/path?a" },
  ];
  for (const settings of cases) {
    const hub = await t.hub(settings);
    const topics = ["https://issuer.example/books/1", "/books/1", "https://hub.example.com/books/1"];
    assert.deepEqual(await matched(hub, byPattern("/books/:id"), topics), topics.slice(1), settings.audiences);
    const near = ["https://hub.example.com/.well-known/books/1", "books/1"];
    assert.deepEqual(await matched(hub, byPattern("books/:id"), near), near, settings.audiences);
  }
});

testOnEachLog("48: a regular expression costs linear time", async (t) => {
  const hub = await t.hub();
  const topics = [40, 4000].map((n) => `https://a.example/${"a".repeat(n)}`);
  topics.push(`${topics[1]}b`);
  assert.deepEqual(await matched(hub, byPattern("https://a.example/:x((?:a+)+b)"), topics), [topics[2]]);
});

testOnEachLog("127, 128: a template of 0.x matches what it could expand to, live and in history", async (t) => {
  const hub = await t.hub();
  const topicOfU7 = "https://e.com/u/7/?topic=https%3A%2F%2Fe.com%2Fb%2F1";
  const cases = [
    {
      template: "https://e.com/b/{id}",
      yes: [
        "https://e.com/b/1",
        "https://e.com/b/",
        "https://e.com/b/a,b",
        "https://e.com/b/%C3%A9",
        "https://e.com/b/{id}",
      ],
      no: [
        "https://e.com/b/1/2",
        "https://e.com/b/a:b",
        "https://e.com/b/a=b",
        "https://e.com/b/\u00e9",
        "https://e.com/b/a b",
      ],
    },
    { template: "https://e.com/b/{+p}", yes: ["https://e.com/b/a/b?c=d#e"], no: [] },
    {
      template: "https://e.com/u/7/{?topic}",
      yes: [topicOfU7, "https://e.com/u/7/", "https://e.com/u/7/?other=x"],
      no: ["https://e.com/u/7"],
    },
    {
      // Nobody publishes below the hub's own path; there it is the same.
      template: "/other/subscriptions{/topic}{/subscriber}",
      yes: ["/other/subscriptions", "/other/subscriptions/a", "/other/subscriptions/a/b"],
      no: ["/other/subscriptions/a/b/c", "https://e.com/other/subscriptions/a"],
    },
    { template: "{/a,b}", yes: ["/x/y"], no: ["/x/y/z"] },
    { template: "foo{", yes: ["foo{"], no: ["foo", "foo1"] },
  ];
  for (const { template, yes, no } of cases) {
    assert.deepEqual(await matched(hub, byTemplate(template), [...no, ...yes]), yes, template);
  }
});

testOnEachLog("128: templates and topics of 0.x add up, and each event comes once", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe("topic=/a/{b}&topic=/a{/b}&topic=/a/1&topic=c");
  const ids = [];
  for (const topic of ["/a/1", "/d", ["/d", "/a/2"], "c", "/a", "/a/b/c"]) {
    const id = await hub.publish({ topic });
    if (!["/d", "/a/b/c"].includes(topic)) {
      ids.push(id);
    }
  }
  assert.deepEqual((await stream.take(ids.length)).map((event) => event.id), ids);
});

testOnEachLog("5: patterns and topics add up, and each event comes once", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe("match_urlpattern=/a/*&match_urlpattern=/a/:b&match=/a/1&match=b");
  const ids = [];
  for (const topic of ["/a/1", "/c", ["/c", "/a/2"], "b", "/a/b/c"]) {
    const id = await hub.publish({ topic });
    if (topic !== "/c") {
      ids.push(id);
    }
  }
  assert.deepEqual((await stream.take(ids.length)).map((event) => event.id), ids);
});
