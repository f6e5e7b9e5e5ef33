// SPDX-License-Identifier: Apache-2.0
//
// The library's options in browsers, with the hub. (Those that the hub has no use for, such as a body, are in
// migration.mjs and examples.mjs; tabs and tickets are in shared.mjs and client_tickets.mjs.)

import assert from "node:assert/strict";

import { Server } from "../../web/client/src/server_testing.mjs";
import { BROWSERS } from "../harness/browser.mjs";
import { guardedHub } from "../harness/guarded.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { Tabs } from "../harness/tabs.mjs";
import { test } from "../harness/test.mjs";
import { hubWithTickets, readerToken } from "../harness/ticket.mjs";
import { within } from "../harness/waiting.mjs";

// Returns what runs a function in the page, with the library as its first argument, and what else it is given.
const runnerIn = (page) => (action, ...rest) => within(page.evaluate(`import("/dist/index.js").then((vrelo) =>
  (${action})(vrelo, ...${JSON.stringify(rest)}))`), () => `the page: ${action}`);

// A hub behind a proxy, which nobody reads without a token, and a page at another origin.
async function setUp(t, launch, heartbeat = "1s", more = {}) {
  const tabs = await Tabs.open(t, launch);
  const { page } = await tabs.add();
  const settings = { heartbeat, retry: "50ms", allowedHosts: "127.0.0.1", ...more };
  const { hub, publish, readerToken } = await guardedHub(t, tabs.server.origin, settings);
  const proxy = await t.proxy({ host: "127.0.0.1", port: hub.port });
  const run = runnerIn(page);
  const url = `http://${proxy.host}:${proxy.port}${HUB_PATH}?match=a`;
  return { hub, tabs, proxy, publish: (data) => publish({ topic: "a", data }), run, url, token: readerToken("a") };
}

// These run in the page.
const OPEN = (vrelo, url, options) => {
  const source = new vrelo.EventSource(url, { retry: { minMs: 10, maxMs: 100 }, ...options });
  globalThis.source = source;
  globalThis.seen = [];
  globalThis.changed = () => {};
  const note = (text) => {
    seen.push(text);
    changed();
  };
  source.onopen = () => note("open");
  source.onmessage = ({ data }) => note(data.slice(0, 10));
  source.onerror = ({ reason, status, willReconnect }) =>
    note(`${reason} ${status ?? "-"} ${willReconnect ? "reconnects" : "for good"}`);
};
const UNTIL = (_, count) => new Promise((resolve) => {
  globalThis.changed = () => seen.length >= count && resolve(seen);
  changed();
});
// Waits until a note is there so many times.
const UNTIL_NOTE = (_, note, count = 1) => new Promise((resolve) => {
  globalThis.changed = () => seen.filter((one) => one === note).length >= count && resolve(seen);
  changed();
});
const CLOSE = () => source.close();

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: headers, tokens and what is tried again`, async (t) => {
    const { hub, run, url, token, publish } = await setUp(t, launch);
    await run(OPEN, url, {});
    assert.deepEqual(await run(UNTIL, 1), ["auth 401 for good"]);
    await run(OPEN, url, { headers: { authorization: `Bearer ${token}` } });
    assert.deepEqual(await run(UNTIL, 1), ["open"]);
    await run(CLOSE);
    await hub.streamsOpen(0);

    // The first token is old, the second is not.
    await run((vrelo, target, good, open) => {
      const tokens = ["old"];
      const options = { token: async () => tokens.shift() ?? good, retryOn: ({ reason }) => reason === "auth" };
      new Function(`return ${open}`)()(vrelo, target, options);
    }, url, token, `${OPEN}`);
    assert.deepEqual(await run(UNTIL, 2), ["auth 401 reconnects", "open"]);
    await publish("a");
    assert.deepEqual((await run(UNTIL, 3)).slice(2), ["a"]);
  });

  test(`${browser}: it gives up after as many attempts as it is told`, async (t) => {
    const run = runnerIn((await (await Tabs.open(t, launch)).add()).page);
    const answer = (exchange) => exchange.end(503, { "access-control-allow-origin": "*" });
    const server = await Server.open({ after: (end) => t.atEnd(end) }, answer);
    const last = "http 503 for good";
    for (const [attempts, expected] of [[1, [last]], [2, ["http 503 reconnects", last]]]) {
      await run((vrelo, target, count, open) => {
        const options = { retry: { minMs: 1, attempts: count }, retryOn: () => true };
        new Function(`return ${open}`)()(vrelo, target, options);
      }, server.url, attempts, `${OPEN}`);
      assert.deepEqual(await run(UNTIL, expected.length), expected);
    }
    assert.equal(server.exchanges.length, 1 + 2);
  });

  test(`${browser}: cookies go along as it is told`, async (t) => {
    const { hub, run, url, token, publish } = await setUp(t, launch, "1s", { cookieName: "access" });
    // It is of the host, whatever the port. The hub is another origin all the same.
    await run((_, value) => { document.cookie = `access=${value}; path=/`; }, token);
    for (const options of [{}, { credentials: "same-origin" }, { withCredentials: true, credentials: "omit" }]) {
      await run(OPEN, url, options);
      assert.deepEqual(await run(UNTIL, 1), ["auth 401 for good"]);
    }
    for (const options of [{ credentials: "include" }, { withCredentials: true }]) {
      await run(OPEN, url, options);
      assert.deepEqual(await run(UNTIL, 1), ["open"]);
      await publish("a");
      assert.deepEqual(await run(UNTIL, 2), ["open", "a"]);
      await run(CLOSE);
      await hub.streamsOpen(0);
    }
  });

  test(`${browser}: a signal closes it, and another fetch may carry it`, async (t) => {
    const { hub, run, url, token, publish } = await setUp(t, launch);
    await run((vrelo, target, good, open) => {
      globalThis.controller = new AbortController();
      globalThis.calls = 0;
      const send = (...request) => {
        calls += 1;
        return fetch(...request);
      };
      const headers = async () => ({ authorization: `Bearer ${good}` });
      new Function(`return ${open}`)()(vrelo, target, { headers, signal: controller.signal, fetch: send });
    }, url, token, `${OPEN}`);
    await run(UNTIL, 1);
    await publish("a");
    assert.deepEqual(await run(UNTIL, 2), ["open", "a"]);
    assert.deepEqual(await run(() => {
      controller.abort();
      return [source.readyState, calls];
    }), [2, 1]);
    await hub.streamsOpen(0);
    // Another begins closed.
    assert.equal(await run(({ EventSource }, target) =>
      new EventSource(target, { signal: controller.signal }).readyState, url), 2);
    assert.deepEqual(await run(() => seen), ["open", "a"]);
  });

  test(`${browser}: it waits as long as the hub's Retry-After says`, async (t) => {
    const tabs = await Tabs.open(t, launch);
    const run = runnerIn((await tabs.add()).page);
    const settings = `anonymous = false\nallowed_origins = ["${tabs.server.origin}"]`;
    const { hub, app } = await hubWithTickets(t, { settings, issuer: "streams = 1" });
    const token = readerToken(app);
    await run(OPEN, `${hub.url}?match=a`, { token });
    await run(UNTIL, 1);
    // A stream that says so would be the answer to who asks for that alone.
    const refused = { headers: { accept: "*/*", authorization: `Bearer ${token}` } };
    const [told, seconds] = await run(({ EventSource }, target, options) => new Promise((resolve) => {
      let after; // which is not the same each time
      const send = async (...request) => {
        const answer = await fetch(...request);
        after = Number(answer.headers.get("retry-after"));
        return answer;
      };
      const retry = { minMs: 1, maxMs: 1 };
      const second = new EventSource(target, { ...options, fetch: send, retry, retryOn: () => true });
      second.onerror = ({ status, willReconnect, delayMs }) => {
        second.close();
        resolve([[status, willReconnect, delayMs], after]);
      };
    }), `${hub.url}?match=a`, refused);
    assert.deepEqual(told, [429, true, 1000 * seconds]);
    assert.ok(seconds > 0);
  });

  test(`${browser}: it waits on, whatever the machine and the page are, if it is told so`, async (t) => {
    const run = runnerIn((await (await Tabs.open(t, launch)).add()).page);
    // How many attempts each has made.
    const attempts = await run(async ({ EventSource }) => {
      const made = {};
      let changed = () => {};
      const options = { false: false, notOnline: { online: false }, notVisible: { visible: false }, true: true };
      for (const [name, wake] of Object.entries(options)) {
        made[name] = 0;
        const token = () => Promise.reject(new Error("none"));
        new EventSource("/", { token, wake, retry: { minMs: 1e6, jitter: 0 } }).onerror = () => {
          made[name] += 1;
          changed();
        };
      }
      // Those that are not to come would come before.
      const until = (...wanted) => new Promise((resolve) => {
        changed = () => wanted.every(([name, count]) => made[name] === count) && resolve({ ...made });
        changed();
      });
      const first = await until(["false", 1], ["notOnline", 1], ["notVisible", 1], ["true", 1]);
      dispatchEvent(new Event("online"));
      const second = await until(["notVisible", 2], ["true", 2]);
      document.dispatchEvent(new Event("visibilitychange"));
      return [first, second, await until(["notOnline", 2], ["true", 3])];
    });
    assert.deepEqual(attempts, [
      { false: 1, notOnline: 1, notVisible: 1, true: 1 },
      { false: 1, notOnline: 1, notVisible: 2, true: 2 },
      { false: 1, notOnline: 2, notVisible: 2, true: 3 },
    ]);
  });

  test(`${browser}: the parser alone, and what is not there yet`, async (t) => {
    const { run, url, token, publish } = await setUp(t, launch);
    const id = await publish("first");
    await publish("é 漢 🎈");
    const events = await run(async (_, target, authorization) => {
      const { Parser } = await import("/dist/parser.js");
      const events = [];
      const parser = new Parser({ onEvent: ({ type, data }) => events.push([type, data]) });
      const body = (await fetch(target, { headers: { authorization } })).body.getReader();
      while (!events.some(([type]) => type === "message")) {
        parser.feed((await body.read()).value);
      }
      await body.cancel();
      return events;
    }, `${url}&last_event_id=${encodeURIComponent(id)}`, `Bearer ${token}`);
    assert.deepEqual(events.filter(([type]) => type === "message"), [["message", "é 漢 🎈"]]);
    const refused = await run(({ EventSource }, target) => [["eventsource", "long-poll"], ["websocket"]].map((all) => {
      try {
        return new EventSource(target, { transports: all }).url;
      } catch ({ name, message }) {
        return `${name}: ${message}`;
      }
    }), url);
    const what = (all) => `NotSupportedError: vrelo does not have transports: ${all}`;
    assert.deepEqual(refused, [what("eventsource,long-poll"), what("websocket")]);
  });

  test(`${browser}: it does not wait when the machine is online again, or the page is seen`, async (t) => {
    const { run, url, token } = await setUp(t, launch);
    await run((vrelo, target, good, open) => {
      let fails = 2;
      const options = {
        retry: { minMs: 1e6, jitter: 0 },
        token: () => (--fails < 0 ? good : Promise.reject(new Error("none"))),
      };
      new Function(`return ${open}`)()(vrelo, target, options);
    }, url, token, `${OPEN}`);
    assert.deepEqual(await run(UNTIL, 1), ["auth - reconnects"]);
    await run(() => void dispatchEvent(new Event("online")));
    assert.deepEqual(await run(UNTIL, 2), ["auth - reconnects", "auth - reconnects"]);
    await run(() => void document.dispatchEvent(new Event("visibilitychange")));
    assert.deepEqual((await run(UNTIL, 3)).slice(2), ["open"]);
  });

  test(`${browser}: it has no connection in a hidden page if it is told so, and misses nothing`, async (t) => {
    const { hub, tabs, run, url, token, publish } = await setUp(t, launch);
    await run(OPEN, url, { token, wake: { pauseHidden: true } });
    await run(UNTIL, 1);
    await publish("a");
    assert.deepEqual(await run(UNTIL, 2), ["open", "a"]);
    const { page: other } = await tabs.add();
    await other.bringToFront();
    await hub.streamsOpen(0);
    await publish("b");
    await tabs.all[0].page.bringToFront();
    assert.deepEqual(await run(UNTIL, 4), ["open", "a", "open", "b"]);
  });

  // With the time, the heartbeats are so rare that they are no reason.
  for (const [why, heartbeat, options] of [
    ["by the heartbeats that the hub announces", "1s", {}],
    ["by a time", "60s", { idleTimeoutMs: 1500 }],
  ]) {
    test(`${browser}: a silent stream is left, ${why}`, async (t) => {
      const { hub, proxy, run, url, token, publish } = await setUp(t, launch, heartbeat);
      const isIdle = (note) => note === "idle - reconnects";
      await run(OPEN, url, { token, ...options });
      await run(UNTIL, 1);
      await publish("a");
      const before = await run(UNTIL_NOTE, "a");
      proxy.stall();
      await run(UNTIL_NOTE, "idle - reconnects", before.filter(isIdle).length + 1);
      await publish("b");
      const seen = await run(UNTIL_NOTE, "b");
      assert.deepEqual(seen.filter((note) => /^[ab]$/.test(note)), ["a", "b"]);
      assert.ok(seen.every((note) => /^([ab]|open)$/.test(note) || isIdle(note)), `${seen}`);
      await run(CLOSE);
      await hub.streamsOpen(0);
    });
  }

  test(`${browser}: an event that is too large, a signal, and stream()`, async (t) => {
    const { hub, run, url, token, publish } = await setUp(t, launch);
    await run(OPEN, url, { token, maxEventBytes: 100 });
    await run(UNTIL, 1);
    await publish("x".repeat(200));
    assert.deepEqual((await run(UNTIL, 2))[1], "too-large - for good");
    await hub.streamsOpen(0);

    const id = await publish("first");
    await publish("second");
    await publish("third");
    const events = await run(async ({ stream }, target, options) => {
      const controller = new AbortController();
      const seen = [];
      for await (const { type, data } of stream(target, { ...options, signal: controller.signal })) {
        seen.push([type, data]);
        if (data === "third") {
          controller.abort();
        }
      }
      return seen;
    }, url, { token, lastEventId: id, lastEventIdParam: "last_event_id" });
    assert.deepEqual(events.filter(([type]) => type === "message"), [["message", "second"], ["message", "third"]]);
    await hub.streamsOpen(0);
  });

  test(`${browser}: the native class carries a stream over cuts, with the types that are asked for`, async (t) => {
    const hub = await t.hub({ retry: "50ms" });
    const proxy = await t.proxy({ host: "127.0.0.1", port: hub.port });
    const tabs = await Tabs.open(t, launch);
    const tab = await tabs.add();
    await tab.read(`http://${proxy.host}:${proxy.port}${HUB_PATH}?match=a`, { native: true });
    assert.equal(await tab.reads(), false); // by fetch
    await tab.page.evaluate(() => source.addEventListener("late", ({ lastEventId }) => seen.ids.push(lastEventId)));
    const ids = [];
    for (let round = 0; round < 4; ++round) {
      for (const type of ["message", "late"]) {
        ids.push(await hub.publish({ topic: "a", data: "x", type }));
      }
      await tab.untilId(ids.at(-1));
      proxy.cut();
    }
    ids.push(await hub.publish({ topic: "a", data: "x" }));
    await tab.untilId(ids.at(-1));
    const seen = await tab.seen();
    assert.deepEqual(seen.ids, ids);
    assert.ok(seen.errors.length >= 4 && seen.errors.every((reason) => reason === "network"));
  });

  test(`${browser}: over the native class, too, a class that extends ours may listen in its own way`, async (t) => {
    const run = runnerIn((await (await Tabs.open(t, launch)).add()).page);
    const answer = (exchange) => exchange.open("event: own.a\ndata: x\n\n", { "access-control-allow-origin": "*" });
    const server = await Server.open({ after: (end) => t.atEnd(end) }, answer);
    const told = await run(({ EventSource }, target) => new Promise((resolve) => {
      class Own extends EventSource {
        addEventListener(type, ...rest) {
          super.addEventListener(`own.${type}`, ...rest);
        }
      }
      const source = new Own(target, { native: true });
      source.addEventListener("a", ({ data }) => {
        source.close();
        resolve([data, Object.keys(source)]);
      });
    }), server.url);
    assert.deepEqual(told, ["x", []]);
  });

  test(`${browser}: the native class's own attempts count, until an event comes`, async (t) => {
    const tabs = await Tabs.open(t, launch);
    const run = runnerIn((await tabs.add()).page);
    const answer = (text) => (exchange) => {
      exchange.open(`retry: 1\n${text}`, { "access-control-allow-origin": "*" });
      exchange.end();
    };
    const again = ["network - reconnects", "open"];
    const limits = {
      0: ["open", "a", "network - for good"],
      3: ["open", "a", ...again, ...again, ...again, "network - for good"],
    };
    for (const [attempts, expected] of Object.entries(limits)) {
      const server = await Server.open({ after: (end) => t.atEnd(end) }, answer("data: a\n\n"), answer("\n"));
      // No stream holds so long that it is no failure.
      await run(OPEN, server.url, { native: true, retry: { minMs: 1e6, attempts: Number(attempts) } });
      assert.deepEqual(await run(UNTIL, expected.length), expected);
      assert.equal(await run(() => source.readyState), 2);
      assert.equal(server.exchanges.length, expected.filter((note) => note === "open").length);
    }
  });
}
