// SPDX-License-Identifier: Apache-2.0
//
// Readers whose streams are compared with the log afterwards: each event of their topics once, in the log's
// order, and a gap only where the history explains it.
//
// The log of these tests has one epoch and is dense, an event's id begins with its topic ("a-17"), and one
// reader sees everything: its events are the log's order.

import assert from "node:assert/strict";

import { form, requestBytes } from "./http.mjs";
import { HUB_PATH } from "./hub.mjs";
import { SseParser } from "./sse.mjs";

export const topicOf = (id) => id.slice(0, id.indexOf("-"));

// Returns the offset in an id that the hub gave out.
export function offsetOf(id) {
  const found = /^#[\w-]{11}\.([0-9]+)$/.exec(id);
  assert.ok(found, `not a position: ${id}`);
  return Number(found[1]);
}

// One stream, of which only the ids are kept.
//
//   topics   that it asked for; undefined: all
//   cursor   that it came with; undefined: from now on
//   seen     how many records were known to be stored before it asked
//   start    the offset that its first block told; undefined: it was cut before
//   items    the id of each event, and {after, until, sent} of each gap, before which `sent` events had been sent
//   count    of its events
//   cut      {sent}, where the hub ended it, after so many events were sent
export class Session {
  items = [];
  count = 0;
  start = undefined;

  // `dataOf(id)` is what an event must hold, `sent()` how many have been sent so far. `connect` is for
  // Connection.open().
  static async open(hub, { topics, cursor, seen, dataOf, sent, onEvent = () => {}, connect }) {
    const session = Object.assign(new Session(), { topics, cursor, seen });
    const connection = await hub.connect(connect);
    session.connection = connection;
    const headers = { accept: "text/event-stream", "last-event-id": cursor };
    const target = `${HUB_PATH}?${form({ match: topics ?? "*" })}`;
    await connection.write(requestBytes({ target, host: hub.authority, headers }));
    assert.equal((await connection.readHead()).status, 200);
    const onOwn = ({ type, data, id }) => {
      assert.equal(type, "vrelo.gap");
      const { after, until } = JSON.parse(data);
      assert.equal(id, until);
      session.items.push({ after, until, sent: sent() });
    };
    session.parser = new SseParser({
      onBlock: () => (session.start ??= offsetOf(session.parser.lastEventId)),
      onEvent: (event) => {
        if (event.type !== "message") {
          onOwn(event);
          return;
        }
        assert.ok(event.data === dataOf(event.id), `the data of ${event.id}: ${event.data}`);
        session.items.push(event.id);
        session.count += 1;
        onEvent(event.id);
      },
    });
    connection.forward((chunk) => session.#parse(chunk));
    return session;
  }

  // A chunk comes from the socket, where nobody catches what is thrown.
  #parse(chunk) {
    try {
      this.parser.push(chunk);
    } catch (error) {
      this.fault ??= error;
    }
  }

  get lastEventId() {
    return this.parser.lastEventId;
  }
  get gaps() {
    return this.items.filter((item) => typeof item !== "string");
  }

  // Waits until `condition` holds, and fails if the stream ends before.
  async until(condition, what) {
    const text = () => `${what} of ${this.topics ?? "all"} after ${this.lastEventId || this.cursor}`;
    await this.connection.until(() => this.fault || condition() || this.connection.isEnded, text);
    if (this.fault) {
      throw this.fault;
    }
    if (!condition()) {
      throw new Error(`the stream ended before ${text()}`);
    }
  }

  close() {
    this.connection.close();
  }
}

// The log's order, of all that was ever in it.
export class Order {
  #offsets;
  #topics;

  constructor(ids) {
    this.ids = ids;
    this.#offsets = new Map(ids.map((id, i) => [id, i + 1]));
    const names = new Map(); // each topic's name once
    this.#topics = ids.map((id) => {
      const topic = topicOf(id);
      return names.get(topic) ?? names.set(topic, topic).get(topic);
    });
    assert.equal(this.#offsets.size, ids.length, "an id is there twice");
  }

  #offset(cursor) {
    return cursor === "earliest" ? 0 : cursor.startsWith("#") ? offsetOf(cursor) : this.#offsets.get(cursor);
  }

  // Checks one session, where the log keeps that many events.
  check(session, historyEvents) {
    const { topics, cursor, seen, start, items, cut } = session;
    if (start === undefined) {
      return;
    }
    const name = `a session of ${topics ?? "all"} after ${cursor}`;
    const wanted = topics && new Set(topics);
    const nextAfter = (offset) => {
      do {
        offset += 1;
      } while (offset <= this.ids.length && wanted && !wanted.has(this.#topics[offset - 1]));
      return offset;
    };
    const jump = ({ until, sent }) => {
      const to = offsetOf(until);
      assert.ok(to <= sent - historyEvents, `${name}: a gap until ${to} when ${sent} events were sent`);
      return to;
    };

    let [at, first] = [start, 0]; // `at`: all up to this offset is accounted for
    const begin = items[0];
    const beginsWithGap = begin?.after !== undefined && begin.after === cursor && offsetOf(begin.until) === start;
    if (cursor === undefined) {
      assert.ok(start >= seen, `${name} begins at ${start}, but ${seen} were stored before`);
    } else if (beginsWithGap && !cursor.startsWith("#")) {
      // The event of the cursor is gone, so that nobody knows what was after it.
      assert.ok(this.#offset(cursor) <= start, `${name}: a gap up to ${start}, but the cursor is kept`);
      [at, first] = [jump(begin), 1];
    } else {
      at = this.#offset(cursor);
      assert.ok(beginsWithGap || start === at, `${name} begins at ${start}, not at ${at}`);
    }
    for (const item of items.slice(first)) {
      const next = nextAfter(at);
      if (typeof item === "string") {
        assert.equal(item, this.ids[next - 1], name);
        at = next;
        continue;
      }
      const after = offsetOf(item.after);
      assert.ok(next > after, `${name}: ${this.ids[next - 1]} is missing before the gap after ${after}`);
      const to = jump(item);
      assert.ok(next <= to, `${name}: a gap until ${to} that had nothing for it after ${at}`);
      at = to;
    }
    if (cut) {
      // The hub may only do so in the middle of an event that is gone.
      assert.ok(!session.parser.isBetweenBlocks, `${name} was cut between two events`);
      assert.ok(nextAfter(at) <= cut.sent - historyEvents, `${name} was cut in an event that is kept`);
    }
  }
}
