// SPDX-License-Identifier: Apache-2.0
//
// Servers and networks that do what they should not.

import assert from "node:assert/strict";
import net from "node:net";
import { Readable } from "node:stream";
import test from "node:test";

import { Signal } from "../../../test/harness/waiting.mjs";
import { EventSource } from "../dist/index.js";
import { QUICK, Server, STREAM, Watch } from "./server_testing.mjs";

const open = (t, url, options = {}) => new Watch(t, new EventSource(url, { ...QUICK, ...options }));

test("a cut in the middle of a line loses nothing and doubles nothing", async (t) => {
  const server = await Server.open(t,
    (exchange) => exchange.open("id: 1\ndata: a\n\nid: 2\nda"),
    (exchange) => exchange.open("id: 2\ndata: b\n\n"));
  const watch = open(t, server.url);
  await watch.until(2);
  server.exchanges[0].cut();
  assert.deepEqual(await watch.until(5), ["open", "message a #1", "error network reconnects", "open", "message b #2"]);
  assert.equal(server.exchanges[1].headers["last-event-id"], "1");
});

test("a 500 is not the end for those who say so", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.end(500), (exchange) => exchange.open("data: a\n\n"));
  const watch = open(t, server.url, { retryOn: ({ status }) => status >= 500 });
  assert.deepEqual(await watch.until(3), ["error http 500 reconnects", "open", "message a #"]);
});

// To browsers it is no answer at all where it has no CORS headers: standard_cases.mjs has that.
test("a 502 of a proxy's is an end that says so, and is not for those who try again", async (t) => {
  const page = (exchange) => {
    exchange.response.writeHead(502, { "content-type": "text/html" });
    exchange.write("<h1>Bad Gateway</h1>");
    exchange.response.end();
  };
  const server = await Server.open(t, page, page, (exchange) => exchange.open("data: a\n\n"));
  assert.deepEqual(await open(t, server.url).until(1), ["error http 502 has given up"]);
  const watch = open(t, server.url, { retryOn: ({ status }) => status === 502 });
  assert.deepEqual(await watch.until(3), ["error http 502 reconnects", "open", "message a #"]);
  assert.equal(server.exchanges.length, 3);
});

test("a stream that stalls in the middle of an event is left", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open("id: 1\n\ndata: a"),
    (exchange) => exchange.open("data: b\n\n"));
  const watch = open(t, server.url, { idleTimeoutMs: 100 });
  assert.deepEqual(await watch.untilDistinct(4), ["open", "error idle reconnects", "open", "message b #1"]);
  await server.exchanges[0].closed();
});

function writeHundredMegabytes(exchange) {
  exchange.open();
  const megabytes = Array(100).fill("x".repeat(1_000_000));
  Readable.from(["data: ", ...megabytes, "\n\n"]).pipe(exchange.response);
}

test("100 MB in one event close the stream", async (t) => {
  const server = await Server.open(t, writeHundredMegabytes);
  assert.deepEqual(await open(t, server.url).until(2), ["open", "error too-large has given up"]);
  await server.exchanges[0].closed();
});

test("100 MB in one event come whole for those who allow it", async (t) => {
  const server = await Server.open(t, writeHundredMegabytes);
  const source = new EventSource(server.url, { maxEventBytes: 100_000_000 + "data: ".length });
  t.after(() => source.close());
  const { data } = await new Promise((resolve) => (source.onmessage = resolve));
  assert.equal(data.length, 100_000_000);
});

test("10,000 events in one chunk come all and in order, up to a close in a handler", async () => {
  const text = Array.from({ length: 10_000 }, (_, i) => `id: ${i}\ndata: ${i}\n\n`).join("");
  const own = async () => new Response(text, { headers: STREAM });
  for (const closesAt of [9999, 5]) {
    const source = new EventSource("http://127.0.0.1:9/", { fetch: own });
    const seen = [];
    await new Promise((resolve) => {
      source.onmessage = ({ data }) => {
        seen.push(Number(data));
        if (seen.length > closesAt) {
          source.close();
          setImmediate(resolve);
        }
      };
    });
    assert.deepEqual(seen, Array.from({ length: closesAt + 1 }, (_, i) => i));
  }
});

test("a drip of single bytes is a stream", async (t) => {
  const server = await Server.open(t, async (exchange) => {
    exchange.open();
    for (const byte of Buffer.from("\ufeffid: é\r\ndata: 🎈\r\n\r\n")) {
      await new Promise((resolve) => exchange.response.write(Buffer.of(byte), () => setImmediate(resolve)));
    }
  });
  assert.deepEqual(await open(t, server.url).until(2), ["open", "message 🎈 #é"]);
});

test("an endless answer of another type is not read", async (t) => {
  const server = await Server.open(t, (exchange) => {
    exchange.response.writeHead(200, { "content-type": "text/plain" });
    exchange.write("data: a\n\n");
  });
  assert.deepEqual(await open(t, server.url).until(1), ["error content-type 200 has given up"]);
  await server.exchanges[0].closed();
});

test("an endless answer of another status is not read", async (t) => {
  const server = await Server.open(t, (exchange) => {
    exchange.response.writeHead(500, STREAM);
    exchange.write("data: a\n\n");
  });
  assert.deepEqual(await open(t, server.url).until(1), ["error http 500 has given up"]);
  await server.exchanges[0].closed();
});

test("a redirect loop is a failure of the network, told each time", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.end(302, { location: "/stream" }));
  const watch = open(t, server.url, { retry: { minMs: 1, maxMs: 1, attempts: 2 } });
  assert.deepEqual(await watch.until(2), ["error network reconnects", "error network has given up"]);
});

test("a refused connect is tried again", async (t) => {
  const holder = net.createServer();
  await new Promise((resolve) => holder.listen(0, "127.0.0.1", resolve));
  const { port } = holder.address();
  await new Promise((resolve) => holder.close(resolve));
  const watch = open(t, `http://127.0.0.1:${port}/`);
  assert.deepEqual((await watch.until(3)).slice(0, 3), Array(3).fill("error network reconnects"));
});

test("an answer that ends at once again and again costs a growing wait", async (t) => {
  const server = await Server.open(t, (exchange) => {
    exchange.open(": not now\nevent: vrelo.hello\ndata: \n\n"); // as a full hub answers
    exchange.end();
  });
  t.mock.method(performance, "now", () => 0); // so that none of them has held for long
  const watch = open(t, server.url, { retry: { minMs: 1, maxMs: 100, jitter: 0 } });
  const delays = [];
  watch.source.addEventListener("error", ({ delayMs }) => delays.push(delayMs));
  await watch.until(8);
  assert.deepEqual(delays, [1, 2, 4, 8]);
});

test("a quiet stream that holds is no failure, however often it ends", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open(": still here\n\n"));
  let clock = 0;
  t.mock.method(performance, "now", () => clock);
  const watch = open(t, server.url, { retry: { minMs: 1, maxMs: 100, jitter: 0, attempts: 2 } });
  const delays = [];
  watch.source.addEventListener("error", ({ delayMs }) => delays.push(delayMs));
  for (let round = 0; round < 4; ++round) {
    await watch.until(2 * round + 1);
    clock += 5;
    server.exchanges[round].end();
  }
  await watch.until(8);
  assert.deepEqual(delays, [1, 1, 1, 1]);
});

test("what is no HTTP is a failure of the network", async (t) => {
  const server = net.createServer((socket) => socket.on("error", () => {}).end("\x16\x03\x01 hello\r\n\r\n"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const watch = open(t, `http://127.0.0.1:${server.address().port}/`);
  assert.equal((await watch.until(1))[0], "error network reconnects");
});

test("a token that never comes, and one that always fails, keep nobody from closing", async (t) => {
  for (const given of [() => new Promise(() => {}), () => Promise.reject(new Error("of the test"))]) {
    const asked = new Signal();
    let count = 0;
    const token = () => {
      count += 1;
      asked.notify();
      return given();
    };
    const watch = open(t, "http://127.0.0.1:9/", { token, idleTimeoutMs: 20 });
    await asked.until(() => count > 0, "a token to be asked for");
    watch.source.close();
    const entries = [...watch.entries];
    const other = open(t, "http://127.0.0.1:9/", { token: () => Promise.reject(new Error("of the test")) });
    await other.until(3); // which takes longer than another attempt would
    assert.deepEqual([count, watch.entries], [1, entries]);
    assert.equal(watch.source.readyState, EventSource.CLOSED);
  }
});

test("what a fetch that knows no signal brings after the end is closed", async (t) => {
  const cancelled = new Signal();
  let cancels = 0;
  let bring;
  const cancel = () => {
    cancels += 1;
    cancelled.notify();
    throw new Error("of the test");
  };
  const fetched = new Signal();
  const deaf = () => new Promise((resolve) => {
    bring = () => resolve(new Response(new ReadableStream({ cancel }), { headers: STREAM }));
    fetched.notify();
  });
  const watch = open(t, "http://127.0.0.1:9/", { fetch: deaf });
  await fetched.until(() => bring, "a request");
  watch.source.close();
  bring();
  await cancelled.until(() => cancels === 1, "the answer to be closed");
  bring = undefined;
  const second = open(t, "http://127.0.0.1:9/", { fetch: deaf });
  await fetched.until(() => bring, "a request");
  bring();
  second.source.close(); // while the answer is on its way
  await cancelled.until(() => cancels === 2, "the answer to be closed");
  assert.deepEqual([watch.entries, second.entries], [[], []]);
});

// [what is given by a function and cannot be sent, and whether it is asked again]
const SECRETS = [
  [{ token: async () => "secret\nx" }, false],
  [{ token: async () => "a secret 漢" }, false],
  [{ headers: () => ({ authorization: "secret\nx" }) }, false],
  [{ headers: () => ({ "a secret": "x" }) }, false],
  [{ body: () => "secret", method: "GET" }, false],
  [{ ticket: () => ({ url: "http://[secret" }) }, true], // a hub in trouble may answer so
];

test("of what was given and cannot be sent, only the option is told", async (t) => {
  for (const [options, isAskedAgain] of SECRETS) {
    const watch = open(t, "http://127.0.0.1:9/", options);
    await watch.until(1);
    const { reason, cause, willReconnect } = watch.lastError;
    const told = `${Object.keys(options)[0]} cannot be sent`;
    assert.deepEqual([reason, cause.name, cause.message, Object.keys(cause)], ["auth", "TypeError", told, []]);
    assert.doesNotMatch(`${cause.stack} ${cause.cause}`, /secret/);
    assert.deepEqual([willReconnect, watch.source.readyState], [isAskedAgain, isAskedAgain ? 0 : 2]);
    watch.source.close();
  }
});

test("a fetch of the page's that throws is tried again, and what it threw is told", async (t) => {
  const thrown = new Error("of the test");
  const stream = () => new ReadableStream({
    pull(controller) {
      controller.error(thrown);
    },
  });
  const fetches = [
    () => { throw thrown; },
    () => Promise.reject(thrown),
    async () => new Response(stream(), { headers: STREAM }),
  ];
  for (const fetch of fetches) {
    const watch = open(t, "http://127.0.0.1:9/", { fetch });
    await watch.untilEntry("error network reconnects");
    assert.equal(watch.lastError.cause, thrown);
    watch.source.close();
  }
  const watch = open(t, "http://127.0.0.1:9/", {});
  await watch.until(1);
  assert.deepEqual(["cause" in watch.lastError, watch.lastError.reason], [false, "network"]);
});
