// SPDX-License-Identifier: Apache-2.0
//
// What our class has beyond the native one. What both have is in standard_cases.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { EventSource, GapEvent, StreamErrorEvent } from "../dist/index.js";
import { QUICK, Server, Watch } from "./server_testing.mjs";

const stay = (text, headers) => (exchange) => exchange.open(text, headers);
const refuse = (status, headers) => (exchange) => exchange.end(status, headers);
const once = (text) => (exchange) => {
  exchange.open(text);
  exchange.end();
};

function open(t, server, options = {}, types = []) {
  return new Watch(t, new EventSource(server.url, { ...QUICK, ...options }), types);
}

test("EventSource: sends the headers that it is given, beside its own", async (t) => {
  const server = await Server.open(t, stay());
  await open(t, server, { headers: { "X-Room": "7" } }).until(1);
  const { headers, method } = server.exchanges[0];
  assert.deepEqual([method, headers["x-room"], headers.accept], ["GET", "7", "text/event-stream"]);
});

test("EventSource: asks functions for headers and token before each attempt", async (t) => {
  const server = await Server.open(t, once(""), refuse(503), stay());
  let attempt = 0;
  const options = {
    headers: async () => ({ "X-Attempt": String(attempt) }),
    token: () => Promise.resolve(`t${++attempt}`),
    retryOn: ({ status }) => status === 503,
  };
  await open(t, server, options).until(4);
  const seen = server.exchanges.map(({ headers }) => [headers["x-attempt"], headers.authorization]);
  assert.deepEqual(seen, [["0", "Bearer t1"], ["1", "Bearer t2"], ["2", "Bearer t3"]]);
});

test("EventSource: sends no authorization where the function has no token", async (t) => {
  const server = await Server.open(t, stay());
  await open(t, server, { token: () => null }).until(1);
  assert.equal(server.exchanges[0].headers.authorization, undefined);
});

test("EventSource: tells that a token could not be had, and asks again", async (t) => {
  const server = await Server.open(t, stay());
  let isFirst = true;
  const token = () => {
    if (isFirst) {
      isFirst = false;
      throw new Error("secret");
    }
    return "t";
  };
  const watch = open(t, server, { token });
  assert.deepEqual(await watch.until(2), ["error auth reconnects", "open"]);
  assert.doesNotMatch(JSON.stringify({ ...watch.lastError }), /secret/);
  assert.equal(watch.lastError.cause.message, "secret");
});

test("EventSource: puts a ticket in place of the query, and never beside a token", async (t) => {
  const server = await Server.open(t, once("id: p1~abcdefghijklmnopqrstuv\ndata: a\n\n"), stay("data: b\n\n"));
  const tickets = [{ ticket: "vt_1" }, { url: `${server.origin}/other?ticket=vt_2` }];
  const source = new EventSource(`${server.url}?match=a`, { ...QUICK, token: "t", ticket: () => tickets.shift() });
  const watch = new Watch(t, source);
  const entries = ["open", "message a #p1", "error closed reconnects", "open", "message b #p1"];
  assert.deepEqual(await watch.until(5), entries);
  const targets = server.exchanges.map(({ target, headers }) => [target, headers.authorization]);
  assert.deepEqual(targets, [
    ["/stream?ticket=vt_1", undefined],
    ["/other?ticket=vt_2&last_event_id=p1", undefined],
  ]);
  assert.equal(server.exchanges[1].headers["last-event-id"], undefined);
});

// What a server may answer instead of a ticket.
const NO_TICKETS = [undefined, null, 5, "", {}, { error: "no" }, { ticket: 5 }, { ticket: "" }, { url: "http://[" }];

test("EventSource: takes what is no ticket for a ticket that could not be had", async (t) => {
  const server = await Server.open(t, stay());
  const answers = [...NO_TICKETS, { ticket: "vt_1", url: null }];
  const causes = [];
  const watch = open(t, server, { ticket: async () => answers.shift() });
  watch.source.addEventListener("error", ({ cause }) => causes.push(cause instanceof TypeError));
  assert.deepEqual(await watch.until(NO_TICKETS.length + 1),
    [...NO_TICKETS.map(() => "error auth reconnects"), "open"]);
  assert.deepEqual(causes, NO_TICKETS.map(() => true));
  assert.deepEqual(server.exchanges.map(({ target }) => target), ["/stream?ticket=vt_1"]);
});

test("EventSource: reads on while what it gets before the end of a session is no ticket", async (t) => {
  const server = await Server.open(t, stay(`data: a\n\n${RENEW}`), stay("data: b\n\n"));
  const answers = ["vt_1", ...NO_TICKETS, "vt_2"];
  const watch = open(t, server, { ticket: () => answers.shift() });
  assert.deepEqual(await watch.until(3), ["open", "message a #", "message b #"]);
  assert.deepEqual(server.exchanges.map(({ target }) => target), ["/stream?ticket=vt_1", "/stream?ticket=vt_2"]);
});

test("EventSource: gets a new ticket after an answer that may change, and gives up after one of 400", async (t) => {
  const changing = ["auth 401", "auth 403", "http 408", "http 425", "http 429", "http 502"];
  const server = await Server.open(t, ...changing.map((answer) => refuse(Number(answer.slice(5)))), refuse(400));
  let tickets = 0;
  const watch = open(t, server, { ticket: () => `vt_${++tickets}` });
  assert.deepEqual(await watch.until(changing.length + 1),
    [...changing.map((answer) => `error ${answer} reconnects`), "error http 400 has given up"]);
  assert.deepEqual(server.exchanges.map(({ target }) => target),
    [...changing, ""].map((_, i) => `/stream?ticket=vt_${i + 1}`));
});

test("EventSource: counts no failures from before a stream that it has left for a new ticket", async (t) => {
  const server = await Server.open(t, refuse(503), stay(`data: a\n\n${RENEW}`), refuse(503));
  const attempts = [];
  const retryOn = ({ attempt }) => attempts.push(attempt) < 4;
  let tickets = 0;
  const watch = open(t, server, { ticket: () => `vt_${++tickets}`, retryOn });
  await watch.untilEntry("error http 503 has given up");
  assert.deepEqual(attempts, [1, 1, 2, 3]);
});

test("EventSource: goes over to a new ticket before the end of a session, and tells nobody", async (t) => {
  const server = await Server.open(t, stay('id: 1\nevent: vrelo.renew\ndata: {"in":30}\n\n'), stay("data: b\n\n"));
  let tickets = 0;
  const watch = open(t, server, { ticket: () => `vt_${++tickets}` }, ["vrelo.renew"]);
  assert.deepEqual(await watch.until(3), ["open", 'vrelo.renew {"in":30} #1', "message b #1"]);
  await server.exchanges[0].closed();
  assert.equal(server.exchanges[1].target, "/stream?ticket=vt_2&last_event_id=1");
});

// Shortens the waits of a million milliseconds and more, which are the library's in these tests, and notes them.
function shortenWaits(t) {
  const waits = [];
  const { setTimeout: original } = globalThis;
  t.mock.method(globalThis, "setTimeout", (action, milliseconds, ...rest) => {
    if (milliseconds >= 1e6) {
      waits.push(milliseconds);
    }
    return original(action, milliseconds >= 1e6 ? 1 : milliseconds, ...rest);
  });
  return waits;
}
const MILLIONS = { retry: { minMs: 1e6, maxMs: 8e6, jitter: 0 } };
const RENEW = 'event: vrelo.renew\ndata: {"in":30}\n\n';

test("EventSource: waits longer from one new ticket to the next where every session ends soon", async (t) => {
  const server = await Server.open(t, stay(`${RENEW}${RENEW}`)); // one is enough, and two are no more
  const waits = shortenWaits(t);
  let tickets = 0;
  open(t, server, { ...MILLIONS, ticket: () => `vt_${++tickets}` }, ["vrelo.renew"]);
  await server.exchange(5);
  assert.deepEqual([waits, tickets], [[1e6, 2e6, 4e6, 8e6, 8e6], 6]);
});

test("EventSource: begins with short waits again after a session that held", async (t) => {
  let clock = 0;
  t.mock.method(performance, "now", () => clock);
  const server = await Server.open(t, stay("data: a\n\n"));
  const waits = shortenWaits(t);
  let tickets = 0;
  const watch = open(t, server, { ...MILLIONS, ticket: () => `vt_${++tickets}` });
  for (const [round, heldMs] of [0, 1, 1e7, 1].entries()) {
    const exchange = await server.exchange(round);
    await watch.until(2 + round);
    clock += heldMs;
    exchange.write(RENEW);
  }
  await watch.until(6);
  assert.deepEqual(waits, [1e6, 2e6, 1e6, 2e6]);
});

test("EventSource: asks for a ticket again, and reads on, while none can be had", async (t) => {
  const server = await Server.open(t, stay(`data: a\n\n${RENEW}`), stay("data: b\n\n"));
  const waits = shortenWaits(t);
  let asked = 0;
  const ticket = () => {
    asked += 1;
    if (asked > 1 && asked < 5) {
      throw new Error("none");
    }
    return `vt_${asked}`;
  };
  const watch = open(t, server, { ...MILLIONS, ticket });
  assert.deepEqual(await watch.until(3), ["open", "message a #", "message b #"]);
  assert.deepEqual([waits, server.exchanges.length], [[1e6, 2e6, 4e6, 8e6], 2]);
});

test("EventSource: leaves no wait for a ticket behind when its stream ends before", async (t) => {
  const server = await Server.open(t, stay(`retry: 1\ndata: a\n\n${RENEW}`), stay("data: b\n\n"));
  let asked = 0;
  const options = { retry: { minMs: 1e6, jitter: 0 }, ticket: () => `vt_${++asked}` };
  const watch = new Watch(t, new EventSource(server.url, options), ["vrelo.renew"]);
  await watch.until(3);
  server.exchanges[0].end();
  assert.deepEqual((await watch.until(6)).slice(3), ["error closed reconnects", "open", "message b #"]);
  assert.equal(asked, 2);
});

test("EventSource: sends the user and password of a URL as the header, and not beside others", async (t) => {
  const server = await Server.open(t, stay());
  const url = server.url.replace("//", "//us%C3%A9r:p%40ss%zz@");
  for (const options of [{}, { token: "t" }, { headers: { authorization: "own" } }, { ticket: "vt_1" }]) {
    await new Watch(t, new EventSource(url, { ...QUICK, ...options })).until(1);
  }
  const seen = server.exchanges.map(({ headers }) => headers.authorization);
  const basic = `Basic ${Buffer.from("usér:p@ss%zz").toString("base64")}`;
  assert.deepEqual(seen, [basic, "Bearer t", "own", undefined]);
});

test("EventSource: has one connection with no attempts, and comes back to a finite stream until its end", async (t) => {
  const server = await Server.open(t, once("data: a\n\n"));
  for (const options of [{ retry: { attempts: 0 } }, { finite: true }]) {
    const watch = open(t, server, options);
    assert.deepEqual(await watch.until(3), ["open", "message a #", "error closed has given up"]);
    assert.equal(watch.lastError.delayMs, 0);
  }
  assert.equal(server.exchanges.length, 2);
});

test("EventSource: keeps a proof in an id that came without a ticket", async (t) => {
  const server = await Server.open(t, stay("id: a~abcdefghijklmnopqrstuv\ndata: x\n\n"));
  assert.deepEqual(await open(t, server).until(2), ["open", "message x #a~abcdefghijklmnopqrstuv"]);
});

test("EventSource: opens a stream by POST, and resumes it", async (t) => {
  const server = await Server.open(t, once("id: 1\ndata: a\n\n"), stay("data: b\n\n"));
  let bodies = 0;
  const options = { headers: { "content-type": "application/json" }, body: () => `{"body":${++bodies}}` };
  await open(t, server, options).until(5);
  const seen = server.exchanges.map(({ method, body, headers }) => [method, body, headers["last-event-id"]]);
  assert.deepEqual(seen, [["POST", '{"body":1}', undefined], ["POST", '{"body":2}', "1"]]);
  assert.equal(server.exchanges[0].headers["content-type"], "application/json");
});

test("EventSource: uses the method and the fetch that it is given", async (t) => {
  const server = await Server.open(t, stay());
  const calls = [];
  const own = (url, init) => {
    calls.push([url, init.method, init.credentials, init.cache]);
    return fetch(url, init);
  };
  await open(t, server, { method: "PUT", fetch: own }).until(1);
  await open(t, server, { withCredentials: true, fetch: own }).until(1);
  await open(t, server, { withCredentials: true, credentials: "omit", fetch: own }).until(1);
  assert.deepEqual(calls, [
    [server.url, "PUT", "same-origin", "no-store"],
    [server.url, "GET", "include", "no-store"],
    [server.url, "GET", "omit", "no-store"],
  ]);
  assert.equal(server.exchanges[0].method, "PUT");
});

test("EventSource: hands a fetch headers that may be spread, as programs of other libraries do", async (t) => {
  const server = await Server.open(t, once("id: é\ndata: a\n\n"), stay());
  const own = (url, init) => fetch(url, { ...init, headers: { ...init.headers, "X-Test": "1" } });
  await open(t, server, { headers: new Headers({ "X-Room": "7" }), token: "t", fetch: own }).until(4);
  const seen = server.exchanges.map(({ headers }) => ["accept", "authorization", "x-room", "x-test", "last-event-id"]
    .map((name) => headers[name]));
  const sent = ["text/event-stream", "Bearer t", "7", "1"];
  assert.deepEqual(seen, [[...sent, undefined], [...sent, Buffer.from("é").toString("latin1")]]);
});

test("EventSource: closes when its signal aborts, and connects to nothing where it has", async (t) => {
  const server = await Server.open(t, stay("data: a\n\n"));
  const controller = new AbortController();
  const watch = open(t, server, { signal: controller.signal });
  await watch.until(2);
  controller.abort();
  assert.equal(watch.source.readyState, EventSource.CLOSED);
  await server.exchanges[0].closed();
  let calls = 0;
  const counted = (...request) => {
    calls += 1;
    return fetch(...request);
  };
  const options = { signal: controller.signal, fetch: counted };
  assert.equal(open(t, server, options).source.readyState, EventSource.CLOSED);
  await open(t, server, { fetch: counted }).until(1);
  assert.equal(calls, 1);
  assert.deepEqual(watch.entries, ["open", "message a #"]);
});

test("EventSource: closes while a token is being asked for, and asks nobody when closed at once", async (t) => {
  const server = await Server.open(t, stay());
  let asked = 0;
  const token = () => {
    asked += 1;
    return new Promise((resolve) => resolve("t"));
  };
  open(t, server, { token }).source.close();
  const source = await new Promise((resolve) => {
    const watch = open(t, server, { token: () => token().finally(() => resolve(watch.source)) });
  });
  source.close();
  await open(t, server).until(1);
  assert.deepEqual([asked, server.exchanges.length], [1, 1]);
});

test("EventSource: begins at the cursor that it is given, by header or by query", async (t) => {
  const server = await Server.open(t, stay());
  await open(t, server, { lastEventId: "é 1" }).until(1);
  await new Watch(t, new EventSource(`${server.url}?a=b%20c&after=0&d`,
    { lastEventId: "#1&", lastEventIdParam: "after" })).until(1);
  const seen = server.exchanges.map(({ target, headers }) => [target, headers["last-event-id"]]);
  assert.deepEqual(seen, [
    ["/stream", Buffer.from("é 1").toString("latin1")],
    ["/stream?a=b%20c&d&after=%231%26", undefined],
  ]);
});

test("EventSource: takes the options of event-source-polyfill", async (t) => {
  const server = await Server.open(t, stay("id: 1\ndata: a\n\n"), stay());
  const options = { heartbeatTimeout: 100, lastEventIdQueryParameterName: "lastEventId", headers: { "X-A": "1" } };
  assert.deepEqual(await open(t, server, options).untilDistinct(4),
    ["open", "message a #1", "error idle reconnects", "open"]);
  assert.deepEqual([0, 1].map((i) => server.exchanges[i].target), ["/stream", "/stream?lastEventId=1"]);
});

// [about, answer, what is told, readyState]
const ANSWERS = [
  ["204", refuse(204), "error http 204 has given up"],
  ["401", refuse(401), "error auth 401 has given up"],
  ["403", refuse(403), "error auth 403 has given up"],
  ["404", refuse(404), "error http 404 has given up"],
  ["500", refuse(500), "error http 500 has given up"],
  ["another type", refuse(200, { "content-type": "text/html" }), "error content-type 200 has given up"],
  ["no type", refuse(200), "error content-type 200 has given up"],
  ["the end", once("data: a"), "error closed reconnects"],
  ["a break", (exchange) => exchange.cut(), "error network reconnects"],
];

for (const [about, answer, told] of ANSWERS) {
  test(`EventSource: tells why there is no stream: ${about}`, async (t) => {
    const server = await Server.open(t, answer);
    const watch = open(t, server, { retry: { minMs: 50_000, jitter: 0 } });
    const entries = await watch.until(told.includes("closed") ? 2 : 1);
    assert.equal(entries.at(-1), told);
    const error = watch.lastError;
    assert.ok(error instanceof StreamErrorEvent && error instanceof Event);
    assert.equal(error.delayMs, told.includes("given up") ? 0 : 50_000);
    assert.equal(watch.source.readyState, told.includes("given up") ? EventSource.CLOSED : EventSource.CONNECTING);
  });
}

test("EventSource: waits as long as the server says", async (t) => {
  const server = await Server.open(t, once("retry: 7\ndata: a\n\n"), refuse(503, { "retry-after": "3600" }));
  const watch = open(t, server, { retryOn: () => true });
  const delays = [];
  watch.source.onerror = ({ delayMs }) => delays.push(delayMs);
  await watch.until(4);
  assert.deepEqual(delays, [7, 3_600_000]);
});

test("EventSource: gives up after as many attempts in a row as it is told", async (t) => {
  const server = await Server.open(t, refuse(500), once("data: a\n\n"), refuse(500));
  const retryOn = ({ status, attempt, reason }) => status === 500 && attempt < 3 && reason === "http";
  const watch = open(t, server, { retry: { minMs: 1, maxMs: 1, attempts: 3 }, retryOn });
  const entries = await watch.until(7);
  assert.deepEqual(entries.slice(3), ["error closed reconnects", "error http 500 reconnects",
    "error http 500 reconnects", "error http 500 has given up"]);
});

test("EventSource: has failed for good when retryOn throws, and tells what it threw", async (t) => {
  const server = await Server.open(t, refuse(500));
  const thrown = new Error("of the test");
  const watch = open(t, server, { retryOn: () => { throw thrown; } });
  assert.deepEqual(await watch.until(1), ["error http 500 has given up"]);
  assert.deepEqual([watch.lastError.cause, watch.lastError.delayMs], [thrown, 0]);
  assert.equal(watch.source.readyState, EventSource.CLOSED);
});

test("EventSource: asks not whether to try again after a 204", async (t) => {
  const server = await Server.open(t, refuse(204));
  const watch = open(t, server, { retryOn: assert.fail });
  assert.deepEqual(await watch.until(1), ["error http 204 has given up"]);
  assert.equal(watch.lastError.cause, undefined);
});

test("EventSource: tells nothing more where retryOn closes it", async (t) => {
  const server = await Server.open(t, refuse(500));
  const watch = await new Promise((resolve) => {
    const retryOn = () => {
      opened.source.close();
      resolve(opened);
      return true;
    };
    const opened = open(t, server, { retryOn });
  });
  await open(t, server).until(1);
  assert.deepEqual([watch.entries, watch.source.readyState], [[], EventSource.CLOSED]);
});

test("EventSource: looks for no heartbeats if it is told so", async (t) => {
  const server = await Server.open(t, stay(": vrelo heartbeat=2000\ndata: a\n\n"));
  const waits = shortenWaits(t);
  await open(t, server, { idleTimeoutMs: 0 }).until(2);
  assert.deepEqual(waits, []);
});

test("EventSource: is not idle while a token is asked for", async (t) => {
  t.mock.method(performance, "now", () => 0);
  const server = await Server.open(t, stay("data: a\n\n"));
  const waits = shortenWaits(t);
  let before;
  const token = async () => {
    before = waits.length;
    return "t";
  };
  await open(t, server, { token, idleTimeoutMs: 1e6 }).until(2);
  assert.deepEqual([before, waits[0]], [0, 1e6]);
});

test("EventSource: is not idle while bytes come", async (t) => {
  let clock = 0;
  t.mock.method(performance, "now", () => clock);
  const watches = []; // [what it does, and after how long]
  const { setTimeout: original } = globalThis;
  t.mock.method(globalThis, "setTimeout", (action, milliseconds, ...rest) => (
    milliseconds > 1e5 ? watches.push([action, milliseconds]) : original(action, milliseconds, ...rest)));
  const server = await Server.open(t, stay());
  const watch = open(t, server, { idleTimeoutMs: 1e6 });
  await watch.until(1);
  clock = 6e5;
  server.exchanges[0].write("data: a\n\n");
  await watch.until(2);
  await new Promise(setImmediate);
  clock = 1e6;
  watches.at(-1)[0]();
  assert.equal(watches.at(-1)[1], 6e5);
  clock = 1.6e6;
  watches.at(-1)[0]();
  assert.deepEqual(await watch.until(3), ["open", "message a #", "error idle reconnects"]);
});

test("EventSource: is idle also while it waits for an answer, or for a fetch that knows no signal", async (t) => {
  const server = await Server.open(t, () => {}, stay());
  assert.deepEqual(await open(t, server, { idleTimeoutMs: 50 }).untilDistinct(2), ["error idle reconnects", "open"]);
  let calls = 0;
  const deaf = (url) => (++calls === 1 ? new Promise(() => {}) : fetch(url));
  const watch = open(t, server, { idleTimeoutMs: 50, fetch: deaf });
  assert.deepEqual(await watch.untilDistinct(2), ["error idle reconnects", "open"]);
});

test("EventSource: closes for an event that is too large", async (t) => {
  const server = await Server.open(t, stay(`data: a\n\ndata: ${"x".repeat(200)}`));
  const watch = open(t, server, { maxEventBytes: 100, retryOn: () => true });
  assert.deepEqual(await watch.until(3), ["open", "message a #", "error too-large has given up"]);
  await server.exchanges[0].closed();
});

test("EventSource: closes for an event over 64 MiB, if nothing else is said", async (t) => {
  const line = new TextEncoder().encode(`data: ${"x".repeat(1024 * 1024)}\n`);
  let lines = 0;
  const pull = (controller) => {
    lines += 1;
    controller.enqueue(line);
  };
  const own = async () => new Response(new ReadableStream({ pull }, { highWaterMark: 0 }),
    { headers: { "content-type": "text/event-stream" } });
  const watch = open(t, { url: "http://127.0.0.1:9/" }, { fetch: own });
  assert.deepEqual(await watch.until(2), ["open", "error too-large has given up"]);
  assert.equal(lines, 64);
});

test("EventSource: makes a gap an event of its own", async (t) => {
  const data = '{"reason":"retention","after":"#a.1","until":"#a.9"}';
  const text = `event: vrelo.gap\ndata: ${data}\nid: #a.9\n\nevent: vrelo.gap\ndata: no\n\n`;
  const server = await Server.open(t, stay(text));
  const gaps = [];
  const watch = open(t, server, {}, ["vrelo.gap"]);
  watch.source.addEventListener("vrelo.gap", (gap) => gaps.push(gap));
  await watch.until(3);
  assert.ok(gaps[0] instanceof GapEvent && gaps[0] instanceof MessageEvent);
  const { reason, after, until, lastEventId } = gaps[0];
  assert.deepEqual([gaps[0].data, reason, after, until, lastEventId], [data, "retention", "#a.1", "#a.9", "#a.9"]);
  assert.deepEqual([gaps[1].data, gaps[1].reason, gaps[1].after], ["no", "", ""]);
});

test("EventSource: sends a stream as a body, anew each time if a function makes it", async (t) => {
  const server = await Server.open(t, once("id: 1\ndata: a\n\n"), stay("data: b\n\n"));
  const stream = (text) => new Blob([text]).stream();
  let count = 0;
  await open(t, server, { body: () => stream(`${++count}`) }).until(5);
  assert.deepEqual(server.exchanges.map(({ method, body }) => [method, body]), [["POST", "1"], ["POST", "2"]]);
  server.exchanges.length = 0;
  const watch = open(t, server, { body: stream("once") });
  assert.deepEqual(await watch.until(4),
    ["open", "message a #1", "error closed reconnects", "error auth has given up"]);
  assert.deepEqual([watch.lastError.cause.message, server.exchanges[0].body], ["body cannot be sent", "once"]);
});

test("EventSource: a class that extends it may listen in its own way", async (t) => {
  const server = await Server.open(t, stay("data: a\n\n"));
  const seen = [];
  class Mine extends EventSource {
    addEventListener(type, ...rest) {
      seen.push(type);
      super.addEventListener(type, ...rest);
    }
  }
  const source = new Mine(server.url, QUICK);
  await new Promise((resolve) => source.addEventListener("message", resolve));
  source.close();
  assert.deepEqual([seen, Object.keys(source)], [["message"], []]);
});

// A page of which there is only what the library looks at.
function fakePage(t, visibilityState) {
  const [page, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState })];
  const fakes = {
    document,
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
  };
  Object.assign(globalThis, fakes);
  t.after(() => Object.keys(fakes).forEach((name) => delete globalThis[name]));
  const show = (state) => {
    document.visibilityState = state;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  return { page, show };
}

const SLOW = { retry: { minMs: 1e6, maxMs: 1e6, jitter: 0 } };

test("EventSource: connects at once when the page is online again or becomes visible", async (t) => {
  const { page, show } = fakePage(t, "visible");
  const server = await Server.open(t, once("data: a\n\n"));
  const watch = open(t, server, SLOW);
  await watch.until(3);
  page.dispatchEvent(new Event("online"));
  await watch.until(6);
  show("hidden");
  show("visible");
  await watch.until(9);
  assert.equal(server.exchanges.length, 3);
});

// [the option, how many connections there are after "online", and after the page became visible]
const WAKES = [[false, 1, 1], [{ online: false }, 1, 2], [{ visible: false }, 2, 2], [{}, 2, 3]];

test("EventSource: waits on, whatever the machine and the page are, if it is told so", async (t) => {
  const { page, show } = fakePage(t, "visible");
  const server = await Server.open(t, once("data: a\n\n"));
  const watches = WAKES.map(([wake]) => open(t, server, { ...SLOW, wake }));
  const seen = () => watches.map(({ entries }) => entries.length / 3);
  const until = (column) => Promise.all(watches.map((watch, i) => watch.until(3 * WAKES[i][column])));
  await Promise.all(watches.map((watch) => watch.until(3)));
  page.dispatchEvent(new Event("online"));
  await until(1);
  assert.deepEqual(seen(), WAKES.map((row) => row[1]));
  show("visible");
  await until(2);
  assert.deepEqual(seen(), WAKES.map((row) => row[2]));
});

test("EventSource: connects not before the server allows it, whatever the page is", async (t) => {
  const { page, show } = fakePage(t, "visible");
  const server = await Server.open(t, refuse(503, { "retry-after": "3600" }), stay());
  const waits = [];
  const { setTimeout: original } = globalThis;
  const watch = open(t, server, { retryOn: () => true });
  await watch.until(1);
  t.mock.method(globalThis, "setTimeout", (action, milliseconds) => {
    waits.push(milliseconds);
    return original(action, milliseconds);
  });
  page.dispatchEvent(new Event("online"));
  show("visible");
  assert.equal(waits.length, 2);
  assert.ok(waits.every((wait) => wait > 3_500_000 && wait <= 3_600_000), `${waits}`);
  watch.source.close(); // ends the wait
  assert.equal(waits[2], 0);
});

test("EventSource: has no connection in a hidden page if it is told so", async (t) => {
  const { show } = fakePage(t, "hidden");
  const server = await Server.open(t, stay("id: 1\ndata: a\n\n"), stay("data: b\n\n"));
  const watch = open(t, server, { wake: { pauseHidden: true } });
  show("visible");
  await watch.until(2);
  show("hidden");
  await server.exchanges[0].closed();
  assert.equal(watch.source.readyState, EventSource.CONNECTING);
  show("visible");
  assert.deepEqual(await watch.until(4), ["open", "message a #1", "open", "message b #1"]);
  assert.equal(server.exchanges[1].headers["last-event-id"], "1");
});
