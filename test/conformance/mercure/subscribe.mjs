// SPDX-License-Identifier: Apache-2.0
//
// What GET must do, and what surrounds it: the cases of the Mercure protocol by their numbers in the
// project's digest of it.

import assert from "node:assert/strict";

import { HUB_PATH } from "../../harness/hub.mjs";
import { sum } from "../../harness/metrics.mjs";
import { testOnEachLog } from "../../harness/test.mjs";

const A1 = "https://a.example/1";
const APP = "https://app.example.net";

// Expects a request for a stream to be refused with `status`, and returns the answer.
async function refused(hub, query, status, headers = {}) {
  const fields = { accept: "text/event-stream", ...headers };
  const response = await hub.ask({ target: `${HUB_PATH}?${query}`, headers: fields });
  assert.equal(response.status, status, query);
  assert.equal(response.headers["content-type"], "application/problem+json", query);
  return response;
}

// Expects a stream that gets what is published to `topic`.
async function assertReads(hub, query, topic, options) {
  const stream = await hub.subscribe(query, options);
  const id = await hub.publish({ topic });
  assert.equal((await stream.next()).id, id, query);
  stream.close();
}

const listed = (value) => (value ?? "").split(",").map((item) => item.trim().toLowerCase());

testOnEachLog("38: a stream begins at once, and names no cursor if it was given none", async (t) => {
  const hub = await t.hub();
  const stream = await hub.stream({ match: A1 });
  assert.equal(stream.status, 200);
  assert.equal(stream.headers["content-type"], "text/event-stream");
  assert.equal(stream.headers["cache-control"], "no-store, no-transform, private");
  assert.equal(stream.headers["x-accel-buffering"], "no");
  assert.equal(stream.headers["x-content-type-options"], "nosniff");
  assert.equal(stream.headers["content-encoding"], undefined);
  assert.equal(stream.headers["mercure-last-event-id"], undefined);
  assert.equal(stream.headers["last-event-id"], undefined);
});

testOnEachLog("39: a stream without a selector is refused", async (t) => {
  const hub = await t.hub();
  for (const query of ["", "utm=1", "last_event_id=earliest", "&&"]) {
    await refused(hub, query, 400);
  }
  assert.equal((await hub.ask({ headers: { accept: "text/event-stream" } })).status, 400);
});

testOnEachLog("40: `match_exact` is `match`", async (t) => {
  const hub = await t.hub();
  await assertReads(hub, { match_exact: A1 }, A1);
});

testOnEachLog("41: other names that begin with `match` are refused, by name", async (t) => {
  const hub = await t.hub();
  const queries = [
    ["Match", A1],
    ["matches", "1"],
    ["match[]", A1],
    ["match_URLPattern", "x"],
    ["matchurlpattern", "x"],
    ["match_", "x"],
    ["match_foo", "x"],
    ["match_foo", "*"],
    ["MATCH_EXACT", "x"],
  ];
  for (const [name, value] of queries) {
    const query = `${encodeURIComponent(name)}=${value}`;
    const { status, json } = await hub.ask({ target: `${HUB_PATH}?${query}` });
    assert.equal(status, 400, query);
    assert.equal(json.field, name, query);
    await refused(hub, `match=a&${query}`, 400);
  }
});

testOnEachLog("42: names may be percent-encoded, and foreign ones are ignored", async (t) => {
  const hub = await t.hub();
  await assertReads(hub, `%6Datch=${A1}&utm=1`, A1);
});

testOnEachLog("44: a selector that no topic could be is refused", async (t) => {
  const hub = await t.hub();
  for (const query of ["match=a%00b", "match=%FF", "match=a%E2%80%8D", "match=a&match=b%0A"]) {
    await refused(hub, query, 400);
  }
});

testOnEachLog("45: `*` is every public event, under each name of a selector", async (t) => {
  const hub = await t.hub();
  for (const name of ["match", "match_exact", "match_urlpattern", "topic"]) {
    const stream = await hub.subscribe(`${name}=*`);
    const ids = [await hub.publish({ topic: A1 }), await hub.publish({ topic: ["b", "c"] })];
    await hub.publish({ topic: A1, private: "on" });
    ids.push(await hub.publish({ topic: "*a" }));
    assert.deepEqual((await stream.take(3)).map((event) => event.id), ids, name);
    stream.close();
  }
});

testOnEachLog("46: an exact selector is compared byte by byte", async (t) => {
  const hub = await t.hub();
  const selectors = ["https://a.example/%257Ex", "/x", "https%3A//A.example/1", ""];
  const stream = await hub.subscribe(`${selectors.map((s) => `match=${s}`).join("&")}&match=mark`);
  for (const topic of ["https://a.example/~x", "https://hub.example.net/x", A1]) {
    await hub.publish({ topic });
  }
  const id = await hub.publish({ topic: "mark" });
  assert.equal((await stream.next()).id, id);
});

testOnEachLog("49: too many selectors, or one too long, are refused", async (t) => {
  const hub = await t.hub();
  const selectors = (count) => Array.from({ length: count }, (_, i) => `match=t${i}`).join("&");
  await assertReads(hub, selectors(100), "t99");
  await assertReads(hub, { match: "x".repeat(4096) }, "x".repeat(4096));
  await refused(hub, selectors(101), 400);
  await refused(hub, `match=${"x".repeat(4097)}`, 400);
});

testOnEachLog("50: a stream over the limit of connections is told when to come back", async (t) => {
  const hub = await t.hub({ connections: 4 });
  const streams = [];
  for (let i = 0; i < 4; ++i) {
    streams.push(await hub.subscribe({ match: A1 }));
  }
  const refusedStream = await hub.stream({ match: A1 });
  await refusedStream.ended();
  assert.equal(refusedStream.status, 200);
  assert.equal(refusedStream.headers["content-type"], "text/event-stream");
  assert.ok(refusedStream.parser.retry > 0);
  assert.equal(refusedStream.comments.length, 1);
  assert.equal(refusedStream.lastEventId, "");
  assert.deepEqual(refusedStream.events, []);
  assert.deepEqual(refusedStream.own, []);

  const publish = await hub.post({ topic: A1 });
  assert.equal(publish.status, 503);
  assert.match(publish.headers["retry-after"], /^[0-9]+$/);
  assert.deepEqual(streams.map((stream) => stream.isEnded), [false, false, false, false]);
});

testOnEachLog("50: so is one over the limit of its address; other requests get 429", async (t) => {
  const hub = await t.hub({ connectionsPerAddress: 2 });
  await hub.subscribe({ match: A1 });
  await hub.subscribe({ match: A1 });
  const refusedStream = await hub.stream({ match: A1 });
  await refusedStream.ended();
  assert.equal(refusedStream.status, 200);
  assert.ok(refusedStream.parser.retry > 0);
  const publish = await hub.post({ topic: A1 });
  assert.equal(publish.status, 429);
  assert.match(publish.headers["retry-after"], /^[0-9]+$/);
});

testOnEachLog("56: a request that does not accept a stream is not given one", async (t) => {
  const hub = await t.hub();
  for (const accept of ["application/json", "text/event-stream;q=0, */*", "text/event-stream;q=0.0"]) {
    await refused(hub, `match=${A1}`, 406, { accept });
  }
});

testOnEachLog("57: a request that accepts everything, or says nothing readable, gets a stream", async (t) => {
  const hub = await t.hub();
  for (const accept of ["*/*", "text/*", undefined, ";;", "text/event-stream, */*;q=0"]) {
    const stream = await hub.subscribe({ match: A1 }, { headers: { accept } });
    assert.equal(stream.headers["content-type"], "text/event-stream", accept);
    stream.close();
  }
});

testOnEachLog("58: other methods are refused, with those that work", async (t) => {
  const hub = await t.hub();
  for (const method of ["DELETE", "PUT", "PATCH", "QUERY", "get", "BREW"]) {
    const { status, headers } = await hub.ask({ method, target: `${HUB_PATH}?match=a` });
    assert.equal(status, 405, method);
    assert.deepEqual(listed(headers.allow).sort(), ["get", "head", "options", "post"], method);
  }
});

testOnEachLog("58: OPTIONS names the methods", async (t) => {
  const hub = await t.hub();
  const { status, headers, text } = await hub.ask({ method: "OPTIONS" });
  assert.equal(status, 204);
  assert.equal(text, "");
  assert.deepEqual(listed(headers.allow).sort(), ["get", "head", "options", "post"]);
});

testOnEachLog("59: HEAD gets the header of a stream, and opens none", async (t) => {
  const hub = await t.hub();
  const { headers } = await hub.subscribe({ match: A1 });
  const opened = async () => sum(await hub.metrics(), "vrelo_streams_opened_total");
  const before = await opened();
  const connection = await hub.connect();
  connection.write(hub.request({ method: "HEAD", target: `${HUB_PATH}?match=${A1}` }));
  const head = await connection.readResponse({ isHead: true });
  assert.equal(head.status, 200);
  delete headers.date;
  assert.deepEqual(head.headers, headers);
  await connection.ended();
  assert.equal(connection.received.length, 0);
  assert.equal(await opened(), before);
  assert.equal((await hub.ask({ method: "HEAD", target: `${HUB_PATH}?matches=a` })).status, 400);
});

testOnEachLog("60: a preflight from an allowed origin is answered, any other is not", async (t) => {
  const hub = await t.hub({ allowedOrigins: APP });
  const preflight = (origin) =>
    hub.ask({
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,cache-control,content-type,last-event-id",
      },
    });
  const { status, headers } = await preflight(APP);
  assert.equal(status, 204);
  assert.equal(headers["access-control-allow-origin"], APP);
  assert.equal(headers["access-control-allow-credentials"], "true");
  for (const method of ["get", "head", "post"]) {
    assert.ok(listed(headers["access-control-allow-methods"]).includes(method), method);
  }
  for (const name of ["authorization", "last-event-id", "cache-control", "content-type"]) {
    assert.ok(listed(headers["access-control-allow-headers"]).includes(name), name);
  }
  assert.ok(listed(headers.vary).includes("origin"));
  for (const origin of ["https://evil.example", "null", `${APP}.evil.example`, "http://app.example.net"]) {
    assert.equal((await preflight(origin)).headers["access-control-allow-origin"], undefined, origin);
  }
});

testOnEachLog("61: another origin may not read", async (t) => {
  const hub = await t.hub({ allowedOrigins: APP });
  for (const origin of ["https://evil.example", "null", "http://localhost:1234"]) {
    const stream = await hub.stream({ match: A1 }, { headers: { origin } });
    assert.equal(stream.headers["access-control-allow-origin"], undefined, origin);
    assert.equal(stream.headers["access-control-allow-credentials"], undefined, origin);
    assert.ok(listed(stream.headers.vary).includes("origin"), origin);
    stream.close();
  }
});

testOnEachLog("62: a refusal can be read by an allowed origin", async (t) => {
  const hub = await t.hub({ allowedOrigins: APP });
  const { headers } = await refused(hub, "matches=1", 400, { origin: APP });
  assert.equal(headers["access-control-allow-origin"], APP);
  assert.equal(headers["access-control-allow-credentials"], "true");
});

testOnEachLog("63: an allowed origin may read the fields of the protocol", async (t) => {
  const hub = await t.hub({ allowedOrigins: `https://other.example,${APP}` });
  const headers = { origin: APP };
  const answers = [
    await hub.stream({ match: A1 }, { headers }),
    await hub.stream({ match: A1, last_event_id: "earliest" }, { headers }),
    await hub.post({ topic: A1 }, { headers }),
  ];
  for (const answer of answers) {
    assert.equal(answer.status, 200);
    assert.equal(answer.headers["access-control-allow-origin"], APP);
    assert.ok(listed(answer.headers.vary).includes("origin"));
    for (const name of ["link", "mercure-last-event-id"]) {
      assert.ok(listed(answer.headers["access-control-expose-headers"]).includes(name), name);
    }
  }
});

testOnEachLog("64: an idle stream gets a comment within the interval", async (t) => {
  const hub = await t.hub({ heartbeat: "1s" });
  const stream = await hub.subscribe({ match: A1 });
  assert.deepEqual(stream.comments, [" vrelo heartbeat=1"]);
  await stream.until(() => stream.comments.length >= 3, "two heartbeats");
  assert.deepEqual(stream.comments.slice(1, 3), ["", ""]);
});

testOnEachLog("65: what is published once the header is there is neither lost nor doubled", async (t) => {
  const hub = await t.hub();
  const rounds = 1000;
  const readers = 8;
  const read = async (reader) => {
    for (let round = reader; round < rounds; round += readers) {
      const topic = `t${round}`;
      const stream = await hub.stream({ match: [topic, `${topic}-end`] });
      const ids = [await hub.publish({ topic }), await hub.publish({ topic: `${topic}-end` })];
      assert.deepEqual((await stream.take(2)).map((event) => event.id), ids);
      assert.equal(stream.events.length, 2);
      stream.close();
    }
  };
  await Promise.all(Array.from({ length: readers }, (_, reader) => read(reader)));
});

testOnEachLog("142: a query may end in `&` and have foreign names", async (t) => {
  const hub = await t.hub();
  await assertReads(hub, `topic=${A1}&`, A1);
  await assertReads(hub, `stream=messages&topic=${A1}`, A1);
  await assertReads(hub, "topic=a&topic=b&", "b");
});

testOnEachLog("137: where `match` is given, `topic` is none of the selectors", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ topic: A1, match: "b" });
  await hub.publish({ topic: A1 });
  const id = await hub.publish({ topic: "b" });
  assert.equal((await stream.next()).id, id);
});

testOnEachLog("143: a comment and the event after it are separate writes", async (t) => {
  const hub = await t.hub({ heartbeat: "1s" });
  const stream = await hub.stream({ match: A1 }, { keepsChunks: true });
  await stream.until(() => stream.comments.includes(""), "a heartbeat");
  await hub.publish({ topic: A1, data: "x" });
  await stream.next();
  const chunks = stream.chunks.map(String);
  assert.ok(chunks.includes(":\n"), JSON.stringify(chunks));
  const withEvent = chunks.find((chunk) => chunk.includes("data: x"));
  assert.ok(!withEvent.startsWith(":"), JSON.stringify(withEvent));
});
