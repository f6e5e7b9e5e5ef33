// SPDX-License-Identifier: Apache-2.0
//
// Ten tabs of a browser, one connection to the hub: each tab gets each event once and in order, whatever happens
// to the tab that has the connection.

import assert from "node:assert/strict";

import { BROWSERS } from "../harness/browser.mjs";
import { Tabs } from "../harness/tabs.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

const TABS = 10;
const EVENTS = 20; // with each thing that happens

// Each tab has a process of its own, of which one may be killed.
const { args } = BROWSERS.Chromium;
const CHROMIUM = { ...BROWSERS.Chromium, args: [...args, "--renderer-process-limit=32"] };
const { extraPrefsFirefox } = BROWSERS.Firefox;
const FIREFOX = {
  ...BROWSERS.Firefox,
  extraPrefsFirefox: { ...extraPrefsFirefox, "dom.ipc.processCount": 32, "dom.ipc.processPrelaunch.enabled": false },
};

// Opens the tabs. `happens(act)` publishes while something happens to the tab that reads, and waits until all the
// others have what was published.
async function setUp(t, launch, count = TABS) {
  const hub = await t.hub({ retry: "100ms" });
  const url = `${hub.url}?match=a`;
  const tabs = await Tabs.open(t, launch);
  for (let i = 0; i < count; ++i) {
    const tab = await tabs.add();
    await tab.read(url, { shared: true });
  }
  const ids = [];
  const publish = async (count) => {
    for (let i = 0; i < count; ++i) {
      ids.push(await hub.publish({ topic: "a", data: `${ids.length}` }));
    }
  };
  const happens = async (act) => {
    const reader = await tabs.takeReader();
    await publish(EVENTS);
    await Promise.all([act(reader), publish(EVENTS)]);
    await tabs.untilId(ids.at(-1));
    return reader;
  };
  return { hub, url, tabs, ids, publish, happens };
}

// `errors`: what a page may have been told of.
async function check({ tabs, ids }, errors) {
  for (const tab of tabs.all) {
    const seen = await tab.seen();
    assert.deepEqual(seen.ids, ids);
    assert.deepEqual([seen.errors, seen.opened], [errors, 1 + errors.length]);
  }
}

test("Chromium: the tab that reads is closed, killed, frozen, and stands still", { log: SQLITE }, async (t) => {
  const all = await setUp(t, CHROMIUM);
  const { hub, tabs, ids, publish, happens } = all;
  await publish(EVENTS);
  await tabs.untilId(ids.at(-1));
  await hub.streamsOpen(1);

  await happens((reader) => reader.close());
  await happens(async (reader) => {
    const session = await reader.page.createCDPSession();
    const crashed = new Promise((resolve) => reader.page.once("error", resolve));
    session.send("Page.crash").catch(() => {});
    await within(crashed, "the end of the page's process");
  });

  const frozen = await happens(async (reader) => {
    const session = await reader.page.createCDPSession();
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    reader.wake = () => session.send("Page.setWebLifecycleState", { state: "active" });
  });
  await hub.streamsOpen(1);
  await frozen.wake();
  tabs.all.push(frozen);

  // Nobody tells that it stands still: the others have to notice.
  const still = await happens(async (reader) => {
    const session = await reader.page.createCDPSession();
    await session.send("Debugger.enable");
    const paused = new Promise((resolve) => session.once("Debugger.paused", resolve));
    await session.send("Debugger.pause");
    session.send("Runtime.evaluate", { expression: "0" }).catch(() => {}); // it pauses in a script, and none may run
    await within(paused, "the page to stand still");
    reader.wake = () => session.send("Debugger.resume");
  });
  await still.wake();
  tabs.all.push(still);

  await publish(EVENTS);
  await tabs.untilId(ids.at(-1));
  await hub.streamsOpen(1);
  assert.equal(tabs.all.length, TABS - 2);
  await check(all, []);
});

test("Firefox: the tab that reads is closed, and goes to another page and back", { log: SQLITE }, async (t) => {
  const all = await setUp(t, BROWSERS.Firefox);
  const { hub, tabs, happens } = all;
  await hub.streamsOpen(1);
  await happens((reader) => reader.close());
  await happens((reader) => reader.page.goto("about:blank"));
  await hub.streamsOpen(1);
  assert.equal(tabs.all.length, TABS - 2);
  // It breaks the connection of a page that is left before that page is told, which tells the others.
  await check(all, ["network"]);
});

test("Firefox: the tab that reads is killed, and stands still", { log: SQLITE }, async (t) => {
  const all = await setUp(t, FIREFOX);
  const { hub, tabs, ids, publish, happens } = all;
  const pids = tabs.all.map(({ pid }) => pid);
  assert.equal(new Set(pids.filter(Boolean)).size, TABS, `the processes of the tabs: ${pids}`);
  await hub.streamsOpen(1);
  await happens(async ({ pid }) => process.kill(pid, "SIGKILL"));
  await hub.streamsOpen(1);

  // The browser itself goes on, and tells nobody.
  const still = await happens(async ({ pid }) => {
    process.kill(pid, "SIGSTOP");
    t.atEnd(() => process.kill(pid, "SIGCONT"));
  });
  process.kill(still.pid, "SIGCONT");
  tabs.all.push(still);
  await publish(EVENTS);
  await tabs.untilId(ids.at(-1));
  await hub.streamsOpen(1);
  assert.equal(tabs.all.length, TABS - 1);
  await check(all, []);
});

test("Chromium: a tab that comes back by history has what the others had meanwhile", async (t) => {
  const { hub, tabs, ids, publish, happens } = await setUp(t, CHROMIUM, 3);
  const left = await happens(({ page }) => page.goto(`${tabs.server.origin}/?other`));
  await left.page.goBack();
  assert.ok(await left.page.evaluate(() => "seen" in globalThis), "the browser has kept the page");
  tabs.all.push(left);
  await publish(EVENTS);
  await tabs.untilId(ids.at(-1));
  await hub.streamsOpen(1);
  await check({ tabs, ids }, []);
});

// Runs in the page.
const WORK = (url) => new Promise((resolve) => {
  const code = `
    import { EventSource } from "${location.origin}/dist/index.js";
    const source = new EventSource("${url}", { shared: true });
    source.onopen = () => postMessage("open");
    source.onmessage = ({ lastEventId }) => postMessage(lastEventId);`;
  const script = URL.createObjectURL(new Blob([code], { type: "text/javascript" }));
  globalThis.worker = new Worker(script, { type: "module" });
  globalThis.told = [];
  worker.onmessage = ({ data }) => {
    told.push(data);
    resolve();
  };
});

for (const [browser, launch] of Object.entries({ Chromium: CHROMIUM, Firefox: BROWSERS.Firefox })) {
  test(`${browser}: a worker is one of those who share, and reads on for them`, async (t) => {
    const { hub, tabs, ids, publish, happens, url } = await setUp(t, launch, 2);
    const { page } = tabs.all[1];
    await within(page.evaluate(WORK, url), "the worker's stream");
    await publish(EVENTS);
    await happens((reader) => reader.close());
    await publish(EVENTS);
    await tabs.untilId(ids.at(-1));
    const isTold = page.waitForFunction((id) => told.includes(id), { polling: 20, timeout: 0 }, ids.at(-1));
    await within(isTold, "the last event in the worker");
    assert.deepEqual(await page.evaluate(() => told), ["open", ...ids]);
    await hub.streamsOpen(1);
    await check({ tabs, ids }, []);
  });
}
