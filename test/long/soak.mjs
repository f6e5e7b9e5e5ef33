// SPDX-License-Identifier: Apache-2.0
//
// A hub that works for 20 minutes while readers join and leave, and the memory that it holds meanwhile. Window
// and history are small, so that both are full, and events removed, long before minute 5. script/long runs it.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";

import { chance } from "../harness/chance.mjs";
import { Publisher } from "../harness/publisher.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const MINUTES = Number(process.env.VRELO_MINUTES ?? 20);
const FIRST_MINUTE = Number(process.env.VRELO_FIRST_MINUTE ?? 5); // that the last one is compared with
const SEED = Number(process.env.VRELO_SEED ?? 1);
const TOPICS = 100;
const READERS = 200; // at one time
const STAY_MS_MAX = 8000;
const EVENTS_PER_SECOND = 200;
const DATA_BYTES = 2048;
const SAMPLE_MS = 5000;
const GROWTH_MAX = 1.02;

async function residentKib(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))[1]);
}

test("memory does not grow while readers join and leave", { log: SQLITE }, async (t) => {
  const random = chance(SEED);
  const settings = { windowBytes: "8MiB", historyBytes: "32MiB", shards: 2 };
  const hub = await t.hub(settings, { lifetimeMs: 0 });
  const topic = () => `topic-${Math.floor(random() * TOPICS)}`;
  const publisher = new Publisher(hub, { eventsPerSecond: EVENTS_PER_SECOND });
  t.atEnd(() => publisher.close());
  const run = publisher.run((id) =>
    hub.publishBytes({ topic: [topic(), "all"], id, data: id.padEnd(DATA_BYTES, "x") }),
  );

  let joins = 0;
  let isOver = false;
  const comeAndGo = async () => {
    while (!isOver) {
      const kind = random();
      // Some come with a cursor that the history no longer has.
      const cursor = kind < 0.3 && publisher.ids.length > 0 && publisher.ids.at(-1 - Math.floor(kind * 1000));
      const headers = cursor ? { "last-event-id": cursor } : {};
      const match = kind < 0.2 ? ["*"] : [topic(), topic(), topic()];
      const stream = await hub.subscribe({ match }, { headers });
      joins += 1;
      await delay(random() * STAY_MS_MAX);
      assert.equal(stream.isEnded, false);
      hub.forget(stream);
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

  // The mean over a minute, since pages come and go.
  const mean = (from) => {
    const within = samples.filter(([minute]) => minute > from - 1 && minute <= from).map(([, kib]) => kib);
    return within.reduce((a, b) => a + b) / within.length;
  };
  const [first, last] = [mean(FIRST_MINUTE), mean(MINUTES)];
  console.log(`samples: ${JSON.stringify(samples)}`);
  console.log(`row: | ${FIRST_MINUTE} | ${Math.round(first)} | ${MINUTES} | ${Math.round(last)} |`
    + ` ${(last / first).toFixed(4)} | ${publisher.ids.length} | ${joins} |`);
  assert.ok(last <= GROWTH_MAX * first, `${last} KiB at the end, ${first} KiB at minute ${FIRST_MINUTE}`);
});
