// SPDX-License-Identifier: Apache-2.0
//
// A hub that works for 20 minutes while readers join and leave, and the memory that it holds meanwhile. Window
// and history are small, so that both are full, and events removed, long before minute 5; readers come with cursors
// from all of it and from before, and some read slowly. script/long runs it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { chance } from "../harness/chance.mjs";
import { Publisher } from "../harness/publisher.mjs";
import { Session } from "../harness/sessions.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const MINUTES = Number(process.env.VRELO_MINUTES ?? 20);
const FIRST_MINUTE = Number(process.env.VRELO_FIRST_MINUTE ?? 5); // that the last one is compared with
const SEED = Number(process.env.VRELO_SEED ?? 1);
const TOPICS = 100;
const READERS = 200; // at one time
const STAY_MS_MAX = 8000;
const BACK_MAX = 40_000; // how many events old a cursor may be: more than the history has
const BACK_MAX_OF_ALL = 1000; // where its reader wants all topics
const SIP = { bytes: 4096, everyMs: 50 }; // how some read, before they stop
const EVENTS_PER_SECOND = 200;
const DATA_BYTES = 2048;
const SAMPLE_MS = 5000;
const GROWTH_MAX = 1.02;
const COUNTERS = ["window_hits", "page_cache_hits", "storage_reads", "gaps"];

async function residentKib(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]);
}

// Sips for half of the time, and then reads nothing.
async function readSlowly({ connection }, ms) {
  connection.pause();
  const sips = setInterval(() => connection.readOnce(), SIP.everyMs);
  await delay(ms / 2);
  clearInterval(sips);
  await delay(ms / 2);
}

test("memory does not grow while readers join and leave", { log: SQLITE }, async (t) => {
  const random = chance(SEED);
  const settings = { windowBytes: "8MiB", historyBytes: "32MiB", shards: 2 };
  const hub = await t.hub(settings, { lifetimeMs: 0 });
  const topic = () => `topic-${Math.floor(random() * TOPICS)}`;
  const publisher = new Publisher(hub, { eventsPerSecond: EVENTS_PER_SECOND });
  t.atEnd(() => publisher.close());
  const dataOf = (id) => id.padEnd(DATA_BYTES, "x");
  const run = publisher.run((id) => hub.publishBytes({ topic: [topic(), "all"], id, data: dataOf(id) }));

  let joins = 0;
  let isOver = false;
  const cursor = (backMax) => {
    const { ids } = publisher;
    return ids[Math.max(0, ids.length - 1 - Math.floor(backMax * random() ** 2))];
  };
  const comeAndGo = async () => {
    while (!isOver) {
      const isForAll = random() < 0.15;
      const isSlow = random() < 0.1;
      const session = await Session.open(hub, {
        topics: isForAll ? undefined : [topic(), topic(), topic()],
        cursor: random() < 0.3 ? cursor(isForAll ? BACK_MAX_OF_ALL : BACK_MAX) : undefined,
        connect: isSlow ? { readBytes: SIP.bytes } : {},
        dataOf,
        sent: () => publisher.ids.length,
      });
      joins += 1;
      const ms = random() * STAY_MS_MAX;
      await (isSlow ? readSlowly(session, ms) : delay(ms));
      assert.ifError(session.fault);
      // It may be cut inside an event that was removed, where it had read too little.
      assert.ok(!session.connection.isEnded || !session.parser.isBetweenBlocks);
      hub.forget(session);
    }
  };
  const readers = Array.from({ length: READERS }, comeAndGo);

  const samples = [];
  const begin = performance.now();
  for (let i = 0; i * SAMPLE_MS <= MINUTES * 60_000; ++i) {
    await delay(begin + i * SAMPLE_MS - performance.now());
    samples.push([(i * SAMPLE_MS) / 60_000, await residentKib(hub.pid)]);
    if (i % 12 === 0) {
      console.error(`minute ${samples.at(-1)[0]}: ${samples.at(-1)[1]} KiB, ${joins} joins`);
    }
  }
  isOver = true;
  publisher.isStopped = true;
  await Promise.all([run, ...readers]);
  const metrics = await hub.metrics();
  const counts = COUNTERS.map((name) => metrics.get(`vrelo_${name}_total`));

  // The mean over a minute, since pages come and go.
  const mean = (from) => {
    const within = samples.filter(([minute]) => minute > from - 1 && minute <= from).map(([, kib]) => kib);
    return within.reduce((a, b) => a + b) / within.length;
  };
  const [first, last] = [mean(FIRST_MINUTE), mean(MINUTES)];
  console.log(`samples: ${JSON.stringify(samples)}`);
  console.log(`row: | ${FIRST_MINUTE} | ${Math.round(first)} | ${MINUTES} | ${Math.round(last)} |`
    + ` ${(last / first).toFixed(4)} | ${publisher.ids.length} | ${joins} | ${counts.join(" | ")} |`);
  assert.ok(counts.every((count) => count > 0), `${COUNTERS}: ${counts}`);
  assert.ok(last <= GROWTH_MAX * first, `${last} KiB at the end, ${first} KiB at minute ${FIRST_MINUTE}`);
});
