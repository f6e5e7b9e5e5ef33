// SPDX-License-Identifier: Apache-2.0
//
// The real hub, as a process of its own.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { Connection, form, requestBytes } from "./http.mjs";
import { parseMetrics } from "./metrics.mjs";
import { Stream } from "./stream.mjs";
import { LIFETIME_MS, mortal, Signal, until, within } from "./waiting.mjs";

export const HUB_PATH = "/.well-known/mercure";

const FORM_TYPE = "application/x-www-form-urlencoded";
const LISTENER = fileURLToPath(new URL("listener.py", import.meta.url));

// The program under test.
export function binary() {
  if (!process.env.VRELO) {
    throw new Error("the environment variable VRELO must name the binary to test");
  }
  return process.env.VRELO;
}

// What the program sees of the environment: none of the hub's settings that happen to be set here.
export function cleanEnvironment(more) {
  const kept = Object.entries(process.env).filter(([name]) => /^(PATH|TMPDIR|[A-Z]+SAN_OPTIONS)$/.test(name));
  return { ...Object.fromEntries(kept), ...more };
}

// Turns {requestTime: "1s", open: true, shards: undefined} into ["--request-time", "1s", "--open"].
function flags(settings) {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  return given.flatMap(([name, value]) => {
    const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    return value === true ? [flag] : [flag, String(value)];
  });
}

// Lines of the program's standard output that say where it listens.
const LISTENING = /^listening on (http:\/\/(.+):([0-9]+))$/;
const ADMINISTRATION = /^administration on http:\/\/(.+):([0-9]+)$/;

// Asks for `target` at `address`, on a connection of its own.
export async function askAt(address, target, headers = {}) {
  const connection = await Connection.open(address);
  const host = `${address.host}:${address.port}`;
  connection.write(requestBytes({ target, host, headers: { connection: "close", ...headers } }));
  const response = await connection.readResponse();
  connection.close();
  return response;
}

// A hub that runs, or did.
export class Hub {
  exit = undefined; // {code, signal} once it has ended
  adminToken = undefined; // for a hub that asks for one
  wasKilled = false; // by the test
  outputLines = [];
  errorText = "";

  #changed = new Signal();
  #idle = [];
  #connections = new Set();

  // Starts `vrelo serve` in `cwd`, without waiting for anything. A drain takes no time unless `settings`
  // say so. `program` is what to run instead of the program under test,
  // `lifetimeMs` how long it may live.
  static spawn({ settings = {}, env = {}, cwd, limits, program, lifetimeMs = LIFETIME_MS }) {
    const hub = new Hub();
    const [file, ...args] = Hub.command({ drain: "0", listen: "127.0.0.1:0", ...settings }, limits, program);
    const stdio = ["ignore", "pipe", "pipe"];
    const process = mortal(spawn(file, args, { cwd, env: cleanEnvironment(env), stdio }), lifetimeMs);
    hub.pid = process.pid;
    process.on("error", (error) => hub.logged(`${error}\n`));
    process.stderr.on("data", (bytes) => hub.logged(bytes.toString("utf8")));
    createInterface({ input: process.stdout }).on("line", (line) => hub.printed(line));
    process.on("close", (code, signal) => hub.exited({ code, signal }));
    return hub;
  }

  // What to run. `limits` is what a shell does before it becomes the hub: "ulimit -n 300".
  static command(settings, limits, program = binary()) {
    const command = [program, "serve", ...flags(settings)];
    return limits ? ["/bin/sh", "-c", `${limits}; exec "$0" "$@"`, ...command] : command;
  }

  // What those who own the process tell.
  printed(line) {
    this.outputLines.push(line);
    const listening = LISTENING.exec(line);
    if (listening) {
      [, this.origin, this.host, this.port] = listening;
      this.host = this.host.replace(/^\[|\]$/g, "");
      this.port = Number(this.port);
    }
    const administration = ADMINISTRATION.exec(line);
    if (administration) {
      this.admin = { host: administration[1], port: Number(administration[2]) };
    }
    this.#changed.notify();
  }
  logged(text) {
    this.errorText += text;
    this.#changed.notify();
  }
  exited(exit) {
    this.exit = exit;
    this.#changed.notify();
  }

  // Waits until the hub listens.
  async started() {
    const why = () => `the hub to listen; it wrote:\n${this.errorText}`;
    await this.until(() => this.port || this.exit, why);
    if (!this.port) {
      throw new Error(`the hub ended with ${JSON.stringify(this.exit)} before it listened:\n${this.errorText}`);
    }
    return this;
  }

  // Waits until `condition` holds; it is looked at when the hub writes a line and when it ends.
  until(condition, what) {
    return this.#changed.until(condition, what);
  }

  // Waits for a line on standard error.
  logLine(pattern) {
    return this.until(() => pattern.test(this.errorText), () => `${pattern} in:\n${this.errorText}`);
  }

  async ended() {
    await this.until(() => this.exit, "the hub to end");
    return this.exit;
  }

  signal(name) {
    process.kill(this.pid, name);
  }

  async kill() {
    this.wasKilled = true;
    this.closeIdle();
    if (!this.exit) {
      this.signal("SIGKILL");
    }
    return this.ended();
  }

  // Ends the hub as an operator does.
  async stop() {
    this.closeIdle();
    if (!this.exit) {
      this.signal("SIGTERM");
    }
    return this.ended();
  }

  get authority() {
    return this.host.includes(":") ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }
  get url() {
    return `${this.origin}${HUB_PATH}`;
  }

  async connect(options) {
    const connection = await Connection.open(this, options);
    this.#connections.add(connection);
    return connection;
  }

  // Returns the bytes of a request to this hub.
  request({ target = HUB_PATH, ...request } = {}) {
    return requestBytes({ host: this.authority, target, ...request });
  }

  // Returns the bytes of a publish.
  publishBytes(fields, { headers, ...more } = {}) {
    const body = typeof fields === "string" || Buffer.isBuffer(fields) ? fields : form(fields);
    return this.request({ method: "POST", body, headers: { "content-type": FORM_TYPE, ...headers }, ...more });
  }

  // Sends one request and returns the answer, over a connection that is used again where possible.
  async ask(request) {
    return this.#exchange(this.request(request), { isHead: request.method === "HEAD" });
  }

  // Sends `fields` (or a body as it is, text or bytes) to be published, and returns the answer.
  async post(fields, options) {
    return this.#exchange(this.publishBytes(fields, options));
  }

  async #exchange(bytes, options) {
    const connection = this.#idle.pop() ?? (await this.connect());
    connection.write(bytes);
    let response;
    try {
      response = await connection.readResponse(options);
    } catch (error) {
      connection.close();
      throw error;
    }
    if (response.headers.connection === "close" || connection.isEnded) {
      connection.close();
    } else {
      this.#idle.push(connection);
    }
    return response;
  }

  // Closes the connections that ask() and post() keep.
  closeIdle() {
    for (const connection of this.#idle.splice(0)) {
      connection.close();
    }
  }

  // Closes a stream, and remembers nothing of it: for tests that open very many.
  forget(stream) {
    stream.close();
    this.#connections.delete(stream.connection);
  }

  // Closes all connections that the test has to this hub, streams as well.
  closeAll() {
    this.#idle = [];
    for (const connection of this.#connections) {
      connection.close();
    }
  }

  // Publishes an event and returns its id.
  async publish(fields) {
    const response = await this.post(fields);
    if (response.status !== 200) {
      throw new Error(`the publish was answered with ${response.status}: ${response.text}`);
    }
    return response.text;
  }

  // Opens a stream. `query` is fields, or a query as it is; what is answered may be anything.
  stream(query, options) {
    const text = typeof query === "string" ? query : form(query);
    return this.streamAt(`${HUB_PATH}?${text}`, options);
  }

  async streamAt(target, options) {
    const stream = await Stream.open(this, target, options);
    this.#connections.add(stream.connection);
    return stream;
  }

  // Opens a stream and waits for its first block.
  async subscribe(query, options) {
    const stream = await this.stream(query, options);
    if (stream.status !== 200) {
      await stream.ended();
      throw new Error(`the stream was refused with ${stream.status}`);
    }
    return stream.opened();
  }

  async metrics(address = this) {
    const headers = this.adminToken ? { authorization: `Bearer ${this.adminToken}` } : {};
    const response = await askAt(address, "/metrics", headers);
    if (response.status !== 200) {
      throw new Error(`/metrics was answered with ${response.status}: ${response.text}`);
    }
    return parseMetrics(response.text);
  }

  // Waits until exactly `count` streams are open.
  streamsOpen(count) {
    const holds = async () => (await this.metrics()).get("vrelo_streams") === count;
    return until(holds, `${count} open streams`);
  }
}

// A listening socket that outlives the hubs that serve it.
export class Listener {
  #process;
  #changed = new Signal();
  #hub;
  #hubs = new Map();

  static async open() {
    const listener = new Listener();
    const child = mortal(spawn("python3", [LISTENER], { stdio: ["pipe", "pipe", "pipe"] }));
    listener.#process = child;
    child.stderr.on("data", (bytes) => listener.#hub?.logged(bytes.toString("utf8")));
    createInterface({ input: child.stdout }).on("line", (line) => listener.#printed(line));
    await listener.#changed.until(() => listener.port, "the listening socket");
    return listener;
  }

  #printed(line) {
    const own = /^(port|pid|exit) ([0-9]+)(?: (-?[0-9]+))?$/.exec(line);
    const number = Number(own?.[2]);
    if (own === null) {
      this.#hub.printed(line);
    } else if (own[1] === "port") {
      this.port = number;
    } else if (own[1] === "pid") {
      this.#hub.pid = number;
      this.#hubs.set(number, this.#hub);
    } else {
      const status = Number(own[3]);
      this.#hubs.get(number).exited(status < 0 ? { code: null, signal: -status } : { code: status, signal: null });
    }
    this.#changed.notify();
  }

  // Starts a hub that inherits the socket. Order: the one before has ended.
  async spawn({ settings, env = {}, cwd, limits }) {
    const hub = new Hub();
    this.#hub = hub;
    const argv = Hub.command({ drain: "0", ...settings }, limits);
    this.#process.stdin.write(`${JSON.stringify({ argv, env: cleanEnvironment(env), cwd })}\n`);
    await this.#changed.until(() => hub.pid, "the hub's process");
    return hub;
  }

  async close() {
    const closed = new Promise((resolve) => this.#process.once("close", resolve));
    this.#process.stdin.end();
    await within(closed, "the listening socket's owner to end");
  }
}
