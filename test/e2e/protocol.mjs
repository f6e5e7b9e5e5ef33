// SPDX-License-Identifier: Apache-2.0
//
// The wire: HTTP/1.1 as the hub speaks it, and what a stream looks like byte by byte.

import assert from "node:assert/strict";

import { parseHead } from "../harness/http.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { sum } from "../harness/metrics.mjs";
import { test, testOnEachLog } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const idsOf = (events) => events.map((event) => event.id);
const numbers = (count) => Array.from({ length: count }, (_, i) => i);

// Sends `text` on a connection of its own and returns everything that comes back until the hub closes.
async function exchange(hub, text) {
  const connection = await hub.connect();
  connection.write(Buffer.from(text, "latin1"));
  await connection.ended();
  return connection.received.toString("latin1");
}

testOnEachLog("a connection takes one request after the other", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  for (const i of numbers(20)) {
    connection.write(hub.publishBytes({ topic: "a", id: `n${i}` }));
    const response = await connection.readResponse();
    assert.equal(response.status, 200);
    assert.equal(response.text, `n${i}`);
    assert.notEqual(response.headers.connection, "close");
  }
  connection.write(hub.request({ target: "/healthz" }));
  assert.equal((await connection.readResponse()).status, 200);
  connection.close();
});

testOnEachLog("publishes that are pipelined are stored and answered in their order", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a" });
  const connection = await hub.connect();
  const ids = numbers(100).map((i) => `n${i}`);
  connection.write(Buffer.concat(ids.map((id) => hub.publishBytes({ topic: "a", id }))));
  for (const id of ids) {
    assert.equal((await connection.readResponse()).text, id);
  }
  assert.deepEqual(idsOf(await stream.take(100)), ids);
  connection.close();
});

test("requests cut into single bytes are read as whole ones are", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  for (const byte of hub.publishBytes({ topic: "a", id: "n", data: "\u{1F642}" })) {
    await connection.write(Buffer.of(byte));
  }
  assert.equal((await connection.readResponse()).text, "n");
  connection.close();
});

test("a refused publish does not disturb those around it", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  connection.write(
    Buffer.concat([
      hub.publishBytes({ topic: "a", id: "n0" }),
      hub.publishBytes({ topic: "*" }),
      hub.publishBytes({ topic: "a", id: "n1" }),
    ]),
  );
  assert.equal((await connection.readResponse()).text, "n0");
  assert.equal((await connection.readResponse()).status, 400);
  assert.equal((await connection.readResponse()).text, "n1");
  connection.close();
});

test("a sender that expects it is told to go on before it sends the body", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  const bytes = hub.publishBytes({ topic: "a", id: "n" }, { headers: { expect: "100-continue" } });
  const bodyAt = bytes.indexOf("\r\n\r\n") + 4;
  connection.write(bytes.subarray(0, bodyAt));
  assert.equal((await connection.readHead()).status, 100);
  connection.write(bytes.subarray(bodyAt));
  assert.equal((await connection.readResponse()).text, "n");

  connection.write(hub.publishBytes({ topic: "a" }, { headers: { expect: "something" } }));
  assert.equal((await connection.readResponse()).status, 417);
  connection.close();
});

test("a sender whose body would be refused is told so instead of to go on", async (t) => {
  const hub = await t.hub({ bodyBytes: "1KiB" });
  const connection = await hub.connect();
  const headers = { expect: "100-continue", "content-length": "2000", "content-type": "text/plain" };
  connection.write(hub.request({ method: "POST", headers }));
  assert.equal((await connection.readHead()).status, 413);
  connection.close();
});

test("a body in chunks is one body", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a" });
  const connection = await hub.connect();
  const headers = { "transfer-encoding": "chunked", "content-type": "application/x-www-form-urlencoded" };
  connection.write(hub.request({ method: "POST", headers }));
  connection.write("6\r\ntopic=\r\n");
  connection.write("1;name=value\r\na\r\n9\r\n&data=hi!\r\n0\r\n\r\n");
  const id = (await connection.readResponse()).text;
  const event = await stream.next();
  assert.deepEqual([event.id, event.data], [id, "hi!"]);
  connection.close();
});

test("HTTP/1.0 is spoken to those who speak it", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  connection.write(hub.publishBytes({ topic: "a", id: "n" }, { version: "1.0" }));
  const response = await connection.readResponse();
  assert.equal(response.text, "n");
  assert.equal(response.headers.connection, "close");
  await connection.ended();

  const kept = await hub.connect();
  for (const id of ["m", "o"]) {
    kept.write(hub.publishBytes({ topic: "a", id }, { version: "1.0", headers: { connection: "keep-alive" } }));
    const answer = await kept.readResponse();
    assert.equal(answer.text, id);
    assert.equal(answer.headers.connection, "keep-alive");
  }
  kept.close();

  const streamed = await hub.connect();
  streamed.write(hub.request({ target: `${HUB_PATH}?match=a&last_event_id=n`, version: "1.0" }));
  assert.equal((await streamed.readHead()).headers["content-type"], "text/event-stream");
  await streamed.takeUntil("id: o\n\n", "the event o");
  streamed.close();
});

test("a target that is a whole URL is understood, and its host is the one that counts", async (t) => {
  const hub = await t.hub();
  const headers = { host: "other.example" };
  const target = `http://${hub.authority}/healthz`;
  assert.equal((await hub.ask({ target, headers })).status, 200);
  const foreign = await hub.ask({ target: "http://other.example/healthz" });
  assert.ok(foreign.status >= 400, String(foreign.status));
});

test("what two servers could read in two ways is refused, and the connection closed", async (t) => {
  const hub = await t.hub();
  const host = `Host: ${hub.authority}\r\n`;
  const type = "Content-Type: application/x-www-form-urlencoded\r\n";
  const post = `POST ${HUB_PATH} HTTP/1.1\r\n${host}${type}`;
  const get = `GET ${HUB_PATH}?match=a HTTP/1.1\r\n`;
  const smuggled = `POST ${HUB_PATH} HTTP/1.1\r\n${host}${type}Content-Length: 13\r\n\r\ntopic=smuggle`;
  const cases = [
    ["both lengths", `${post}Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["two lengths", `${post}Content-Length: 7\r\nContent-Length: 8\r\n\r\ntopic=a`],
    ["one length twice", `${post}Content-Length: 7\r\nContent-Length: 7\r\n\r\ntopic=a`],
    ["a list as length", `${post}Content-Length: 7, 7\r\n\r\ntopic=a`],
    ["a length with a sign", `${post}Content-Length: +7\r\n\r\ntopic=a`],
    ["a length in hexadecimal", `${post}Content-Length: 0x7\r\n\r\ntopic=a`],
    ["a space before the colon", `${post}Content-Length : 7\r\n\r\ntopic=a`],
    ["an unknown coding", `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ["chunked, not last", `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`],
    ["chunked, twice", `${post}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["something like chunked", `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`],
    ["chunked in HTTP/1.0", `${post.replace("1.1", "1.0")}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ["a chunk of a negative size", `${post}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n`],
    ["a chunk of a huge size", `${post}Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n`],
    ["a chunk that is longer than it says", `${post}Transfer-Encoding: chunked\r\n\r\n3\r\ntopic=a\r\n0\r\n\r\n`],
    ["a folded field", `${get}${host}X: a\r\n b\r\n\r\n`],
    ["no host", `${get}\r\n`],
    ["two hosts", `${get}${host}${host}\r\n`],
    ["lines without CR", `${get}${host}\r\n`.replaceAll("\r\n", "\n")],
    ["a NUL in a field", `${get}${host}X: a\0b\r\n\r\n`],
    ["a CR in a field", `${get}${host}X: a\rb\r\n\r\n`],
    ["no version", `GET ${HUB_PATH}?match=a\r\n\r\n`],
    ["another version", `${get.replace("1.1", "2.0")}${host}\r\n`],
    ["no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"],
  ];
  for (const [name, text] of cases) {
    const answer = await exchange(hub, text + smuggled);
    const [head, ...rest] = answer.split("\r\n\r\n");
    const { status, headers } = parseHead(head);
    assert.ok(status === 400 || status === 413 || status === 505, `${name}: ${answer}`);
    assert.equal(headers.connection, "close", name);
    assert.ok(!/HTTP\/1\.1 [0-9]/.test(rest.join()), `${name}: a second answer: ${answer}`);
  }
  const id = await hub.publish({ topic: "mark" });
  const stream = await hub.subscribe({ match: "*", last_event_id: "earliest" });
  assert.equal((await stream.next()).id, id, "something was smuggled");
});

test("an unknown path is not found, and says so to programs", async (t) => {
  const hub = await t.hub();
  for (const target of ["/nothing", `${HUB_PATH}/`, `${HUB_PATH}x`, "/.well-known", "/metricsx"]) {
    const response = await hub.ask({ target });
    assert.equal(response.status, 404, target);
    assert.equal(response.headers["content-type"], "application/problem+json");
    assert.equal(response.headers["x-content-type-options"], "nosniff");
    assert.ok(response.headers["cross-origin-resource-policy"]);
  }
});

test("a page cannot reach the hub by a name of its own", async (t) => {
  const hub = await t.hub({ allowedHosts: "hub.example" });
  const status = async (host) => (await hub.ask({ target: `${HUB_PATH}?matches=1`, headers: { host } })).status;
  for (const host of ["hub.example", "hub.example:8080", "HUB.EXAMPLE", "localhost", "127.0.0.1:1", "[::1]:9"]) {
    assert.equal(await status(host), 400, host); // for its query
  }
  for (const host of ["evil.example", "hub.example.evil.example", "127.0.0.1.evil.example", "localhost.evil"]) {
    assert.equal(await status(host), 421, host);
    assert.equal((await hub.post({ topic: "a" }, { headers: { host } })).status, 421, host);
  }
});

test("pages on other ports of this machine may use a hub that only this machine reaches", async (t) => {
  const hub = await t.hub();
  for (const origin of ["http://localhost:5173", "http://127.0.0.1:8000"]) {
    const stream = await hub.stream({ match: "a" }, { headers: { origin } });
    assert.equal(stream.headers["access-control-allow-origin"], origin);
    stream.close();
  }
  const stream = await hub.stream({ match: "a" }, { headers: { origin: "http://localhost.evil.example" } });
  assert.equal(stream.headers["access-control-allow-origin"], undefined);
});

test("a page that loads the stream as something else opens none", async (t) => {
  const hub = await t.hub();
  for (const mode of ["no-cors", "navigate"]) {
    const response = await hub.ask({
      target: `${HUB_PATH}?match=a`,
      headers: { accept: "*/*", "sec-fetch-mode": mode },
    });
    assert.ok(response.status >= 400, `${mode}: ${response.status}`);
  }
  assert.equal(sum(await hub.metrics(), "vrelo_streams_opened_total"), 0);
});

test("the header and the first block of a stream leave in one write", async (t) => {
  const hub = await t.hub();
  for (const i of numbers(100)) {
    const connection = await hub.connect();
    let first;
    connection.forward((chunk) => (first ??= chunk.toString("latin1")));
    connection.write(hub.request({ target: `${HUB_PATH}?match=a`, headers: { accept: "text/event-stream" } }));
    await connection.until(() => first !== undefined, "the first bytes");
    const [head, ...body] = first.split("\r\n\r\n");
    assert.equal(parseHead(head).status, 200);
    const either = /^: vrelo heartbeat=15\n(id: #[\w-]{11}\.0\nretry: \d+|retry: \d+\nid: #[\w-]{11}\.0)\n\n$/;
    assert.match(body.join(), either, `stream ${i}`);
    connection.close();
  }
});

test("retry differs from stream to stream, so that they do not all come back at once", async (t) => {
  const hub = await t.hub({ retry: "10s" });
  const streams = await Promise.all(numbers(50).map(() => hub.subscribe({ match: "a" })));
  const retries = streams.map((stream) => stream.parser.retry);
  assert.ok(Math.min(...retries) >= 7_000 && Math.max(...retries) <= 13_000, String(retries));
  assert.ok(new Set(retries).size > 10, String(retries));
});

test("a browser's EventSource gets its position as an event, others as a bare id", async (t) => {
  const hub = await t.hub();
  const fields = { accept: "text/event-stream", pragma: "no-cache", "cache-control": "no-cache" };
  const native = [{ "sec-fetch-mode": "cors" }, { "user-agent": "Mozilla/5.0 (X11; Linux)" }];
  for (const headers of native) {
    const stream = await hub.subscribe({ match: "a" }, { headers: { ...fields, ...headers } });
    const [{ type, data, id }] = stream.own;
    assert.deepEqual({ type, data }, { type: "vrelo.hello", data: "" });
    assert.match(id, /^#/);
    stream.close();
  }
  for (const headers of [{}, fields, { ...fields, "user-agent": "curl/8" }, { "user-agent": "Mozilla/5.0" }]) {
    const stream = await hub.subscribe({ match: "a" }, { headers });
    assert.deepEqual(stream.own, []);
    assert.match(stream.lastEventId, /^#/);
    stream.close();
  }
});

for (const [hello, count] of [["always", 1], ["never", 0]]) {
  test(`with hello = ${hello}, that is so for every stream`, async (t) => {
    const hub = await t.hub({ hello });
    const fields = { pragma: "no-cache", "cache-control": "no-cache", "user-agent": "Mozilla/5.0" };
    for (const headers of [{}, fields]) {
      const stream = await hub.subscribe({ match: "a" }, { headers });
      assert.equal(stream.own.length, count);
      stream.close();
    }
  });
}

testOnEachLog("one event sent a thousand times over 64 connections is stored once", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a" });
  const send = async (count) => {
    const connection = await hub.connect();
    for (let i = 0; i < count; ++i) {
      connection.write(hub.publishBytes({ topic: "a", id: "same", data: "the same" }));
      const response = await connection.readResponse();
      assert.equal(response.status, 200);
      assert.equal(response.text, "same");
    }
    connection.close();
  };
  await Promise.all(numbers(64).map((i) => send(i < 40 ? 16 : 15)));
  await hub.publish({ topic: "a", id: "same", data: "another" });
  const mark = await hub.publish({ topic: "a" });
  const wanted = [["same", "the same"], ["same", "another"], [mark, ""]];
  const contents = (events) => events.map(({ id, data }) => [id, data]);
  assert.deepEqual(contents(await stream.take(3)), wanted);
  const history = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual(contents(await history.take(3)), wanted);

  const metrics = await hub.metrics();
  assert.equal(metrics.get('vrelo_publishes_total{event="new"}'), 3);
  assert.equal(metrics.get('vrelo_publishes_total{event="repeated"}'), 999);
});

testOnEachLog("a large event reaches a reader that takes a little at a time, whole", async (t) => {
  const hub = await t.hub({ heartbeat: "1s", windowBytes: "1MiB", bodyBytes: "2MiB" });
  const data = "0123456789abcdef".repeat(65_536);
  const other = await hub.subscribe({ match: "b" });
  const slow = await hub.subscribe({ match: "a" }, { readBytes: 1024 });
  const start = slow.connection.receivedBytes;
  slow.connection.pause();
  await hub.publish({ topic: "a", id: "large", data });
  for (let part = 1; part <= 2; ++part) {
    const heartbeats = other.comments.length + 2;
    await other.until(() => other.comments.length >= heartbeats, "heartbeats to be due");
    slow.connection.resume();
    const wanted = start + part * 300_000;
    await slow.until(() => slow.connection.receivedBytes >= wanted, "a part of the event");
    slow.connection.pause();
  }
  slow.connection.resume();
  await hub.publish({ topic: "a", id: "next" });
  const [large, next] = await slow.take(2);
  assert.equal(large.id, "large");
  assert.ok(large.data === data, "the data has changed");
  assert.equal(next.id, "next");
});

testOnEachLog("readers that take nothing hold up nobody, and miss nothing", async (t) => {
  const hub = await t.hub();
  const stalled = await Promise.all(numbers(5).map(() => hub.subscribe({ match: "a" })));
  const active = await Promise.all(numbers(5).map(() => hub.subscribe({ match: "a" })));
  for (const stream of stalled) {
    stream.connection.pause();
  }
  const ids = numbers(300).map((i) => `n${i}`);
  const data = "x".repeat(65_536);
  for (const id of ids) {
    await hub.publish({ topic: "a", id, data });
  }
  for (const stream of active) {
    assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
  }
  assert.ok(stalled.every((stream) => stream.events.length < ids.length), "nobody was slow");
  for (const stream of stalled) {
    stream.connection.resume();
    assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
    assert.deepEqual(stream.own, []);
  }
});

test("a reader whose cursor is older than the history is told what is missing", async (t) => {
  const hub = await t.hub({ historyEvents: 10, windowBytes: "64KiB" });
  const start = (await hub.subscribe({ match: "a" })).lastEventId;
  const ids = [];
  for (let i = 0; i < 30; ++i) {
    ids.push(await hub.publish({ topic: "a", data: "x".repeat(10_000) }));
  }
  for (const cursor of [start, ids[0], ids[5]]) {
    const stream = await hub.subscribe({ match: "a", last_event_id: cursor });
    assert.equal(stream.headers["mercure-last-event-id"], "earliest");
    const kept = await stream.take(10);
    assert.deepEqual(idsOf(kept), ids.slice(-10));
    assert.equal(stream.own.length, 1);
    const [gap] = stream.own;
    assert.equal(gap.type, "vrelo.gap");
    assert.deepEqual(JSON.parse(gap.data), { reason: "retention", after: cursor, until: ids[19] });
    assert.equal(gap.id, ids[19], "the gap moves the cursor");
    stream.close();
  }
  const stream = await hub.subscribe({ match: "a", last_event_id: ids[19] });
  assert.deepEqual(idsOf(await stream.take(10)), ids.slice(-10));
  assert.deepEqual(stream.own, [], "nothing is missing after the last event that was removed");
});

test("what was removed is no gap for readers of other topics", async (t) => {
  const hub = await t.hub({ historyEvents: 10, windowBytes: "64KiB" });
  const cursor = await hub.publish({ topic: "quiet" });
  for (let i = 0; i < 30; ++i) {
    await hub.publish({ topic: `busy${i % 3}`, data: "x".repeat(10_000) });
  }
  const quiet = await hub.subscribe({ match: ["quiet", "silent"], last_event_id: cursor });
  const id = await hub.publish({ topic: "quiet" });
  assert.equal((await quiet.next()).id, id);
  assert.deepEqual(quiet.own, []);
  const busy = await hub.subscribe({ match: ["quiet", "busy1"], last_event_id: cursor });
  await busy.until(() => busy.own.length > 0, "a gap");
  assert.equal(busy.own[0].type, "vrelo.gap");
});

// Calls `act` with each of `items`, 50 at a time, and returns what it gave.
async function inGroups(items, act) {
  const results = [];
  for (let at = 0; at < items.length; at += 50) {
    results.push(...(await Promise.all(items.slice(at, at + 50).map((item, i) => act(item, at + i)))));
  }
  return results;
}

testOnEachLog("1,000 readers of quiet topics see no gap over a full turn-over of the log", async (t) => {
  const hub = await t.hub({ historyEvents: 1000, windowBytes: "64KiB", heartbeat: "1s" });
  const topics = numbers(1000).map((i) => `quiet${i}`);
  const readers = await inGroups(topics, (topic) => hub.subscribe({ match: topic }));
  // Every other topic had an event, which its reader has seen; nobody ever heard of the rest.
  const hadEvent = (_, i) => i % 2 === 0;
  const ids = await inGroups(topics.filter(hadEvent), (topic) => hub.publish({ topic }));
  await Promise.all(readers.filter(hadEvent).map((reader) => reader.next()));
  const cursors = readers.map((reader) => reader.lastEventId);
  readers.slice(500).forEach((reader) => reader.close());
  await hub.streamsOpen(500);

  // All of those events have gone once a reader who has missed the one after them is told of a gap.
  await hub.publish({ topic: "last" });
  const come = (topic, cursor) => hub.subscribe({ match: topic }, { headers: { "last-event-id": cursor } });
  const isTurnedOver = async () => {
    const probe = await come("last", ids[0]);
    probe.close();
    return probe.headers["mercure-last-event-id"] === "earliest";
  };
  await inGroups(numbers(1500), () => hub.publish({ topic: "busy", data: "x".repeat(1000) }));
  await until(isTurnedOver, "the turn-over");

  const gaps = (await hub.metrics()).get("vrelo_gaps_total");
  const back = await inGroups(topics.slice(500), (topic, i) => come(topic, cursors[500 + i]));
  readers.splice(500, 500, ...back);
  const more = await inGroups(topics, (topic) => hub.publish({ topic }));
  assert.deepEqual(idsOf(await Promise.all(readers.map((reader) => reader.next()))), more);
  assert.deepEqual(readers.flatMap((reader) => reader.own), []);
  assert.equal((await hub.metrics()).get("vrelo_gaps_total"), gaps);
});

test("a reader from before a memory log began anew is told that everything is another", async (t) => {
  const before = await t.hub();
  const cursor = await before.publish({ topic: "a" });
  await before.stop();
  const hub = await t.hub();
  const ids = [await hub.publish({ topic: "a" }), await hub.publish({ topic: "a" })];
  const stream = await hub.subscribe({ match: "a", last_event_id: cursor });
  assert.equal(stream.headers["mercure-last-event-id"], "earliest");
  assert.deepEqual(idsOf(await stream.take(2)), ids);
  const { reason, after } = JSON.parse(stream.own[0].data);
  assert.deepEqual({ reason, after }, { reason: "epoch", after: cursor });
});

// Reads on from `stream` until `last` has come, and comes back with its cursor whenever the hub ends it.
async function readOn(hub, stream, match, last) {
  const events = [];
  const own = [];
  for (;;) {
    const isDone = () => stream.events.at(-1)?.id === last;
    await stream.connection.until(() => isDone() || stream.isEnded, `the event ${last}`);
    assert.ok(stream.parser.isBetweenBlocks || stream.isEnded);
    events.push(...stream.events);
    own.push(...stream.own);
    if (isDone()) {
      stream.close();
      return { ids: idsOf(events), own };
    }
    stream = await hub.subscribe({ match }, { headers: { "last-event-id": stream.lastEventId } });
  }
}

// A block of which a part was sent before its record went cannot be finished, so such a stream ends; one
// that stands between two blocks goes on with a gap. Either way the reader learns what it has missed.
test("a reader that retention overtakes learns what it has missed, and goes on", async (t) => {
  const hub = await t.hub({ historyEvents: 20, windowBytes: "64KiB" });
  const streams = await Promise.all(numbers(20).map(() => hub.subscribe({ match: "a" })));
  for (const stream of streams) {
    stream.connection.pause();
  }
  const ids = [];
  for (let i = 0; i < 300; ++i) {
    ids.push(await hub.publish({ topic: "a", data: "x".repeat(30_000 + 100 * i) }));
  }
  for (const stream of streams) {
    stream.connection.resume();
    const { ids: got, own } = await readOn(hub, stream, "a", ids.at(-1));
    assert.ok(got.length < ids.length, "the reader was not overtaken");
    assert.deepEqual(got, ids.filter((id) => got.includes(id)), "order, and each once");
    const missing = new Set(ids.filter((id) => !got.includes(id)));
    assert.ok(own.length >= 1, "no gap");
    for (const gap of own) {
      assert.equal(gap.type, "vrelo.gap");
      const { reason, after, until } = JSON.parse(gap.data);
      assert.equal(reason, "retention");
      const announced = ids.slice(ids.indexOf(after) + 1, ids.indexOf(until) + 1);
      assert.ok(announced.length > 0);
      for (const id of announced) {
        assert.ok(missing.delete(id), `${id} was not missing`);
      }
    }
    assert.deepEqual([...missing], [], "what is missing was announced");
  }
});

test("an idle stream's cursor is moved on before it is older than the history", async (t) => {
  const hub = await t.hub({ historyEvents: 20, heartbeat: "1s" });
  const plain = await hub.subscribe({ match: "quiet" });
  const fields = { pragma: "no-cache", "cache-control": "no-cache", "user-agent": "Mozilla/5.0" };
  const native = await hub.subscribe({ match: "quiet" }, { headers: fields });
  const [plainStart, nativeStart] = [plain.lastEventId, native.lastEventId];
  for (let i = 0; i < 15; ++i) {
    await hub.publish({ topic: "busy" });
  }
  await plain.until(() => plain.lastEventId !== plainStart, "another position");
  await native.until(() => native.lastEventId !== nativeStart, "another position");
  assert.deepEqual(plain.own, []);
  assert.deepEqual(native.own.map((event) => event.type), ["vrelo.hello", "vrelo.position"]);
});
