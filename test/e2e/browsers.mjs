// SPDX-License-Identifier: Apache-2.0
//
// The native EventSource of real browsers, while the hub restarts and connections break: each event comes
// once and in order, and the page does nothing for it.

import assert from "node:assert/strict";

import { BROWSERS, Page } from "../harness/browser.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { Publisher } from "../harness/publisher.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const RESTARTS = 10;
const CUTS = 10; // besides the one before the first event

for (const [name, launch] of Object.entries(BROWSERS)) {
  test(`${name} gets each event once, over ten restarts and eleven cuts`, { log: SQLITE }, async (t) => {
    const folder = await t.folder();
    const listener = await t.listener();
    const address = { host: "127.0.0.1", port: listener.port };
    const start = () => t.hubOn(listener, { retry: "100ms" }, { folder });
    let hub = await start();
    const proxy = await t.proxy(address);
    const page = await Page.open(launch, await t.folder());
    t.atEnd(() => page.close());

    // A browser that is cut before the first event has no cursor but the one from the hub's greeting.
    await page.listen(`http://${proxy.host}:${proxy.port}${HUB_PATH}?match=a`);
    await page.untilOwn("vrelo.hello");
    proxy.hold();
    proxy.cut();
    await proxy.untilOpened(2);
    const bytesOf = (id) => hub.publishBytes({ topic: "a", id, data: `${id} `.repeat(200) });
    const publisher = new Publisher(address);
    t.atEnd(() => publisher.close());
    await publisher.publish("first", bytesOf("first"));
    proxy.release();
    await page.untilId("first");

    const work = publisher.run(bytesOf);
    const disturb = async () => {
      for (let i = 0; i < RESTARTS + CUTS; ++i) {
        const { opened } = await page.seen();
        if (i % 2 === 0) {
          assert.deepEqual(await hub.stop(), { code: 0, signal: null });
          hub = await start();
        } else {
          await (i % 4 === 1 ? proxy.cut() : proxy.cutInside());
        }
        await page.untilOpened(opened + 1);
        await page.untilId(publisher.ids.at(-1));
      }
      publisher.isStopped = true;
    };
    await Promise.all([work, disturb()]);

    await publisher.publish("last", bytesOf("last"));
    await page.untilId("last");
    const { ids, own, opened } = await page.seen();
    assert.deepEqual(ids, publisher.ids);
    assert.deepEqual(own.filter((type) => type !== "vrelo.hello"), []);
    assert.ok(opened >= 2 + RESTARTS + CUTS, `opened ${opened} times`);
  });
}
