// SPDX-License-Identifier: Apache-2.0
//
// A server of event streams for tests, which does what a test says to each request.

import http from "node:http";

import { Signal } from "../../../test/harness/waiting.mjs";

export const STREAM = { "content-type": "text/event-stream" };

// One request, and its answer.
export class Exchange {
  isClosed = false;
  begunAt = performance.now();
  endedAt; // by end()

  #changed;

  constructor(request, response, body, changed) {
    this.response = response;
    this.method = request.method;
    this.target = request.url;
    this.headers = request.headers;
    this.body = body;
    this.#changed = changed;
    response.on("close", () => {
      this.isClosed = true;
      changed.notify();
    });
  }

  // Answers with a stream that stays open.
  open(text = "", headers = {}) {
    this.response.writeHead(200, { ...STREAM, ...headers });
    this.response.flushHeaders();
    this.write(text);
  }
  write(text) {
    this.response.write(text);
  }
  // Ends the stream, or answers with `status` and no stream.
  end(status, headers = {}) {
    if (status !== undefined) {
      this.response.writeHead(status, headers);
    }
    this.endedAt = performance.now();
    this.response.end();
  }
  // Breaks the connection behind what was written. (A reset would take some of that with it.)
  cut() {
    this.response.socket.destroy();
  }
  // Waits until the client has closed the connection.
  closed() {
    return this.#changed.until(() => this.isClosed, `the client to close ${this.target}`);
  }
}

export class Server {
  exchanges = [];

  #changed = new Signal();
  #server;

  // `answers` are functions of an Exchange: the first is for the first request, the last for all others.
  // The server ends with the test `t`.
  static async open(t, ...answers) {
    const server = new Server();
    server.#server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) {
        parts.push(part);
      }
      const exchange = new Exchange(request, response, Buffer.concat(parts).toString(), server.#changed);
      server.exchanges.push(exchange);
      server.#changed.notify();
      (answers[server.exchanges.length - 1] ?? answers.at(-1))?.(exchange);
    });
    await new Promise((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    server.origin = `http://127.0.0.1:${server.#server.address().port}`;
    t.after(() => server.close());
    return server;
  }

  get url() {
    return `${this.origin}/stream`;
  }

  // Waits for the request number `index`, from 0.
  async exchange(index) {
    await this.#changed.until(() => this.exchanges.length > index, `request number ${index}`);
    return this.exchanges[index];
  }

  async close() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

// What a source has told, in order.
export class Watch {
  entries = [];

  #changed = new Signal();

  constructor(t, source, types = []) {
    this.source = source;
    t.after(() => source.close());
    source.addEventListener("open", () => this.#add("open"));
    source.addEventListener("error", (event) => {
      const { reason, status, willReconnect } = event;
      this.lastError = event;
      this.#add(["error", reason, status, willReconnect ? "reconnects" : "has given up"].filter(Boolean).join(" "));
    });
    for (const type of ["message", ...types]) {
      source.addEventListener(type, (event) => this.#add(`${type} ${event.data} #${event.lastEventId}`));
    }
  }

  #add(entry) {
    this.entries.push(entry);
    this.#changed.notify();
  }

  // Waits until there are `count` entries, and returns them.
  async until(count) {
    const what = () => `${count} entries; there are: ${this.entries.join(", ")}`;
    await this.#changed.until(() => this.entries.length >= count, what);
    return this.entries;
  }

  // Waits for this entry, and returns all.
  async untilEntry(entry) {
    const what = () => `${entry}; there are: ${this.entries.join(", ")}`;
    await this.#changed.until(() => this.entries.includes(entry), what);
    return this.entries;
  }

  // As until(), without repetitions: on a busy machine, what is short for an attempt may be short for the next.
  async untilDistinct(count) {
    const distinct = () => this.entries.filter((entry, index) => entry !== this.entries[index - 1]);
    const what = () => `${count} distinct entries; there are: ${this.entries.join(", ")}`;
    await this.#changed.until(() => distinct().length >= count, what);
    return distinct().slice(0, count);
  }
}

// Options with which nothing takes long.
export const QUICK = { retry: { minMs: 1, maxMs: 2 } };
