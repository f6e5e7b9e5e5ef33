// SPDX-License-Identifier: Apache-2.0
//
// What bad input costs the hub: a bounded time, and a bounded memory however often it comes.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { assertProblem, BAD_INPUT, SETTINGS } from "../harness/bad_input.mjs";
import { Connection } from "../harness/http.mjs";
import { sum } from "../harness/metrics.mjs";
import { test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const ROWS = Object.values(BAD_INPUT).flat();
const ANSWER_MS_MAX = 1000;
const GROWTH_KIB_MAX = 8 * 1024;
const SENDERS = 4;

async function residentKib(hub) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${hub.pid}/status`, "utf8"))[1]);
}

// Sends all rows, one after the other, and calls `answered` with each and with the time that its answer took.
async function sendAll(hub, answered = () => {}) {
  let connection = await Connection.open(hub);
  for (const row of ROWS) {
    const begin = performance.now();
    connection.write(row.bytes);
    assertProblem(row, await connection.readResponse());
    answered(row, performance.now() - begin);
    if (row.closes) {
      connection.close();
      connection = await Connection.open(hub);
    }
  }
  connection.close();
}

// Sends `bytes` and returns the answer as it came.
async function exchange(hub, bytes) {
  const connection = await Connection.open(hub);
  connection.write(bytes);
  const head = await connection.takeUntil("\r\n\r\n", "the head of an answer");
  const length = Number(/^content-length: ([0-9]+)$/im.exec(head.toString("latin1"))[1]);
  const body = await connection.takeBytes(length, "the body of an answer");
  connection.close();
  return Buffer.concat([head, Buffer.from("\r\n\r\n"), body]);
}

test("each refusal is answered within a second", async (t) => {
  const hub = await t.hub(SETTINGS);
  const fastest = new Map();
  // Twice, since the machine may have had other things to do.
  for (let i = 0; i < 2; ++i) {
    await sendAll(hub, (row, ms) => fastest.set(row, Math.min(ms, fastest.get(row) ?? Infinity)));
  }
  for (const [row, ms] of fastest) {
    assert.ok(ms < ANSWER_MS_MAX, `${row.name}: ${ms} ms`);
  }
});

test("a hundred times all bad input there is takes no memory", async (t) => {
  const hub = await t.hub(SETTINGS);
  const sendRounds = (count) =>
    Promise.all(
      Array.from({ length: SENDERS }, async () => {
        for (let round = 0; round < count / SENDERS; ++round) {
          await sendAll(hub);
        }
      }),
    );
  await sendRounds(SENDERS); // what the first requests leave in buffers
  const before = await residentKib(hub);
  await sendRounds(100);
  const growth = (await residentKib(hub)) - before;
  assert.ok(growth <= GROWTH_KIB_MAX, `it grew by ${growth} KiB`);
});

test("requests that are cut off take no memory", async (t) => {
  const hub = await t.hub({ ...SETTINGS, requestTime: "300ms" });
  const whole = hub.publishBytes({ topic: "a", data: "x".repeat(50_000) });
  const cutOff = async (count) => {
    for (let i = 0; i < count; ++i) {
      const connection = await Connection.open(hub);
      await connection.write(whole.subarray(0, -1));
      connection.reset();
    }
  };
  const timedOut = async () => {
    const connection = await Connection.open(hub);
    await connection.write(whole.subarray(0, -1));
    assertProblem({ name: "all but a byte", status: 408, closes: true }, await connection.readResponse());
    connection.close();
  };
  const all = async (count) => {
    await cutOff(count);
    await Promise.all(Array.from({ length: count }, timedOut));
  };
  await all(100);
  const before = await residentKib(hub);
  for (let i = 0; i < 5; ++i) {
    await all(100);
  }
  const growth = (await residentKib(hub)) - before;
  assert.ok(growth <= GROWTH_KIB_MAX, `it grew by ${growth} KiB`);
});

test("refusals that nobody reads do not pile up, and none of them is lost", async (t) => {
  const hub = await t.hub(SETTINGS);
  const [row] = BAD_INPUT["unknown names of selectors"];
  const count = 50_000;
  const one = (await exchange(hub, row.bytes)).toString("latin1");
  const before = await residentKib(hub);

  const chunks = [];
  const connection = await Connection.open(hub, { isReading: false });
  connection.forward((chunk) => chunks.push(chunk));
  const written = connection.write(Buffer.concat(Array.from({ length: count }, () => row.bytes)));
  let refused = 0;
  await until(async () => {
    const last = refused;
    refused = sum(await hub.metrics(), "vrelo_refusals_total");
    return refused > 1 && refused === last;
  }, "the hub to stop");
  assert.ok(refused < count, `${refused} were answered without being read`);
  const growth = (await residentKib(hub)) - before;
  assert.ok(growth <= GROWTH_KIB_MAX, `it grew by ${growth} KiB`);

  connection.read();
  await connection.until(() => connection.receivedBytes >= count * one.length, "all answers");
  assert.ok(Buffer.concat(chunks).toString("latin1") === one.repeat(count), "the answers are not those");
  await written;
  connection.close();
});
