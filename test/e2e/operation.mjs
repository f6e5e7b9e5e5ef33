// SPDX-License-Identifier: Apache-2.0
//
// What an operator does with a hub and sees of it: signals, limits, the administration's pages, and
// the lines that it writes.

import assert from "node:assert/strict";
import { readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { READ_ONLY_DISK, skipWithoutDisks } from "../harness/disks.mjs";
import { Connection } from "../harness/http.mjs";
import { askAt } from "../harness/hub.mjs";
import { sum } from "../harness/metrics.mjs";
import { SQLITE, test, testOnEachLog } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const numbers = (count) => Array.from({ length: count }, (_, i) => i);
const idsOf = (events) => events.map((event) => event.id);

async function openStreams(hub, count, topic = "a") {
  return Promise.all(numbers(count).map(() => hub.subscribe({ match: topic })));
}

// What a stream gets that the hub cannot serve at the moment: an EventSource comes back after it.
async function assertToldToComeBack(stream, comment) {
  await stream.ended();
  assert.equal(stream.status, 200);
  assert.equal(stream.headers["content-type"], "text/event-stream");
  assert.equal(stream.blocks.length, 1);
  assert.match(stream.blocks[0].join(), /^retry: [1-9][0-9]*$/);
  assert.match(stream.comments.join(), comment);
}

// --- The drain.

testOnEachLog("SIGTERM closes the streams one after the other, and the hub ends with 0", async (t) => {
  const hub = await t.hub({ drain: "2s" });
  const streams = await openStreams(hub, 40);
  const last = await hub.publish({ topic: "a" });
  await Promise.all(streams.map((stream) => stream.next()));

  hub.signal("SIGTERM");
  await hub.logLine(/SIGTERM/);
  const begin = performance.now();
  const ends = streams.map((stream) => stream.ended().then(() => performance.now() - begin));

  // The line comes before the shards hear of it, each by itself.
  const ready = async () => (await Promise.all(numbers(20).map(() => askAt(hub, "/readyz")))).map((r) => r.status);
  await until(async () => (await ready()).every((status) => status === 503), "no shard to be ready");
  assert.equal((await hub.ask({ target: "/healthz" })).status, 200);
  await assertToldToComeBack(await hub.stream({ match: "a" }), /about to stop/);
  const publish = await hub.post({ topic: "a" });
  assert.equal(publish.status, 503);
  assert.match(publish.headers["retry-after"], /^[1-9][0-9]*$/);

  const times = (await Promise.all(ends)).sort((a, b) => a - b);
  assert.deepEqual(await hub.ended(), { code: 0, signal: null });
  assert.ok(times[10] < times[39] - 500, `they were closed together: ${times}`);
  const retries = new Set(streams.map((stream) => stream.parser.retry));
  assert.ok(retries.size > 5, `all come back together: ${[...retries]}`);
  for (const stream of streams) {
    assert.equal(stream.lastEventId, last);
    assert.match(stream.blocks.at(-1).join(), /^retry: [0-9]+$/);
    assert.ok(stream.parser.isBetweenBlocks);
    assert.equal(stream.connection.error, undefined, "a stream was reset");
  }
});

testOnEachLog("a publish that was accepted before SIGTERM is answered", async (t) => {
  const folder = await t.folder();
  const hub = await t.hub({ drain: "1s" }, { folder });
  await openStreams(hub, 2); // so that the drain takes its time
  const connection = await hub.connect();
  const ids = numbers(500).map((i) => `n${i}`);
  connection.write(Buffer.concat(ids.map((id) => hub.publishBytes({ topic: "a", id }))));
  assert.equal((await connection.readResponse()).text, "n0");
  hub.signal("SIGTERM");
  const acknowledged = ["n0"];
  for (const id of ids.slice(1)) {
    const response = await connection.readResponse();
    if (response.status === 200) {
      assert.equal(response.text, id);
      acknowledged.push(id);
    } else {
      assert.equal(response.status, 503);
      if (response.headers.connection === "close") {
        break;
      }
    }
  }
  assert.deepEqual(await hub.ended(), { code: 0, signal: null });
  if (t.log === SQLITE) {
    const next = await t.hub({}, { folder });
    const stream = await next.subscribe({ match: "a", last_event_id: "earliest" });
    assert.deepEqual(idsOf(await stream.take(acknowledged.length)), acknowledged);
  }
});

test("a second SIGTERM ends the drain", async (t) => {
  const hub = await t.hub({ drain: "1h" });
  const [stream] = await openStreams(hub, 1);
  hub.signal("SIGTERM");
  await hub.logLine(/SIGTERM/);
  hub.signal("SIGTERM");
  assert.deepEqual(await hub.ended(), { code: 0, signal: null });
  await stream.ended();
});

test("SIGINT does what SIGTERM does", async (t) => {
  const hub = await t.hub();
  const [stream] = await openStreams(hub, 1);
  hub.signal("SIGINT");
  assert.deepEqual(await hub.ended(), { code: 0, signal: null });
  assert.match(stream.blocks.at(-1).join(), /^retry: [0-9]+$/);
});

// --- SIGHUP.

// A hub with a settings file that can be replaced.
async function hubWithFile(t, text) {
  const folder = await t.folder();
  const file = path.join(folder, "vrelo.toml");
  await writeFile(file, text);
  const hub = await t.hub({ config: file }, { folder });
  const seen = () => hub.errorText.split("\n").filter((line) => / SIGHUP: settings (read|stay)/.test(line)).length;
  const replace = async (newText) => {
    await writeFile(`${file}.new`, newText);
    await rename(`${file}.new`, file);
    const before = seen();
    hub.signal("SIGHUP");
    await hub.until(() => seen() > before, "the settings to be read");
  };
  return { hub, replace };
}

const bodyOf = (bytes) => `topic=a&data=${"x".repeat(bytes - "topic=a&data=".length)}`;
const statusOf = async (hub, bytes) => (await hub.post(bodyOf(bytes))).status;

test("SIGHUP twenty times closes none of 100 streams, and changed limits hold", async (t) => {
  const { hub, replace } = await hubWithFile(t, 'body_bytes = "64KiB"\n');
  const streams = await openStreams(hub, 100, "b");
  for (const i of numbers(20)) {
    const limit = 2048 + 100 * i;
    await replace(`body_bytes = ${limit}\nconnections_per_address = ${200 + i}\n`);
    assert.equal(await statusOf(hub, limit), 200);
    assert.equal(await statusOf(hub, limit + 1), 413);
  }
  const id = await hub.publish({ topic: "b" });
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
    assert.equal(stream.isEnded, false);
    assert.equal(stream.events.length, 1);
  }
  const metrics = await hub.metrics();
  assert.equal(metrics.get("vrelo_streams"), 100);
  assert.equal(metrics.get("vrelo_streams_opened_total"), 100);
});

test("a limit of connections that SIGHUP lowers closes nobody, and holds for those who come", async (t) => {
  const { hub, replace } = await hubWithFile(t, "connections = 100\n");
  const streams = await openStreams(hub, 10);
  await replace("connections = 5\n");
  await assertToldToComeBack(await hub.stream({ match: "a" }), /too many connections/i);
  await replace("connections = 100\n");
  const id = await hub.publish({ topic: "a" });
  for (const stream of [...streams, await hub.subscribe({ match: "a", last_event_id: "earliest" })]) {
    assert.equal((await stream.next()).id, id);
  }
});

test("settings that are wrong are refused at SIGHUP, and the old ones stay", async (t) => {
  const { hub, replace } = await hubWithFile(t, "body_bytes = 2000\n");
  const [stream] = await openStreams(hub, 1);
  const wrong = [
    ["body_bytes = 3000\nbody_byte = 1\n", /body_byte\b.*body_bytes/],
    ['body_bytes = 3000\nretry = "soon"\n', /retry/],
    ["body_bytes = 1\n", /body_bytes/],
    ["body_bytes = 3000\n[", /vrelo\.toml/],
    ["body_bytes = 3000\nlisten = 5\n", /listen/],
  ];
  for (const [text, pattern] of wrong) {
    const before = hub.errorText.length;
    await replace(text);
    const line = hub.errorText.slice(before);
    assert.match(line, / error SIGHUP: settings stay as they were: /, text);
    assert.match(line, pattern, text);
    assert.equal(await statusOf(hub, 2000), 200, text);
    assert.equal(await statusOf(hub, 2001), 413, text);
  }
  assert.equal(stream.isEnded, false);
});

test("a setting that needs a restart says so at SIGHUP, and the others are taken", async (t) => {
  const { hub, replace } = await hubWithFile(t, "body_bytes = 2000\n");
  await replace('body_bytes = 3000\nwindow_bytes = "1MiB"\n');
  assert.match(hub.errorText, /SIGHUP: window_bytes.* needs a restart/);
  assert.equal(await statusOf(hub, 3000), 200);
});

// --- Limits.

test("connections are limited by the files that the process may have", async (t) => {
  const hub = await t.hub({}, { limits: "ulimit -n 276" });
  const streams = await openStreams(hub, 20);
  await assertToldToComeBack(await hub.stream({ match: "a" }), /too many connections/i);
  const refused = await hub.post({ topic: "a" });
  assert.equal(refused.status, 503);
  assert.match(refused.headers["retry-after"], /^[1-9][0-9]*$/);
  streams.splice(0, 10).forEach((stream) => stream.close());
  const publish = () => hub.post({ topic: "a" }).catch(() => undefined);
  const id = await until(async () => {
    const response = await publish();
    return response?.status === 200 && response.text;
  }, "room for a publish");
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
});

test("each address has its own limit of connections", async (t) => {
  const hub = await t.hub({ connectionsPerAddress: 3 });
  const from = (localAddress) => hub.stream({ match: "a" }, { localAddress });
  for (const address of ["127.0.0.1", "127.0.0.2", "127.0.0.3"]) {
    for (let i = 0; i < 3; ++i) {
      await (await from(address)).opened();
    }
    await assertToldToComeBack(await from(address), /too many connections/i);
  }
  const connection = await hub.connect({ localAddress: "127.0.0.2" });
  connection.write(hub.publishBytes({ topic: "a" }));
  const { status, headers } = await connection.readResponse();
  assert.equal(status, 429);
  assert.match(headers["retry-after"], /^[1-9][0-9]*$/);
});

test("connections that stay silent keep nobody else from an answer", async (t) => {
  const hub = await t.hub({ connectionsPerAddress: 3, admin: "127.0.0.1:0", shards: 1 });
  await hub.until(() => hub.admin, "the line that says where the administration is");
  const streams = await openStreams(hub, 3);
  const silent = (port) => Promise.all(numbers(200).map(() => Connection.open({ host: "127.0.0.1", port })));
  await silent(hub.port);
  await assertToldToComeBack(await hub.stream({ match: "a" }), /too many connections/i);
  assert.equal((await hub.post({ topic: "a" })).status, 429);
  const preflight = { origin: "http://localhost", "access-control-request-method": "POST" };
  assert.equal((await hub.ask({ method: "OPTIONS", headers: preflight })).status, 204);

  await silent(hub.admin.port);
  assert.equal((await askAt(hub.admin, "/healthz")).status, 200);
  const closed = (await hub.metrics(hub.admin)).get('vrelo_refusals_total{reason="connection closed"}');
  assert.ok(closed > 0, `${closed} were closed without an answer`);
  assert.ok(streams.every((stream) => !stream.isEnded));
});

test("of many that come beyond the limit and are slow to ask each is told", async (t) => {
  const hub = await t.hub({ connectionsPerAddress: 3, shards: 1 });
  await openStreams(hub, 3);
  const connections = await Promise.all(numbers(300).map(() => hub.connect()));
  await delay(300); // what a slow network takes
  const request = hub.request({ target: "/.well-known/mercure?match=a", headers: { accept: "text/event-stream" } });
  const answers = connections.map(async (connection) => {
    connection.write(request);
    const { status, text } = await connection.readResponse();
    connection.close();
    return `${status} ${/^retry: [0-9]+$/m.test(text)}`;
  });
  assert.deepEqual(new Set(await Promise.all(answers)), new Set(["200 true"]));
});

test("a hub that may have too few files open for connections does not start, and names the limit", async (t) => {
  for (const more of [{}, { supervise: true }]) {
    const settings = { log: "memory:", listen: "127.0.0.1:0", ...more };
    const hub = t.spawnHub({ settings, cwd: await t.folder(), limits: "ulimit -n 257" });
    assert.deepEqual(await hub.ended(), { code: 1, signal: null });
    assert.match(hub.errorText, /^vrelo serve: connections: the process may have 257 files open \(ulimit -n,.*$/m);
  }
});

test("a hub that has no descriptors for its shards says so", async (t) => {
  const folder = await t.folder();
  const settings = { shards: 200, log: "memory:", listen: "127.0.0.1:0" };
  const hub = t.spawnHub({ settings, cwd: folder, limits: "ulimit -n 300" });
  assert.deepEqual(await hub.ended(), { code: 1, signal: null });
  assert.match(hub.errorText, /^vrelo serve: cannot start .*: Too many open files$/m);
});

test("large requests that are never whole use up no memory, and small ones go on", async (t) => {
  const hub = await t.hub({ shards: 1 });
  const bytes = hub.publishBytes({ topic: "large", data: "x".repeat(1_000_000) });
  const connections = await Promise.all(numbers(80).map(() => hub.connect()));
  connections.forEach((connection) => connection.write(bytes.subarray(0, -1)));
  const refusals = numbers(80).map(async (i) => [i, await connections[i].readResponse()]);
  const [refused, response] = await Promise.race(refusals);
  assert.equal(response.status, 503);
  assert.equal(response.json.title, "too many large requests at once");
  assert.match(response.headers["retry-after"], /^[1-9][0-9]*$/);
  await hub.publish({ topic: "small" });

  connections.forEach((connection, i) => i !== refused && connection.write(bytes.subarray(-1)));
  const statuses = (await Promise.all(refusals)).map(([, { status }]) => status);
  const stored = statuses.filter((status) => status === 200).length;
  assert.ok(stored >= 64 && stored < 80, `${stored} were stored`);
  assert.equal(statuses.filter((status) => status === 503).length, 80 - stored);
  await hub.publish({ topic: "large", data: "x".repeat(1_000_000) });
});

test("a request that takes too long is refused", async (t) => {
  const hub = await t.hub({ requestTime: "300ms" });
  const bytes = hub.publishBytes({ topic: "a" });
  for (const isFirst of [true, false]) {
    for (const part of [10, bytes.length - 1]) {
      const connection = await hub.connect();
      if (!isFirst) {
        connection.write(bytes);
        assert.equal((await connection.readResponse()).status, 200);
      }
      connection.write(bytes.subarray(0, part));
      assert.equal((await connection.readResponse()).status, 408);
      await connection.ended();
    }
  }
  const stream = await hub.subscribe({ match: "*", last_event_id: "earliest" });
  const id = await hub.publish({ topic: "a" });
  const whole = 2; // those before it
  assert.equal((await stream.take(whole + 1)).at(-1).id, id);
});

test("what is larger than its limit is refused so that its sender can read why", async (t) => {
  const hub = await t.hub({ headerBytes: "2KiB", bodyBytes: "4KiB" });
  const origin = "http://localhost:8000";
  const refusals = [
    ["a header", hub.request({ headers: { origin, x: "y".repeat(3000) } }), 431],
    ["a target", hub.request({ target: `/${"y".repeat(3000)}`, headers: { origin } }), 414],
    ["a body", hub.publishBytes(bodyOf(500_000), { headers: { origin } }), 413],
    ["chunks", hub.publishBytes(`80000\r\n${"x".repeat(0x80000)}\r\n0\r\n\r\n`, {
      headers: { "transfer-encoding": "chunked", "content-length": undefined, origin },
    }), 413],
  ];
  for (const [name, bytes, status] of refusals) {
    const connection = await hub.connect();
    await connection.write(bytes);
    const response = await connection.readResponse();
    assert.equal(response.status, status, name);
    assert.equal(response.headers["content-type"], "application/problem+json", name);
    assert.equal(response.headers["access-control-allow-origin"], origin, `${name}: for a page to read`);
    connection.close();
  }
});

// --- What it tells.

const ADMINISTRATION = ["/healthz", "/readyz", "/metrics"];

test("the administration's pages are on the main listener while that is on loopback", async (t) => {
  const hub = await t.hub();
  for (const target of ADMINISTRATION) {
    assert.equal((await hub.ask({ target })).status, 200, target);
    assert.equal((await hub.ask({ target, method: "HEAD" })).status, 200, target);
    assert.equal((await hub.ask({ target, method: "DELETE" })).status, 405, target);
  }
});

test("a listener of its own takes the administration's pages from the main one", async (t) => {
  const hub = await t.hub({ admin: "127.0.0.1:0" });
  await hub.until(() => hub.admin, "the line that says where the administration is");
  for (const target of ADMINISTRATION) {
    assert.equal((await askAt(hub.admin, target)).status, 200, target);
    assert.equal((await hub.ask({ target })).status, 404, target);
  }
  assert.equal((await askAt(hub.admin, "/.well-known/mercure?match=a")).status, 404);
});

test("they are nowhere when they are off, or when the main listener is open to all", async (t) => {
  for (const settings of [{ admin: "off" }, { listen: "0.0.0.0:0", open: true }]) {
    const hub = await t.hub(settings);
    assert.equal((await hub.ask({ target: "/.well-known/mercure?matches=1" })).status, 400);
    for (const target of ADMINISTRATION) {
      assert.equal((await hub.ask({ target })).status, 404, target);
    }
  }
});

testOnEachLog("the metrics count what happened", async (t) => {
  const hub = await t.hub({ historyEvents: 5, windowBytes: "64KiB" });
  const [stream, other] = await openStreams(hub, 2);
  const cursor = await hub.publish({ topic: "a", id: "one" });
  await hub.publish({ topic: "a", id: "one" });
  await hub.post({ topic: "*" });
  await stream.next();
  const late = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  await late.next();
  late.close();
  other.close();
  await hub.streamsOpen(1);

  const before = await hub.metrics();
  assert.equal(before.get('vrelo_publishes_total{event="new"}'), 1);
  assert.equal(before.get('vrelo_publishes_total{event="repeated"}'), 1);
  assert.equal(before.get("vrelo_publish_seconds_count"), 2);
  assert.equal(before.get('vrelo_publish_seconds_bucket{le="+Inf"}'), 2);
  assert.equal(before.get('vrelo_refusals_total{reason="reserved topic"}'), 1);
  assert.equal(before.get("vrelo_streams_opened_total"), 3);
  assert.equal(sum(before, "vrelo_streams_closed_total"), 2);
  assert.ok(before.get("vrelo_window_hits_total") >= 1);
  assert.equal(before.get("vrelo_gaps_total"), 0);

  if (t.log === SQLITE) {
    return; // its history is larger than the few events that make a gap here
  }
  stream.close(); // on a busy machine it would have a gap of its own
  await hub.streamsOpen(0);
  for (let i = 0; i < 20; ++i) {
    await hub.publish({ topic: "a", data: "x".repeat(10_000) });
  }
  const back = await hub.subscribe({ match: "a", last_event_id: cursor });
  await back.take(5);
  const after = await hub.metrics();
  assert.equal(after.get("vrelo_gaps_total"), 1);
  assert.equal(after.get('vrelo_publishes_total{event="new"}'), 21);
});

testOnEachLog("history that is older than the window is read from storage", async (t) => {
  const hub = await t.hub({ windowBytes: "64KiB" });
  const ids = [];
  for (let i = 0; i < 50; ++i) {
    ids.push(await hub.publish({ topic: "a", data: "x".repeat(10_000) }));
  }
  const stream = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await stream.take(ids.length)), ids);
  assert.ok((await hub.metrics()).get("vrelo_storage_reads_total") >= 1);
});

// Returns the lines on standard error without their time.
const logLines = (hub) => hub.errorText.trimEnd().split("\n").map((line) => line.replace(/^\S+ /, ""));

testOnEachLog("the log has a line for start, stop and each refusal, and none for events", async (t) => {
  const hub = await t.hub();
  const streams = await openStreams(hub, 5);
  for (let i = 0; i < 50; ++i) {
    await hub.publish({ topic: "a", data: "secret" });
  }
  await Promise.all(streams.map((stream) => stream.take(50)));
  await hub.post({ topic: "*" });
  assert.deepEqual(await hub.stop(), { code: 0, signal: null });
  const patterns = [/^info started on 127\.0\.0\.1:[0-9]+$/, /^info .*topic/, /^info SIGTERM: /, /^info stopped$/];
  const lines = logLines(hub);
  assert.equal(lines.length, patterns.length, hub.errorText);
  patterns.forEach((pattern, i) => assert.match(lines[i], pattern));
  for (const line of hub.errorText.trimEnd().split("\n")) {
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /);
  }
});

test("what others can bring about a thousand times fills no disk with lines", async (t) => {
  const hub = await t.hub();
  const connection = await hub.connect();
  const refusals = 1000;
  connection.write(Buffer.concat(numbers(refusals).map(() => hub.publishBytes({ topic: "*" }))));
  for (let i = 0; i < refusals; ++i) {
    assert.equal((await connection.readResponse()).status, 400);
  }
  connection.close();
  assert.equal((await hub.metrics()).get('vrelo_refusals_total{reason="reserved topic"}'), refusals);
  await hub.stop();
  assert.ok(logLines(hub).length < 100, `${logLines(hub).length} lines`);
});

test("what a request says cannot forge a line of the log", async (t) => {
  const hub = await t.hub();
  const forged = "2026-01-01T00:00:00.000Z error forged";
  await hub.ask({ target: `/.well-known/mercure?match_${encodeURIComponent(`\n${forged}\n`)}=1` });
  await hub.post({ topic: `a\n${forged}\n` });
  await hub.post(`topic=a&retry=%0a${encodeURIComponent(forged)}%0a`);
  await hub.stop();
  assert.ok(!hub.errorText.includes(`\n${forged}`), hub.errorText);
});

// --- A start that fails.

const FAILING_STARTS = [
  ["an unknown flag", { settings: { shard: 2 } }, 2, /shard\b.*shards/],
  ["an unknown variable", { env: { VRELO_SHARD: "2" } }, 2, /VRELO_SHARD\b.*VRELO_SHARDS/i],
  ["a value out of range", { settings: { shards: 1000 } }, 2, /shards/],
  ["a settings file that is not there", { settings: { config: "missing.toml" } }, 2, /missing\.toml/],
  ["an open address without a key", { settings: { listen: "0.0.0.0:0" } }, 2, /open/],
  ["an address that is not this machine's", { settings: { listen: "192.0.2.1:0", open: true } }, 1, /192\.0\.2\.1/],
  ["a log in a folder that is not there", { settings: { log: "sqlite:missing/vrelo.db" } }, 1, /missing\/vrelo\.db/],
];

for (const [name, options, code, pattern] of FAILING_STARTS) {
  test(`${name} is a start that fails, with a line that says why`, async (t) => {
    const hub = t.spawnHub({ cwd: await t.folder(), ...options });
    assert.deepEqual(await hub.ended(), { code, signal: null });
    assert.deepEqual(hub.outputLines, []);
    assert.match(hub.errorText, pattern);
    assert.match(hub.errorText, /^vrelo serve: [^\n]*\n$/);
  });
}

test("a secret of published examples is one on loopback alone", async (t) => {
  const folder = await t.folder();
  const k = Buffer.from("!ChangeThisMercureHubJWTSecretKey!").toString("base64url");
  await writeFile(path.join(folder, "key.jwk"), JSON.stringify({ kty: "oct", alg: "HS256", k }), { mode: 0o600 });
  const issuer = '[[issuers]]\nname = "https://app.example"\nkeys = ["key.jwk"]\n';
  await writeFile(path.join(folder, "hub.toml"), `audiences = ["https://hub.example"]\n${issuer}`);
  await t.hub({ config: "hub.toml" }, { folder });
  for (const beyond of [{ listen: "0.0.0.0:0" }, { admin: "0.0.0.0:0" }]) {
    const hub = t.spawnHub({ cwd: folder, settings: { config: "hub.toml", ...beyond } });
    assert.deepEqual(await hub.ended(), { code: 2, signal: null });
    assert.match(hub.errorText, /^vrelo serve: [^\n]*key\.jwk: a secret that stands in published examples[^\n]*\n$/);
    assert.ok(!hub.errorText.includes(k));
  }
});

const onReadOnlyDisk = { log: SQLITE, skip: skipWithoutDisks };

test("a log on a disk that is read-only is a start that fails, and stays as it was", onReadOnlyDisk, async (t) => {
  const folder = await t.folder();
  const readOnly = { cwd: folder, limits: READ_ONLY_DISK, settings: { log: t.log } };
  const assertFails = async () => {
    const hub = t.spawnHub(readOnly);
    assert.deepEqual(await hub.ended(), { code: 1, signal: null });
    assert.match(hub.errorText, /^vrelo serve: [^\n]*vrelo\.db[^\n]* cannot be opened for reading and writing\n$/);
  };
  await assertFails();
  const first = await t.hub({}, { folder });
  const id = await first.publish({ topic: "a" });
  await first.stop();
  await assertFails();
  const again = await t.hub({}, { folder });
  const stream = await again.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await stream.take(1)), [id]);
});

test("a port that is taken is a start that fails", async (t) => {
  const first = await t.hub();
  const hub = t.spawnHub({ cwd: await t.folder(), settings: { listen: first.authority, log: t.log } });
  assert.deepEqual(await hub.ended(), { code: 1, signal: null });
  assert.match(hub.errorText, new RegExp(first.authority));
  assert.equal((await first.ask({ target: "/healthz" })).status, 200);
});

test("a hub that is open to all warns of it", async (t) => {
  const hub = await t.hub({ listen: "0.0.0.0:0", open: true });
  await hub.logLine(/ warning open = true: /);
});

test("the threads of a hub share one heap", async (t) => {
  const hub = await t.hub({ shards: 2 });
  await openStreams(hub, 10);
  await hub.publish({ topic: "a" });
  const regions = (await readFile(`/proc/${hub.pid}/maps`, "latin1")).trim().split("\n").map((line) => {
    const [range, rights, , , , name = ""] = line.split(/ +/);
    const [begin, end] = range.split("-").map((address) => Number.parseInt(address, 16));
    return { begin, end, rights, name };
  });
  // An arena of a thread's own is 64 MiB at a multiple of that: first what it uses, then what it may grow into.
  const size = 64 * 1024 * 1024;
  const arenas = regions.filter(({ begin, end, rights, name }, i) => {
    const next = regions[i + 1];
    return begin % size === 0 && rights === "rw-p" && !name && next?.begin === end && next.rights === "---p" &&
      next.end - begin === size;
  });
  assert.deepEqual(arenas, []);
});
