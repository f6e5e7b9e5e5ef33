// SPDX-License-Identifier: Apache-2.0
//
// Peers whose link goes, and peers that do not read. It runs in a network namespace with a link to a router, behind
// which is another one with the readers; script/long makes them.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

import { Command } from "../harness/command.mjs";
import { test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const { VRELO_ADDRESS: ADDRESS, VRELO_PEER: PEER, VRELO_PEER_ADDRESS: PEER_ADDRESS } = process.env;
const { VRELO_ROUTER: ROUTER, VRELO_ROUTER_LINK: ROUTER_LINK } = process.env;
const GONE_S_MAX = 45;
const STALL_S = 300;
const STALL_EARLY_S = 2; // they stand still a little before the last event is published
const STALL_LATE_S = 10; // they are looked at every 4 s: that they stand still shows after two looks
const READERS = 10;

const ip = (...args) => execFileSync("ip", args, { encoding: "utf8" });

// What may happen between the hub and its readers. `breaks` and `heals` may be called whatever the state is.
//
// The usual: something in the middle drops what is sent, either way, and neither end is told.
const MIDDLE = {
  what: "something between drops all packets",
  breaks: () => [ADDRESS, PEER_ADDRESS].forEach((to) => ip("-n", ROUTER, "route", "replace", "blackhole", to)),
  heals: () => {
    for (const found of ip("-n", ROUTER, "route", "show", "type", "blackhole").matchAll(/^blackhole (\S+)/gm)) {
      ip("-n", ROUTER, "route", "delete", "blackhole", found[1]);
    }
  },
};
// The hub's own link goes: its kernel sees that there is no carrier, and drops what it is given.
const CARRIER = {
  what: "the hub's own link is down",
  breaks: () => ip("-n", ROUTER, "link", "set", ROUTER_LINK, "down"),
  heals: () => ip("-n", ROUTER, "link", "set", ROUTER_LINK, "up"),
};
const say = (text) => console.log(`row: ${text}`);

// Starts readers at the other end.
async function readers(t, hub, count) {
  MIDDLE.heals();
  CARRIER.heals();
  await until(() => ip("-n", ROUTER, "addr", "show", "dev", ROUTER_LINK).includes("state UP"), "the link");
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

for (const { what, breaks } of [MIDDLE, CARRIER]) {
  for (const [when, publishes] of [["while events come", true], ["while none come", false]]) {
    test(`readers are closed within ${GONE_S_MAX} s when ${what} ${when}`, async (t) => {
      const hub = await start(t);
      await readers(t, hub, READERS);
      await hub.publish({ topic: "a" });
      breaks();
      const publishing = publishes ? setInterval(() => hub.publish({ topic: "a" }).catch(() => {}), 500) : undefined;
      const seconds = await secondsUntilClosed(hub);
      clearInterval(publishing);
      assert.equal(await closed(hub, "silent"), READERS);
      assert.ok(seconds <= GONE_S_MAX, `it took ${seconds} s`);
      say(`| ${READERS} readers; ${what}, ${when} | the last is closed after ${Math.round(seconds)} s |`
        + ` ≤ ${GONE_S_MAX} s |`);
    });
  }
}

for (const [what, breaks] of [["", () => {}], [`, and ${MIDDLE.what}`, MIDDLE.breaks]]) {
  test(`readers that do not read are closed at the stall time${what}`, async (t) => {
    const hub = await start(t);
    const commands = await readers(t, hub, READERS);
    commands.forEach((command) => command.signal("SIGSTOP"));
    for (let i = 0; i < 100; ++i) {
      await hub.publish({ topic: "a", data: "x".repeat(100_000) }); // more than all buffers take
    }
    const begin = performance.now();
    breaks();
    await streams(hub, (open) => open < READERS);
    const first = (performance.now() - begin) / 1000;
    await streams(hub, (open) => open === 0);
    const last = (performance.now() - begin) / 1000;
    assert.equal(await closed(hub, "stalled"), READERS);
    assert.ok(first >= STALL_S - STALL_EARLY_S, `the first was closed after ${first} s`);
    assert.ok(last <= STALL_S + STALL_LATE_S, `the last was closed after ${last} s`);
    say(`| ${READERS} readers that do not read${what} | closed after ${Math.round(first)} to ${Math.round(last)} s |`
      + ` ${STALL_S} s, + ${STALL_LATE_S} s at most |`);
  });
}
