// SPDX-License-Identifier: Apache-2.0
//
// What the tests of faults compare streams with: that it takes what is right, and finds each fault.

import assert from "node:assert/strict";
import test from "node:test";

import { Order } from "../harness/sessions.mjs";

const KEPT = 3; // events in the history
const at = (offset) => `#AAAAAAAAAAA.${offset}`;
const gap = (after, until, sent) => ({ after, until: at(until), sent });
const order = new Order(["a-0", "b-0", "a-1", "b-1", "a-2", "b-2", "a-3", "a-4"]);

function check({ parser = { isBetweenBlocks: true }, ...session }) {
  order.check({ parser, ...session }, KEPT);
}

test("a session is taken that is as the log and the history explain", () => {
  const cases = {
    "all from the beginning": { cursor: "earliest", start: 0, items: order.ids },
    "all after a cursor": { cursor: "a-1", start: 3, items: ["b-1", "a-2"] },
    "one topic": { topics: ["b"], cursor: "a-1", start: 3, items: ["b-1", "b-2"] },
    "two topics after a position": { topics: ["a", "b"], cursor: at(6), start: 6, items: ["a-3"] },
    "from now on": { topics: ["a"], seen: 4, start: 5, items: ["a-3"] },
    "nothing yet": { cursor: "a-1", start: 3, items: [] },
    "cut before its first block": { cursor: "a-1", start: undefined, items: [] },
    "a cursor that is gone": { cursor: "a-1", start: 4, items: [gap("a-1", 4, 7), "a-2"] },
    "a position that is gone": { topics: ["b"], cursor: at(3), start: 5, items: [gap(at(3), 5, 8), "b-2"] },
    "a reader that is overtaken": { cursor: "a-0", start: 1, items: ["b-0", gap(at(2), 5, 8), "b-2"] },
    "cut in an event that is gone":
      { cursor: "a-0", start: 1, items: ["b-0"], cut: { sent: 6 }, parser: { isBetweenBlocks: false } },
  };
  for (const [name, session] of Object.entries(cases)) {
    assert.doesNotThrow(() => check(session), name);
  }
});

test("a session is refused in which something is wrong", () => {
  const cases = {
    "an event is missing": { cursor: "a-1", start: 3, items: ["a-2"] },
    "an event is missing before all that came": { topics: ["b"], seen: 0, start: 0, items: ["b-1"] },
    "an event comes twice": { cursor: "a-1", start: 3, items: ["b-1", "b-1"] },
    "two events are exchanged": { cursor: "a-1", start: 3, items: ["a-2", "b-1"] },
    "another topic's event": { topics: ["a"], cursor: "a-1", start: 3, items: ["b-1"] },
    "an event that the log never had": { cursor: "a-4", start: 8, items: ["a-5"] },
    "it begins before its cursor": { cursor: "a-1", start: 2, items: ["b-1"] },
    "it begins after its cursor": { cursor: "a-1", start: 4, items: ["a-2"] },
    "it begins before what was stored": { seen: 4, start: 3, items: [] },
    "a gap at the beginning over what is kept": { cursor: "a-1", start: 5, items: [gap("a-1", 5, 7), "b-2"] },
    "a gap for a cursor that is kept": { cursor: "b-2", start: 5, items: [gap("b-2", 5, 8), "b-2"] },
    "a gap later over what is kept": { cursor: "a-0", start: 1, items: ["b-0", gap(at(2), 5, 7), "b-2"] },
    "an event is missing before a gap": { cursor: "a-0", start: 1, items: ["b-0", gap(at(3), 5, 8), "b-2"] },
    "an event is missing after a gap": { cursor: "a-0", start: 1, items: ["b-0", gap(at(2), 5, 8), "a-3"] },
    "a gap that had nothing for the reader": { topics: ["b"], cursor: at(6), start: 6, items: [gap(at(6), 8, 11)] },
    "cut between two events": { cursor: "a-0", start: 1, items: ["b-0"], cut: { sent: 6 } },
    "cut in an event that is kept":
      { cursor: "a-0", start: 1, items: ["b-0"], cut: { sent: 5 }, parser: { isBetweenBlocks: false } },
  };
  for (const [name, session] of Object.entries(cases)) {
    assert.throws(() => check(session), assert.AssertionError, name);
  }
});
