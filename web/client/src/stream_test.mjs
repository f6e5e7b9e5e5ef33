// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { stream, StreamError } from "../dist/index.js";
import { QUICK, Server } from "./server_testing.mjs";

test("stream: gives the events of all types, over connections that break", async (t) => {
  const server = await Server.open(t,
    (exchange) => {
      exchange.open("id: 1\nevent: x\ndata: a\n\n");
      exchange.end();
    },
    (exchange) => exchange.open("data: b\n\n"));
  const events = [];
  const failures = [];
  const options = { ...QUICK, onFailure: ({ reason }) => failures.push(reason) };
  for await (const event of stream(server.url, options)) {
    events.push(event);
    if (events.length === 2) {
      break;
    }
  }
  const x = { type: "x", data: "a", lastEventId: "1" };
  assert.deepEqual(events, [x, { type: "message", data: "b", lastEventId: "1" }]);
  assert.deepEqual(failures, ["closed"]);
  assert.equal(server.exchanges[1].headers["last-event-id"], "1");
  await server.exchanges[1].closed();
});

test("stream: throws when the stream has failed for good, after the events before that", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open(`data: a\n\ndata: ${"x".repeat(99)}`));
  const seen = [];
  const read = async () => {
    for await (const { data } of stream(server.url, { maxEventBytes: 50 })) {
      seen.push(data);
    }
  };
  await assert.rejects(read, (error) => {
    assert.ok(error instanceof StreamError);
    assert.equal(error.message, "the stream has failed: too-large");
    assert.deepEqual(error.failure, { reason: "too-large", willReconnect: false, delayMs: 0 });
    return true;
  });
  assert.deepEqual(seen, ["a"]);
});

test("stream: throws what onFailure throws", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.end(500));
  const thrown = new Error("of the test");
  const onFailure = () => { throw thrown; };
  await assert.rejects(stream(server.url, { onFailure }).next(), thrown);
});

test("stream: ends when its signal aborts", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open("data: a\n\n"));
  const controller = new AbortController();
  const seen = [];
  for await (const { data } of stream(server.url, { signal: controller.signal })) {
    seen.push(data);
    controller.abort();
  }
  assert.deepEqual(seen, ["a"]);
  assert.deepEqual(await stream(server.url, { signal: controller.signal }).next(), { value: undefined, done: true });
  await server.exchanges[0].closed();
});

test("stream: reads no more while the loop is at work, and is not idle meanwhile", async () => {
  let pulls = 0;
  const source = {
    pull(controller) {
      pulls += 1;
      controller.enqueue(new TextEncoder().encode("data: a\n\n"));
    },
  };
  const counted = () => new ReadableStream(source, { highWaterMark: 0 });
  const own = async () => new Response(counted(), { headers: { "content-type": "text/event-stream" } });
  const events = stream("http://127.0.0.1:9/", { fetch: own, idleTimeoutMs: 10, onFailure: assert.fail });
  await events.next();
  for (let turn = 0; turn < 100; ++turn) {
    await new Promise(setImmediate);
  }
  await new Promise((resolve) => setTimeout(resolve, 30)); // longer than the stream may be silent
  assert.equal(pulls, 1);
  await events.next();
  assert.equal(pulls, 2);
  await events.return();
});
