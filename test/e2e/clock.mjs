// SPDX-License-Identifier: Apache-2.0
//
// The time of day is set by days, back and forth, under the hub that is shipped.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import path from "node:path";

import { sum } from "../harness/metrics.mjs";
import { TimeOfDay } from "../harness/preload.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { APP, hubWithTickets, mint, openTicket, readerToken } from "../harness/ticket.mjs";
import { until } from "../harness/waiting.mjs";

const DAY_S = 86_400;
const HISTORY_AGE = "5min"; // much longer than this takes, much shorter than a day
const HEARTBEATS = 3; // two looks at the history's age, at least
const HEARTBEATS_MS_MAX = 10_000;
const BATCH = 20; // events

const removed = async (hub) => (await hub.metrics()).get("vrelo_log_begin_offset");

// When each event was stored, in seconds since 1970, in the log's order.
function storedAt(file) {
  const script = `import sqlite3, sys
for (at,) in sqlite3.connect(sys.argv[1]).execute("SELECT stored_at FROM records ORDER BY offset"):
    print(at / 1e9)`;
  const text = execFileSync("python3", ["-c", script, file], { encoding: "utf8" });
  return text.trim().split("\n").map(Number);
}

// Publishes events of topic "a" and returns their ids.
async function publishSome(hub) {
  const ids = [];
  for (let i = 0; i < BATCH; ++i) {
    ids.push(await hub.publish({ topic: "a", data: `${i}` }));
  }
  return ids;
}

// Waits until the stream got some heartbeats more.
async function beats(stream) {
  const begin = performance.now();
  const wanted = stream.comments.length + HEARTBEATS;
  await stream.until(() => stream.comments.length >= wanted, "heartbeats");
  const ms = performance.now() - begin;
  assert.ok(ms < HEARTBEATS_MS_MAX, `${HEARTBEATS} heartbeats took ${ms} ms`);
}

const idsOf = (events) => events.map(({ id }) => id);

test("a time of day that is set by a day cuts no stream and removes nothing of the last minute", { log: SQLITE },
  async (t) => {
    const time = await TimeOfDay.make(t);
    const folder = await t.folder();
    const start = () => t.hub({ heartbeat: "1s", historyAge: HISTORY_AGE }, { folder, env: time.env });

    let hub = await start();
    const stream = await hub.subscribe({ match: "a" });
    const ids = await publishSome(hub);
    for (const offset of [DAY_S, 0, -DAY_S]) {
      time.set(offset);
      ids.push(...(await publishSome(hub)));
      await beats(stream);
      assert.deepEqual(idsOf(stream.events), ids);
      assert.equal(await removed(hub), 0);
    }
    assert.equal(sum(await hub.metrics(), "vrelo_streams_closed_total"), 0);
    await hub.stop();

    // A hub that starts finds events that seem to be of days ago, or of days to come.
    for (const offset of [3 * DAY_S, -3 * DAY_S]) {
      time.set(offset);
      hub = await start();
      const again = await hub.subscribe({ match: "a", last_event_id: "earliest" });
      ids.push(...(await publishSome(hub)));
      await beats(again);
      assert.deepEqual(idsOf(again.events), ids);
      assert.equal(await removed(hub), 0);
      await hub.stop();
    }

    const times = storedAt(path.join(folder, "vrelo.db"));
    assert.equal(times.length, ids.length);
    times.forEach((at, i) => assert.ok(i === 0 || at >= times[i - 1], `event ${i} was stored before the one before`));
    // Each time that it was set forward, it was seen.
    const days = times.map((at) => Math.round((at - times[0]) / DAY_S));
    assert.deepEqual([0, 1, 3].map((day) => days.filter((one) => one === day).length), [1, 3, 2].map((n) => n * BATCH));
  });

test("a time of day that was ahead leaves good tickets, also after a restart", { log: SQLITE }, async (t) => {
  const time = await TimeOfDay.make(t);
  time.set(DAY_S);
  const { start, app, admin, ...setup } = await hubWithTickets(t, { env: time.env });
  let hub = setup.hub;
  await mint(hub, readerToken(app, { seconds: 2 * DAY_S }));
  const revoked = await hub.post({ issuer: APP, label: "eva" }, { target: "/admin/revocations", headers: admin });
  assert.equal(revoked.status, 200, revoked.text);
  time.set(0);
  const opens = async (label) => {
    const ticket = await mint(hub, readerToken(app, { seconds: 600 }), { match: "a", label });
    assert.equal(ticket.expires_in, 30);
    assert.ok(ticket.session_expires_in > 590 && ticket.session_expires_in <= 600, `${ticket.session_expires_in} s`);
    return openTicket(hub, ticket);
  };
  await opens("tom");
  await hub.kill();
  hub = await start();
  await opens("eva");
  await hub.logLine(/warning The time of day is 8\d{4} s behind/);
});

test("events grow old while the time of day is set back", { log: SQLITE }, async (t) => {
  const time = await TimeOfDay.make(t);
  const hub = await t.hub({ historyAge: "2s" }, { env: time.env });
  const ids = await publishSome(hub);
  time.set(-DAY_S);
  ids.push(...(await publishSome(hub)));
  await until(async () => (await removed(hub)) === ids.length, "all events to be too old");
});
