// SPDX-License-Identifier: Apache-2.0

import { Connection, requestBytes } from "./http.mjs";
import { SseParser } from "./sse.mjs";

// One stream of the hub, from its request to the end of its connection.
//
// Events of the hub's own (`vrelo.*`) are kept apart, in `own`, because the protocol knows nothing of them.
export class Stream {
  events = []; // of publishers, all that came
  own = []; // vrelo.hello, vrelo.position, vrelo.gap
  comments = [];
  blocks = []; // the lines of each block
  chunks = []; // as they were read; only with `keepsChunks`
  bodyBytes = 0;

  #taken = 0;

  constructor(connection, head, { keepsChunks = false } = {}) {
    this.connection = connection;
    this.status = head.status;
    this.headers = head.headers;
    this.parser = new SseParser({
      onEvent: (event) => (event.type.startsWith("vrelo.") ? this.own : this.events).push(event),
      onComment: (text) => this.comments.push(text),
      onBlock: (lines) => this.blocks.push(lines),
    });
    connection.forward((chunk) => {
      if (keepsChunks) {
        this.chunks.push(chunk);
      }
      this.bodyBytes += chunk.length;
      this.parser.push(chunk);
    });
  }

  // Asks `address` for `target` and reads the head of the answer, whatever its status is.
  static async open(address, target, { headers = {}, keepsChunks, ...connect } = {}) {
    const connection = await Connection.open(address, connect);
    const fields = { accept: "text/event-stream", ...headers };
    await connection.write(requestBytes({ target, host: `${address.host}:${address.port}`, headers: fields }));
    return new Stream(connection, await connection.readHead(), { keepsChunks });
  }

  get lastEventId() {
    return this.parser.lastEventId;
  }

  // Returns the next event that was not returned yet.
  async next() {
    await this.until(() => this.events.length > this.#taken, "the next event");
    return this.events[this.#taken++];
  }

  // Returns the next `count` events.
  async take(count) {
    const taken = () => this.events.length - this.#taken;
    await this.until(() => taken() >= count, () => `${count} events; there are ${taken()}`);
    this.#taken += count;
    return this.events.slice(this.#taken - count, this.#taken);
  }

  // Waits until `condition` holds, and fails if the stream ends before.
  async until(condition, what) {
    const text = () => (typeof what === "function" ? what() : what);
    await this.connection.until(() => condition() || this.isEnded, text);
    if (!condition()) {
      throw new Error(`the stream ended before ${text()}`);
    }
  }

  // Waits until the first block is in, so that the stream has a position to come back to.
  async opened() {
    await this.until(() => this.blocks.length > 0, "the first block");
    return this;
  }

  // The body has come to its end, which the hub says by closing the connection, or by a length (of the short
  // answer to those who are to come back later).
  get isEnded() {
    const length = this.headers["content-length"];
    return this.connection.isEnded || (length !== undefined && this.bodyBytes >= Number(length));
  }

  ended() {
    return this.connection.until(() => this.isEnded, "the end of the stream");
  }

  close() {
    this.connection.close();
  }
}
