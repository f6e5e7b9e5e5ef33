// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import test from "node:test";

import { chance } from "../../../test/harness/chance.mjs";
import { Chain } from "../dist/chain.js";

const SEED = 20261130;

let count = 0; // of links

const link = (after, id, data = id) =>
  ({ after, event: { type: "message", data, lastEventId: id }, origin: "", by: "a", number: count++ });

function chainFrom(cursor) {
  const seen = [];
  return { seen, chain: new Chain(cursor, ({ event }) => seen.push(event.data)) };
}

test("Chain: delivers what follows, and forgets what was there", () => {
  const { seen, chain } = chainFrom("1");
  assert.equal(chain.take(link("1", "2")), true);
  assert.equal(chain.take(link("1", "2")), true);
  assert.equal(chain.take(link("2", "3")), true);
  assert.equal(chain.take(link("1", "2")), true);
  assert.deepEqual([seen, chain.cursor], [["2", "3"], "3"]);
});

test("Chain: keeps what comes behind a hole until the hole is filled", () => {
  const { seen, chain } = chainFrom("1");
  assert.equal(chain.take(link("3", "4")), false);
  assert.equal(chain.take(link("2", "3")), false);
  assert.deepEqual(seen, []);
  assert.equal(chain.take(link("1", "2")), true);
  assert.deepEqual(seen, ["2", "3", "4"]);
});

test("Chain: delivers events without an id where they stand", () => {
  const { seen, chain } = chainFrom("1");
  chain.take(link("2", "2", "a"));
  chain.take(link("2", "3", "b"));
  chain.take(link("1", "2", "2"));
  chain.take(link("3", "3", "c"));
  assert.deepEqual(seen, ["2", "a", "b", "c"]);
});

test("Chain: delivers an event without an id once, and takes those of another reader for others", () => {
  const { seen, chain } = chainFrom("1");
  const [two, a, b] = [link("1", "2"), link("2", "2", "a"), link("2", "2", "b")];
  chain.take(b);
  chain.take(two, a, b);
  chain.take(two, a, b);
  chain.take({ ...a, by: "b" });
  assert.deepEqual(seen, ["2", "a", "b", "a"]);
});

test("Chain: takes an id that comes again as an event of its own", () => {
  const { seen, chain } = chainFrom("1");
  for (const one of [link("1", "2", "a"), link("2", "3", "b"), link("3", "2", "c")]) {
    chain.take(one);
  }
  assert.deepEqual(seen, ["a", "b", "c"]);
});

test("Chain: gives what came since an id, as far as it remembers", () => {
  const { chain } = chainFrom("1");
  chain.take(link("1", "2"));
  chain.take(link("2", "3"));
  const ids = (links) => links?.map(({ event }) => event.lastEventId);
  assert.deepEqual(["1", "2", "3", "0", ""].map((id) => ids(chain.since(id))), [["2", "3"], ["3"], [], undefined,
    undefined]);
});

test("Chain: remembers a limited number of events, and of characters, but always the newest", () => {
  const { chain } = chainFrom("0");
  for (let i = 1; i <= 5000; ++i) {
    chain.take(link(`${i - 1}`, `${i}`));
    assert.ok(chain.has(`${i}`) && chain.has(`${i - Math.min(i, 500)}`) === (i > 500));
  }
  assert.ok(!chain.has("3000"));
  chain.take(link("5000", "5001", "x".repeat(300_000)));
  assert.deepEqual([chain.has("5001"), chain.has("5000"), chain.since("5000")?.length], [true, false, 1]);
});

test("Chain: whatever the order in which events come, and how often, each is delivered once and in order", () => {
  const random = chance(SEED);
  const below = (limit) => Math.floor(limit * random());
  for (let round = 0; round < 200; ++round) {
    const { seen, chain } = chainFrom("0");
    const count = 1 + below(40);
    const ids = Array.from({ length: count }, (_, i) => i + 1);
    const coming = [...ids, ...ids.filter(() => below(3) === 0)];
    while (coming.length > 0) {
      const [id] = coming.splice(below(coming.length), 1);
      chain.take(link(`${id - 1}`, `${id}`));
    }
    assert.deepEqual(seen, ids.map(String), `round ${round} of seed ${SEED}`);
  }
});

test("Chain: what one hears, and what it asks for, are together each event once and in order, also without ids", () => {
  const random = chance(SEED);
  const below = (limit) => Math.floor(limit * random());
  for (let round = 0; round < 500; ++round) {
    const leader = chainFrom("0");
    const tab = chainFrom("0");
    leader.chain.take(link("0", "1")); // what comes without an id before any has one is nobody's to ask for
    const asked = []; // cursors
    const told = []; // what the leader has said, as lists of links
    let isThere = false;
    const ask = () => asked.push(tab.chain.cursor);
    const acts = [
      () => {
        const after = leader.chain.cursor;
        const next = link(after, below(2) === 0 ? after : `${Number(after) + 1}`, `${count}`);
        leader.chain.take(next);
        if (isThere) {
          told.push([next]);
        }
      },
      () => {
        isThere = true;
        ask();
      },
      () => asked.length > 0 && told.push(leader.chain.since(asked.shift())),
      () => told.length > 0 && (tab.chain.take(...told.shift()) || ask()),
    ];
    for (let step = 0; step < 40; ++step) {
      acts[below(acts.length)]();
    }
    acts[1]();
    while (asked.length + told.length > 0) {
      acts.slice(2).forEach((act) => act());
    }
    assert.deepEqual(tab.seen, leader.seen, `round ${round} of seed ${SEED}`);
  }
});
