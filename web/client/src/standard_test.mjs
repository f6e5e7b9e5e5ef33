// SPDX-License-Identifier: Apache-2.0
//
// The cases of the standard, with our class in Node. test/e2e/client.mjs runs them in browsers.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test, { after, before } from "node:test";

import { EventSource } from "../dist/index.js";
import { CasesServer } from "./cases_server_testing.mjs";
import { CASES, expectationOf, runAll } from "./cases_testing.mjs";
import { PLATFORM_TESTS } from "./platform_tests.mjs";
import { NUMBERED, OTHERS, STEPS } from "./standard_steps.mjs";

const NAME = "ours Node";
let server;
let results;

before(async () => {
  server = await CasesServer.open();
  const { origin, otherOrigin, nobody } = server;
  results = await runAll(NAME, { EventSource, origin, otherOrigin, nobody, base: undefined });
});
after(() => server.close());

for (const [index, one] of CASES.entries()) {
  const expectation = expectationOf(one, NAME);
  if ("value" in expectation) {
    test(`EventSource: ${one.about}`, () => assert.deepEqual(results[index], expectation));
  }
}

// What other tests have: test/e2e/stopped.mjs, backoff_test.mjs and event_source_test.mjs.
const ROWS_ELSEWHERE = ["`window.stop()`", "the wait before", "online again", "an event over"];

test("EventSource: the README's table has each difference from the native class, and a case for each row", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [table] = readme.slice(readme.indexOf("## What differs")).match(/(?:^\|.*\n)+/m);
  const others = CASES.flatMap((one) => Object.entries(one.others ?? {}));
  const ours = others.filter(([name, other]) => name.startsWith("ours") && Array.isArray(other));
  assert.deepEqual(ours.filter(([, [, , row]]) => !row || !table.includes(row)), []);
  const rows = table.trimEnd().split("\n").slice(2).map((line) => line.split("|")[1].trim());
  const words = [...ours.map(([, [, , row]]) => row), ...ROWS_ELSEWHERE];
  assert.deepEqual(rows.filter((row) => !words.some((word) => row.includes(word))), []);
});

// Returns the cases whose names have one of the texts.
function namedBy(name, texts) {
  if ("why" in texts) {
    assert.ok(texts.why.length > 0, `${name} says why it has no case`);
    return [];
  }
  assert.ok(texts.length > 0, `${name} has no case`);
  return texts.flatMap((text) => {
    const found = CASES.filter(({ about }) => about.includes(text));
    assert.ok(found.length > 0, `${name} names no case: ${text}`);
    return found;
  });
}

test("EventSource: each step of the standard names its cases, and each case has its step", () => {
  const named = new Set(STEPS.flatMap(([step, , texts]) => namedBy(step, texts)));
  assert.deepEqual(CASES.filter((one) => !named.has(one)).map(({ about }) => about), []);
});

test("EventSource: no step, and no member of the interface, is left out", () => {
  const numbered = Object.entries(NUMBERED).flatMap(([list, steps]) => steps.flatMap((below, index) => {
    const step = `${list} ${index + 1}`;
    return below === 0 ? [step] : Array.from({ length: below }, (_, i) => `${step}.${i + 1}`);
  }));
  const constants = ["CONNECTING", "OPEN", "CLOSED"];
  const others = [...constants, "addEventListener"]; // which is EventTarget's
  const members = Object.getOwnPropertyNames(EventSource.prototype).filter((name) => !others.includes(name));
  const idl = [...members, constants.join(", "), "EventSourceInit", "EventTarget"].map((name) => `9.2.2 IDL ${name}`);
  assert.deepEqual(STEPS.map(([step]) => step).sort(), [...numbered, ...idl, ...OTHERS].sort());
});

test("EventSource: each of the platform's public tests has its cases", () => {
  PLATFORM_TESTS.forEach(([name, texts]) => namedBy(name, texts));
  assert.equal(new Set(PLATFORM_TESTS.map(([name]) => name)).size, PLATFORM_TESTS.length);
});
