// SPDX-License-Identifier: Apache-2.0
//
// A log that is full, and one that does not answer: publishers are told, streams live on, and publishing
// works again as soon as the log does. And a hub that is out of descriptors.

import assert from "node:assert/strict";
import { readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { fillDisk, SMALL_DISK, skipWithoutDisks } from "../harness/disks.mjs";
import { lockDatabase } from "../harness/locks.mjs";
import { FailingDisk } from "../harness/preload.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { APP, bearer, hubWithTickets, mint, openTicket, readerToken, streamOf } from "../harness/ticket.mjs";
import { until } from "../harness/waiting.mjs";
import { Worker } from "../harness/worker.mjs";

const idsOf = (events) => events.map((event) => event.id);

// Expects a refusal that says when to come back.
function assertComeBack(response, status) {
  assert.equal(response.status, status, response.text);
  assert.equal(response.headers["content-type"], "application/problem+json");
  assert.equal(response.json.status, status);
  assert.match(response.headers["retry-after"], /^[1-9][0-9]*$/);
}

test("an event that is larger than the log is refused, and smaller ones are not", async (t) => {
  const hub = await t.hub({ memoryLogBytes: "64KiB" });
  const stream = await hub.subscribe({ match: "a" });
  const ids = [await hub.publish({ topic: "a" })];
  assertComeBack(await hub.post({ topic: "a", data: "x".repeat(100_000) }), 507);
  ids.push(await hub.publish({ topic: "a" }));
  assert.deepEqual(idsOf(await stream.take(2)), ids);
  assert.equal((await hub.metrics()).get('vrelo_refusals_total{reason="the log is full"}'), 1);
});

const onSmallDisk = { log: SQLITE, skip: skipWithoutDisks };

test("a disk that is full is told to publishers, and has room again", onSmallDisk, async (t) => {
  const folder = await t.folder();
  const hub = await t.hub({}, { folder, limits: SMALL_DISK });
  const streams = [await hub.subscribe({ match: "a" }), await hub.subscribe({ match: "*" })];
  const publish = () => hub.post({ topic: "a", data: "x".repeat(100_000) });
  const ids = [];
  let response = await publish();
  for (; response.status === 200; response = await publish()) {
    ids.push(response.text);
  }
  assertComeBack(response, 507);
  assertComeBack(await publish(), 507);
  assert.ok(ids.length >= 5, `only ${ids.length} events found room`);

  await rm(path.join(`/proc/${hub.pid}/root`, folder, "ballast"));
  ids.push(await hub.publish({ topic: "a", data: "x".repeat(100_000) }));
  streams.push(await hub.subscribe({ match: "a", last_event_id: "earliest" }));
  for (const stream of streams) {
    assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
  }
});

// Ends the worker as a bug in it would, and waits for the next one.
async function dies(hub, worker) {
  const next = worker.pids.length + 1;
  hub.closeIdle();
  await worker.kill();
  await worker.serves(next);
}

test("a hub that starts on a full disk serves what it has, and has room again", onSmallDisk, async (t) => {
  const folder = await t.folder();
  const hub = await t.hub({ supervise: true }, { folder, limits: SMALL_DISK });
  const worker = new Worker(hub);
  await worker.serves(1);
  const ids = [];
  const publish = async () => ids.push(await hub.publish({ topic: "a", data: "x".repeat(100_000) }));
  const assertResumes = async (cursor, rest) => {
    const stream = await hub.subscribe({ match: "a", last_event_id: cursor });
    assert.deepEqual(idsOf(await stream.take(rest.length)), rest);
    assert.deepEqual(stream.own, []);
    return stream;
  };
  for (let i = 0; i < 5; ++i) {
    await publish();
  }
  const makeRoom = await fillDisk(hub, folder);
  assertComeBack(await hub.post({ topic: "a", data: "x".repeat(100_000) }), 507);

  for (let i = 0; i < 2; ++i) {
    await dies(hub, worker);
    await assertResumes(ids[1], ids.slice(2));
    assertComeBack(await hub.post({ topic: "a" }), 507);
  }
  const stream = await assertResumes("earliest", ids);
  await makeRoom();
  await publish();
  assert.deepEqual(idsOf(await stream.take(1)), ids.slice(-1));

  await dies(hub, worker);
  await publish();
  await assertResumes(ids[0], ids.slice(1));
  assert.equal(hub.errorText.match(/ error log: [^\n]*vrelo\.db: the disk is full; nothing can be pub/g).length, 2);
  assert.equal(hub.errorText.match(/ error log: [^\n]*vrelo\.db: the disk has room again\n/g).length, 1);
});

test("a hub that starts on a full disk knows what is revoked, and its tickets", onSmallDisk, async (t) => {
  const { app, admin, folder: settings, publish } = await hubWithTickets(t);
  const folder = await t.folder();
  const config = path.join(settings, "hub.toml");
  const hub = await t.hub({ supervise: true, config }, { folder, limits: SMALL_DISK });
  const worker = new Worker(hub);
  await worker.serves(1);
  const data = "x".repeat(100_000);
  const ids = [await publish(hub, { topic: "a", data }), await publish(hub, { topic: "a", data })];
  const ofEva = bearer(readerToken(app, { sub: "eva" }));
  const ofAnn = bearer(readerToken(app, { sub: "ann" }));
  const fields = { issuer: APP, subject: "eva" };
  const revoked = await hub.post(fields, { target: "/admin/revocations", headers: admin });
  assert.equal(revoked.status, 200, revoked.text);
  const ticket = await mint(hub, readerToken(app), { match: "a", last_event_id: "earliest", ttl: "300" });

  const makeRoom = await fillDisk(hub, folder);
  await dies(hub, worker);
  const query = { match: "a", last_event_id: "earliest" };
  assert.equal((await hub.stream(query, { headers: ofEva })).status, 401);
  const stream = await hub.subscribe(query, { headers: ofAnn });
  assert.deepEqual(idsOf(await stream.take(2)), ids);
  const told = await streamOf(hub, ticket);
  await told.ended();
  assert.deepEqual([told.status, told.events], [200, []]);

  await makeRoom();
  assert.equal((await (await openTicket(hub, ticket)).next()).data, data);
});

test("a log that does not answer is told to publishers, and works again", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const hub = await t.hub({ heartbeat: "1s" }, { folder });
  const streams = [await hub.subscribe({ match: "a" }), await hub.subscribe({ match: "b" })];
  const ids = [await hub.publish({ topic: "a", id: "n0" })];

  const unlock = await lockDatabase(t, path.join(folder, "vrelo.db"));
  assertComeBack(await hub.post({ topic: "a", id: "n1" }), 503);
  assert.equal((await hub.ask({ target: "/healthz" })).status, 200);
  const heartbeats = streams[1].comments.length;
  await streams[1].until(() => streams[1].comments.length > heartbeats, "a heartbeat");
  await unlock();

  // As the answer asks for: the same event with the same id again.
  const again = () => hub.post({ topic: "a", id: "n1" });
  await until(async () => (await again()).status === 200, "the log to work again");
  ids.push("n1", await hub.publish({ topic: "a" }));
  streams.push(await hub.subscribe({ match: "a", last_event_id: "earliest" }));
  for (const stream of [streams[0], streams[2]]) {
    assert.deepEqual(idsOf(await stream.take(3)), ids);
    assert.deepEqual(stream.own, []);
  }
  assert.match(hub.errorText, / error [^\n]*vrelo\.db: [^\n]*opening it again/);
});

test("a disk whose calls fail loses and doubles nothing", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const disk = await FailingDisk.make(t);
  let hub = await t.hub({}, { folder, env: disk.env });
  const streams = [await hub.subscribe({ match: "a" }), await hub.subscribe({ match: "*" })];
  const ids = [];
  let refused = 0;
  // One publisher, who tries each event until it is stored, as it is asked to.
  const publish = async (count) => {
    for (let i = 0; i < count; ++i) {
      const id = `n${ids.length}`;
      const stored = async () => {
        const response = await hub.post({ topic: "a", id });
        if (response.status !== 200) {
          assertComeBack(response, 503);
          ++refused;
        }
        return response.status === 200;
      };
      await until(stored, `${id} to be stored`);
      ids.push(id);
    }
  };
  for (const oneIn of [0, 151, 101, 0, 73, 0]) {
    const before = refused;
    disk.set(oneIn);
    await publish(60);
    assert.equal(refused > before, oneIn !== 0, `${refused - before} refusals where one call in ${oneIn} fails`);
  }
  // Where none succeeds, none is acknowledged, and streams are open.
  disk.set(1);
  assertComeBack(await hub.post({ topic: "a", id: `n${ids.length}` }), 503);
  assert.equal((await hub.ask({ target: "/healthz" })).status, 200);
  disk.set(0);
  await publish(5);
  streams.push(await hub.subscribe({ match: "a", last_event_id: "earliest" }));
  for (const stream of streams) {
    assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
    assert.deepEqual(stream.own, []);
  }

  // What the file has is what was shown.
  await hub.kill();
  hub = await t.hub({}, { folder });
  const again = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await again.take(ids.length)), ids);
});

test("a log whose file was removed takes no publish, until the same one is back", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const file = path.join(folder, "vrelo.db");
  const hub = await t.hub({ heartbeat: "1s" }, { folder });
  const stream = await hub.subscribe({ match: "a" });
  const ids = [await hub.publish({ topic: "a", id: "n0" })];

  await rename(file, `${file}.aside`);
  assertComeBack(await hub.post({ topic: "a", id: "n1" }), 503);
  assertComeBack(await hub.post({ topic: "a", id: "n1" }), 503);
  await hub.logLine(/vrelo\.db: removed, moved or replaced/);
  assert.equal(hub.errorText.match(/ error [^\n]*vrelo\.db: removed, moved or replaced/g).length, 1);
  const heartbeats = stream.comments.length;
  await stream.until(() => stream.comments.length > heartbeats, "a heartbeat");

  await rename(`${file}.aside`, file);
  assert.equal((await hub.post({ topic: "a", id: "n1" })).status, 200);
  ids.push("n1", await hub.publish({ topic: "a" }));
  assert.deepEqual(idsOf(await stream.take(3)), ids);
});

test("a ticket with a cursor stays unused while the log does not answer", { log: SQLITE }, async (t) => {
  const { hub, folder, app, publish } = await hubWithTickets(t);
  const ids = [];
  for (const data of ["one", "two"]) {
    ids.push(await publish(hub, { topic: "a", id: `urn:${data}`, data }));
  }
  const fields = { match: "a", last_event_id: ids[0], ttl: "300" };
  const ticket = await mint(hub, readerToken(app), fields);

  // No reader has the file open yet.
  const file = path.join(folder, "vrelo.db");
  await rename(file, `${file}.aside`);
  const told = await streamOf(hub, ticket);
  await told.ended();
  assert.equal(told.status, 200);
  assert.deepEqual([told.own, told.lastEventId], [[], ""]);
  assert.ok(told.parser.retry > 0);

  await rename(`${file}.aside`, file);
  const stream = await openTicket(hub, ticket);
  assert.equal((await stream.next()).data, "two");
});

// A balancer that took the hub out of its turn sends no publish that could show that the log is back.
test("a hub whose log did not answer gets ready again without a publish", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const hub = await t.hub({ shards: 1 }, { folder });
  const ready = async () => (await hub.ask({ target: "/readyz" })).status;
  const unlock = await lockDatabase(t, path.join(folder, "vrelo.db"));
  assertComeBack(await hub.post({ topic: "a" }), 503);
  assert.equal(await ready(), 503);
  await unlock();
  await until(async () => (await ready()) === 200, "the hub to be ready");
});

// What a process has used of the processors, in seconds.
async function processorSeconds(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

test("a hub without descriptors serves those it has, works little, and takes others as soon as it can", async (t) => {
  // A limit of connections that the files do not allow, so that accept() itself fails.
  const hub = await t.hub({ connections: 1000 }, { limits: "ulimit -n 100" });
  const mark = await hub.publish({ topic: "a" }); // over a connection that is kept
  assert.ok(mark);
  const streams = [];
  const waiting = [];
  for (let isFull = false; !isFull; ) {
    const coming = hub.subscribe({ match: "a" });
    coming.catch(() => {});
    const refusal = hub.logLine(/cannot accept/).then(() => true);
    isFull = await Promise.race([coming.then(() => false), refusal]);
    (isFull ? waiting : streams).push(isFull ? coming : await coming);
  }
  assert.ok(streams.length > 50, `${streams.length} streams`);

  const before = await processorSeconds(hub.pid);
  const begin = performance.now();
  const ids = [];
  while (performance.now() - begin < 1000) {
    ids.push(await hub.publish({ topic: "a" }));
    await delay(100);
  }
  const share = ((await processorSeconds(hub.pid)) - before) / ((performance.now() - begin) / 1000);
  assert.ok(share < 0.1, `${share} of a processor`);
  for (const stream of streams) {
    assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
  }

  const freed = performance.now();
  streams.splice(0, 10).forEach((stream) => stream.close());
  await Promise.all(waiting);
  await hub.subscribe({ match: "a" });
  assert.ok(performance.now() - freed < 1000, `it took ${performance.now() - freed} ms`);
});
