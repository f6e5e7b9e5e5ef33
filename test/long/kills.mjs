// SPDX-License-Identifier: Apache-2.0
//
// The hub is killed again and again at full publishing rate, while readers join, leave, stall and resume. Every
// session of every reader is compared with what the log holds in the end. script/long runs it.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { chance } from "../harness/chance.mjs";
import { Lives, LivesPublisher, LivesReader } from "../harness/lives.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { Signal } from "../harness/waiting.mjs";

const KILLS = Number(process.env.VRELO_KILLS ?? 200);
const SEED = Number(process.env.VRELO_SEED ?? 1);
const PUBLISHERS = 8;
const READERS = 10; // that stay from the first event to the last
const VISITORS = 40; // that come and go
const ACKNOWLEDGED_PER_LIFE = [50, 1000];
const VISIT_EVENTS_MAX = 400;
const BACK_MAX = 500; // how many events before the newest a visitor's cursor may be
const STALL_MS_MAX = 300;
const AWAY_MS_MAX = 400; // between two visits

// Comes with a cursor or without one, reads, stalls now and then, and leaves; again and again.
class Visitor {
  sessions = []; // {topics, cursor, ids}
  isStopped = false;

  constructor(random, publishers) {
    this.random = random;
    this.publishers = publishers;
  }

  #draw(count) {
    return Math.floor(this.random() * count);
  }

  #cursor() {
    const { ids } = this.publishers[this.#draw(this.publishers.length)];
    const kind = this.#draw(10);
    if (kind < 3 || ids.length === 0) {
      return undefined; // from now on
    }
    return ids[Math.max(0, ids.length - 1 - this.#draw(BACK_MAX))];
  }

  async run(lives) {
    while (!this.isStopped) {
      const topics = this.publishers.map(({ topic }) => topic).filter(() => this.random() < 0.3);
      if (topics.length > 0) {
        await this.#visit(lives.hub, topics, this.#cursor()).catch(async (error) => {
          if (error instanceof assert.AssertionError) {
            throw error;
          }
          await delay(20); // the hub was killed
        });
        await delay(this.random() * AWAY_MS_MAX);
      }
    }
  }

  async #visit(hub, topics, cursor) {
    const headers = cursor ? { "last-event-id": cursor } : {};
    const stream = await hub.stream({ match: topics }, { headers });
    const session = { topics, cursor, ids: [] };
    this.sessions.push(session);
    try {
      assert.equal(stream.status, 200);
      const wanted = 1 + this.#draw(VISIT_EVENTS_MAX);
      const stallAt = this.random() < 0.3 ? this.#draw(wanted) : Infinity;
      const has = (count) => () => stream.events.length >= count || this.isStopped;
      if (stallAt < wanted) {
        await stream.until(has(stallAt), "the events before a stall");
        stream.connection.pause();
        await delay(this.random() * STALL_MS_MAX);
        stream.connection.resume();
      }
      await stream.until(has(wanted), "a visit's events");
    } finally {
      for (const { id, data } of stream.events) {
        assert.equal(data, id.endsWith("-end") ? "" : `data of ${id}`);
        session.ids.push(id);
      }
      assert.deepEqual(stream.own, [], `after ${cursor}`);
      hub.forget(stream);
    }
  }
}

// A session has each of its topics' events behind its cursor, once, in order, up to where it ended.
function check({ topics, cursor, ids }, stored, indexOf) {
  const isWanted = (id) => topics.includes(id.split("-")[0]);
  const begin = cursor ? indexOf.get(cursor) + 1 : indexOf.get(ids[0]);
  let at = begin ?? 0;
  for (const id of ids) {
    while (at < stored.length && !isWanted(stored[at])) {
      at += 1;
    }
    assert.equal(id, stored[at], `a session of ${topics} after ${cursor}`);
    at += 1;
  }
}

test("kills at full rate lose, double and reorder nothing", { log: SQLITE }, async (t) => {
  const random = chance(SEED);
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
  const publishers = topics.map((topic) => new LivesPublisher(topic, onAcknowledged));
  const readers = Array.from({ length: READERS }, (_, i) => new LivesReader([topics[i % PUBLISHERS]]));
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(random, publishers));
  const work = Promise.all([...publishers, ...readers, ...visitors].map((worker) => worker.run(lives)));

  const begin = performance.now();
  const kill = async () => {
    for (let i = 1; i <= KILLS; ++i) {
      const [least, most] = ACKNOWLEDGED_PER_LIFE;
      const wanted = acknowledged + least + Math.floor(random() * (most - least));
      await progress.until(() => acknowledged >= wanted, "more acknowledgements");
      await lives.hub.kill();
      await start();
      if (i % 10 === 0) {
        console.error(`kill ${i}; ${acknowledged} events`);
      }
    }
    for (const worker of [...publishers, ...visitors]) {
      worker.isStopped = true;
    }
  };
  await Promise.all([work, kill()]);
  const seconds = (performance.now() - begin) / 1000;

  const everything = await lives.hub.subscribe({ match: topics, last_event_id: "earliest" });
  const total = publishers.reduce((count, { ids }) => count + ids.length, 0);
  const stored = (await everything.take(total)).map((event) => event.id);
  const indexOf = new Map(stored.map((id, index) => [id, index]));
  assert.equal(indexOf.size, total, "an id is stored twice");
  for (const { topic, ids } of publishers) {
    assert.deepEqual(stored.filter((id) => id.startsWith(`${topic}-`)), ids);
  }
  for (const reader of readers) {
    const wanted = stored.filter((id) => reader.topics.includes(id.split("-")[0]));
    assert.deepEqual(reader.ids, wanted, `what a reader of ${reader.topics} got`);
    assert.deepEqual(reader.own, []);
  }
  const sessions = visitors.flatMap((visitor) => visitor.sessions);
  for (const session of sessions) {
    check(session, stored, indexOf);
  }
  const mark = await lives.hub.publish({ topic: topics[0] });
  assert.equal((await everything.next()).id, mark, "more is stored than was acknowledged");

  const seen = sessions.reduce((count, { ids }) => count + ids.length, 0);
  const resumed = sessions.filter(({ cursor }) => cursor !== undefined).length;
  const row = [KILLS, total, Math.round(total / seconds), sessions.length, resumed, seen];
  console.log(`row: | ${row.join(" | ")} |`);
});
