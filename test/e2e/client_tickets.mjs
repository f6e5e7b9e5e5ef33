// SPDX-License-Identifier: Apache-2.0
//
// The library with tickets, in browsers, with fetch and with the native class: whatever ends a stream, the page
// gets each event once and in order, and has no code of its own for it.

import assert from "node:assert/strict";

import { TicketServer } from "../../web/client/src/tickets_testing.mjs";
import { BROWSERS, launchBrowser, showPrerendered } from "../harness/browser.mjs";
import { test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

async function setUp(t, launch) {
  const server = await TicketServer.open(t);
  const browser = await launchBrowser(launch, await t.folder());
  t.atEnd(() => browser.close());
  const page = await browser.newPage();
  // Publishes an event, and waits until the page has it, and those since `first` before it, each once.
  const publish = async (first = 1, reader = page) => {
    const last = server.publish();
    const wait = reader.waitForFunction((id) => globalThis.seen?.data.includes(id), { polling: 20, timeout: 0 }, last);
    await within(wait, `the event ${last}, in the page`);
    const { data, ids, errors } = await reader.evaluate(() => globalThis.seen);
    const expected = Array.from({ length: Number(last) - first + 1 }, (_, i) => `${first + i}`);
    assert.deepEqual([data, ids], [expected, expected]);
    return errors;
  };
  const open = async (path) => {
    await page.goto(`${server.origin}${path}`);
    await server.untilOpened(1);
  };
  return { server, browser, page, publish, open };
}

for (const [browser, launch] of Object.entries(BROWSERS)) {
  for (const [way, path] of [["fetch", "/page"], ["the native class", "/page?native"]]) {
    test(`${browser}, ${way}: a new ticket comes before and after each end, and nothing is lost`, async (t) => {
      const { server, publish, open } = await setUp(t, launch);
      await open(path);
      assert.deepEqual(await publish(), []);

      // Before the end, without a word to the page.
      server.renew();
      const renewed = await server.untilOpened(2);
      assert.deepEqual(await publish(), []);
      await server.opened[0].closed();
      assert.equal(server.ticketsGiven, 2);

      server.end();
      server.publish(); // while nobody reads
      await server.untilOpened(3);
      assert.ok((await publish()).length > 0);

      server.nextStatus = 502;
      server.cut();
      await server.untilOpened(4);
      await publish();
      assert.ok(server.refused.includes(502));

      server.cut();
      const last = await server.untilOpened(5);
      await publish();
      // The proof is for the header alone, which the browser sends by itself; a new ticket has the id in the query.
      const isNative = path !== "/page";
      assert.equal(last.headers["last-event-id"] !== undefined, isNative);
      for (const { target } of server.opened) {
        assert.doesNotMatch(target, /~|%7e/i);
      }
      assert.match(renewed.target, /^\/stream\?ticket=vt_[^&]+&last_event_id=1$/);
      const tickets = new Set(server.opened.map(({ ticket }) => ticket));
      assert.equal(tickets.size, isNative ? server.opened.length - 1 : server.opened.length);
    });

    test(`${browser}, ${way}: a service worker passes the stream on`, async (t) => {
      const { server, page, publish, open } = await setUp(t, launch);
      await page.goto(`${server.origin}/other`);
      await page.evaluate(async () => {
        await navigator.serviceWorker.register("/worker.js");
        await navigator.serviceWorker.ready;
        if (!navigator.serviceWorker.controller) {
          await new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
        }
      });
      await open(path);
      await publish();
      for (let round = 2; round < 5; ++round) {
        server.cut();
        await server.untilOpened(round);
        await publish();
      }
    });

    test(`${browser}, ${way}: another page and back`, async (t) => {
      const { server, page, publish, open } = await setUp(t, launch);
      await open(path);
      await publish();
      await page.goto(`${server.origin}/other`);
      server.cut();
      await server.opened[0].closed();
      server.publish();
      await page.goBack();
      await within(page.waitForFunction(() => globalThis.seen, { polling: 20, timeout: 0 }), "the page");
      // Chromium has kept the page, which comes back to its stream. Firefox loads it again.
      const isKept = browser === "Chromium";
      assert.equal(await page.evaluate(() => seen.data[0] === "1"), isKept);
      await server.untilOpened(2);
      const errors = await publish(isKept ? 1 : 3);
      assert.deepEqual(errors, isKept ? ["network"] : []);
    });
  }
}

for (const [name, launch] of Object.entries(BROWSERS)) {
  test(`${name}: tabs that share a stream have each event once, over a new ticket and the reader's end`, async (t) => {
    const { server, browser } = await setUp(t, launch);
    let last = 0;
    const pages = [];
    const until = (condition, argument, what) => Promise.all(pages.map((page) =>
      within(page.waitForFunction(condition, { polling: 20, timeout: 0 }, argument), `${what}, in a page`)));
    const publish = () => { last = server.publish(); };
    const untilLast = () => until((id) => seen.data.includes(id), last, `the event ${last}`);
    for (let i = 0; i < 3; ++i) {
      pages.push(await browser.newPage());
      await pages[i].goto(`${server.origin}/page?shared=${i}`);
      await until(() => globalThis.source?.readyState === 1, undefined, "the stream");
    }
    publish();
    await untilLast();

    server.renew();
    publish();
    const { headers } = await server.untilOpened(2);
    publish();
    await untilLast();

    const [reader] = pages.splice(Number(headers.referer.split("=")[1]), 1);
    publish();
    await reader.close();
    publish();
    await server.untilOpened(3);
    publish();
    await untilLast();
    const expected = Array.from({ length: Number(last) }, (_, i) => `${i + 1}`);
    for (const page of pages) {
      const { data, ids } = await page.evaluate(() => seen);
      assert.deepEqual([data, ids], [expected, expected]);
    }
    assert.equal(server.ticketsGiven, 3);
    await server.opened[1].closed();
    assert.equal(server.opened[2].isClosed, false);
  });
}

// Where it shares a stream it waits, since the browser lets no page have a lock before it is shown.
for (const query of ["", "?native", "?shared"]) {
  const about = query ? `with ${query.slice(1)}: true` : "by fetch";
  test(`Chromium: a page that is prerendered reads, and reads on when it is shown, ${about}`, async (t) => {
    const { server, page, publish } = await setUp(t, BROWSERS.Chromium);
    await page.goto(`${server.origin}/prerendering${query}`);
    if (query === "?shared") {
      await server.untilServed("/dist/shared.js");
    } else {
      const { headers } = await server.untilOpened(1);
      assert.match(headers["sec-purpose"], /prerender/);
      server.publish();
    }
    const shown = await showPrerendered(page, `/page${query}`);
    await server.untilOpened(1);
    await publish(1, shown);
    assert.equal(server.opened.length, 1);
  });
}
