// SPDX-License-Identifier: Apache-2.0
//
// A hub with a supervisor: whatever becomes of the worker, no connect is refused and no reader misses
// anything.

import assert from "node:assert/strict";
import { copyFile, readdir, readFile, readlink, rename, stat, writeFile } from "node:fs/promises";
import { constants } from "node:os";
import path from "node:path";

import { askDuring } from "../harness/asking.mjs";
import { askAt, binary } from "../harness/hub.mjs";
import { Publisher } from "../harness/publisher.mjs";
import { MEMORY, SQLITE, test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";
import { Worker } from "../harness/worker.mjs";

const ENDED_WELL = { code: 0, signal: null };

const count = (hub, pattern) => [...hub.errorText.matchAll(pattern)].length;

// Starts a hub, and waits until it serves: {hub, worker}.
async function supervised(t, settings, options) {
  const hub = await t.hub({ supervise: true, retry: "100ms", ...settings }, options);
  const worker = new Worker(hub);
  await worker.serves(1);
  return { hub, worker };
}

// The names of a process's threads that do not hold back `signal`.
async function threadsThatTake(signal, pid) {
  const names = [];
  for (const thread of await readdir(`/proc/${pid}/task`)) {
    const status = await readFile(`/proc/${pid}/task/${thread}/status`, "utf8");
    const held = BigInt(`0x${/^SigBlk:\t(.*)$/m.exec(status)[1]}`);
    if ((held >> BigInt(signal - 1) & 1n) === 0n) {
      names.push(/^Name:\t(.*)$/m.exec(status)[1]);
    }
  }
  return names;
}

// Reads a topic over whatever cuts its streams, until it has had the event "last".
async function readToTheEnd(hub) {
  const ids = [];
  for (let cursor = "earliest"; ids.at(-1) !== "last"; ) {
    let stream;
    try {
      stream = await hub.stream({ match: "a" }, { headers: { "last-event-id": cursor } });
      await stream.until(() => stream.events.some(({ id }) => id === "last"), "the last event");
    } catch (error) {
      if (error.code === "ECONNREFUSED" || !stream?.isEnded && !/^the connection ended/.test(error.message)) {
        throw error;
      }
    }
    assert.deepEqual(stream?.own ?? [], []);
    ids.push(...(stream?.events ?? []).map(({ id }) => id));
    cursor = stream?.lastEventId || cursor;
    stream?.close();
  }
  return ids;
}

// Connects again and again until `work` is done: each connection gets an answer.
async function connectDuring(hub, work) {
  const { asked } = await askDuring(hub, work);
  assert.ok(asked > 10, `${asked} connects`);
}

// While a publisher and readers work, does `disturb`; then checks that each reader has had each event.
async function checkNothingIsMissed(t, hub, disturb) {
  const publisher = new Publisher(hub);
  t.atEnd(() => publisher.close());
  const bytesOf = (id) => hub.publishBytes({ topic: "a", id, data: id });
  const work = async () => {
    await disturb(publisher);
    publisher.isStopped = true;
  };
  const readers = Promise.all([readToTheEnd(hub), readToTheEnd(hub), readToTheEnd(hub)]);
  readers.catch(() => {}); // looked at below
  await connectDuring(hub, Promise.all([publisher.run(bytesOf), work()]));
  await publisher.publish("last", bytesOf("last"));
  for (const ids of await readers) {
    assert.deepEqual(ids, publisher.ids);
  }
}

test("a worker that is killed is started again, and nothing is refused or missed", { log: SQLITE }, async (t) => {
  const { hub, worker } = await supervised(t);
  await checkNothingIsMissed(t, hub, async (publisher) => {
    for (let kill = 1; kill <= 3; ++kill) {
      await publisher.goesOn(20);
      await worker.kill();
      await worker.serves(kill + 1);
    }
    await publisher.goesOn(20);
  });
  assert.deepEqual(hub.outputLines, [`listening on ${hub.origin}`]);
  assert.equal(new Set(worker.pids).size, 4);
});

test("a worker that dies again and again is missing for longer and longer", async (t) => {
  const { hub, worker } = await supervised(t, { admin: "127.0.0.1:0" });
  for (let kill = 0; kill < 3; ++kill) {
    await worker.kill();
  }
  const deaths = [...hub.errorText.matchAll(/^(\S+) warning .* died: SIGKILL; the next one starts in (\w+)$/gm)];
  assert.deepEqual(deaths.map((match) => match[2]), ["100ms", "200ms", "400ms"]);
  const [, ...starts] = hub.errorText.matchAll(/^(\S+) info supervisor: started worker/gm);
  const pauses = deaths.map((death, i) => Date.parse(starts[i][1]) - Date.parse(death[1]));
  assert.ok(pauses.every((pause, i) => pause >= 99 * 2 ** i), `${pauses} ms`); // the lines are a moment late
  assert.equal((await hub.ask({ target: "/metrics" })).status, 404); // which is with the other socket
  assert.equal((await askAt(hub.admin, "/healthz")).status, 200);
});

test("what keeps the first worker from starting ends the supervisor", async (t) => {
  const cases = [
    [{ log: MEMORY, heartbeat: "soon" }, 2, /^vrelo serve: --heartbeat: /, 0],
    [{ log: "sqlite:/nowhere/vrelo.db" }, 1, /^vrelo serve: log \/nowhere\/vrelo\.db: /m, 1],
  ];
  for (const [settings, code, message, started] of cases) {
    const hub = t.spawnHub({ settings: { supervise: true, ...settings }, cwd: await t.folder() });
    assert.deepEqual(await hub.ended(), { code, signal: null }, hub.errorText);
    assert.match(hub.errorText, message);
    assert.equal(new Worker(hub).pids.length, started);
    assert.deepEqual(hub.outputLines, []);
  }
});

test("SIGTERM drains once, also where the worker gets it too; a second one ends at once", async (t) => {
  for (const isSentAgain of [false, true]) {
    const { hub, worker } = await supervised(t, { drain: isSentAgain ? "1h" : "1s" });
    const streams = [await hub.subscribe({ match: "a" }), await hub.subscribe({ match: "a" })];
    hub.signal("SIGTERM");
    process.kill(worker.pid, "SIGTERM"); // as a service manager does, which sends it to all
    await hub.logLine(/ info supervisor: SIGTERM: worker [0-9]+ ends\n/);
    await hub.logLine(/ info SIGTERM: closing streams over /);
    if (isSentAgain) {
      hub.signal("SIGTERM");
    }
    assert.deepEqual(await hub.ended(), ENDED_WELL, hub.errorText);
    assert.equal(/ told again to end: /.test(hub.errorText), isSentAgain);
    for (const stream of streams) {
      await stream.ended();
      assert.equal(stream.blocks.length, isSentAgain ? 1 : 2); // the second one says when to come back
    }
  }
});

test("a worker that hangs is killed soon after a second SIGTERM", async (t) => {
  const { hub, worker } = await supervised(t, { drain: "1h" });
  const { pid } = worker;
  process.kill(pid, "SIGSTOP");
  for (const line of [/ supervisor: SIGTERM: worker [0-9]+ ends\n/, / error .* has not ended in time: SIGKILL\n/]) {
    hub.signal("SIGTERM");
    await hub.logLine(line);
  }
  assert.deepEqual(await hub.ended(), { code: 128 + constants.signals.SIGKILL, signal: null });
  assert.match(hub.errorText, new RegExp(` info supervisor: worker ${pid} ended: SIGKILL\n`));
});

test("SIGHUP makes the worker read the settings, also the next one", async (t) => {
  const folder = await t.folder();
  const file = path.join(folder, "vrelo.toml");
  const statusOf = async (hub, bytes) => (await hub.post({ topic: "a", data: "x".repeat(bytes) })).status;
  await writeFile(file, 'body_bytes = "2KiB"\n');
  const { hub, worker } = await supervised(t, { config: file }, { folder });
  assert.equal(await statusOf(hub, 3000), 413);
  await writeFile(file, 'body_bytes = "4KiB"\n');
  hub.signal("SIGHUP");
  await hub.logLine(/ info SIGHUP: settings read, 1 changed\n/);
  await until(async () => (await statusOf(hub, 3000)) === 200, "the shard to hear of it");
  assert.equal(worker.pids.length, 1);
  hub.closeIdle();
  await worker.kill();
  assert.equal(await statusOf(hub, 3000), 200);
});

// Puts what `make(file)` writes where the hub's program is.
async function replaceProgram(program, make) {
  await make(`${program}.new`);
  await rename(`${program}.new`, program);
}
const copyOf = (source) => (file) => copyFile(source, file);

test("SIGUSR2 puts another program in place, and nothing is refused or missed", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const program = path.join(folder, "vrelo");
  await copyFile(binary(), program);
  const { hub, worker } = await supervised(t, { admin: "127.0.0.1:0" }, { folder, program });
  await checkNothingIsMissed(t, hub, async (publisher) => {
    for (let upgrade = 1; upgrade <= 2; ++upgrade) {
      await publisher.goesOn(20);
      await replaceProgram(program, copyOf(binary()));
      hub.signal("SIGUSR2");
      await worker.serves(upgrade + 1);
      for (const pid of [hub.pid, worker.pid]) {
        assert.equal((await stat(`/proc/${pid}/exe`)).ino, (await stat(program)).ino);
      }
    }
    await publisher.goesOn(20);
  });
  assert.equal((await askAt(hub.admin, "/healthz")).status, 200);
  assert.deepEqual(hub.outputLines.length, 2); // where it listens, once
});

test("a hub that is replaced takes and delivers publishes while it closes its streams", { log: SQLITE }, async (t) => {
  const { hub, worker } = await supervised(t, { drain: "1500ms" });
  const streams = [];
  for (let i = 0; i < 12; ++i) {
    streams.push(await hub.subscribe({ match: "a" }));
  }
  const other = new Publisher(hub, { name: "b", reconnects: true });
  t.atEnd(() => other.close());
  let ids;
  await checkNothingIsMissed(t, hub, async (publisher) => {
    ({ ids } = publisher);
    const others = other.run((id) => hub.publishBytes({ topic: "b", id }));
    await publisher.goesOn(20);
    hub.signal("SIGUSR2");
    await Promise.all(streams.map((stream) => stream.ended()));
    await worker.serves(2);
    await publisher.goesOn(20);
    other.isStopped = true;
    await others;
    assert.deepEqual([publisher.refused, other.refused, other.cut], [0, 0, 0]);
  });
  const counts = streams.map(({ events }) => events.length).sort((a, b) => a - b);
  assert.ok(counts.at(-1) > counts[0] + 50, `they got ${counts}`); // which came in between
  for (const { events } of streams) {
    assert.deepEqual(events.map(({ id }) => id), ids.slice(0, events.length));
  }
  assert.match(hub.errorText, / info SIGQUIT: closing streams over 1500ms; publishes are taken meanwhile\n/);
});

test("a program that does not start leaves all as it was at SIGUSR2", async (t) => {
  const folder = await t.folder();
  const program = path.join(folder, "vrelo");
  const file = path.join(folder, "vrelo.toml");
  await copyFile(binary(), program);
  await writeFile(file, "supervise = true\n");
  const { hub, worker } = await supervised(t, { supervise: undefined, config: file }, { folder, program });
  const cases = [
    ["no program", (to) => writeFile(to, "nothing", { mode: 0o755 }), "supervise = true", /: Exec format error; /],
    ["not executable", (to) => writeFile(to, "nothing", { mode: 0o644 }), "supervise = true", /: Permission denied; /],
    ["another program", copyOf("/bin/true"), "supervise = true", / does not start \(exit status 0\); /],
    ["wrong settings", copyOf(binary()), "supervise = 5", / does not start \(exit status 2\); /],
    ["no supervisor", copyOf(binary()), "", / does not start \(exit status 2\); /],
  ];
  const stream = await hub.subscribe({ match: "a" });
  for (const [name, make, settings, message] of cases) {
    await replaceProgram(program, make);
    await writeFile(file, `${settings}\n`);
    const before = count(hub, /all stays as it was\n/g);
    hub.signal("SIGUSR2");
    await hub.until(() => count(hub, /all stays as it was\n/g) > before, name);
    const line = hub.errorText.trimEnd().split("\n").at(-1);
    assert.match(line, / error supervisor: SIGUSR2: /, name);
    assert.match(line, message, name);
  }
  const id = await hub.publish({ topic: "a" });
  assert.equal((await stream.next()).id, id);
  assert.equal(worker.pids.length, 1);

  // A worker that dies now is the program that runs, not the one that lies there.
  await writeFile(file, "supervise = true\n");
  await replaceProgram(program, copyOf("/bin/true"));
  hub.closeIdle();
  await worker.kill();
  await hub.publish({ topic: "a" });
  assert.match(await readlink(`/proc/${worker.pid}/exe`), / \(deleted\)$/);
});

test("a worker whose supervisor is killed drains and ends", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const { hub, worker } = await supervised(t, {}, { folder });
  await hub.publish({ topic: "a", id: "one" });
  // It is told twice. A thread that took the second signal while the first is acted on would end the process.
  assert.deepEqual(await threadsThatTake(constants.signals.SIGTERM, worker.pid), ["vrelo"]);
  await hub.kill(); // waits for all that may write to the hub's standard error
  assert.match(hub.errorText, / info SIGTERM: closing streams over .*\n.* info stopped\n$/);
  const { hub: next } = await supervised(t, { listen: hub.authority }, { folder });
  const stream = await next.subscribe({ match: "a", last_event_id: "earliest" });
  assert.equal((await stream.next()).id, "one");
});

// --- What else happens while the program is replaced.

// The lines at which the second thing happens, in their order.
const STAGES = [
  ["it is tried", / info supervisor: SIGUSR2: trying /],
  ["the supervisor becomes it", / info supervisor: SIGUSR2: going on as /],
  ["the worker closes its streams", / info SIGQUIT: closing streams over /],
];
// `ends`: the hub ends with 0; otherwise the new program serves.
const ACTS = [
  ["SIGKILL of the worker", (hub, worker) => process.kill(worker, "SIGKILL"), false],
  ["SIGUSR2 of both", (hub, worker) => [hub.pid, worker].forEach((pid) => process.kill(pid, "SIGUSR2")), false],
  ["SIGTERM of the supervisor", (hub) => hub.signal("SIGTERM"), true],
  ["SIGTERM of both", (hub, worker) => [hub.pid, worker].forEach((pid) => process.kill(pid, "SIGTERM")), true],
];

async function upgradeAndAct(t, line, act, ends) {
  const folder = await t.folder();
  const program = path.join(folder, "vrelo");
  await copyFile(binary(), program);
  const { hub, worker } = await supervised(t, { drain: "500ms" }, { folder, program });
  await hub.subscribe({ match: "a" }); // so that closing takes a while
  await replaceProgram(program, copyOf(binary()));
  const { ino } = await stat(program);
  const disturb = async () => {
    const { pid } = worker;
    hub.signal("SIGUSR2");
    await hub.logLine(line);
    act(hub, pid);
  };
  if (ends) {
    await disturb();
    assert.deepEqual(await hub.ended(), ENDED_WELL, hub.errorText);
    return;
  }
  const serves = async () => {
    const isNew = (await stat(`/proc/${worker.pid}/exe`).catch(() => ({}))).ino === ino;
    return isNew && (await askAt(hub, "/healthz").catch(() => ({}))).status === 200;
  };
  await connectDuring(hub, disturb().then(() => until(serves, "the new program to serve")));
  assert.equal((await stat(`/proc/${hub.pid}/exe`)).ino, ino);
  assert.doesNotMatch(hub.errorText, / SIGUSR2; /); // as what a worker died of
}

for (const [stage, line] of STAGES) {
  test(`an upgrade goes on or the hub ends, whatever comes while ${stage}`, async (t) => {
    for (const [name, act, ends] of ACTS) {
      await upgradeAndAct(t, line, act, ends).catch((error) => {
        throw new Error(`${name} while ${stage}`, { cause: error });
      });
    }
  });
}
