// SPDX-License-Identifier: Apache-2.0
//
// The JavaScript library in tabs that are seen and not seen.

import assert from "node:assert/strict";

import { Server } from "../../web/client/src/server_testing.mjs";
import { BROWSERS } from "../harness/browser.mjs";
import { Tabs } from "../harness/tabs.mjs";
import { test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

const CORS = { "access-control-allow-origin": "*" };
const SLOW = { minMs: 1e6, maxMs: 1e6, jitter: 0 };

// Each tab but the last is hidden.
const isSeen = (tab, state) => within(
  tab.page.waitForFunction((wanted) => document.visibilityState === wanted, { polling: 20, timeout: 0 }, state),
  `a tab to be ${state}`);

async function setUp(t, launch) {
  const server = await Server.open({ after: (end) => t.atEnd(end) }, (exchange) => exchange.open("data: a\n\n", CORS));
  return { server, tabs: await Tabs.open(t, launch) };
}

// Ends the stream, and waits until all tabs know it.
async function end(server, tabs) {
  server.exchanges[0].end();
  for (const { page } of tabs) {
    const wait = page.waitForFunction(() => seen.errors.length === 1, { polling: 20, timeout: 0 });
    await within(wait, "the end of the stream, in the page");
  }
}

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: a tab that becomes visible waits no longer`, async (t) => {
    const { server, tabs } = await setUp(t, launch);
    const tab = await tabs.add();
    await tab.read(server.url, { retry: SLOW });
    await tabs.add();
    await isSeen(tab, "hidden");
    await end(server, [tab]);
    await tab.page.bringToFront();
    await isSeen(tab, "visible");
    await server.exchange(1);
  });

  test(`${browser}: a tab that becomes visible ends the wait of the one that reads for it`, async (t) => {
    const { server, tabs } = await setUp(t, launch);
    const both = [await tabs.add(), await tabs.add()];
    for (const tab of both) {
      await tab.read(server.url, { retry: SLOW, shared: true });
    }
    const [reader, other] = (await both[0].reads()) ? both : both.reverse();
    await tabs.add();
    await Promise.all(both.map((tab) => isSeen(tab, "hidden")));
    await end(server, both);
    await other.page.bringToFront();
    await isSeen(other, "visible");
    await server.exchange(1);
    await isSeen(reader, "hidden");
    assert.equal(server.exchanges.length, 2);
  });

  test(`${browser}: a hidden tab has no connection if it is told so`, async (t) => {
    const { server, tabs } = await setUp(t, launch);
    const tab = await tabs.add();
    await tab.read(server.url, { wake: { pauseHidden: true } });
    await tabs.add();
    await server.exchanges[0].closed();
    await isSeen(tab, "hidden");
    await tab.page.bringToFront();
    await server.exchange(1);
  });
}
