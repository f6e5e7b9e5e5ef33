// SPDX-License-Identifier: Apache-2.0
//
// Tests of the whole hub. Each one has hubs, folders and connections of its own, and leaves nothing behind:
//
//   test("a sentence about the hub", async (t) => {
//     const hub = await t.hub({ heartbeat: "1s" });
//     ...
//   });

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import nodeTest from "node:test";

import { Hub, Listener } from "./hub.mjs";
import { Proxy } from "./proxy.mjs";

// What something has left open (a pipe that somebody else holds, say) must not keep the file's process waiting when
// all of its tests are done. (A hook after all tests would run only once nothing is open any more.)
const EXIT_AFTER_MS = 2000;
let unfinished = 0;
let hasFailed = false;
function finished() {
  unfinished -= 1;
  if (unfinished > 0) {
    return;
  }
  // Node 20 may, once in some dozen times, close its last handles for ever and at full speed: it does that after
  // "exit", and not if somebody calls process.exit().
  process.on("exit", (code) => process.exit(process.exitCode ?? code));
  const exit = () => {
    console.error(`all tests are done; still open: ${process.getActiveResourcesInfo().join(", ")}`);
    process.exit(hasFailed ? 1 : 0);
  };
  setTimeout(exit, EXIT_AFTER_MS).unref();
}

const SANITIZER = /(ERROR|WARNING|SUMMARY): \w+Sanitizer|: runtime error: /;

class Context {
  #ends = [];
  #hubs = [];

  constructor(log) {
    this.log = log;
  }

  // Calls `end` after the test, those that were added last first.
  atEnd(end) {
    this.#ends.push(end);
  }

  async folder() {
    const folder = await mkdtemp(path.join(os.tmpdir(), "vrelo-test-"));
    this.atEnd(() => rm(folder, { recursive: true }));
    return folder;
  }

  // Starts a hub with two shards and the test's log, and waits until it listens. Another start in the
  // same `folder` has the same database.
  async hub(settings = {}, options = {}) {
    return this.spawnHub(await this.#complete(settings, options)).started();
  }

  // Starts a hub and waits for nothing: it may fail to start. Nothing is added to the settings.
  spawnHub({ settings, ...options }) {
    return this.#keep(Hub.spawn({ settings, ...options }));
  }

  // Starts a hub that inherits the socket of `listener`.
  async hubOn(listener, settings = {}, options = {}) {
    return this.#keep(await listener.spawn(await this.#complete(settings, options))).started();
  }

  // The same, without waiting for what it prints: a request waits in the socket until the hub takes it.
  async spawnHubOn(listener, settings = {}, options = {}) {
    const hub = this.#keep(await listener.spawn(await this.#complete(settings, options)));
    return Object.assign(hub, { host: "127.0.0.1", port: listener.port });
  }

  async listener() {
    const listener = await Listener.open();
    this.atEnd(() => listener.close());
    return listener;
  }

  async proxy(target) {
    const proxy = await Proxy.open(target);
    this.atEnd(() => proxy.close());
    return proxy;
  }

  async #complete(settings, options) {
    const cwd = options.folder ?? (await this.folder());
    return { settings: { log: this.log, shards: 2, ...settings }, cwd, ...options };
  }

  #keep(hub) {
    this.#hubs.push(hub);
    this.atEnd(async () => {
      hub.closeAll();
      if (!hub.exit) {
        const exit = await hub.stop().catch((error) => hub.kill().then(() => Promise.reject(error)));
        assert.deepEqual(exit, { code: 0, signal: null }, "how the hub ended");
      }
      // Of a hub that was killed, and of a worker that is another's child, this is all that a sanitizer leaves.
      assert.doesNotMatch(hub.errorText, SANITIZER, "a sanitizer's report");
    });
    return hub;
  }

  async end() {
    const errors = [];
    for (const end of this.#ends.reverse()) {
      await Promise.resolve().then(end).catch((error) => errors.push(error));
    }
    if (errors.length > 0) {
      throw errors[0];
    }
  }

  // What the hubs wrote to their standard error, for whoever looks into a failure.
  hubLogs() {
    return this.#hubs.map((hub) => `--- hub ${hub.pid} wrote:\n${hub.errorText}`).join("");
  }
}

async function run(log, body) {
  const context = new Context(log);
  try {
    try {
      await body(context);
    } finally {
      await context.end();
    }
  } catch (error) {
    hasFailed = true;
    console.error(context.hubLogs());
    throw error;
  } finally {
    finished();
  }
}

export const MEMORY = "memory:";
export const SQLITE = "sqlite:vrelo.db";

// A test with a memory log, or with the log that `options` name. `browser`: it needs one; it is left out where
// VRELO_NO_BROWSERS is set.
export function test(name, ...rest) {
  const body = rest.pop();
  const { log = MEMORY, browser = false, ...given } = rest[0] ?? {};
  const options = browser && process.env.VRELO_NO_BROWSERS ? { ...given, skip: "without browsers" } : given;
  unfinished += options.skip ? 0 : 1;
  nodeTest(name, options, () => run(log, body));
}

// The same test with each log.
export function testOnEachLog(name, body) {
  for (const log of [MEMORY, SQLITE]) {
    test(`${name} [${log.split(":")[0]}]`, { log }, body);
  }
}
