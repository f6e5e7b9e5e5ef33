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
import { AUDIENCE, Issuer } from "../harness/token.mjs";
import { until } from "../harness/waiting.mjs";

const CROWD = 10_000;
const RECONNECT_MS_MAX = 10_000;
const DRAIN_MS = 5_000;
const DRAIN_SLACK_MS = 1_000;
const DRAIN_UNEVEN_MAX = 0.15; // of all streams
const SAMPLE = 100; // of the streams that are drained
const RELOADS = 1_000;
const RELOAD_EVERY_MS = 20;
const RELOAD_RATE = 200; // events a second
const RELOAD_EVENTS = 6_000; // half as many again as the reloads take
const SLOW = 1_000;
const SLOW_BYTES = 1024; // a second
const SLOW_HELD_BYTES_MAX = 128 * 1024;
const SLOW_EVENTS = 32; // of 16 KiB: as much as no buffers of the kernel take
const ROUNDS = 5;
const P99_RATIO_MAX = 1.1;
const ROW_A = ["--readers", "1000", "--events", "200", "--rate", "100"];

const ENDED_WELL = { code: 0, signal: null };
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

// One whose stream tells when to come back before it ends.
async function readFarewell(stream) {
  await stream.ended();
  const last = stream.blocks.at(-1);
  assert.equal(stream.blocks.length, 2, "the first block, and one more");
  assert.match(last.join(), /^retry: [0-9]+$/);
}

test("a drain closes 10,000 streams evenly in its time", options, async (t) => {
  const hub = await t.hub({ drain: `${DRAIN_MS}ms` }, { lifetimeMs: 0 });
  const some = () => Promise.all(Array.from({ length: SAMPLE / 2 }, () => hub.subscribe({ match: "a" })));
  const first = await some();
  const readers = load(t, hub, ["--readers", `${CROWD - SAMPLE}`, "--events", "0", "--settle", "1h"]);
  await hub.streamsOpen(CROWD - SAMPLE / 2);
  const sample = [...first, ...(await some())];
  const begin = performance.now();
  hub.signal("SIGTERM");
  let isOver = false;
  const counted = []; // [part of the drain's time, part of the streams]
  const count = async () => {
    while (!isOver) {
      const streams = (await hub.metrics().catch(() => undefined))?.get("vrelo_streams");
      const part = (performance.now() - begin) / DRAIN_MS;
      if (streams !== undefined && part < 1) {
        counted.push([part, streams / CROWD]);
      }
      await delay(20);
    }
  };
  const ended = hub.ended().finally(() => (isOver = true));
  const [exit] = await Promise.all([ended, Promise.all(sample.map(readFarewell)), count()]);
  const ms = performance.now() - begin;
  assert.deepEqual(exit, ENDED_WELL);
  readers.signal("SIGINT");
  const report = await reportOf(readers);
  assert.equal(report.streams.cut, CROWD - SAMPLE);
  assert.ok(ms < DRAIN_MS + DRAIN_SLACK_MS, `it took ${ms} ms`);
  const left = [0.25, 0.5, 0.75].map((part) => {
    const [found] = counted.toSorted(([a], [b]) => Math.abs(a - part) - Math.abs(b - part));
    assert.ok(Math.abs(found[0] - part) < 0.05, `the streams were counted only at ${counted.map(([at]) => at)}`);
    assert.ok(Math.abs(found[1] - (1 - part)) < DRAIN_UNEVEN_MAX, `${found[1]} of the streams left after ${found[0]}`);
    return Math.round(100 * found[1]);
  });
  say(`| SIGTERM with ${CROWD} streams, \`drain\` ${DRAIN_MS / 1000} s | ends with 0 after ${(ms / 1000).toFixed(1)} s;`
    + ` after a quarter, half and three quarters of the time ${left.join(", ")} % of the streams are left; ${SAMPLE} of`
    + ` ${SAMPLE} that were looked at had a \`retry:\` before the end |`
    + ` the drain's time and ${DRAIN_SLACK_MS / 1000} s; 75, 50, 25 % ± ${100 * DRAIN_UNEVEN_MAX} |`);
});

test("1,000 reloads under load close no stream, refuse no publish and lose no event", options, async (t) => {
  const folder = await t.folder();
  const file = (name) => path.join(folder, name);
  const replace = async (name, text) => {
    await writeFile(`${file(name)}.new`, text, { mode: 0o600 });
    await rename(`${file(name)}.new`, file(name));
  };
  const named = (name) => [name, new Issuer(name, { kid: name })];
  const issuers = Object.fromEntries(["app", "admin", "more", "next"].map(named));
  const writeKeys = (name, ...keys) => replace(`${name}.jwks`, JSON.stringify({ keys: keys.map(({ jwk }) => jwk) }));
  const table = (name, roles) => `[[issuers]]\nname = "${name}"\nkeys = ["${name}.jwks"]\nroles = [${roles}]\n`;
  const both = '"publish", "subscribe"';
  const write = ({ heartbeat, retry, hasMore }) =>
    replace("vrelo.toml", `audiences = ["${AUDIENCE}"]\nheartbeat = "${heartbeat}s"\nretry = "${retry}s"\n`
      + table("app", both) + table("admin", '"admin"') + (hasMore ? table("more", both) : ""));
  const { app, admin, more, next } = issuers;
  for (const name of ["app", "admin", "more"]) {
    await writeKeys(name, issuers[name]);
  }
  let settings = { heartbeat: 15, retry: 3, hasMore: false };
  await write(settings);
  const hub = await t.hub({ config: file("vrelo.toml") }, { folder, lifetimeMs: 0 });
  hub.adminToken = admin.token();
  await writeFile(file("token"), app.token({ publish: ["*"], subscribe: ["*"] }));

  // What a reload changes, and how what it changed is seen.
  let takesNext = false; // whether the file of app's keys has another one
  const statusFor = async (issuer, claims) => {
    const headers = { authorization: `Bearer ${issuer.token({ publish: ["*"], ...claims })}` };
    return (await hub.post({ topic: "other" }, { headers })).status;
  };
  const changes = [
    async (i) => write((settings = { ...settings, heartbeat: 10 + (i % 7) })),
    async (i) => write((settings = { ...settings, retry: 1 + (i % 5) })),
    async () => write((settings = { ...settings, hasMore: !settings.hasMore })),
    async () => writeKeys("app", ...((takesNext = !takesNext) ? [next, app] : [app])),
  ];
  const seesChanges = async () => {
    assert.equal(await statusFor(more), settings.hasMore ? 200 : 401);
    assert.equal(await statusFor(next, { claims: { iss: "app" } }), takesNext ? 200 : 401);
  };

  const seen = () => hub.errorText.split("SIGHUP: settings read").length - 1;
  const running = load(t, hub, ["--readers", "1000", "--events", `${RELOAD_EVENTS}`, "--rate", `${RELOAD_RATE}`,
    "--token-file", file("token")]);
  await hub.streamsOpen(1000);
  const begin = performance.now();
  for (let i = 1; i <= RELOADS; ++i) {
    await delay(begin + i * RELOAD_EVERY_MS - performance.now());
    await changes[i % changes.length](i);
    hub.signal("SIGHUP");
    await hub.until(() => seen() >= i, `reload ${i}`);
    if (i % 100 < changes.length) {
      await until(() => seesChanges().then(() => true, () => false), `reload ${i} to be heard of`);
    }
  }
  assert.equal(running.status, undefined, "the load ended before the reloads");
  const report = await reportOf(running);
  const { accepted, failed } = report.events;
  const { lost, delivered, doubled, out_of_order } = report.deliveries;
  assert.deepEqual([report.streams.cut, failed, lost, doubled, out_of_order], [0, 0, 0, 0, 0]);
  assert.deepEqual([accepted, delivered], [RELOAD_EVENTS, 1000 * RELOAD_EVENTS]);
  say(`| ${RELOADS} reloads (heartbeat, retry, an issuer more or less, the keys of one), 1,000 readers with tokens,`
    + ` ${RELOAD_RATE} events/s | ${accepted} events accepted, 0 refused; ${delivered} deliveries, 0 lost; 0 streams`
    + " closed | none |");
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
