// SPDX-License-Identifier: Apache-2.0
//
// A page that stops to load (window.stop(), or the browser's button): the native class gives its streams up, ours
// comes back.

import assert from "node:assert/strict";

import { CasesServer } from "../../web/client/src/cases_server_testing.mjs";
import { BROWSERS, launchBrowser } from "../harness/browser.mjs";
import { test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

// Runs in the page: stops while the stream is open, and returns what is told first, and whether it is open again.
const STOP = async (isOurs, url) => {
  const Class = isOurs ? (await import("/dist/index.js")).EventSource : EventSource;
  const source = new Class(url);
  await new Promise((resolve) => (source.onmessage = resolve));
  const told = new Promise((resolve) => {
    source.onerror = ({ reason }) => resolve([source.readyState, reason ?? ""]);
  });
  window.stop();
  const [state, reason] = await told;
  if (state === source.CONNECTING) {
    await new Promise((resolve) => (source.onopen = resolve));
  }
  const last = source.readyState;
  source.close();
  return { state, reason, last };
};
const CLOSED = { state: 2, reason: "", last: 2 };
const BACK = { state: 0, reason: "network", last: 1 };

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: window.stop() is the end of the native class's streams, and ours come back`, async (t) => {
    const server = await CasesServer.open();
    t.atEnd(() => server.close());
    const hub = await t.hub({ retry: "100ms" });
    await hub.publish({ topic: "a", data: "x" });
    const home = await launchBrowser(launch, await t.folder());
    t.atEnd(() => home.close());
    const page = await home.newPage();
    await page.goto(`${server.origin}/`);
    const url = `${hub.url}?match=a&lastEventId=earliest`;
    const stop = (isOurs) => within(page.evaluate(STOP, isOurs, url), "what the page is told");
    assert.deepEqual(await stop(false), CLOSED);
    assert.deepEqual(await stop(true), BACK);
  });
}
