// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { within } from "../../../test/harness/waiting.mjs";
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

test("stream: takes one proof off an id, which may itself end like one", async (t) => {
  const proof = "~abcdefghijklmnopqrstuv";
  const [began, next] = [`a${proof}`, `b${proof}`];
  const texts = ["data: 1\n\n", `id: ${next}${proof}\ndata: 2\n\n`, "data: 3\n\n"];
  const server = await Server.open(t, ...texts.map((text) => (exchange) => {
    exchange.open(text);
    exchange.end();
  }));
  const ids = [];
  for await (const { data, lastEventId } of stream(server.url, { ...QUICK, ticket: () => "vt", lastEventId: began })) {
    ids.push(lastEventId);
    if (data === "3") {
      break;
    }
  }
  assert.deepEqual(ids, [began, next, next]);
  const cursors = server.exchanges.map(({ target }) => new URLSearchParams(target.split("?")[1]).get("last_event_id"));
  assert.deepEqual(cursors, [began, began, next]);
});

test("stream: throws what onFailure throws", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.end(500));
  const thrown = new Error("of the test");
  const onFailure = () => { throw thrown; };
  await assert.rejects(stream(server.url, { onFailure }).next(), thrown);
});

test("stream: ends when its signal aborts, whatever came with the event before", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open("data: a\n\ndata: b\n\ndata: c\n\n"));
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

// [about, options, requests]
const ENDS = [
  ["there is one connection", { retry: { attempts: 0 } }, 1],
  ["it is finite", { ...QUICK, finite: true }, 3], // it comes back after a cut and a 500
];
for (const [about, options, requests] of ENDS) {
  test(`stream: returns at the server's end where ${about}`, async (t) => {
    const answer = (exchange) => {
      exchange.open("id: 9\ndata: last\n\n");
      exchange.end();
    };
    const cut = (exchange) => exchange.open("id: 1\ndata: first\n\n", { "content-length": "1000" });
    const answers = requests === 1 ? [answer] : [cut, (exchange) => exchange.end(500), answer];
    const server = await Server.open(t, ...answers);
    const seen = [];
    const failures = [];
    const onFailure = ({ reason, willReconnect }) => failures.push([reason, willReconnect]);
    for await (const { data } of stream(server.url, { ...options, retryOn: () => true, onFailure })) {
      seen.push(data);
      if (data === "first") {
        server.exchanges[0].cut();
      }
    }
    assert.equal(server.exchanges.length, requests);
    assert.deepEqual(seen, requests === 1 ? ["last"] : ["first", "last"]);
    assert.deepEqual(failures.at(-1), ["closed", false]);
    assert.equal(server.exchanges.at(-1).headers["last-event-id"], requests === 1 ? undefined : "1");
  });
}

test("stream: throws when the attempts have run out, also where the server has ended each of them", async (t) => {
  const server = await Server.open(t, (exchange) => {
    exchange.open(": busy\n\n");
    exchange.end();
  });
  t.mock.method(performance, "now", () => 0); // so that none of them has held for long
  const events = stream(server.url, { retry: { minMs: 1, maxMs: 1, attempts: 3 } });
  await assert.rejects(events.next(), { name: "StreamError", message: "the stream has failed: closed" });
  assert.equal(server.exchanges.length, 3);
});

test("stream: throws what its function for a token has thrown, as the cause", async () => {
  const thrown = new Error("of the test");
  const token = () => { throw thrown; };
  const first = stream("http://127.0.0.1:9/", { token, retry: { attempts: 1 } }).next();
  await assert.rejects(first, { name: "StreamError", message: "the stream has failed: auth", cause: thrown });
});

test("stream: throws what retryOn has thrown, as the cause", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.end(500));
  const thrown = new Error("of the test");
  const failures = [];
  const options = { retryOn: () => { throw thrown; }, onFailure: ({ cause }) => failures.push(cause) };
  const first = within(stream(server.url, options).next(), "the stream's failure");
  await assert.rejects(first, { name: "StreamError", message: "the stream has failed: http (500)", cause: thrown });
  assert.deepEqual(failures, [thrown]);
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
