// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

import { EventTooLargeError, Parser } from "../dist/parser.js";
import { bytesOf, CASES } from "./parser_cases.mjs";
import { MUTANTS } from "./parser_mutants.mjs";

const encoder = new TextEncoder();

// Feeds `pieces` and returns what came of it.
function parse(pieces, { ParserClass = Parser, ...options } = {}) {
  const seen = { events: [], retries: [], comments: [] };
  const parser = new ParserClass({
    onEvent: ({ type, data, lastEventId }) => seen.events.push([type, data, lastEventId]),
    onRetry: (milliseconds) => seen.retries.push(milliseconds),
    onComment: (text) => seen.comments.push(text),
    ...options,
  });
  for (const piece of pieces) {
    parser.feed(piece);
  }
  return { ...seen, lastEventId: parser.lastEventId };
}

// Unless a case says otherwise, the cursor is the last event's id.
function wanted({ events, retries = [], comments = [], lastEventId = events.at(-1)?.[2] ?? "" }) {
  return { events, retries, comments, lastEventId };
}

// The ways to cut `bytes`: not at all, at one place, everywhere, and with empty pieces between.
function* cuts(bytes) {
  yield [bytes];
  for (let i = 1; i < bytes.length; ++i) {
    yield [bytes.subarray(0, i), bytes.subarray(i)];
  }
  const single = [...bytes].map((byte) => Uint8Array.of(byte));
  yield single;
  yield single.flatMap((piece) => [piece, new Uint8Array(0)]);
}

function checkCase(one, ParserClass) {
  for (const pieces of cuts(bytesOf(one))) {
    const lengths = pieces.map(({ length }) => length).join(" ");
    assert.deepEqual(parse(pieces, { ParserClass }), wanted(one), `in pieces of ${lengths}`);
  }
}

for (const one of CASES) {
  test(`parser: ${one.about}, however it is cut`, () => checkCase(one, Parser));
}

test("parser: each of twenty planted bugs is found by a case", async () => {
  const source = await readFile(new URL("../dist/parser.js", import.meta.url), "utf8");
  assert.equal(MUTANTS.length, 20);
  for (const { about, from, to } of MUTANTS) {
    assert.equal(source.split(from).length, 2, `there is one place for: ${about}`);
    const text = source.replace(from, () => to).replace(/^\/\/# sourceMappingURL.*$/m, "");
    const module = await import(`data:text/javascript,${encodeURIComponent(text)}`);
    const isFound = CASES.some((one) => {
      try {
        checkCase(one, module.Parser);
        return false;
      } catch {
        return true;
      }
    });
    assert.ok(isFound, `found: ${about}`);
  }
});

// The standard's steps as they are written there, for the whole stream at once.
function parseByTheBook(bytes) {
  const events = [];
  let [data, type, id, lastEventId] = ["", "", "", ""];
  const lines = new TextDecoder("utf-8").decode(bytes).split(/\r\n|\n|\r/);
  for (const line of lines.slice(0, -1)) {
    const [, name, , value = ""] = /^([^:]*)(: ?(.*))?$/su.exec(line);
    if (line === "") {
      lastEventId = id;
      if (data !== "") {
        events.push([type || "message", data.slice(0, -1), id]);
      }
      [data, type] = ["", ""];
    } else if (name === "data") {
      data += `${value}\n`;
    } else if (name === "event") {
      type = value;
    } else if (name === "id" && !value.includes("\0")) {
      id = value;
    }
  }
  return { events, lastEventId };
}

// Source: Numerical Recipes' "ranqd1", for the same numbers each time.
function randomNumbers(seed) {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

// [how many streams, the longest piece, what else is in them]. What is long has one decoder take turns with the other.
const LONG = ["漢".repeat(700), "seventeen letters é".repeat(80)].map((text) => `\ndata: ${text}\n\n`);
for (const [rounds, longest, more] of [[2000, 8, []], [300, 3000, LONG]]) {
  test(`parser: reads random streams in pieces of up to ${longest} bytes as the standard's steps do (seed 8)`, () =>
    checkRandom(rounds, longest, more));
}

function checkRandom(rounds, longest, more) {
  const random = randomNumbers(8);
  const parts = ["data", "data:", "data: ", "id", "id:", "event: ", ":", " ", "a", "\0", "\r", "\n", "\r\n", "\n\n",
    ...more, "é", "漢", "🎈", "\ufeff"].map((text) => encoder.encode(text));
  parts.push(...[0x80, 0xbf, 0xc3, 0xe6, 0xf0, 0xff].map((byte) => Uint8Array.of(byte)));
  for (let round = 0; round < rounds; ++round) {
    const bytes = Uint8Array.from(Array.from({ length: random(60) }, () => [...parts[random(parts.length)]]).flat());
    const pieces = [];
    for (let begin = 0; begin < bytes.length; ) {
      const end = Math.min(bytes.length, begin + 1 + random(longest));
      pieces.push(bytes.subarray(begin, end));
      begin = end;
    }
    const { events, lastEventId } = parse(pieces);
    assert.deepEqual({ events, lastEventId }, parseByTheBook(bytes), `round ${round}: ${bytes}`);
  }
}

test("parser: reads chunks that are larger than its pieces, in any script", () => {
  for (const text of ["x", "é", "漢", "🎈", "x漢"]) {
    const data = text.repeat(100_000);
    const stream = encoder.encode(`:${"y".repeat(65_533)}\ndata: ${data}\n\ndata: end\n\n`);
    assert.deepEqual(parse([stream]).events, [["message", data, ""], ["message", "end", ""]]);
  }
});

test("parser: tells an event once its last line end has come, and not before", () => {
  for (const [before, last] of [["data: a\n", "\n"], ["data: a\r", "\r"], ["data: a\r\n", "\r"]]) {
    const events = [];
    const parser = new Parser({ onEvent: ({ data }) => events.push(data) });
    parser.feed(encoder.encode(before));
    assert.deepEqual(events, []);
    parser.feed(encoder.encode(last));
    assert.deepEqual(events, ["a"]);
  }
});

test("parser: goes on with the last id of the connection before", () => {
  const { events, lastEventId } = parse([encoder.encode("data: a\n\n")], { lastEventId: "7" });
  assert.deepEqual({ events, lastEventId }, { events: [["message", "a", "7"]], lastEventId: "7" });
});

test("parser: keeps no reference to what it was fed", () => {
  const bytes = encoder.encode("data: é");
  const events = [];
  const parser = new Parser({ onEvent: ({ data }) => events.push(data) });
  parser.feed(bytes.subarray(0, 7));
  bytes.fill(120);
  parser.feed(Uint8Array.of(0xa9, 10, 10));
  assert.deepEqual(events, ["é"]);
});

// [about, maxEventBytes, stream, is it too large]
const LIMITS = [
  ["a line at the limit", 9, "data: abc\n\n", false],
  ["a line over it", 8, "data: abc\n\n", true],
  ["data and a line at the limit", 12, "data: abc\ndata: x\n\n", false],
  ["data and a line over it", 11, "data: abc\ndata: xy\n\n", true],
  ["characters of three bytes at the limit", 12, "data: 漢字\n\n", false],
  ["characters of three bytes over it", 11, "data: 漢字\n\n", true],
  ["wide data and a line at the limit", 17, "data: 漢字\ndata: 漢\n\n", false],
  ["wide data and a line over it", 16, "data: 漢字\ndata: 漢字\n\n", true],
  ["lines of empty data over it", 10, "data\n".repeat(9) + "\n", true],
  ["many events, each below it", 9, "data: abc\n\n".repeat(10), false],
  ["a comment over it", 8, ":1234567890\n", true],
];

test("parser: refuses what is over its limit, however it is cut", () => {
  for (const [about, maxEventBytes, stream, isTooLarge] of LIMITS) {
    for (const pieces of cuts(encoder.encode(stream))) {
      const run = () => parse(pieces, { maxEventBytes });
      if (isTooLarge) {
        assert.throws(run, EventTooLargeError, about);
      } else {
        assert.doesNotThrow(run, about);
      }
    }
  }
});

test("parser: refuses an endless line before its end", () => {
  const parser = new Parser({ onEvent() {}, maxEventBytes: 10 });
  parser.feed(encoder.encode("data: abcd"));
  assert.throws(() => parser.feed(encoder.encode("e")), {
    name: "EventTooLargeError",
    message: "an event over 10 bytes",
    maxEventBytes: 10,
  });
});
