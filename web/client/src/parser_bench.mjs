// SPDX-License-Identifier: Apache-2.0
//
// The parser beside two others, from bytes to events whose data is looked at, in one run:
//
//   node src/parser_bench.mjs [MILLISECONDS] [--demand=RATIO]
//
// MILLISECONDS is how much of the processor's time each of the five rounds gives each parser. With --demand it fails
// where ours, with or without its limit, is not so many times as fast as the next. (In Chinese nearly all of the time
// is the decoder's, which all have from Node: nothing is demanded there.)

import assert from "node:assert/strict";
import { parseArgs } from "node:util";

import lines from "@microsoft/fetch-event-source/lib/cjs/parse.js";
import { createParser } from "eventsource-parser";

import { Parser } from "../dist/parser.js";

const ROUNDS = 5;
const EVENT_BYTES_MAX = 64 * 1024 * 1024; // as the class has it

const { values, positionals } = parseArgs({ options: { demand: { type: "string" } }, allowPositionals: true });
const demanded = Number(values.demand ?? 0);
const roundMs = Number(positionals[0] ?? 500);

const encoder = new TextEncoder();
const repeat = (count, text) => Array.from({ length: count }, (_, i) => text(i));
const cut = (bytes, size) => repeat(Math.ceil(bytes.length / size), (i) => bytes.subarray(i * size, (i + 1) * size));
const token = (i) => `id: ${i}\ndata: {"id":"c-1","index":${i},"delta":{"content":" word${i}"}}\n\n`;
const log = (i) => `event: log\n${repeat(50, (k) => `data: line ${k} of report ${i}\n`).join("")}\n`;

const VERSES = "天地玄黃宇宙洪荒日月盈昃辰宿列張寒來暑往秋收冬藏閏餘成歲律呂調陽雲騰致雨露結為霜";

const tokens = repeat(5000, token);
const tokenBytes = encoder.encode(tokens.join(""));
const STREAMS = {
  "small chunks: one event each": tokens.map((text) => encoder.encode(text)),
  "small chunks: 32 bytes": cut(tokenBytes, 32),
  "large chunks: 64 KiB of small events": cut(tokenBytes, 65_536),
  "long lines: 200 kB, in chunks of 16 KiB":
    cut(encoder.encode(repeat(10, () => `data: ${"x".repeat(200_000)}\n\n`).join("")), 16_384),
  "the same in Chinese":
    cut(encoder.encode(repeat(10, () => `data: ${VERSES.repeat(1500)}\n\n`).join("")), 16_384),
  "many lines: 50 for each event": cut(encoder.encode(repeat(500, log).join("")), 65_536),
  "many lines that end with CR LF": cut(encoder.encode(repeat(500, log).join("").replaceAll("\n", "\r\n")), 65_536),
};

// A reader of data is what events are for. Looking at the last character has the engine put it together.
class Reader {
  events = 0;
  sum = 0;

  take(data) {
    this.events += 1;
    this.sum += data.length + data.charCodeAt(data.length - 1);
  }
}

function parseByOurs(chunks, reader, options) {
  const parser = new Parser({ ...options, onEvent: ({ data }) => reader.take(data) });
  for (const chunk of chunks) {
    parser.feed(chunk);
  }
}

const PARSERS = {
  "vrelo": (chunks, reader) => parseByOurs(chunks, reader),
  "with a limit": (chunks, reader) => parseByOurs(chunks, reader, { maxEventBytes: EVENT_BYTES_MAX }),
  "eventsource-parser": (chunks, reader) => {
    const parser = createParser({ onEvent: ({ data }) => reader.take(data) });
    const decoder = new TextDecoder();
    for (const chunk of chunks) {
      parser.feed(decoder.decode(chunk, { stream: true }));
    }
  },
  "fetch-event-source": (chunks, reader) => {
    const feed = lines.getLines(lines.getMessages(() => {}, () => {}, ({ data }) => reader.take(data)));
    for (const chunk of chunks) {
      feed(chunk);
    }
  },
};

// The time that this process has had of the processors, in milliseconds: beside other programs it is no longer.
function usedMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

// Returns MB a second, for as many runs as fit into the time.
function measure(parse, chunks, bytes) {
  const begin = usedMs();
  let runs = 0;
  let end;
  do {
    parse(chunks, new Reader());
    runs += 1;
    end = usedMs();
  } while (end - begin < roundMs);
  return (runs * bytes) / 1000 / (end - begin);
}

const median = (values) => [...values].sort((a, b) => a - b)[(values.length - 1) / 2];

console.log(`MB for each second of the processor's time, medians of ${ROUNDS}; Node ${process.version}\n`);
console.log(`| stream | ${Object.keys(PARSERS).join(" | ")} | to the next |\n|---|---|---|---|---|---|`);
for (const [name, chunks] of Object.entries(STREAMS)) {
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  const readers = Object.values(PARSERS).map((parse) => {
    const reader = new Reader();
    parse(chunks, reader);
    return reader;
  });
  for (const reader of readers) {
    assert.deepEqual(reader, readers[0], `all parsers find the same events: ${name}`);
  }
  const rates = Object.values(PARSERS).map(() => []);
  for (let round = 0; round < ROUNDS; ++round) {
    Object.values(PARSERS).forEach((parse, i) => rates[i].push(measure(parse, chunks, bytes)));
  }
  const [ours, limited, ...others] = rates.map(median);
  const numbers = [ours, limited, ...others].map((rate) => rate.toFixed(0));
  const next = Math.max(...others);
  console.log(`| ${name} | ${numbers.join(" | ")} | ${(ours / next).toFixed(2)} |`);
  if (!name.includes("Chinese") && Math.min(ours, limited) < demanded * next) {
    console.error(`too slow: ${name}`);
    process.exitCode = 1;
  }
}
