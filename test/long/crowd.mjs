// SPDX-License-Identifier: Apache-2.0
//
// What happens to many at once: 10,000 readers who come back, a drain with 10,000 streams, 1,000 reloads under
// load, 1,000 readers who read 1 KiB a second. script/long runs it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { Command } from "../harness/command.mjs";
import { Connection, requestBytes } from "../harness/http.mjs";
import { SseParser } from "../harness/sse.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const CROWD = 10_000;
const RECONNECT_MS_MAX = 10_000;
const DRAIN_MS = 5_000;
const DRAIN_SLACK_MS = 2_000;
const RELOADS = 1_000;
const SLOW = 1_000;
const SLOW_BYTES = 1024; // a second
const SLOW_HELD_BYTES_MAX = 128 * 1024;
const SLOW_EVENTS = 32; // of 16 KiB: as much as no buffers of the kernel take
const ROUNDS = 5;
const P99_RATIO_MAX = 1.1;
const ROW_A = ["--readers", "1000", "--events", "200", "--rate", "100"];

const options = { log: SQLITE };
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const say = (text) => console.log(`row: ${text}`);

function load(t, hub, args) {
  const command = Command.vrelo(["bench", hub.origin, "--json", ...args], { input: "", lifetimeMs: 0 });
  t.atEnd(() => {
    command.signal("SIGKILL");
    return command.ended();
  });
  return command;
}

async function reportOf(command) {
  const { output, errors } = await command.ended();
  assert.equal(errors, "");
  return JSON.parse(output);
}

test("10,000 readers who come back at once with a cursor are served within 10 s", options, async (t) => {
  const hub = await t.hub({}, { lifetimeMs: 0 });
  const history = ["--readers", "0", "--events", "2000", "--rate", "0", "--publishers", "8"];
  await reportOf(load(t, hub, history));
  const cursor = (await (await hub.subscribe({ match: "*", last_event_id: "earliest" })).take(1900)).at(-1).id;
  const back = ["--readers", `${CROWD}`, "--opening", `${CROWD}`, "--events", "1", "--rate", "0", "--settle", "0"];
  const begin = performance.now();
  const report = await reportOf(load(t, hub, [...back, "--header", `Last-Event-ID: ${cursor}`]));
  const ms = performance.now() - begin;
  assert.deepEqual([report.streams.open, report.streams.refused, report.deliveries.delivered], [CROWD, 0, CROWD]);
  assert.equal(report.deliveries.foreign, CROWD * 100, "what they had missed");
  assert.ok(ms < RECONNECT_MS_MAX, `it took ${ms} ms`);
  say(`| ${CROWD} readers come back at once, each 100 events behind | all have everything after`
    + ` ${(ms / 1000).toFixed(1)} s | ≤ ${RECONNECT_MS_MAX / 1000} s |`);
});

test("a drain closes 10,000 streams in its time", options, async (t) => {
  const hub = await t.hub({ drain: `${DRAIN_MS}ms` }, { lifetimeMs: 0 });
  const readers = load(t, hub, ["--readers", `${CROWD}`, "--events", "0", "--settle", "1h"]);
  await hub.streamsOpen(CROWD);
  const begin = performance.now();
  hub.signal("SIGTERM");
  assert.deepEqual(await hub.ended(), { code: 0, signal: null });
  const ms = performance.now() - begin;
  readers.signal("SIGINT");
  const report = await reportOf(readers);
  assert.equal(report.streams.cut, CROWD);
  assert.ok(ms < DRAIN_MS + DRAIN_SLACK_MS, `it took ${ms} ms`);
  say(`| SIGTERM with ${CROWD} streams, \`drain\` ${DRAIN_MS / 1000} s | ends with 0 after ${(ms / 1000).toFixed(1)} s`
    + ` | the drain's time |`);
});

test("1,000 reloads under load close no stream and refuse no publish", options, async (t) => {
  const folder = await t.folder();
  const config = path.join(folder, "vrelo.toml");
  const write = async (i) => {
    await writeFile(`${config}.new`, `body_bytes = ${100_000 + i}\n`);
    await rename(`${config}.new`, config);
  };
  await write(0);
  const hub = await t.hub({ config }, { folder, lifetimeMs: 0 });
  const seen = () => hub.errorText.split("SIGHUP: settings read").length - 1;
  const running = load(t, hub, ["--readers", "1000", "--events", "1000000", "--rate", "200"]);
  await hub.streamsOpen(1000);
  for (let i = 1; i <= RELOADS; ++i) {
    await write(i);
    hub.signal("SIGHUP");
    await hub.until(() => seen() >= i, `reload ${i}`);
  }
  running.signal("SIGINT");
  const report = await reportOf(running);
  const { accepted, failed } = report.events;
  const { doubled, out_of_order } = report.deliveries;
  assert.deepEqual([report.streams.cut, failed, doubled, out_of_order], [0, 0, 0, 0]);
  assert.ok(accepted > 200, `${accepted} events`);
  say(`| ${RELOADS} reloads, 1,000 readers, 200 events/s | ${accepted} events accepted, 0 refused, 0 streams closed`
    + " | none |");
});

// Bytes that the kernel holds for each of the hub's streams that go to `peers`.
function heldBytes(hub, peers) {
  const text = execFileSync("ss", ["-tmnH", `sport = :${hub.port}`], { encoding: "utf8", maxBuffer: 1 << 28 });
  const held = [];
  for (const found of text.matchAll(/127\.0\.0\.1:(\d+)\s+skmem:\(\S*,w(\d+),/g)) {
    if (peers.has(Number(found[1]))) {
      held.push(Number(found[2]));
    }
  }
  return held;
}

// One who reads as slowly as it is told, looks at the ids, and keeps nothing.
class SlowReader {
  ids = [];

  static async open(hub) {
    const reader = new SlowReader();
    reader.connection = await Connection.open(hub, { readBytes: SLOW_BYTES });
    const target = "/.well-known/mercure?match=slow";
    const headers = { accept: "text/event-stream" };
    await reader.connection.write(requestBytes({ target, host: `${hub.host}:${hub.port}`, headers }));
    assert.equal((await reader.connection.readHead()).status, 200);
    const parser = new SseParser({ onEvent: ({ type, id }) => type === "message" && reader.ids.push(id) });
    reader.connection.forward((chunk) => parser.push(chunk));
    reader.connection.pause();
    return reader;
  }

  // Reads all that there is, as fast as it can.
  async readAll(count) {
    this.connection.resume();
    const found = () => this.ids.length >= count || this.connection.isEnded;
    await this.connection.until(found, () => `${count} events; there are ${this.ids.length}`);
    this.connection.close();
  }
}

test("1,000 readers at 1 KiB a second hold up nobody, and get everything", options, async (t) => {
  const hub = await t.hub({ shards: 1 }, { lifetimeMs: 0 });
  const rowA = async () => (await reportOf(load(t, hub, ROW_A))).deliveries.latency_ms.p99;
  const ratios = [];
  const held = [];
  for (let round = 0; round < ROUNDS; ++round) {
    const alone = await rowA();
    const ids = [];
    const slow = [];
    for (let i = 0; i < SLOW; ++i) {
      slow.push(await SlowReader.open(hub));
    }
    const peers = new Set(slow.map(({ connection }) => connection.localPort));
    const trickle = setInterval(() => slow.forEach(({ connection }) => connection.readOnce()), 1000);
    for (let i = 0; i < SLOW_EVENTS; ++i) {
      ids.push(await hub.publish({ topic: "slow", data: "x".repeat(16 * 1024) }));
    }
    await delay(500);
    const beside = await rowA();
    held.push(...heldBytes(hub, peers));
    clearInterval(trickle);
    for (const reader of slow) {
      await reader.readAll(ids.length);
      assert.deepEqual(reader.ids, ids);
    }
    ratios.push(beside / alone);
    console.error(`round ${round + 1}: p99 ${alone} ms alone, ${beside} ms beside them`);
  }
  const most = Math.max(...held);
  assert.ok(held.length >= ROUNDS * SLOW * 0.99, `${held.length} sockets were looked at`);
  assert.ok(most <= SLOW_HELD_BYTES_MAX, `${most} bytes held for one`);
  assert.ok(median(ratios) <= P99_RATIO_MAX, `the ratios of a's p99: ${ratios}`);
  const each = ratios.map((ratio) => ratio.toFixed(2)).join(", ");
  say(`| ${SLOW} readers at 1 KiB/s, 512 KiB behind, beside row a | a's p99 × ${median(ratios).toFixed(2)} (${each});`
    + ` ${Math.ceil(most / 1024)} KiB held for one at most; all complete | ≤ ${P99_RATIO_MAX} ×; ≤ 128 KiB |`);
});
