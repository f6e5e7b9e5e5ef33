// SPDX-License-Identifier: Apache-2.0
//
// Publishers and readers that go on when the hub they talk to is killed and starts anew.

import assert from "node:assert/strict";

import { Signal } from "./waiting.mjs";

// The hub that runs at the moment; its address changes with each life.
export class Lives {
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
export class LivesPublisher {
  ids = []; // acknowledged, in order
  isStopped = false;

  constructor(name, onAcknowledged, { dataBytes = 0 } = {}) {
    this.topic = name;
    this.onAcknowledged = onAcknowledged;
    this.dataBytes = dataBytes;
  }

  async run(lives) {
    while (!this.isStopped) {
      const id = `${this.topic}-${this.ids.length}`;
      const data = `data of ${id}`.padEnd(this.dataBytes, " ");
      await lives.insist((hub) => hub.publish({ topic: [this.topic, "all"], id, data }));
      this.ids.push(id);
      this.onAcknowledged();
    }
    await lives.insist((hub) => hub.publish({ topic: this.topic, id: `${this.topic}-end` }));
    this.ids.push(`${this.topic}-end`);
  }
}

// Sends many events before it waits for their answers, and again, with the same ids, those whose answers did not
// come.
export class PipeliningPublisher {
  ids = []; // acknowledged, in order
  sent = 0; // events that the log may have
  isStopped = false;

  #connections = new Map(); // by hub: one each

  // `dataOf(id)` makes an event's data. Before each `atOnce` events it waits for `mayGoOn()`.
  constructor(topic, { atOnce, dataOf, mayGoOn, onAcknowledged }) {
    Object.assign(this, { topic, atOnce, dataOf, mayGoOn, onAcknowledged });
  }

  async run(lives) {
    while (!this.isStopped) {
      await this.mayGoOn();
      const from = this.ids.length;
      await this.#publish(lives, Array.from({ length: this.atOnce }, (_, i) => `${this.topic}-${from + i}`));
    }
    await this.#publish(lives, [`${this.topic}-end`]);
  }

  async #publish(lives, ids) {
    const end = this.ids.length + ids.length;
    this.sent = end;
    await lives.insist(async (hub) => {
      const connection = this.#connections.get(hub) ?? (await hub.connect());
      this.#connections.clear();
      this.#connections.set(hub, connection);
      const left = ids.slice(ids.length - (end - this.ids.length));
      const bytes = left.map((id) => hub.publishBytes({ topic: [this.topic, "all"], id, data: this.dataOf(id) }));
      connection.write(Buffer.concat(bytes));
      for (const id of left) {
        const { status, text } = await connection.readResponse();
        assert.deepEqual([status, text], [200, id]);
        this.ids.push(id);
        this.onAcknowledged();
      }
    });
  }
}

// Reads its topics until it has the last event of each, and comes back with its cursor after each cut.
export class LivesReader {
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
