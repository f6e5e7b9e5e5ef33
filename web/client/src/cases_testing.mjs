// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases of the standard with one class; in browsers, in workers, and in Node.

import { bytesOf, CASES as PARSER_CASES } from "./parser_cases.mjs";
import { STANDARD_CASES } from "./standard_cases.mjs";

const AT_ONCE = 4;
const LATE_MS = 20_000;

// A stream that ends behind the case's bytes; all that came before its end is compared.
const parsing = PARSER_CASES.map((one) => ({
  about: `9.2.5 and 9.2.6: ${one.about}`,
  serve: (exchange) => {
    exchange.open();
    exchange.response.end(bytesOf(one));
  },
  run: ({ EventSource, url }) => {
    const source = new EventSource(url);
    const seen = [];
    return new Promise((resolve) => {
      for (const type of new Set(["message", ...one.events.map(([name]) => name)])) {
        source.addEventListener(type, ({ data, lastEventId }) => seen.push([type, data, lastEventId]));
      }
      source.onerror = () => {
        source.close();
        resolve(seen);
      };
    });
  },
  expected: one.events,
  others: one.others,
}));

// The same with a chunk for each byte, so that characters and line ends are cut everywhere.
const CUT = ["one byte order mark at", "CR LF ends one", "CR CR LF", "one to four bytes", "types and ids are UTF-8"];
const cut = PARSER_CASES.flatMap((one, index) => {
  const about = `byte by byte: ${one.about}`;
  const serve = async (exchange) => {
    exchange.open();
    for (const byte of bytesOf(one)) {
      await new Promise((resolve) => exchange.response.write(Uint8Array.of(byte), () => setTimeout(resolve, 1)));
    }
    exchange.response.end();
  };
  return CUT.some((text) => one.about.includes(text)) ? [{ ...parsing[index], about, serve }] : [];
});

export const CASES = [...STANDARD_CASES, ...parsing, ...cut];

// Returns what `name` should give for a case: {value}, or {} if the case is not for it.
export function expectationOf({ expected, others = {} }, name) {
  const own = others[name] ?? (name.startsWith("ours") ? others.ours : undefined);
  if (own === undefined) {
    return { value: expected };
  }
  return Array.isArray(own) ? { value: own[0] } : {};
}

async function runOne(index, { EventSource, origin, otherOrigin, nobody, base, label }) {
  const path = `/case/${index}/${label}-${Math.random()}?a=b`;
  const ask = async (query) => (await fetch(`${origin}/requests${path}&${query}`)).json();
  const env = {
    EventSource,
    base,
    url: `${origin}${path}`,
    other: `${otherOrigin}${path}`,
    nobody,
    // The requests so far, once there are `count`, and the last has been closed if that is asked for.
    requests: (count = 0, closed = "") => ask(`count=${count}&closed=${closed}`),
    // Breaks the connection.
    cut: () => ask("cut=1"),
    // Long enough for what the server has sent, and would get, on the way.
    pause: async () => {
      await ask("");
      await ask("");
    },
  };
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, LATE_MS, { failed: "nothing came" });
  });
  const result = Promise.resolve().then(() => CASES[index].run(env)).then((value) => ({ value }));
  const given = await Promise.race([result.catch((error) => ({ failed: String(error?.stack ?? error) })), late]);
  clearTimeout(timer);
  return given;
}

// Runs all cases that are for `name`, some at once. Returns what each gave, as JSON would have it.
export async function runAll(name, environment) {
  const results = [];
  const indexes = CASES.keys();
  const work = async () => {
    for (const index of indexes) {
      if ("value" in expectationOf(CASES[index], name)) {
        results[index] = await runOne(index, { ...environment, label: name.replace(" ", "-") });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return results;
}
