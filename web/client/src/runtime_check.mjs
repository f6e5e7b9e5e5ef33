// SPDX-License-Identifier: Apache-2.0
//
// What the library does in whatever runs this: Node, Deno or Bun. Prints what held; fails at the first that does not.
// Ends by itself, since nothing is left open. script/long runtimes runs it.

import assert from "node:assert/strict";
import process from "node:process";

import { EventSource, stream } from "../dist/index.js";
import { Parser } from "../dist/parser.js";
import { QUICK, Server, Watch } from "./server_testing.mjs";

const stay = (text) => (exchange) => exchange.open(text);

const CHECKS = {
  "a token, and the cursor after a break": async (t) => {
    const server = await Server.open(t, stay("id: é1\ndata: a\n\ndata: b"), stay("data: c\n\n"));
    const watch = new Watch(t, new EventSource(server.url, { ...QUICK, token: async () => "t" }));
    await watch.until(2);
    server.exchanges[0].cut();
    assert.deepEqual(await watch.until(5),
      ["open", "message a #é1", "error network reconnects", "open", "message c #é1"]);
    const seen = server.exchanges.map(({ headers }) => [headers.authorization, headers["last-event-id"]]);
    assert.deepEqual(seen, [["Bearer t", undefined], ["Bearer t", Buffer.from("é1").toString("latin1")]]);
    watch.source.close();
    await server.exchanges[1].closed();
  },
  "a refusal": async (t) => {
    const server = await Server.open(t, (exchange) => exchange.end(401));
    assert.deepEqual(await new Watch(t, new EventSource(server.url)).until(1), ["error auth 401 has given up"]);
  },
  "a refused connect": async (t) => {
    const server = await Server.open(t);
    await server.close();
    const watch = new Watch(t, new EventSource(server.url, { retry: { minMs: 1, maxMs: 1, attempts: 2 } }));
    assert.deepEqual(await watch.until(2), ["error network reconnects", "error network has given up"]);
  },
  silence: async (t) => {
    const server = await Server.open(t, stay("data: a\n\n"));
    const watch = new Watch(t, new EventSource(server.url, { ...QUICK, idleTimeoutMs: 100 }));
    assert.deepEqual((await watch.until(3)).slice(0, 3), ["open", "message a #", "error idle reconnects"]);
    await server.exchanges[0].closed();
  },
  "the loop over a stream that a POST opens": async (t) => {
    const server = await Server.open(t, (exchange) => {
      exchange.open(`data: ${exchange.method} ${exchange.body}\n\ndata: [DONE]\n\n`);
      exchange.end();
    });
    const seen = [];
    for await (const { data } of stream(server.url, { body: "hello", finite: true })) {
      seen.push(data);
    }
    assert.deepEqual(seen, ["POST hello", "[DONE]"]);
  },
  "leaving the loop": async (t) => {
    const server = await Server.open(t, stay("data: a\n\n"));
    for await (const { data } of stream(server.url)) {
      assert.equal(data, "a");
      break;
    }
    await server.exchanges[0].closed();
  },
  "the parser alone": async (t) => {
    const server = await Server.open(t, (exchange) => {
      exchange.open("data: 漢\r\n\r\n");
      exchange.end();
    });
    const seen = [];
    const parser = new Parser({ onEvent: ({ data }) => seen.push(data) });
    for await (const bytes of (await fetch(server.url)).body) {
      parser.feed(bytes);
    }
    assert.deepEqual(seen, ["漢"]);
  },
  "`native`, or that there is no native class": async (t) => {
    const server = await Server.open(t, stay("data: a\n\n"));
    const open = () => new EventSource(server.url, { native: true, ticket: "vt" });
    if (globalThis.EventSource === undefined) {
      assert.throws(open, { name: "NotSupportedError" });
    } else {
      assert.deepEqual(await new Watch(t, open()).until(2), ["open", "message a #"]);
      assert.equal(server.exchanges[0].target, "/stream?ticket=vt");
    }
  },
  "`shared`, or that there are no locks": async (t) => {
    const server = await Server.open(t, stay());
    const open = () => new EventSource(server.url, { ...QUICK, shared: true });
    if (globalThis.navigator?.locks === undefined) {
      assert.throws(open, { name: "NotSupportedError" });
    } else {
      const tabs = [new Watch(t, open()), new Watch(t, open())];
      await Promise.all(tabs.map((tab) => tab.until(1)));
      server.exchanges[0].write("id: 1\ndata: a\n\n");
      for (const tab of tabs) {
        assert.deepEqual(await tab.until(2), ["open", "message a #1"]);
      }
      assert.equal(server.exchanges.length, 1);
    }
  },
  "a close while it waits": async (t) => {
    const server = await Server.open(t, (exchange) => exchange.cut());
    const watch = new Watch(t, new EventSource(server.url, { retry: { minMs: 1e6, jitter: 0 } }));
    await watch.until(1);
    watch.source.close();
  },
};

for (const [about, check] of Object.entries(CHECKS)) {
  const ends = [];
  try {
    await check({ after: (end) => ends.push(end) });
    console.log(about);
  } catch (error) {
    console.error(`${about}: ${error.stack}`);
    process.exitCode = 1;
  }
  for (const end of ends.reverse()) {
    await end();
  }
}
