// SPDX-License-Identifier: Apache-2.0
//
// What POST must do: the cases of the Mercure protocol by their numbers in the project's digest of it.

import assert from "node:assert/strict";

import { testOnEachLog } from "../../harness/test.mjs";

const A1 = "https://a.example/1";

// Expects `fields` (or a body as it is) to be refused with `status`, and the problem to name `field`.
async function refused(hub, fields, status, field, options) {
  const what = JSON.stringify(fields).slice(0, 200);
  const response = await hub.post(fields, options);
  assert.equal(response.status, status, `${what}: ${response.text}`);
  assert.equal(response.headers["content-type"], "application/problem+json", what);
  assert.equal(response.json.status, status, what);
  assert.equal(response.json.field, field, `${what}: ${response.text}`);
}

// Fails if anything but `ids` was stored.
async function assertStored(hub, ids) {
  const mark = await hub.publish({ topic: "mark" });
  const stream = await hub.subscribe({ match: "*", last_event_id: "earliest" });
  const events = await stream.take(ids.length + 1);
  assert.deepEqual(events.map((event) => event.id), [...ids, mark]);
}

testOnEachLog("1: a publish is answered with the event's id and nothing else", async (t) => {
  const hub = await t.hub();
  const response = await hub.post({ topic: A1, data: "hi" });
  assert.equal(response.status, 200);
  assert.equal(response.headers["content-type"], "text/plain; charset=utf-8");
  assert.match(response.text, /^(#[!-~]+|[a-z][a-z0-9+.-]*:[!-~]+)$/);
});

testOnEachLog("2: a stream gets the event with that id, and no type", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  const id = await hub.publish({ topic: A1, data: "hi" });
  const event = await stream.next();
  assert.equal(event.id, id);
  assert.equal(event.data, "hi");
  assert.deepEqual(event.lines, ["data: hi", `id: ${id}`]);
});

testOnEachLog("3: an event without a topic is refused", async (t) => {
  const hub = await t.hub();
  await refused(hub, "data=x", 400, "topic");
  await assertStored(hub, []);
});

testOnEachLog("4: an event reaches the readers of each of its topics, with one id", async (t) => {
  const hub = await t.hub();
  const streams = [await hub.subscribe({ match: A1 }), await hub.subscribe({ match: "b" })];
  const id = await hub.publish({ topic: [A1, "b"] });
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
});

testOnEachLog("5: a reader of two topics gets an event with both once", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: [A1, "b"] });
  const ids = [await hub.publish({ topic: [A1, "b"] }), await hub.publish({ topic: "b" })];
  assert.deepEqual((await stream.take(2)).map((event) => event.id), ids);
});

testOnEachLog("6: an event without data is delivered with empty data", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  const id = await hub.publish({ topic: A1 });
  assert.deepEqual((await stream.next()).lines, ["data: ", `id: ${id}`]);
});

testOnEachLog("7: each kind of line end in the data begins a new data line", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  await hub.publish({ topic: A1, data: "a\nb\r\nc\rd" });
  const event = await stream.next();
  assert.deepEqual(event.lines.slice(0, -1), ["data: a", "data: b", "data: c", "data: d"]);
  assert.equal(event.data, "a\nb\nc\nd");
});

testOnEachLog("8: data cannot set a field of the event", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  const id = await hub.publish({ topic: A1, data: "x\nevent: evil\nid: 9" });
  const { lines } = await stream.next();
  assert.deepEqual(lines, ["data: x", "data: event: evil", "data: id: 9", `id: ${id}`]);
});

testOnEachLog("9: a line end at the end and a space at the beginning survive", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  await hub.publish({ topic: A1, data: "a\n" });
  await hub.publish({ topic: A1, data: " x" });
  assert.equal((await stream.next()).data, "a\n");
  assert.equal((await stream.next()).data, " x");
});

testOnEachLog("10: data that is not UTF-8 is refused", async (t) => {
  const hub = await t.hub();
  for (const data of ["%FF", "%C0%80", "%ED%A0%80", "%F4%90%80%80", "a%E2%82", "\xE9"]) {
    await refused(hub, Buffer.from(`topic=a&data=${data}`, "latin1"), 400, "data");
  }
  await assertStored(hub, []);
});

testOnEachLog("11: a private event reaches no anonymous reader, whatever the value says", async (t) => {
  const hub = await t.hub();
  const streams = [await hub.subscribe({ match: A1 }), await hub.subscribe({ match: "*" })];
  for (const value of ["", "0", "false", "on"]) {
    await hub.publish({ topic: A1, private: value, data: "secret" });
  }
  await hub.publish(`topic=${encodeURIComponent(A1)}&private&data=secret`);
  const id = await hub.publish({ topic: A1, data: "public" });
  streams.push(await hub.subscribe({ match: A1, last_event_id: "earliest" }));
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
    assert.equal(stream.events.length, 1);
  }
});

testOnEachLog("12: the publisher's id is the answer and the event's id", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  assert.equal(await hub.publish({ topic: A1, id: "urn:x:1" }), "urn:x:1");
  assert.equal((await stream.next()).id, "urn:x:1");
});

testOnEachLog("13: an id may not look like one of the hub's own, nor be `earliest`", async (t) => {
  const hub = await t.hub();
  await refused(hub, { topic: A1, id: "#x" }, 400, "id");
  await refused(hub, { topic: A1, id: "earliest" }, 400, "id");
  assert.equal(await hub.publish({ topic: A1, id: "Earliest" }), "Earliest");
  await assertStored(hub, ["Earliest"]);
});

testOnEachLog("14: ids and types may not hold controls or invisible characters", async (t) => {
  const hub = await t.hub();
  for (const value of ["a%0Db", "a%0Ab", "a%00b", "a%C2%85b", "a%E2%80%8Bb", "%FF"]) {
    await refused(hub, `topic=a&id=${value}`, 400, "id");
    await refused(hub, `topic=a&type=${value}`, 400, "type");
  }
  // Header fields lose white space around them, and ids come back in one.
  await refused(hub, "topic=a&id=%20a", 400, "id");
  await refused(hub, "topic=a&id=a%20", 400, "id");
  await assertStored(hub, []);
});

testOnEachLog("15: an empty id is none, and the hub makes one", async (t) => {
  const hub = await t.hub();
  assert.match(await hub.publish({ topic: A1, id: "" }), /^#/);
});

testOnEachLog("16: the type is the event's, and those of the protocol and the hub are reserved", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  const id = await hub.publish({ topic: A1, type: "news", data: "x" });
  await refused(hub, { topic: A1, type: "mercure" }, 400, "type");
  await refused(hub, { topic: A1, type: "vrelo.gap" }, 400, "type");
  await hub.publish({ topic: A1, type: "Mercure" });
  await hub.publish({ topic: A1, type: "" });
  const [news, upper, none] = await stream.take(3);
  assert.deepEqual(news.lines, ["event: news", "data: x", `id: ${id}`]);
  assert.equal(upper.type, "Mercure");
  assert.equal(none.type, "message");
});

testOnEachLog("17: retry is delivered", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  await hub.publish({ topic: A1, retry: "1500" });
  await hub.publish({ topic: A1, retry: "" });
  const [with1500, without] = await stream.take(2);
  assert.ok(with1500.lines.includes("retry: 1500"), with1500.lines.join("\n"));
  assert.ok(!without.lines.some((line) => line.startsWith("retry")));
});

testOnEachLog("17: a retry of a publisher is kept between half a second and five minutes", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  await hub.publish({ topic: A1, retry: "1" });
  await hub.publish({ topic: A1, retry: "9999999999" });
  const [short, long] = await stream.take(2);
  assert.ok(short.lines.includes("retry: 500"), short.lines.join("\n"));
  assert.ok(long.lines.includes("retry: 300000"), long.lines.join("\n"));
});

testOnEachLog("18: a retry that is no number is refused", async (t) => {
  const hub = await t.hub();
  for (const retry of ["-1", "1.5", "5s", "+5", " 5", "0x5", "\u0661"]) {
    await refused(hub, { topic: A1, retry }, 400, "retry");
  }
  await assertStored(hub, []);
});

testOnEachLog("19: the wildcard is no topic", async (t) => {
  const hub = await t.hub();
  await refused(hub, { topic: "*" }, 400, "topic");
  await refused(hub, { topic: [A1, "*"] }, 400, "topic");
  await assertStored(hub, []);
});

testOnEachLog("20-23: topics that lead to the hub's own URL are reserved, however written", async (t) => {
  const hub = await t.hub();
  const reserved = [
    "/.well-known/mercure",
    "/.well-known/mercure/subscriptions/x",
    "/.well-known/mercure?x",
    "https://other.example/.well-known/mercure/x",
    "//x/.well-known/mercure",
    "/.well-known/%6Dercure/x",
    "/.well-known/x/../mercure/a",
    "/.well-known/x/%2e%2e/mercure/a",
    "\\.well-known\\mercure\\a",
    " /.well-known/mercure",
    "foo:/.well-known/mercure/a",
    "urn:/.well-known/mercure/a",
    "https:mercure/x",
    "mercure",
    "mercure/x",
    "./mercure",
    "",
    "?a",
    "#a",
  ];
  for (const topic of reserved) {
    await refused(hub, { topic }, 400, "topic");
    await refused(hub, { topic: [A1, topic] }, 400, "topic");
  }
  await assertStored(hub, []);
});

testOnEachLog("24: topics that only look like the hub's own are accepted", async (t) => {
  const hub = await t.hub();
  const accepted = [
    "/.well-known/mercurex",
    "/.Well-Known/mercure/x",
    "/.well-known/mercure%2Fx",
    "urn:x:/.well-known/mercure",
    "/.well-known//mercure/x",
    "http://[bad",
    "MERCURE",
    "chat-room",
    ".",
    "..",
  ];
  const ids = [];
  for (const topic of accepted) {
    const response = await hub.post({ topic });
    assert.equal(response.status, 200, `${topic}: ${response.text}`);
    ids.push(response.text);
  }
  await assertStored(hub, ids);
});

testOnEachLog("25: topics may not hold controls or invisible characters", async (t) => {
  const hub = await t.hub();
  const characters = ["\u200D", "\u00AD", "\uFEFF", "\u0085", "\u0000", "\n", "\u007F", "\u{E0041}"];
  for (const character of characters) {
    await refused(hub, { topic: `a${character}b` }, 400, "topic");
    await refused(hub, { topic: [A1, `a${character}b`] }, 400, "topic");
  }
  await refused(hub, "topic=%FF", 400, "topic");
  await assertStored(hub, []);
});

testOnEachLog("26: a topic with spaces and letters of any script works", async (t) => {
  const hub = await t.hub();
  const topic = "a b é 日本 🙂";
  const stream = await hub.subscribe({ match: topic });
  const id = await hub.publish({ topic });
  assert.equal((await stream.next()).id, id);
});

testOnEachLog("27: unknown fields are ignored", async (t) => {
  const hub = await t.hub();
  assert.equal((await hub.post({ topic: A1, foo: "bar", "\u0000": "\n" })).status, 200);
});

testOnEachLog("32: a body of another media type is refused", async (t) => {
  const hub = await t.hub();
  for (const type of ["multipart/form-data; boundary=x", "application/json", "text/plain"]) {
    await refused(hub, { topic: A1 }, 415, "Content-Type", { headers: { "content-type": type } });
  }
  await assertStored(hub, []);
});

testOnEachLog("33: a body without a media type, or with a broken one, is refused", async (t) => {
  const hub = await t.hub();
  for (const type of [undefined, "", ";;", "form"]) {
    await refused(hub, { topic: A1 }, 400, "Content-Type", { headers: { "content-type": type } });
  }
  await assertStored(hub, []);
});

testOnEachLog("34: the media type has no case, and may have parameters", async (t) => {
  const hub = await t.hub();
  const headers = { "content-type": "Application/X-WWW-Form-UrlEncoded; charset=UTF-8" };
  assert.equal((await hub.post({ topic: A1 }, { headers })).status, 200);
});

testOnEachLog("35: what is over a limit is refused as too large", async (t) => {
  const hub = await t.hub();
  const long = (length) => "x".repeat(length);
  const names = (count) => Array.from({ length: count }, (_, i) => `t${i}`);
  assert.equal((await hub.post({ topic: long(4096), id: long(128), type: long(128) })).status, 200);
  assert.equal((await hub.post({ topic: names(100), retry: "9999999999" })).status, 200);
  await refused(hub, { topic: long(4097) }, 413, "topic");
  await refused(hub, { topic: names(101) }, 413, "topic");
  await refused(hub, { topic: A1, id: long(129) }, 413, "id");
  await refused(hub, { topic: A1, type: long(129) }, 413, "type");
  await refused(hub, { topic: A1, retry: "10000000000" }, 413, "retry");

  const response = await hub.post({ topic: A1, data: long(1 << 20) });
  assert.equal(response.status, 413);
});

testOnEachLog("36: a body without escapes is taken as it is", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: A1 });
  await hub.publish(`topic=${A1}&data={"p":"100%"}`);
  assert.equal((await stream.next()).data, '{"p":"100%"}');
});

testOnEachLog("37: a semicolon does not separate fields", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a;data=b" });
  await hub.publish("topic=a;data=b");
  assert.equal((await stream.next()).data, "");
});

testOnEachLog("R4: of a repeated field that has one value, the first counts", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a" });
  const id = await hub.publish({ topic: "a", data: ["1", "2"], id: ["i", "j"], type: ["t", "u"] });
  assert.equal(id, "i");
  const { type, data } = await stream.next();
  assert.deepEqual({ type, data }, { type: "t", data: "1" });
});
