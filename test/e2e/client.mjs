// SPDX-License-Identifier: Apache-2.0
//
// The JavaScript library in real browsers: beside the native class, one suite for both and on one server; and
// with the hub.

import assert from "node:assert/strict";

import puppeteer from "puppeteer-core";

import { CasesServer } from "../../web/client/src/cases_server_testing.mjs";
import { CASES, expectationOf } from "../../web/client/src/cases_testing.mjs";
import { BROWSERS } from "../harness/browser.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

// Opens a page of the cases' server. It ends with the test.
async function open(t, launch) {
  const server = await CasesServer.open();
  t.atEnd(() => server.close());
  const browser = await puppeteer.launch({ ...launch, env: { ...process.env, HOME: await t.folder() } });
  t.atEnd(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${server.origin}/`);
  return { server, page };
}

// JSON has no undefined, and would leave it out.
const toJson = (value) => JSON.stringify(value, (_, one) => (one === undefined ? "undefined" : one));

// These run in the page.
const IN_WORKER = (name, places) => new Promise((resolve) => {
  const worker = new Worker("/src/cases_worker.mjs", { type: "module" });
  worker.onmessage = ({ data }) => resolve(data);
  worker.postMessage({ name, ...places });
});
const IN_SHARED_WORKER = (name, places) => new Promise((resolve) => {
  const { port } = new SharedWorker("/src/cases_worker.mjs", { type: "module" });
  port.onmessage = ({ data }) => resolve(data);
  port.postMessage({ name, ...places });
});

// These run in the page, too. Each returns what every case gave.
const PLACES = {
  native: async (name, places) => {
    const { runAll } = await import("/src/cases_testing.mjs");
    return runAll(name, { EventSource, origin: location.origin, base: location.href, ...places });
  },
  ours: async (name, places) => {
    const { runAll } = await import("/src/cases_testing.mjs");
    const { EventSource } = await import("/dist/index.js");
    return runAll(name, { EventSource, origin: location.origin, base: location.href, ...places });
  },
  "ours in a worker": IN_WORKER,
  "native in a worker": IN_WORKER,
  "ours in a shared worker": IN_SHARED_WORKER,
  "native in a shared worker": IN_SHARED_WORKER,
};

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: the native class and ours do what the standard says`, async (t) => {
    const { server, page } = await open(t, launch);
    const failed = [];
    for (const [place, run] of Object.entries(PLACES)) {
      const name = `${place.split(" ")[0]} ${browser}`;
      const { otherOrigin, nobody } = server;
      const call = `(${run})(...${JSON.stringify([name, { otherOrigin, nobody }])}).then(${toJson})`;
      const results = JSON.parse(await within(page.evaluate(call), `the cases of ${place}`));
      for (const [index, one] of CASES.entries()) {
        const expectation = expectationOf(one, name);
        if ("value" in expectation && toJson(results[index]) !== toJson(expectation)) {
          failed.push({ place, about: one.about, gave: results[index], expected: expectation.value });
        }
      }
    }
    assert.deepEqual(failed, []);
  });
}

// Runs in the page: reads with our class, and keeps what came.
const READ = async (url, options) => {
  const { EventSource, GapEvent } = globalThis.vrelo ?? (await import("/dist/index.js"));
  const source = new EventSource(url, { retry: { minMs: 10, maxMs: 200 }, ...options });
  globalThis.seen = { ids: [], gaps: [], opened: 0, errors: [] };
  source.onopen = () => (seen.opened += 1);
  source.onmessage = ({ lastEventId }) => seen.ids.push(lastEventId);
  source.onerror = ({ reason }) => seen.errors.push(reason);
  source.addEventListener("vrelo.gap", (gap) => seen.gaps.push(gap instanceof GapEvent && [gap.reason, gap.after]));
  await new Promise((resolve) => source.addEventListener("open", resolve, { once: true }));
};

// Waits until what the page has seen fulfils `condition`, a text.
async function untilSeen(page, condition) {
  await within(page.waitForFunction(condition, { polling: 20, timeout: 0 }), `${condition}, in the page`);
  return page.evaluate(() => globalThis.seen);
}

// Waits until the page has been told so much, and compares it.
async function untilTold(page, expected) {
  const wait = page.waitForFunction((count) => told.length >= count, { polling: 20, timeout: 0 }, expected.length);
  await within(wait, () => `${expected}, in the page`);
  assert.deepEqual(await page.evaluate(() => told), expected);
}

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: the library gets each event of the hub once, over cuts and a restart, and gaps`, async (t) => {
    const { page } = await open(t, launch);
    const folder = await t.folder();
    const listener = await t.listener();
    const proxy = await t.proxy({ host: "127.0.0.1", port: listener.port });
    let hub = await t.hubOn(listener, { log: SQLITE, retry: "100ms" }, { folder });
    await page.evaluate(READ, `http://${proxy.host}:${proxy.port}${HUB_PATH}?match=a`, {});
    const ids = [];
    for (let round = 0; round < 6; ++round) {
      for (let i = 0; i < 10; ++i) {
        ids.push(await hub.publish({ topic: "a", id: `${round}.${i}`, data: "x" }));
      }
      if (round === 2) {
        await hub.stop();
        hub = await t.hubOn(listener, { log: SQLITE, retry: "100ms" }, { folder });
      } else {
        proxy.cut();
      }
      await untilSeen(page, `seen.opened > ${round + 1}`);
    }
    const seen = await untilSeen(page, `seen.ids.includes("${ids.at(-1)}")`);
    assert.deepEqual(seen.ids, ids);
    assert.deepEqual(seen.gaps, []);

    // As a classic script it takes the page's class away only if it is asked to.
    const isReplaced = () => page.evaluate(() => globalThis.EventSource === globalThis.vrelo.EventSource);
    await page.addScriptTag({ url: "/dist/classic.js" });
    assert.equal(await isReplaced(), false);
    await page.evaluate(() => new Promise((resolve) => {
      const script = document.createElement("script");
      Object.assign(script, { src: "/dist/classic.js", onload: resolve });
      script.dataset.replace = "";
      document.head.append(script);
    }));
    assert.equal(await isReplaced(), true);

    // The cursor is told by header, with a preflight, or in the query.
    for (const options of [{ lastEventId: "gone" }, { lastEventId: "gone", lastEventIdParam: "lastEventId" }]) {
      await page.evaluate(READ, `${hub.url}?match=a`, options);
      const told = await untilSeen(page, `seen.ids.length === ${ids.length}`);
      assert.deepEqual([told.gaps, told.ids], [[["unknown", "gone"]], ids]);
    }
  });
  test(`${browser}: the library in a service worker gets each event of the hub once, over cuts`, async (t) => {
    const { page } = await open(t, launch);
    const hub = await t.hub({ retry: "100ms" });
    const proxy = await t.proxy({ host: "127.0.0.1", port: hub.port });
    await within(page.evaluate(async (url) => {
      globalThis.told = [];
      navigator.serviceWorker.onmessage = ({ data }) => told.push(data);
      navigator.serviceWorker.startMessages();
      const { installing } = await navigator.serviceWorker.register("/src/service_worker_testing.mjs");
      await new Promise((resolve) => {
        installing.onstatechange = () => installing.state === "activated" && resolve();
      });
      for (const options of [{ shared: true }, { native: true }, { retry: { minMs: 10, maxMs: 200 } }]) {
        installing.postMessage({ url, options });
      }
    }, `http://${proxy.host}:${proxy.port}${HUB_PATH}?match=a`), "the service worker");
    const expected = ["vrelo does not have shared here", "vrelo does not have native here"];
    for (const data of ["first", "second", "last"]) {
      expected.push("open");
      await untilTold(page, expected);
      expected.push(await hub.publish({ topic: "a", data }));
      await untilTold(page, expected);
      proxy.cut();
    }
    await hub.streamsOpen(0);
    assert.deepEqual(await page.evaluate(() => told), expected);
  });
}
