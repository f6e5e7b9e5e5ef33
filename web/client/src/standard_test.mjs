// SPDX-License-Identifier: Apache-2.0
//
// The cases of the standard, with our class in Node. test/e2e/client.mjs runs them in browsers.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";

import { EventSource } from "../dist/index.js";
import { CasesServer } from "./cases_server_testing.mjs";
import { CASES, expectationOf, runAll } from "./cases_testing.mjs";
import { STEPS } from "./standard_steps.mjs";

const NAME = "ours Node";
let server;
let results;

before(async () => {
  server = await CasesServer.open();
  const { origin, otherOrigin } = server;
  results = await runAll(NAME, { EventSource, origin, otherOrigin, base: undefined });
});
after(() => server.close());

for (const [index, one] of CASES.entries()) {
  const expectation = expectationOf(one, NAME);
  if ("value" in expectation) {
    test(`EventSource: ${one.about}`, () => assert.deepEqual(results[index], expectation));
  }
}

test("EventSource: the README's table has each difference from the native class", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const table = readme.slice(readme.indexOf("## What differs"));
  const rows = CASES.map(({ others }) => others?.ours?.[2]).filter(Boolean);
  assert.ok(rows.length >= 6);
  assert.deepEqual(rows.filter((row) => !table.includes(row)), []);
  assert.deepEqual(CASES.filter(({ others }) => Array.isArray(others?.ours) && !others.ours[2]), []);
});

test("EventSource: each step of the standard names its cases, and each case has its step", () => {
  const named = new Set();
  for (const [step, , texts] of STEPS) {
    for (const text of "why" in texts ? [] : texts) {
      const found = CASES.filter(({ about }) => about.includes(text));
      assert.ok(found.length > 0, `${step} names no case: ${text}`);
      found.forEach((one) => named.add(one));
    }
  }
  const others = CASES.filter((one) => !named.has(one)).map(({ about }) => about);
  assert.deepEqual(others, []);
});
