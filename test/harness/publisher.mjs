// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { Connection } from "./http.mjs";
import { Signal } from "./waiting.mjs";

// Publishes without regard to who serves the address at the moment: what was not acknowledged is sent again
// with the same id. A connect that is refused is an error.
export class Publisher {
  ids = []; // acknowledged, in order
  isStopped = false;

  #address;
  #name;
  #eventsPerSecond;
  #connection;
  #acknowledged = new Signal();

  // Its ids are `name` and a number.
  constructor(address, { name = "n", eventsPerSecond = 200 } = {}) {
    this.#address = address;
    this.#name = name;
    this.#eventsPerSecond = eventsPerSecond;
  }

  async publish(id, bytes) {
    while (!(await this.#isAcknowledged(bytes))) {
      this.#connection?.close();
      this.#connection = undefined;
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
      return status === 200;
    } catch (error) {
      if (error instanceof assert.AssertionError || !this.#connection?.isEnded) {
        throw error;
      }
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

  close() {
    this.#connection?.close();
  }
}
