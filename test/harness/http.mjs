// SPDX-License-Identifier: Apache-2.0
//
// HTTP/1.1 by hand, on a bare socket: tests see each byte that the hub sends, and send what no proper
// client would.

import net from "node:net";

import { Signal, within } from "./waiting.mjs";

// An answer. `headers` has lower-case names; a field that came more than once is joined with ", ".
export class Response {
  constructor(status, headers, body) {
    this.status = status;
    this.headers = headers;
    this.body = body;
  }

  get text() {
    return this.body.toString("utf8");
  }

  get json() {
    return JSON.parse(this.text);
  }
}

// Reads "HTTP/1.1 200 OK" and the fields. Fails on anything that is not well-formed.
export function parseHead(text) {
  const [statusLine, ...lines] = text.split("\r\n");
  const status = /^HTTP\/1\.1 ([1-5][0-9][0-9]) [ -~]+$/.exec(statusLine);
  if (status === null) {
    throw new Error(`not a status line: ${JSON.stringify(statusLine)}`);
  }
  const headers = {};
  for (const line of lines) {
    const field = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([^\r\n]*)$/.exec(line);
    if (field === null) {
      throw new Error(`not a header field: ${JSON.stringify(line)}`);
    }
    const name = field[1].toLowerCase();
    headers[name] = name in headers ? `${headers[name]}, ${field[2]}` : field[2];
  }
  return { status: Number(status[1]), headers };
}

// One connection to the hub.
export class Connection {
  received = Buffer.alloc(0); // and not yet taken
  receivedBytes = 0;
  isEnded = false; // the hub has closed its side, or the connection is broken
  error = undefined; // why it broke, if it did

  #socket;
  #changed = new Signal();
  #onChunk;
  #onceRead;

  // `readBytes` limits each read of the socket, and makes a reader slow; `isReading: false` leaves
  // everything in the kernel until read() is called. `localAddress` is where the connection comes from.
  static async open({ host, port }, { readBytes, isReading = true, localAddress } = {}) {
    const connection = new Connection();
    const onread = readBytes && {
      buffer: Buffer.alloc(readBytes),
      callback: (count, buffer) => {
        connection.#take(Buffer.from(buffer.subarray(0, count)));
        return true;
      },
    };
    const socket = net.connect({ host, port, localAddress, noDelay: true, onread });
    connection.#socket = socket;
    if (!isReading) {
      socket.pause();
    }
    const connected = new Promise((resolve, reject) => {
      socket.once("connect", resolve);
      socket.once("error", reject);
    });
    socket.on("error", (error) => connection.#end(error));
    socket.on("close", () => connection.#end());
    socket.on("end", () => connection.#end());
    if (isReading && !readBytes) {
      socket.on("data", (chunk) => connection.#take(chunk));
    }
    await within(connected, `a connection to ${host}:${port}`);
    return connection;
  }

  // Begins to read, after `isReading: false`.
  read() {
    this.#socket.on("data", (chunk) => this.#take(chunk));
    this.#socket.resume();
  }

  // Stops reading, so that the kernel's buffers fill up, and goes on.
  pause() {
    this.#socket.pause();
  }
  resume() {
    this.#onceRead = undefined;
    this.#socket.resume();
  }

  // Reads once, as far as `readBytes` allow, and stops again.
  readOnce() {
    this.#onceRead = () => this.#socket.pause();
    this.#socket.resume();
  }

  get localPort() {
    return this.#socket.localPort;
  }

  // Hands all further chunks to `onChunk` instead of keeping them, beginning with what is there.
  forward(onChunk) {
    const before = this.received;
    this.received = Buffer.alloc(0);
    this.#onChunk = onChunk;
    if (before.length > 0) {
      onChunk(before);
    }
  }

  #take(chunk) {
    this.#onceRead?.();
    this.receivedBytes += chunk.length;
    if (this.#onChunk) {
      this.#onChunk(chunk);
    } else {
      this.received = Buffer.concat([this.received, chunk]);
    }
    this.#changed.notify();
  }

  #end(error) {
    this.isEnded = true;
    this.error ??= error;
    this.#changed.notify();
  }

  // Sends bytes. Resolves when the kernel has them; what the hub did not take before it closed is no error.
  write(bytes) {
    return new Promise((resolve) => this.#socket.write(bytes, () => resolve()));
  }

  // Says that nothing more is sent.
  endWriting() {
    this.#socket.end();
  }

  // Waits until `condition` holds; it is looked at when bytes arrive and when the connection ends.
  until(condition, what) {
    return this.#changed.until(condition, what);
  }

  ended() {
    return this.until(() => this.isEnded, "the hub to close the connection");
  }

  async #untilReceived(find, what) {
    let found = -1;
    const look = () => (found = find()) >= 0 || this.isEnded;
    const soFar = () => `${what}; so far: ${JSON.stringify(this.received.toString("latin1").slice(0, 500))}`;
    await this.until(look, soFar);
    if (found < 0) {
      throw new Error(`the connection ended (${this.error?.code ?? "closed"}) before ${soFar()}`);
    }
    return found;
  }

  async takeUntil(mark, what) {
    const at = await this.#untilReceived(() => this.received.indexOf(mark), what);
    const before = this.received.subarray(0, at);
    this.received = this.received.subarray(at + mark.length);
    return before;
  }

  async takeBytes(count, what) {
    await this.#untilReceived(() => (this.received.length >= count ? 0 : -1), what);
    const taken = this.received.subarray(0, count);
    this.received = this.received.subarray(count);
    return taken;
  }

  async readHead() {
    const head = await this.takeUntil("\r\n\r\n", "the head of an answer");
    return parseHead(head.toString("latin1"));
  }

  // Reads one answer. Its end is where Content-Length says, or where the connection closes.
  async readResponse({ isHead = false } = {}) {
    const { status, headers } = await this.readHead();
    if (isHead || status === 204 || status === 304 || status < 200) {
      return new Response(status, headers, Buffer.alloc(0));
    }
    const length = headers["content-length"];
    if (length === undefined) {
      await this.ended();
      return new Response(status, headers, this.received);
    }
    return new Response(status, headers, await this.takeBytes(Number(length), "the body of an answer"));
  }

  close() {
    this.#socket.destroy();
  }

  // Breaks the connection with a reset.
  reset() {
    this.#socket.resetAndDestroy();
  }
}

// Returns the bytes of a request. Host and Content-Length are added unless `headers` has them; a header
// that is undefined is left out.
export function requestBytes({ method = "GET", target, host, headers = {}, body = "", version = "1.1" }) {
  const bytes = Buffer.from(body);
  const given = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const fields = { host, ...(bytes.length > 0 ? { "content-length": bytes.length } : {}), ...given };
  let head = `${method} ${target} HTTP/${version}\r\n`;
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one !== undefined) {
        head += `${name}: ${one}\r\n`;
      }
    }
  }
  return Buffer.concat([Buffer.from(`${head}\r\n`, "latin1"), bytes]);
}

// Returns fields in the form of a body or a query. An array is a field that is repeated.
export function form(fields) {
  const pairs = [];
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      pairs.push(`${encodeURIComponent(name)}=${encodeURIComponent(one)}`);
    }
  }
  return pairs.join("&");
}
