// SPDX-License-Identifier: Apache-2.0
//
// The hub is killed while it works. What was acknowledged is there afterwards, and each reader has each
// event once and in order.

import assert from "node:assert/strict";

import { SQLITE, test } from "../harness/test.mjs";
import { Signal } from "../harness/waiting.mjs";

const KILLS = 5;
const PUBLISHERS = 8;
const READERS = 50;
const ACKNOWLEDGED_PER_LIFE = 500; // events, before the next kill

// The hub that runs at the moment; its address changes with each life.
class Lives {
  hub = undefined;
  changed = new Signal();

  begin(hub) {
    this.hub = hub;
    this.changed.notify();
  }

  // Calls `act(hub)` until it succeeds, once for each life of the hub that cut it short.
  async insist(act) {
    for (;;) {
      const hub = this.hub;
      try {
        return await act(hub);
      } catch (error) {
        if (error instanceof assert.AssertionError || !(hub.wasKilled || this.hub !== hub)) {
          throw error;
        }
      }
      await this.changed.until(() => this.hub !== hub, "the next life of the hub");
    }
  }
}

// Publishes one event after the other to its topic until told to stop. An event whose answer did not come
// is sent again with the same id.
class Publisher {
  ids = []; // acknowledged, in order
  isStopped = false;

  constructor(name, onAcknowledged) {
    this.topic = name;
    this.onAcknowledged = onAcknowledged;
  }

  async run(lives) {
    while (!this.isStopped) {
      const id = `${this.topic}-${this.ids.length}`;
      await lives.insist((hub) => hub.publish({ topic: [this.topic, "all"], id, data: `data of ${id}` }));
      this.ids.push(id);
      this.onAcknowledged();
    }
    await lives.insist((hub) => hub.publish({ topic: this.topic, id: `${this.topic}-end` }));
    this.ids.push(`${this.topic}-end`);
  }
}

// Reads its topics until it has the last event of each, and comes back with its cursor after each cut.
class Reader {
  ids = [];
  own = [];
  #cursor = "earliest";

  constructor(topics) {
    this.topics = topics;
  }

  async run(lives) {
    const ends = new Set(this.topics.map((topic) => `${topic}-end`));
    const isDone = () => ends.size === 0;
    const read = async (hub) => {
      const query = { match: this.topics };
      const stream = await hub.stream(query, { headers: { "last-event-id": this.#cursor } });
      assert.equal(stream.status, 200);
      let taken = 0;
      const take = () => {
        for (; taken < stream.events.length; ++taken) {
          this.ids.push(stream.events[taken].id);
          ends.delete(stream.events[taken].id);
        }
        this.#cursor = stream.lastEventId || this.#cursor;
        return isDone();
      };
      try {
        await stream.until(take, () => `the rest of ${this.topics} after ${this.#cursor}`);
      } finally {
        this.own.push(...stream.own);
        stream.close();
      }
    };
    await lives.insist(read);
  }
}

test("kill -9 loses, doubles and reorders nothing that was acknowledged", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const lives = new Lives();
  const start = async () => lives.begin(await t.hub({}, { folder }));
  await start();

  let acknowledged = 0;
  const progress = new Signal();
  const onAcknowledged = () => {
    acknowledged += 1;
    progress.notify();
  };
  const topics = Array.from({ length: PUBLISHERS }, (_, i) => `t${i}`);
  const publishers = topics.map((topic) => new Publisher(topic, onAcknowledged));
  // Some read everything, some a few topics, most one.
  const topicsOf = (i) => (i % 10 === 0 ? topics : i % 5 === 0 ? topics.slice(0, 3) : [topics[i % PUBLISHERS]]);
  const readers = Array.from({ length: READERS }, (_, i) => new Reader(topicsOf(i)));
  const work = Promise.all([...publishers, ...readers].map((worker) => worker.run(lives)));

  const kill = async () => {
    for (let i = 1; i <= KILLS; ++i) {
      const wanted = acknowledged + ACKNOWLEDGED_PER_LIFE;
      await progress.until(() => acknowledged >= wanted, `${ACKNOWLEDGED_PER_LIFE} more acknowledgements`);
      await lives.hub.kill();
      await start();
    }
    for (const publisher of publishers) {
      publisher.isStopped = true;
    }
  };
  await Promise.all([work, kill()]);

  const everything = await lives.hub.subscribe({ match: topics, last_event_id: "earliest" });
  const total = publishers.reduce((count, publisher) => count + publisher.ids.length, 0);
  const stored = (await everything.take(total)).map((event) => event.id);
  assert.equal(new Set(stored).size, total, "an id is stored twice");
  for (const { topic, ids } of publishers) {
    assert.deepEqual(stored.filter((id) => id.startsWith(`${topic}-`)), ids);
  }
  for (const reader of readers) {
    const wanted = stored.filter((id) => reader.topics.includes(id.split("-")[0]));
    assert.deepEqual(reader.ids, wanted, `what a reader of ${reader.topics} got`);
    assert.deepEqual(reader.own, []);
  }
  const mark = await lives.hub.publish({ topic: topics[0] });
  assert.equal((await everything.next()).id, mark, "more is stored than was acknowledged");
});
