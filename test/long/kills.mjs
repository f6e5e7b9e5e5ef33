// SPDX-License-Identifier: Apache-2.0
//
// The hub is killed again and again while publishers send as fast as this process can, and readers join, leave, stall
// and resume. Its window is as small as it may be and its history is short, so that they read from all of it and fall
// out of it. Each stream of each of them is compared with the order in which one reader has seen everything.
// script/long runs it.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { chance } from "../harness/chance.mjs";
import { Lives, PipeliningPublisher } from "../harness/lives.mjs";
import { Order, Session, topicOf } from "../harness/sessions.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { Signal } from "../harness/waiting.mjs";

const KILLS = Number(process.env.VRELO_KILLS ?? 200);
const SEED = Number(process.env.VRELO_SEED ?? 1);
const SETTINGS = { windowBytes: "64KiB", historyEvents: 10_000 };
const DATA_BYTES = 1024;
const PUBLISHERS = 16;
const AT_ONCE = 16; // events of a publisher that wait for their answers
const AHEAD_MAX = 3000; // events that the reader of everything has not seen: it must not fall out of the history
const STAYERS = 6; // that come back at once, from the first event to the last
const VISITORS = 24; // that come and go
const ACKNOWLEDGED_PER_LIFE = [100, 20_000];
const VISIT_EVENTS_MAX = [400, 6000]; // of most, and of some, who may come from history to what is new
const BACK_MAX = 20_000; // how many events before the newest a visitor's cursor may be
const STALL_MS_MAX = 2000;
const SIP = { bytes: 8192, everyMs: 40 };
const AWAY_MS_MAX = 400; // between two visits

const ENDS_MARK = "-end";
const dataOf = (id) => `data of ${id} `.padEnd(DATA_BYTES, "x");

// What all of them know of what goes on.
class Course {
  order = []; // ids, as the reader of everything has seen them
  progress = new Signal(); // of that
  isStopped = false;

  constructor(random) {
    this.random = random;
    this.topics = Array.from({ length: PUBLISHERS }, (_, i) => `t${i}`);
    const mayGoOn = async () => {
      while (this.sent - this.order.length > AHEAD_MAX) {
        await this.progress.wait();
      }
    };
    const options = { atOnce: AT_ONCE, dataOf, mayGoOn, onAcknowledged: () => {} };
    this.publishers = this.topics.map((topic) => new PipeliningPublisher(topic, options));
  }

  get sent() {
    return this.publishers.reduce((sum, { sent }) => sum + sent, 0);
  }
  draw(count) {
    return Math.floor(this.random() * count);
  }
  open(hub, options) {
    return Session.open(hub, { dataOf, sent: () => this.sent, seen: this.order.length, ...options });
  }

  // Reads on a stream of its own as `act` tells, until that is done or the hub cuts the stream. A kill is an error.
  async read(hub, options, sessions, act) {
    const session = await this.open(hub, options);
    sessions.push(session);
    try {
      await act(session);
    } catch (error) {
      if (error instanceof assert.AssertionError || hub.wasKilled || !session.connection.isEnded) {
        throw error;
      }
      session.cut = { sent: this.sent };
    } finally {
      hub.forget(session);
    }
  }
}

// Comes back with its cursor after each cut, until it has the last event of each of its topics.
class Stayer {
  sessions = [];

  constructor(course, topics) {
    this.course = course;
    this.topics = topics;
  }

  async run(lives) {
    const ends = new Set((this.topics ?? this.course.topics).map((topic) => topic + ENDS_MARK));
    const onEvent = (id) => {
      ends.delete(id);
      this.onEvent?.(id);
    };
    const isDone = () => ends.size === 0;
    let cursor = "earliest";
    const read = async (session) => {
      try {
        await session.until(isDone, "the last events");
      } finally {
        cursor = session.lastEventId || cursor;
      }
    };
    while (!isDone()) {
      const options = () => ({ topics: this.topics, cursor, onEvent });
      await lives.insist((hub) => this.course.read(hub, options(), this.sessions, read));
    }
  }
}

// Comes with a cursor or without one, reads, stalls or sips now and then, and leaves; again and again.
class Visitor {
  sessions = [];

  constructor(course) {
    this.course = course;
  }

  #cursor() {
    const { publishers, random, draw } = this.course;
    const { ids } = publishers[this.course.draw(publishers.length)];
    if (this.course.draw(10) < 3 || ids.length === 0) {
      return undefined; // from now on
    }
    // More from near than from far.
    const back = Math.floor((BACK_MAX / PUBLISHERS) * random() ** 2);
    return ids[Math.max(0, ids.length - 1 - back)];
  }

  async run(lives) {
    const { course } = this;
    while (!course.isStopped) {
      const some = course.topics.filter(() => course.random() < 0.3);
      const topics = course.draw(10) === 0 || some.length === 0 ? undefined : some;
      const hub = lives.hub;
      try {
        await this.#visit(hub, topics, this.#cursor());
      } catch (error) {
        if (error instanceof assert.AssertionError || !(hub.wasKilled || lives.hub !== hub)) {
          throw error;
        }
        await delay(20);
      }
      await delay(course.random() * AWAY_MS_MAX);
    }
  }

  async #visit(hub, topics, cursor) {
    const { course } = this;
    const kind = course.draw(10);
    const connect = kind === 0 ? { readBytes: SIP.bytes } : {};
    const wanted = 1 + course.draw(VISIT_EVENTS_MAX[kind % 5 === 0 ? 1 : 0]);
    const has = (session, count) => () => session.count >= count || course.isStopped;
    await course.read(hub, { topics, cursor, connect }, this.sessions, async (session) => {
      const { connection } = session;
      let sips;
      try {
        if (kind === 0) {
          connection.pause();
          sips = setInterval(() => connection.readOnce(), SIP.everyMs);
        } else if (kind < 4) {
          await session.until(has(session, course.draw(wanted)), "the events before a stall");
          connection.pause();
          await delay(course.random() * STALL_MS_MAX);
          connection.resume();
        }
        await session.until(has(session, wanted), "a visit's events");
      } finally {
        clearInterval(sips);
      }
    });
  }
}

const COUNTERS = ["window_hits", "page_cache_hits", "storage_reads", "gaps"].map((name) => `vrelo_${name}_total`);

async function countersOf(hub) {
  const metrics = await hub.metrics();
  return COUNTERS.map((name) => metrics.get(name));
}

test("kills at full rate lose, double and reorder nothing", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const lives = new Lives();
  const start = async () => lives.begin(await t.hub(SETTINGS, { folder }));
  await start();

  const course = new Course(chance(SEED));
  const { publishers, topics } = course;
  const everything = new Stayer(course, undefined);
  everything.onEvent = (id) => {
    course.order.push(id);
    course.progress.notify();
  };
  const stayers = Array.from({ length: STAYERS }, (_, i) => new Stayer(course, topics.slice(i, i + 2)));
  const visitors = Array.from({ length: VISITORS }, () => new Visitor(course));
  const workers = [...publishers, everything, ...stayers, ...visitors];
  const work = Promise.all(workers.map((worker) => worker.run(lives)));

  const counted = COUNTERS.map(() => 0);
  const rates = []; // events per second, of each life
  const kill = async () => {
    for (let i = 1; i <= KILLS; ++i) {
      const [least, most] = ACKNOWLEDGED_PER_LIFE;
      const [before, begin] = [course.order.length, performance.now()];
      const wanted = before + least + course.draw(most - least);
      await course.progress.until(() => course.order.length >= wanted, "more events");
      rates.push(((course.order.length - before) * 1000) / (performance.now() - begin));
      (await countersOf(lives.hub)).forEach((count, j) => (counted[j] += count));
      await lives.hub.kill();
      await start();
      if (i % 10 === 0) {
        console.error(`kill ${i}; ${course.order.length} events, ${Math.round(rates.at(-1))} a second`);
      }
    }
    course.isStopped = true;
    for (const publisher of publishers) {
      publisher.isStopped = true;
    }
  };
  await Promise.all([work, kill()]);

  const acknowledged = publishers.reduce((sum, { ids }) => sum + ids.length, 0);
  assert.equal(course.order.length, acknowledged);
  assert.deepEqual(everything.sessions.flatMap(({ gaps }) => gaps), [], "the reader of everything fell behind");
  const order = new Order(course.order);
  for (const { topic, ids } of publishers) {
    assert.deepEqual(order.ids.filter((id) => topicOf(id) === topic), ids);
  }
  const visits = visitors.flatMap(({ sessions }) => sessions);
  for (const session of [everything, ...stayers].flatMap(({ sessions }) => sessions).concat(visits)) {
    order.check(session, SETTINGS.historyEvents);
  }
  const kept = await course.open(lives.hub, { cursor: undefined, topics: undefined });
  await kept.until(() => kept.start !== undefined, "the log's end");
  assert.equal(kept.start, acknowledged, "more is stored than was acknowledged");

  // That it was hard.
  const atBegin = ({ cursor, items }) => items[0]?.after !== undefined && items[0].after === cursor;
  const behind = visits.filter(atBegin).length;
  const overtaken = visits.reduce((sum, session) => sum + session.gaps.length, 0) - behind;
  const cut = visits.filter((session) => session.cut).length;
  const resumed = visits.filter(({ cursor }) => cursor !== undefined).length;
  const seen = visits.reduce((sum, { count }) => sum + count, 0);
  rates.sort((a, b) => a - b);
  const rate = [0.1, 0.5, 0.9].map((part) => Math.round(rates[Math.floor(part * rates.length)])).join(" / ");
  console.log(`row: | ${[KILLS, acknowledged, rate, visits.length, resumed, seen].join(" | ")} |`);
  console.log(`cells: | ${[...counted, behind, overtaken, cut].join(" | ")} |`);
  for (const count of [...counted, behind, overtaken]) {
    assert.ok(count > 0, "of all of these there must be some");
  }
});
