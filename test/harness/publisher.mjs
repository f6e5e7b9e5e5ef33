// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { Connection } from "./http.mjs";
import { Signal } from "./waiting.mjs";

// Publishes without regard to who serves the address at the moment: what was not acknowledged is sent again
// with the same id. A connect that is refused is an error.
export class Publisher {
  ids = []; // acknowledged, in order
  refused = 0; // answers with 503
  cut = 0; // connections that ended without an answer
  isStopped = false;

  #address;
  #name;
  #eventsPerSecond;
  #reconnects;
  #connection;
  #acknowledged = new Signal();

  // Its ids are `name` and a number. `reconnects`: each is sent on a new connection.
  constructor(address, { name = "n", eventsPerSecond = 200, reconnects = false } = {}) {
    this.#address = address;
    this.#name = name;
    this.#eventsPerSecond = eventsPerSecond;
    this.#reconnects = reconnects;
  }

  async publish(id, bytes) {
    while (!(await this.#isAcknowledged(bytes))) {
      this.#disconnect();
    }
    if (this.#reconnects) {
      this.#disconnect();
    }
    this.ids.push(id);
    this.#acknowledged.notify();
  }

  // Waits until that many events more are acknowledged.
  goesOn(more) {
    const wanted = this.ids.length + more;
    return this.#acknowledged.until(() => this.ids.length >= wanted, `${more} more acknowledgements`);
  }

  async #isAcknowledged(bytes) {
    try {
      this.#connection ??= await Connection.open(this.#address);
      await this.#connection.write(bytes);
      const { status } = await this.#connection.readResponse();
      assert.ok(status === 200 || status === 503, `a publish was answered with ${status}`);
      this.refused += status === 503 ? 1 : 0;
      return status === 200;
    } catch (error) {
      if (error instanceof assert.AssertionError || !this.#connection?.isEnded) {
        throw error;
      }
      this.cut += 1;
      return false;
    }
  }

  // Publishes at its rate until it is told to stop.
  async run(bytesOf) {
    const begin = performance.now();
    for (let i = 0; !this.isStopped; ++i) {
      await delay(begin + (i * 1000) / this.#eventsPerSecond - performance.now());
      const id = `${this.#name}${i}`;
      await this.publish(id, bytesOf(id));
    }
  }

  #disconnect() {
    this.#connection?.close();
    this.#connection = undefined;
  }

  close() {
    this.#connection?.close();
  }
}
