// SPDX-License-Identifier: Apache-2.0
//
// When the library connects again, and when it does not.

import assert from "node:assert/strict";
import test from "node:test";

import { EventSource, stream, StreamError } from "../dist/index.js";
import { QUICK, Server, STREAM, Watch } from "./server_testing.mjs";

const RENEW = 'event: vrelo.renew\ndata: {"in":30}\n\n';
const TIMER_MAX_MS = 2 ** 31 - 1;

const NOWHERE = { url: "http://127.0.0.1:9/" };

const stay = (text) => (exchange) => exchange.open(text);
const once = (text) => (exchange) => {
  exchange.open(text);
  exchange.end();
};
const open = (t, server, options = {}) => new Watch(t, new EventSource(server.url, { ...QUICK, ...options }));
const breakOff = ({ exchanges }) => exchanges[0].cut();
const end = ({ exchanges }) => exchanges[0].end();

// A request for which something may be done, or paid: how it ends where no event had an id.
// [about, options, what happens to the stream, what is told]
const ENDS = [
  ["a break", { body: "a" }, breakOff, "error network has given up"],
  ["a break of a finite stream", { body: "a", finite: true }, breakOff, "error network has given up"],
  ["the end", { body: () => "a" }, end, "error closed has given up"],
  ["silence", { body: "a", idleTimeoutMs: 100 }, () => {}, "error idle has given up"],
  ["a break of another method", { method: "PUT" }, breakOff, "error network has given up"],
  ["a break where retryOn refuses", { body: "a", retryOn: () => false }, breakOff, "error network has given up"],
];

for (const [about, options, happens, told] of ENDS) {
  test(`again: a request with a body is not sent again when no event had an id: ${about}`, async (t) => {
    const server = await Server.open(t, stay("data: a\n\n"));
    const watch = open(t, server, options);
    await watch.until(2);
    happens(server);
    assert.deepEqual(await watch.until(3), ["open", "message a #", told]);
    assert.deepEqual([watch.source.readyState, "cause" in watch.lastError], [EventSource.CLOSED, false]);
    await open(t, server).until(1);
    assert.equal(server.exchanges.length, 2);
  });
}

// [about, options, the first answer]
const REPEATED = [
  ["an event had an id", { body: "a" }, once("id: 1\ndata: a\n\n")],
  ["the stream began at one", { body: "a", lastEventId: "1" }, once("data: a\n\n")],
  ["there was no answer", { body: "a" }, (exchange) => exchange.cut()],
  ["retryOn says so", { body: "a", retryOn: () => true }, once("data: a\n\n")],
  ["it is a GET", { method: "get" }, once("data: a\n\n")],
];

for (const [about, options, answer] of REPEATED) {
  test(`again: a request is sent again where ${about}`, async (t) => {
    const server = await Server.open(t, answer, stay("data: b\n\n"));
    const { source } = open(t, server, options);
    const { method, body } = await server.exchange(1);
    assert.deepEqual([method, body], [server.exchanges[0].method, server.exchanges[0].body]);
    source.close();
  });
}

test("again: of a stream without ids, retryOn is told that it had an answer", async (t) => {
  const server = await Server.open(t, once("data: a\n\n"), (exchange) => exchange.cut(),
    (exchange) => exchange.end(500));
  const refusals = [];
  const retryOn = (refusal) => refusals.push(refusal) < 2;
  await open(t, server, { body: "a", retryOn }).untilEntry("error http 500 has given up");
  assert.deepEqual(refusals, [
    { reason: "closed", status: 200, attempt: 0 },
    { reason: "http", status: 500, attempt: 2 },
  ]);
});

test("again: the loop over a stream that a body opened ends with it, and throws for a break", async (t) => {
  const server = await Server.open(t, once("data: a\n\n"), stay("data: a\n\n"));
  const seen = [];
  const read = async (onData) => {
    for await (const { data } of stream(server.url, { ...QUICK, body: "a" })) {
      seen.push(data);
      onData();
    }
  };
  await read(() => {});
  await assert.rejects(read(() => server.exchanges[1].cut()), (error) => (
    error instanceof StreamError && error.message === "the stream has failed: network"));
  assert.deepEqual([seen, server.exchanges.length], [["a", "a"], 2]);
});

test("again: a ticket that a new session was opened with opens no other", async (t) => {
  const server = await Server.open(t, stay(RENEW), once("data: b\n\n"), stay("data: c\n\n"));
  let tickets = 0;
  await open(t, server, { ticket: () => `vt_${++tickets}` }).untilEntry("message c #");
  assert.deepEqual(server.exchanges.map(({ target }) => target), [1, 2, 3].map((i) => `/stream?ticket=vt_${i}`));
});

test("again: what a fetch that knows no signal reads is told as idle, not as the end", async (t) => {
  const deaf = async () => new Response(new ReadableStream({}), { headers: STREAM });
  const watch = open(t, NOWHERE, { fetch: deaf, idleTimeoutMs: 20 });
  assert.deepEqual(await watch.until(2), ["open", "error idle reconnects"]);
});

test("again: a page that is shown has its connection, also where nothing else wakes it", async (t) => {
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden", baseURI: "http://a/" });
  globalThis.document = document;
  t.after(() => delete globalThis.document);
  const server = await Server.open(t, stay("data: a\n\n"));
  const watch = open(t, server, { wake: { visible: false, pauseHidden: true } });
  await new Promise(setImmediate); // it has seen that the page is hidden
  document.visibilityState = "visible";
  document.dispatchEvent(new Event("visibilitychange"));
  assert.deepEqual(await watch.until(2), ["open", "message a #"]);
});

// Holds back the library's long timers, and the clock. Returns how long they are, and what rings the last one then.
function holdTimers(t) {
  let clock = 0;
  let ring;
  const timers = [];
  const { setTimeout: original } = globalThis;
  t.mock.method(performance, "now", () => clock);
  t.mock.method(globalThis, "setTimeout", (action, milliseconds, ...rest) => {
    if (milliseconds < 1000 || milliseconds === 60_000) { // which is the tests' own
      return original(action, milliseconds, ...rest);
    }
    timers.push(milliseconds);
    ring = () => {
      clock += milliseconds;
      action();
    };
    return undefined;
  });
  return { timers, ring: () => ring() };
}

// A fetch whose answers are streams with these texts, which stay open. (That of Node has timers of its own.)
function answers(...texts) {
  return async () => {
    const bytes = new TextEncoder().encode(texts.shift());
    return new Response(new ReadableStream({ start: (stream) => stream.enqueue(bytes) }), { headers: STREAM });
  };
}

test("again: heartbeats that were announced and stay away are missed", async (t) => {
  const { timers, ring } = holdTimers(t);
  const watch = open(t, NOWHERE, { fetch: answers(": vrelo heartbeat=15\nid: 1\ndata: a\n\n", "data: b\n\n") });
  await watch.until(2);
  await new Promise(setImmediate); // what came is taken
  ring();
  assert.deepEqual(await watch.until(5), ["open", "message a #1", "error idle reconnects", "open", "message b #1"]);
  // They count for the next answer as well, and no longer where that announces none.
  assert.deepEqual(timers, [45_000, 45_000]);
  ring();
  await new Promise(setImmediate);
  assert.equal(watch.source.readyState, EventSource.OPEN);
});

// [about, text of the stream, the watches that it makes]
const ANNOUNCED = [
  ["by the first comment", ": vrelo heartbeat=1.5\ndata: a\n\n", [4500]],
  ["for longer than a timer can wait", ": vrelo heartbeat=999999\ndata: a\n\n", [TIMER_MAX_MS]],
  ["not by a later comment", ": hello\n: vrelo heartbeat=15\ndata: a\n\n", []],
  ["not a second time", ": vrelo heartbeat=15\n: vrelo heartbeat=30\ndata: a\n\n", [45_000]],
  ["not for less than a second", ": vrelo heartbeat=0.9\ndata: a\n\n", []],
  ["not by what is no number", ": vrelo heartbeat=1.5.0\ndata: a\n\n", []],
];

for (const [about, text, watches] of ANNOUNCED) {
  test(`again: heartbeats are announced ${about}`, async (t) => {
    const { timers } = holdTimers(t);
    await open(t, NOWHERE, { fetch: answers(text) }).until(2);
    assert.deepEqual(timers, watches);
  });
}
