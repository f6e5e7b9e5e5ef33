// SPDX-License-Identifier: Apache-2.0
//
// Options that are refused, by the constructor. Those of `shared` are in shared_test.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { EventSource } from "../dist/index.js";
import { Locks } from "./locks_testing.mjs";

globalThis.navigator ??= {};
navigator.locks ??= new Locks();

// [options, what of them is named]
const REFUSED = [
  [{ transports: ["eventsource", "long-poll"] }, "transports: eventsource,long-poll"],
  [{ transports: ["websocket"] }, "transports: websocket"],
  [{ transports: [] }, "transports: "],
  [{ native: true }, "native here"], // in Node
  [{ native: true, ticket: "t", headers: {} }, "native with headers"],
  [{ native: true, token: "t" }, "native with token"],
  [{ native: true, body: "a" }, "native with body"],
  [{ native: true, idleTimeoutMs: 1 }, "native with idleTimeoutMs"],
  [{ native: true, finite: true }, "native with finite"],
];

test("EventSource: refuses options that it does not have, and names them", () => {
  for (const [options, what] of REFUSED) {
    const open = () => new EventSource("http://127.0.0.1:9", options);
    assert.throws(open, { name: "NotSupportedError", message: `vrelo does not have ${what}` });
  }
});

// The first option of each is the one that is named.
const UNSENDABLE = [{ headers: { "a b": "1" } }, { headers: { a: "1\n2" } }, { headers: { a: "漢" } }, { headers: 5 },
  { token: "a\nb" }, { token: "漢" }, { lastEventId: "a\nb" }, { lastEventId: "\ud800" },
  { lastEventId: "\ud800", lastEventIdParam: "after" }, { method: "a b" },
  { method: "TRACE" }, { credentials: "maybe" }, { body: "a", method: "GET" }, { body: "a", method: "HEAD" },
  { token: "a\nb", shared: true }];

test("EventSource: refuses what cannot be sent, and names the option", () => {
  for (const options of UNSENDABLE) {
    const message = `${Object.keys(options)[0]} cannot be sent`;
    assert.throws(() => new EventSource("http://127.0.0.1:9", options), { name: "TypeError", message });
  }
});

const NO_NUMBERS = [NaN, -1, -Infinity, "5", null, {}, 5n];
// What some numbers cannot be, besides.
const TOO_MUCH = { minMs: [Infinity, 2 ** 31], factor: [Infinity], jitter: [1.1, Infinity] };
const NUMBERS = ["minMs", "maxMs", "factor", "jitter", "attempts", "idleTimeoutMs", "heartbeatTimeout",
  "maxEventBytes"];

test("EventSource: refuses numbers that are none, and names the option", () => {
  for (const name of NUMBERS) {
    const isOfRetry = NUMBERS.indexOf(name) < NUMBERS.indexOf("idleTimeoutMs");
    const open = (value) => new EventSource("http://127.0.0.1:9", isOfRetry ? { retry: { [name]: value } }
      : { [name]: value });
    for (const value of [...NO_NUMBERS, ...(TOO_MUCH[name] ?? [])]) {
      assert.throws(() => open(value), { name: "RangeError", message: `${name} cannot be ${value}` });
    }
    for (const value of [undefined, 0, 1, ...(TOO_MUCH[name] ? [] : [Infinity])]) {
      open(value).close();
    }
  }
});
