// SPDX-License-Identifier: Apache-2.0
//
// What carries a stream by `native`, with a library's class in place of a browser's. Browsers are in
// test/e2e/options.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { EventSource as FetchedEventSource } from "eventsource";

import { QUICK, Server, Watch } from "./server_testing.mjs";

globalThis.EventSource = FetchedEventSource;
globalThis.MessageEvent ??= class {};
const { EventSource } = await import("../dist/index.js");

const refuse = (exchange) => exchange.end(401);

test("native: the cursor outlives events without an id, and each new ticket begins at it", async (t) => {
  const server = await Server.open(t,
    (exchange) => exchange.open("retry: 5\ndata: a\n\n"), refuse,
    (exchange) => exchange.open("retry: 5\nid: 7\ndata: b\n\n"), refuse,
    (exchange) => exchange.open("retry: 5\ndata: c\n\nid\ndata: d\n\nid: 8\ndata: e\n\nid\ndata: f\n\n"), refuse);
  let tickets = 0;
  const options = { ...QUICK, native: true, ticket: () => `vt_${++tickets}`, lastEventId: "5" };
  const watch = new Watch(t, new EventSource(server.url, options));
  for (const [index, last] of ["message a #5", "message b #7", "message f #"].entries()) {
    await watch.untilEntry(last);
    server.exchanges[2 * index].end();
    await server.exchange(2 * index + 2);
  }
  // An empty id is one only where another came before it, which is all that the class tells.
  assert.deepEqual(watch.entries.filter((entry) => entry.startsWith("message")),
    ["message a #5", "message b #7", "message c #7", "message d #7", "message e #8", "message f #"]);
  assert.deepEqual([0, 2, 4, 6].map((i) => server.exchanges[i].target), [
    "/stream?ticket=vt_1&last_event_id=5",
    "/stream?ticket=vt_2&last_event_id=5",
    "/stream?ticket=vt_3&last_event_id=7",
    "/stream?ticket=vt_4",
  ]);
});
