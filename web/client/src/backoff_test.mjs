// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { delayMs, retryAfterMs } from "../dist/backoff.js";

// [about, options, failures, what the server said, Retry-After, random number, delay]
const DELAYS = [
  ["the first wait is below the least", {}, 1, undefined, 0, 0.25, 750],
  ["it doubles with each failure", {}, 4, undefined, 0, 0, 8000],
  ["it does not grow beyond the most", {}, 40, undefined, 0, 0, 60_000],
  ["all of it is random", {}, 4, undefined, 0, 0.999999, 0],
  ["a good stream that ends costs one wait", {}, 0, undefined, 0, 0, 1000],
  ["but none where the server has set a time", {}, 0, 300, 0, 0, 300],
  ["the server's time comes on top", {}, 2, 300, 0, 0, 2300],
  ["Retry-After is the least", {}, 1, 300, 5000, 0, 5000],
  ["Retry-After shortens nothing", {}, 4, 300, 5000, 0, 8300],
  ["the options are used", { minMs: 10, maxMs: 500, factor: 3, jitter: 0.5 }, 3, undefined, 0, 1, 45],
  ["no random part", { jitter: 0 }, 2, undefined, 0, 0.9, 2000],
  ["a factor without bounds", { factor: 1e300 }, 50, undefined, 0, 0, 60_000],
  ["no back-off, however often it failed", { minMs: 0 }, 2000, 300, 0, 0, 300],
  ["what no timer can wait is cut", {}, 0, 1e300, Infinity, 0, 2 ** 31 - 1],
];

for (const [about, options, failures, serverMs, retryAfter, random, delay] of DELAYS) {
  test(`backoff: ${about}`, (t) => {
    t.mock.method(Math, "random", () => random);
    assert.equal(delayMs(options, failures, serverMs, retryAfter), delay);
  });
}

test("backoff: reads Retry-After as seconds or a date", (t) => {
  t.mock.method(Date, "now", () => Date.UTC(2026, 0, 1));
  const values = [["5", 5000], [" 5 ", 5000], ["0", 0], ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
    ["Thu, 01 Jan 1970 00:00:00 GMT", 0], ["-5", 0], ["soon", 0], ["", 0], [null, 0]];
  for (const [header, milliseconds] of values) {
    assert.equal(retryAfterMs(header), milliseconds, header);
  }
});
