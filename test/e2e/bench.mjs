// SPDX-License-Identifier: Apache-2.0
//
// `vrelo bench`: what it measures of a hub and of another server, and what it says of one that misbehaves.

import assert from "node:assert/strict";
import http from "node:http";

import { Command } from "../harness/command.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const STREAM = { "content-type": "text/event-stream" };

function start(t, args, options) {
  const command = Command.vrelo(["bench", ...args], options);
  t.atEnd(() => {
    command.signal("SIGKILL");
    return command.ended();
  });
  return command;
}

const run = (t, args, options) => start(t, args, { input: "", ...options }).ended();

async function runJson(t, args) {
  const { status, output, errors } = await run(t, [...args, "--json"]);
  assert.equal(errors, "");
  return { status, report: JSON.parse(output) };
}

// A server of event streams that is no hub: a GET gets a stream, a POST's body is the data of an event, which
// `deliver(write, data)` writes to all streams. `isAllowed(request)` says whether it is answered otherwise than 403.
async function server(
  t, deliver, answer = (response) => response.writeHead(204).end(), isAllowed = () => true,
) {
  const streams = new Set();
  const listening = http.createServer(async (request, response) => {
    if (!isAllowed(request)) {
      response.writeHead(403).end();
      return;
    }
    if (request.method === "GET") {
      response.writeHead(200, STREAM).flushHeaders();
      streams.add(response);
      return;
    }
    const body = Buffer.concat(await request.toArray()).toString("utf8");
    for (const stream of streams) {
      deliver((text) => stream.write(text), body, stream);
    }
    answer(response);
  });
  await new Promise((resolve) => listening.listen(0, "127.0.0.1", resolve));
  t.atEnd(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${listening.address().port}`;
}

const other = (origin) => [`${origin}/sub/{reader}`, "--publish-url", `${origin}/pub`, "--body", "{message}"];
const SHORT = ["--readers", "3", "--events", "20", "--rate", "0", "--settle", "0", "--timeout", "1s"];

test("bench shows a table with a histogram, and ends with 0 when all is delivered", { log: SQLITE }, async (t) => {
  const hub = await t.hub();
  const args = ["--readers", "50", "--events", "100", "--rate", "1000", "--publishers", "2", "--settle", "0"];
  const { status, output, errors } = await run(t, [hub.origin, ...args, "--server", String(hub.pid)]);
  assert.deepEqual([status, errors], [0, ""], output);
  assert.match(output, /^streams {5}50 of 50 opened, [0-9,]+\/s; 0 refused, 0 cut\n/);
  assert.match(output, /\nevents {6}100 of 100 accepted, [0-9,]+\/s\n/);
  assert.match(output, /\ndeliveries {2}5,000 of 5,000, [0-9,]+\/s\n {12}0 lost, 0 doubled, 0 out of order\n/);
  assert.match(output, /\nserver {6}[0-9.]+ µs of CPU a delivery \(user [0-9.]+ s, system [0-9.]+ s\)\n/);
  assert.match(output, /\nlatency {5}p50 [0-9.]+ .s, p90 [0-9.]+ .s, p99 [0-9.]+ .s, p99\.9 [^\n]+, max [^\n]+\n/);
  const bars = output.split("\n\n")[1].trimEnd().split("\n");
  const counted = bars.map((bar) => Number(bar.split(" ").at(-1).replaceAll(",", "")));
  assert.equal(counted.reduce((a, b) => a + b), 5000);
});

test("bench keeps the rate that it is asked for", async (t) => {
  const hub = await t.hub();
  const { report } = await runJson(t, [hub.origin, "--readers", "2", "--events", "100", "--rate", "200"]);
  assert.ok(Math.abs(report.events.per_second - 200) < 20, `${report.events.per_second} a second`);
});

test("bench shows its progress on a terminal, and nothing of it elsewhere", async (t) => {
  const hub = await t.hub();
  const args = ["bench", hub.origin, "--readers", "2", "--events", "1000", "--rate", "1000", "--settle", "0"];
  const onTerminal = Command.vrelo(args, { terminal: true });
  await onTerminal.ended();
  assert.match(onTerminal.output, /\r\x1b\[Kpublishing: events [0-9,]+ of 1,000, deliveries [0-9,]+/);
  assert.match(onTerminal.output, /\r\x1b\[Kstreams {5}2 of 2 opened/);
});

test("bench loads a server that is no hub, with headers and paths of its own", async (t) => {
  const asked = [];
  const isAllowed = ({ method, url, headers }) => {
    asked.push(`${method} ${url} ${headers["content-type"] ?? ""}`.trim());
    return headers["x-method"] === method;
  };
  const origin = await server(t, (write, data) => write(`data: ${data}\n\n`), undefined, isAllowed);
  const headers = ["--header", "X-Method: GET", "--publish-header", "X-Method: POST", "--content-type", "text/plain"];
  const load = [...SHORT, "--publishers", "2", "--pipeline", "4"];
  const { status, report } = await runJson(t, [...other(origin), ...headers, ...load]);
  assert.equal(status, 0);
  const streams = [0, 1, 2].map((reader) => `GET /sub/${reader}`);
  assert.deepEqual([...new Set(asked)].sort(), [...streams, "POST /pub text/plain"]);
  assert.notEqual((await runJson(t, [...other(origin), ...load])).status, 0);
  assert.deepEqual([report.deliveries.delivered, report.events.accepted], [60, 20]);
});

test("bench deals the tokens of a file out to streams and events", async (t) => {
  const shown = { GET: [], POST: [] };
  const isAllowed = (request) => shown[request.method].push(request.headers.authorization);
  const origin = await server(t, (write, data) => write(`data: ${data}\n\n`), undefined, isAllowed);
  const load = ["--readers", "5", "--opening", "1", "--events", "4", "--rate", "0", "--settle", "0"];
  const { status, errors } = await run(t, [...other(origin), ...load, "--token-file", "-"], { input: "a\nb\nc\n" });
  assert.deepEqual([status, errors], [0, ""]);
  const [a, b, c] = ["Bearer a", "Bearer b", "Bearer c"];
  assert.deepEqual(shown, { GET: [a, b, c, a, b], POST: [a, b, c, a] });
});

test("bench finds what is lost, doubled, out of order and cut", async (t) => {
  const held = new Map();
  const faults = [
    ["lost", (write, data, stream, n) => n === 5 || write(`data: ${data}\n\n`)],
    ["doubled", (write, data, stream, n) => write(`data: ${data}\n\n`.repeat(n === 5 ? 2 : 1))],
    ["out_of_order", (write, data, stream, n) => {
      if (n === 5) {
        held.set(stream, data);
      } else {
        write(`data: ${data}\n\n${n === 6 ? `data: ${held.get(stream)}\n\n` : ""}`);
      }
    }],
  ];
  for (const [name, deliver] of faults) {
    const origin = await server(t, (write, data, stream) => deliver(write, data, stream, Number(data.split(":")[1])));
    const { status, report } = await runJson(t, [...other(origin), ...SHORT]);
    const { lost, doubled, out_of_order } = report.deliveries;
    assert.deepEqual({ lost, doubled, out_of_order, [name]: 3 }, { lost: 0, doubled: 0, out_of_order: 0, [name]: 3 });
    assert.equal(report.deliveries[name], 3, name);
    assert.equal(status, 1);
  }
  const cutting = await server(t, (write, data, stream) => stream.destroy());
  const { status, report } = await runJson(t, [...other(cutting), ...SHORT]);
  assert.deepEqual([status, report.streams.cut], [1, 3]);
});

test("bench says why streams or events are refused", async (t) => {
  const hub = await t.hub();
  const args = [`${hub.origin}/none`, "--publish-url", hub.url, "--body", "topic=a&data={message}", ...SHORT];
  const streams = await run(t, args);
  assert.equal(streams.status, 1);
  assert.match(streams.output, /0 of 3 opened, [^\n]+; 3 refused, 0 cut\n {12}first refusal: status 404\n/);
  const events = await run(t, [hub.origin, ...SHORT, "--body", "data={message}"]);
  assert.equal(events.status, 1);
  assert.match(events.output, /0 of 20 accepted, 0\/s\n {12}20 failed; the first: status 400: [^\n]*topic/);
});

test("bench says that there is nobody, that arguments make no sense, and ends at Ctrl-C", async (t) => {
  const gone = await t.proxy({});
  await gone.close();
  const nobody = await run(t, [`http://127.0.0.1:${gone.port}`]);
  const hint = "is a hub running there? vrelo serve starts one";
  const words = `vrelo bench: 127.0.0.1:${gone.port}: Connection refused; ${hint}\n`;
  assert.deepEqual([nobody.status, nobody.output, nobody.errors], [3, "", words]);
  const senseless = await run(t, ["http://127.0.0.1:1", "--readers", "100000000"]);
  assert.equal(senseless.status, 2);
  assert.match(senseless.errors, /^vrelo bench: 100000000 streams and 1 publishers need 100000033 file descriptors; /);

  const hub = await t.hub();
  const slow = start(t, [hub.origin, "--readers", "2", "--events", "100000", "--rate", "1"]);
  await hub.streamsOpen(2);
  slow.signal("SIGINT");
  const { status, output } = await slow.ended();
  assert.equal(status, 130);
  assert.match(output, /^streams {5}2 of 2 opened/);
});
