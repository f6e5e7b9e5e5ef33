// SPDX-License-Identifier: Apache-2.0
//
// Sockets that are handed over to a hub, as systemd does.

import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

import { Connection } from "../harness/http.mjs";
import { SQLITE, test } from "../harness/test.mjs";

test("with an inherited socket nobody is refused while the hub restarts", async (t) => {
  const listener = await t.listener();
  const folder = await t.folder();
  let hub = await t.hubOn(listener, { log: SQLITE }, { folder });
  assert.equal(hub.port, listener.port);
  const ids = [await hub.publish({ topic: "a" })];
  for (let restart = 0; restart < 5; ++restart) {
    assert.deepEqual(await hub.stop(), { code: 0, signal: null });
    const waiting = await Connection.open({ host: "127.0.0.1", port: listener.port });
    waiting.write(hub.publishBytes({ topic: "a" }));
    hub = await t.hubOn(listener, { log: SQLITE }, { folder });
    ids.push((await waiting.readResponse()).text);
    waiting.close();
  }
  const stream = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual((await stream.take(ids.length)).map(({ id }) => id), ids);
});

test("sockets that were meant for another process are not taken", async (t) => {
  const hub = await t.hub({}, { env: { LISTEN_FDS: "1", LISTEN_PID: "1" } });
  assert.equal((await hub.ask({ target: "/healthz" })).status, 200);
});

test("two shards share an inherited socket", async (t) => {
  const hub = await t.hubOn(await t.listener(), { shards: 2 });
  const streams = await Promise.all(Array.from({ length: 50 }, () => hub.subscribe({ match: "a" })));
  const id = await hub.publish({ topic: "a" });
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
});

test("who connects while the hub finishes what it has is served by the next one", async (t) => {
  const listener = await t.listener();
  const folder = await t.folder();
  const hub = await t.hubOn(listener, { log: SQLITE }, { folder });
  const busy = await hub.connect();
  busy.write("GET "); // the hub gives it two seconds to say more
  const ended = hub.stop();
  await hub.logLine(/closing streams/);
  await delay(200); // the line comes before the shards hear of it
  assert.equal(hub.exit, undefined);
  const waiting = await Connection.open({ host: "127.0.0.1", port: listener.port });
  waiting.write(hub.publishBytes({ topic: "a" }));
  assert.deepEqual(await ended, { code: 0, signal: null });
  const next = await t.hubOn(listener, { log: SQLITE }, { folder });
  assert.equal((await waiting.readResponse()).status, 200);
  assert.equal((await next.ask({ target: "/healthz" })).status, 200);
});
