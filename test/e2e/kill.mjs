// SPDX-License-Identifier: Apache-2.0
//
// The hub is killed while it works. What was acknowledged is there afterwards, and each reader has each
// event once and in order, also one who comes late and reads what the small window does not have.

import assert from "node:assert/strict";

import { Lives, LivesPublisher, LivesReader } from "../harness/lives.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { Signal } from "../harness/waiting.mjs";

const KILLS = 5;
const PUBLISHERS = 8;
const READERS = 50;
const LATE_READERS = 10; // of them, who come in the last life but one
const ACKNOWLEDGED_PER_LIFE = 500; // events, before the next kill
const DATA_BYTES = 1024;
const SETTINGS = { windowBytes: "64KiB" };

test("kill -9 loses, doubles and reorders nothing that was acknowledged", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const lives = new Lives();
  const start = async () => lives.begin(await t.hub(SETTINGS, { folder }));
  await start();

  let acknowledged = 0;
  const progress = new Signal();
  const onAcknowledged = () => {
    acknowledged += 1;
    progress.notify();
  };
  const topics = Array.from({ length: PUBLISHERS }, (_, i) => `t${i}`);
  const publishers = topics.map((topic) => new LivesPublisher(topic, onAcknowledged, { dataBytes: DATA_BYTES }));
  // Some read everything, some a few topics, most one.
  const topicsOf = (i) => (i % 10 === 0 ? topics : i % 5 === 0 ? topics.slice(0, 3) : [topics[i % PUBLISHERS]]);
  const readers = Array.from({ length: READERS }, (_, i) => new LivesReader(topicsOf(i)));
  const late = readers.splice(0, LATE_READERS);
  const work = [...publishers, ...readers].map((worker) => worker.run(lives));

  let storageReads = 0; // of the last life but one
  const kill = async () => {
    for (let i = 1; i <= KILLS; ++i) {
      const wanted = acknowledged + ACKNOWLEDGED_PER_LIFE;
      if (i === KILLS) {
        work.push(...late.map((reader) => reader.run(lives)));
      }
      await progress.until(() => acknowledged >= wanted, `${ACKNOWLEDGED_PER_LIFE} more acknowledgements`);
      storageReads = (await lives.hub.metrics()).get("vrelo_storage_reads_total");
      await lives.hub.kill();
      await start();
    }
    for (const publisher of publishers) {
      publisher.isStopped = true;
    }
  };
  await Promise.all([...work, kill()]);
  await Promise.all(work);
  assert.ok(storageReads > 0, "nobody read from storage");

  const everything = await lives.hub.subscribe({ match: topics, last_event_id: "earliest" });
  const total = publishers.reduce((count, publisher) => count + publisher.ids.length, 0);
  const stored = (await everything.take(total)).map((event) => event.id);
  assert.equal(new Set(stored).size, total, "an id is stored twice");
  for (const { topic, ids } of publishers) {
    assert.deepEqual(stored.filter((id) => id.startsWith(`${topic}-`)), ids);
  }
  for (const reader of [...readers, ...late]) {
    const wanted = stored.filter((id) => reader.topics.includes(id.split("-")[0]));
    assert.deepEqual(reader.ids, wanted, `what a reader of ${reader.topics} got`);
    assert.deepEqual(reader.own, []);
  }
  const mark = await lives.hub.publish({ topic: topics[0] });
  assert.equal((await everything.next()).id, mark, "more is stored than was acknowledged");
});
