// SPDX-License-Identifier: Apache-2.0
//
// The library with the hub's own tickets, in browsers. What else may happen to tickets is in client_tickets.mjs.

import assert from "node:assert/strict";

import { BROWSERS } from "../harness/browser.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { sum } from "../harness/metrics.mjs";
import { Tabs } from "../harness/tabs.mjs";
import { test } from "../harness/test.mjs";
import { hubWithTickets, mint, readerToken } from "../harness/ticket.mjs";
import { until, within } from "../harness/waiting.mjs";

// Runs in the page.
const READ = async (ticketless, native) => {
  const { EventSource } = await import("/dist/index.js");
  const ticket = () => globalThis.mintTicket();
  globalThis.seen = { data: [], ids: [], errors: [], renewed: 0 };
  const source = new EventSource(ticketless, { native, ticket, retry: { minMs: 10, maxMs: 100 } });
  source.onmessage = ({ data, lastEventId }) => {
    seen.data.push(data);
    seen.ids.push(lastEventId);
  };
  source.addEventListener("vrelo.renew", () => (seen.renewed += 1));
  source.onerror = ({ reason, status }) => seen.errors.push(status ? `${reason} ${status}` : reason);
  await new Promise((resolve) => source.addEventListener("open", resolve, { once: true }));
};

const CUTS = 3;

for (const [browser, launch] of Object.entries(BROWSERS)) {
  for (const native of [false, true]) {
    const way = native ? "the native class" : "fetch";
    test(`${browser}, ${way}: the hub's tickets, over cuts and the end of a session`, async (t) => {
      const tabs = await Tabs.open(t, launch);
      const settings = `allowed_origins = ["${tabs.server.origin}"]\nretry = "50ms"\nticket_session = "10s"`;
      const { hub, app, admin, publish } = await hubWithTickets(t, { settings });
      hub.adminToken = admin.authorization.replace("Bearer ", "");
      const proxy = await t.proxy({ host: "127.0.0.1", port: hub.port });
      const url = `http://${proxy.host}:${proxy.port}${HUB_PATH}`;
      const { page } = await tabs.add();
      let tickets = 0;
      await page.exposeFunction("mintTicket", async () => {
        tickets += 1;
        return (await mint(hub, readerToken(app))).ticket;
      });
      await within(page.evaluate(READ, `${url}?match=a`, native), "the stream, in the page");
      const expected = { data: [], ids: [] };
      const say = async () => {
        const data = `${expected.data.length}`;
        expected.ids.push(await publish(hub, { topic: "a", data, private: "on" }));
        expected.data.push(data);
        const wait = page.waitForFunction((last) => seen.data.includes(last), { polling: 20, timeout: 0 }, data);
        await within(wait, `the event ${data}, in the page`);
      };
      for (let cut = 0; cut < CUTS; ++cut) {
        await say();
        proxy.cut();
      }
      await say();
      // The browser has come back by its proof; the library, with another ticket each time.
      const resumed = sum(await hub.metrics(), "vrelo_sessions_resumed_total");
      const renewed = await page.evaluate(() => seen.renewed);
      assert.ok(native ? resumed >= CUTS : resumed === 0, `resumed ${resumed} times`);
      assert.ok(native ? tickets <= 1 + renewed : tickets >= 1 + CUTS, `${tickets} tickets`);
      await until(async () => {
        await say();
        return page.evaluate(() => seen.renewed > 0);
      }, "the session's end to come near");
      const before = tickets;
      await until(async () => {
        await say();
        return tickets > before || native;
      }, "another ticket");
      for (let i = 0; i < 10; ++i) {
        await say();
      }
      const { data, ids } = await page.evaluate(() => seen);
      assert.deepEqual({ data, ids }, expected);
      assert.ok(tickets >= 2);
    });
  }
}
