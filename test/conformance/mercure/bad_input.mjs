// SPDX-License-Identifier: Apache-2.0
//
// Bad input, by classes: each has its status and a problem that names the field, and changes nothing; and
// what follows it on its connection is served if one can tell where it begins.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { assertProblem, BAD_INPUT, NOT_IN_NAMES, SETTINGS } from "../../harness/bad_input.mjs";
import { sum } from "../../harness/metrics.mjs";
import { test, testOnEachLog } from "../../harness/test.mjs";
import { until } from "../../harness/waiting.mjs";

// Fails if a stream was opened, or anything but `ids` was stored.
async function assertStored(hub, ids) {
  assert.equal(sum(await hub.metrics(), "vrelo_streams_opened_total"), 0);
  const mark = await hub.publish({ topic: "mark" });
  const stream = await hub.subscribe({ match: "*", last_event_id: "earliest" });
  const events = await stream.take(ids.length + 1);
  assert.deepEqual(events.map((event) => event.id), [...ids, mark]);
}

// Sends what the row is about, and a publish with `id` behind it: in the same write, or after the answer.
// Returns whether it was published, which is as the row says.
async function send(hub, row, id, { isPipelined }) {
  const connection = await hub.connect();
  const next = hub.publishBytes({ topic: "next", id });
  connection.write(isPipelined ? Buffer.concat([row.bytes, next]) : row.bytes);
  assertProblem(row, await connection.readResponse());
  if (row.closes) {
    await connection.ended();
    assert.equal(connection.received.toString("latin1"), "", `${row.name}: a second answer`);
  } else {
    if (!isPipelined) {
      connection.write(next);
    }
    const { status, text } = await connection.readResponse();
    assert.deepEqual([status, text], [200, id], row.name);
  }
  connection.close();
  return !row.closes;
}

for (const [name, rows] of Object.entries(BAD_INPUT)) {
  testOnEachLog(`${name}: each is refused, tells why, and changes nothing`, async (t) => {
    const hub = await t.hub(SETTINGS);
    const published = [];
    for (const [i, row] of rows.entries()) {
      for (const isPipelined of [false, true]) {
        const id = `${isPipelined ? "with" : "after"}-${i}`;
        if (await send(hub, row, id, { isPipelined })) {
          published.push(id);
        }
      }
    }
    await assertStored(hub, published);
  });
}

testOnEachLog("data may hold each of the characters that names may not", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "a" });
  for (const value of NOT_IN_NAMES) {
    await hub.publish(`topic=a&data=a${value}b`);
  }
  const wanted = NOT_IN_NAMES.map((value) => `a${decodeURIComponent(value).replace("\r", "\n")}b`);
  assert.deepEqual((await stream.take(wanted.length)).map((event) => event.data), wanted);
});

testOnEachLog("refusals of all kinds in one write are answered in order, around what is good", async (t) => {
  const hub = await t.hub(SETTINGS);
  const rows = Object.values(BAD_INPUT).flat();
  const readable = rows.filter((row) => !row.closes);
  const first = (status) => readable.find((row) => row.status === status);
  const kinds = [400, 403, 404, 405, 406, 413, 415, 421].map(first);
  const last = rows.find((row) => row.closes && row.status === 413);

  const connection = await hub.connect();
  const good = (id) => hub.publishBytes({ topic: "a", id });
  const ids = kinds.map((row) => `before-${row.status}`);
  connection.write(
    Buffer.concat([...kinds.flatMap((row, i) => [good(ids[i]), row.bytes]), last.bytes, good("too-late")]),
  );
  for (const [i, row] of kinds.entries()) {
    assert.equal((await connection.readResponse()).text, ids[i]);
    assertProblem(row, await connection.readResponse());
  }
  assertProblem(last, await connection.readResponse());
  await connection.ended();
  assert.equal(connection.received.length, 0);
  await assertStored(hub, ids);
});

// --- Slow and half-sent.

const CHUNKED = { "transfer-encoding": "chunked", "content-length": undefined };

// Parts of publishes, none of which is whole.
function halves(hub) {
  const whole = hub.publishBytes({ topic: "a", data: "x".repeat(100) });
  const head = whole.subarray(0, whole.indexOf("\r\n\r\n"));
  const chunked = (body) => hub.publishBytes(body, { headers: CHUNKED });
  return [
    ["half a method", whole.subarray(0, 2)],
    ["half a request line", whole.subarray(0, 10)],
    ["a CR without its LF", whole.subarray(0, whole.indexOf("\r") + 1)],
    ["half a field", head.subarray(0, -3)],
    ["no empty line", head],
    ["no body", whole.subarray(0, head.length + 4)],
    ["half a body", whole.subarray(0, -50)],
    ["all but a byte", whole.subarray(0, -1)],
    ["half a chunk's size", chunked("3")],
    ["half an extension", chunked("7;a")],
    ["half a chunk", chunked("7\r\ntopic")],
    ["no last chunk", chunked("7\r\ntopic=a\r\n")],
    ["half a trailer", chunked("7\r\ntopic=a\r\n0\r\nX: ")],
    ["no end of the chunks", chunked("7\r\ntopic=a\r\n0\r\n\r")],
  ];
}

const TIMEOUT = { status: 408, closes: true };

async function assertTimedOut(name, connection) {
  assertProblem({ name, ...TIMEOUT }, await connection.readResponse());
  await connection.ended();
  assert.equal(connection.received.length, 0, name);
}

// Waits until only the connection that asks is open.
const allGone = (hub) => until(async () => (await hub.metrics()).get("vrelo_open_connections") <= 1, "the end of all");

testOnEachLog("what is half sent is refused when its time is over, and stored by no means", async (t) => {
  const hub = await t.hub({ requestTime: "300ms" });
  await Promise.all(
    halves(hub).map(async ([name, bytes]) => {
      const connection = await hub.connect();
      connection.write(bytes);
      await assertTimedOut(name, connection);
    }),
  );
  await allGone(hub);
  await assertStored(hub, []);
});

test("whoever sends byte by byte has no more time for it", async (t) => {
  const hub = await t.hub({ requestTime: "300ms" });
  const bodies = [hub.publishBytes({ topic: "a", data: "x".repeat(1000) })];
  bodies.push(hub.publishBytes("1\r\nx\r\n".repeat(200), { headers: CHUNKED }));
  bodies.push(hub.request({ headers: { x: "y".repeat(1000) } }));
  const drip = async (bytes) => {
    const connection = await hub.connect();
    let sent = 0;
    for (; sent < bytes.length && connection.receivedBytes === 0; ++sent) {
      await connection.write(bytes.subarray(sent, sent + 1));
      await delay(5);
    }
    assert.ok(sent < bytes.length, "it had the time for all");
    await assertTimedOut("a drip", connection);
  };
  await Promise.all(bodies.map(drip));
  await allGone(hub);
  await assertStored(hub, []);
});

test("whoever is told to go on and does not is refused when the time is over", async (t) => {
  const hub = await t.hub({ requestTime: "300ms" });
  const bytes = hub.publishBytes({ topic: "a" }, { headers: { expect: "100-continue" } });
  const connection = await hub.connect();
  connection.write(bytes.subarray(0, bytes.indexOf("\r\n\r\n") + 4));
  assert.equal((await connection.readHead()).status, 100);
  await assertTimedOut("no body", connection);
  await assertStored(hub, []);
});

testOnEachLog("what is cut off, by an end or by a reset, is stored by no means", async (t) => {
  const hub = await t.hub();
  for (const [name, bytes] of halves(hub)) {
    const closed = await hub.connect();
    await closed.write(bytes);
    closed.endWriting();
    await closed.ended();
    assert.equal(closed.received.length, 0, `${name}: an answer to nobody`);

    const reset = await hub.connect();
    await reset.write(bytes);
    reset.reset();
  }
  await allGone(hub);
  await assertStored(hub, []);
});

test("a good publish before what is cut off is stored and answered", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  const [, half] = halves(hub).find(([name]) => name === "half a body");
  await connection.write(Buffer.concat([hub.publishBytes({ topic: "a", id: "whole" }), half]));
  connection.endWriting();
  assert.equal((await connection.readResponse()).text, "whole");
  await connection.ended();
  assert.equal(connection.received.length, 0);
  await assertStored(hub, ["whole"]);
});
