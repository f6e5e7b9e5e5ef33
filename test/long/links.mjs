// SPDX-License-Identifier: Apache-2.0
//
// Peers whose link goes, and peers that do not read. It runs in a network namespace with a link to another one;
// script/long makes both.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { Command } from "../harness/command.mjs";
import { test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const { VRELO_ADDRESS: ADDRESS, VRELO_PEER: PEER, VRELO_PEER_LINK: PEER_LINK } = process.env;
const GONE_S_MAX = 45;
const STALL_S = 300;
const STALL_SLACK_S = 30; // the peers are looked at now and then
const READERS = 10;

const link = (state) => execFileSync("ip", ["-n", PEER, "link", "set", PEER_LINK, state]);
const say = (text) => console.log(`row: ${text}`);

// Starts readers at the other end of the link.
async function readers(t, hub, count) {
  link("up");
  const shown = () => execFileSync("ip", ["-n", PEER, "addr", "show", "dev", PEER_LINK]);
  await until(() => shown().includes("state UP"), "the link");
  const commands = Array.from({ length: count }, () => {
    const url = `http://${hub.host}:${hub.port}/.well-known/mercure?match=a`;
    const argv = ["ip", "netns", "exec", PEER, "curl", "--no-buffer", "--silent", "--show-error", url];
    return Command.start(argv, { input: "", lifetimeMs: 0 });
  });
  t.atEnd(() => commands.forEach((command) => command.signal("SIGKILL")));
  await streams(hub, (open) => open === count);
  return commands;
}

async function streams(hub, holds) {
  const deadline = Date.now() + 2 * STALL_S * 1000;
  while (!holds((await hub.metrics(hub.admin)).get("vrelo_streams"))) {
    assert.ok(Date.now() < deadline, "the number of streams");
    await delay(100);
  }
}

const start = (t) => t.hub({ listen: `${ADDRESS}:0`, admin: "127.0.0.1:0", open: true }, { lifetimeMs: 0 });

async function secondsUntilClosed(hub) {
  const begin = performance.now();
  await streams(hub, (open) => open === 0);
  return (performance.now() - begin) / 1000;
}

const closed = async (hub, reason) =>
  (await hub.metrics(hub.admin)).get(`vrelo_streams_closed_total{reason="${reason}"}`);

for (const [what, publishes] of [["while events come", true], ["while none come", false]]) {
  test(`readers whose link goes ${what} are closed within ${GONE_S_MAX} s`, async (t) => {
    const hub = await start(t);
    await readers(t, hub, READERS);
    await hub.publish({ topic: "a" });
    link("down");
    const publishing = publishes ? setInterval(() => hub.publish({ topic: "a" }).catch(() => {}), 500) : undefined;
    const seconds = await secondsUntilClosed(hub);
    clearInterval(publishing);
    assert.equal(await closed(hub, "silent"), READERS);
    assert.ok(seconds <= GONE_S_MAX, `it took ${seconds} s`);
    say(`| ${READERS} readers whose link goes ${what} | the last is closed after ${Math.round(seconds)} s |`
      + ` ≤ ${GONE_S_MAX} s |`);
  });
}

for (const [what, goes] of [["and whose link stays", false], ["and whose link goes", true]]) {
  test(`readers that do not read ${what} are closed at the stall time`, async (t) => {
    const hub = await start(t);
    const commands = await readers(t, hub, READERS);
    commands.forEach((command) => command.signal("SIGSTOP"));
    for (let i = 0; i < 100; ++i) {
      await hub.publish({ topic: "a", data: "x".repeat(100_000) }); // more than all buffers take
    }
    const begin = performance.now();
    if (goes) {
      link("down");
    }
    await secondsUntilClosed(hub);
    const seconds = (performance.now() - begin) / 1000;
    assert.equal(await closed(hub, "stalled"), READERS);
    assert.ok(Math.abs(seconds - STALL_S) <= STALL_SLACK_S, `it took ${seconds} s`);
    say(`| ${READERS} readers that do not read ${what} | the last is closed after ${Math.round(seconds)} s |`
      + ` ${STALL_S} s |`);
  });
}
