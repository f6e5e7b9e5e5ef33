// SPDX-License-Identifier: Apache-2.0

import net from "node:net";

import { Signal, within } from "./waiting.mjs";

// A TCP proxy between clients and a hub that breaks what goes through it, on command.
export class Proxy {
  opened = 0; // connections that clients opened so far

  #server;
  #target;
  #pairs = new Set();
  #held = [];
  #isHolding = false;
  #onHalf; // of cutInside()
  #drops = 0; // of dropAnswers()
  #changed = new Signal();

  // `target` is {host, port}, looked at anew for each connection.
  static async open(target) {
    const proxy = new Proxy();
    proxy.#target = target;
    proxy.#server = net.createServer({ allowHalfOpen: true }, (client) => proxy.#accept(client));
    await new Promise((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    proxy.host = "127.0.0.1";
    proxy.port = proxy.#server.address().port;
    return proxy;
  }

  #accept(client) {
    this.opened += 1;
    client.on("error", () => {});
    if (this.#isHolding) {
      this.#held.push(client);
    } else {
      this.#join(client);
    }
    this.#changed.notify();
  }

  #join(client) {
    const hub = net.connect({ ...this.#target, noDelay: true, allowHalfOpen: true });
    const pair = { client, hub };
    this.#pairs.add(pair);
    hub.on("data", (chunk) => this.#answer(chunk, pair));
    client.on("data", (chunk) => hub.writable && hub.write(chunk));
    for (const [from, to] of [[client, hub], [hub, client]]) {
      from.on("end", () => to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        to.destroy();
        this.#pairs.delete(pair);
      });
    }
  }

  #answer(chunk, pair) {
    const { client, hub } = pair;
    if (!client.writable) {
      return;
    }
    if (!pair.isAnswered && this.#drops > 0) {
      this.#drops -= 1;
      hub.resetAndDestroy();
      client.resetAndDestroy();
      return;
    }
    pair.isAnswered = true;
    if (this.#onHalf) {
      client.write(chunk.subarray(0, chunk.length / 2), this.#onHalf);
      this.#onHalf = undefined;
      hub.pause();
    } else {
      client.write(chunk);
    }
  }

  // Lets nothing more come through the connections that are open.
  stall() {
    for (const { hub } of this.#pairs) {
      hub.pause();
    }
  }

  // Breaks all connections with a reset, in the middle of whatever they were doing.
  cut() {
    for (const { client, hub } of this.#pairs) {
      client.resetAndDestroy();
      hub.resetAndDestroy();
    }
    for (const client of this.#held.splice(0)) {
      client.resetAndDestroy();
    }
  }

  // Breaks them so once a client has got a half of what the hub sends next.
  async cutInside() {
    await within(new Promise((resolve) => (this.#onHalf = resolve)), "something to cut in the middle");
    this.cut();
  }

  // Breaks the next `count` connections once the hub has answered, before a client gets a byte of it.
  dropAnswers(count) {
    this.#drops = count;
  }
  get dropsLeft() {
    return this.#drops;
  }

  // Leaves new connections waiting, until release().
  hold() {
    this.#isHolding = true;
  }
  release() {
    this.#isHolding = false;
    for (const client of this.#held.splice(0)) {
      this.#join(client);
    }
  }

  // Waits until clients have opened `count` connections in all.
  untilOpened(count) {
    return this.#changed.until(() => this.opened >= count, `connection number ${count}`);
  }

  async close() {
    this.#isHolding = true;
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.cut();
    await closed;
  }
}
