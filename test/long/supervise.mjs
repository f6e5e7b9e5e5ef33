// SPDX-License-Identifier: Apache-2.0
//
// Native EventSources while the worker of a supervisor is killed and its program replaced, at random
// moments, under load: each event comes once, and those of each publisher in order. script/long runs it.

import assert from "node:assert/strict";
import { copyFile, rename, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { askDuring } from "../harness/asking.mjs";
import { BROWSERS, Page } from "../harness/browser.mjs";
import { chance } from "../harness/chance.mjs";
import { binary } from "../harness/hub.mjs";
import { Publisher } from "../harness/publisher.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";
import { Worker } from "../harness/worker.mjs";

const KILLS = Number(process.env.VRELO_KILLS ?? 20);
const UPGRADES = Number(process.env.VRELO_UPGRADES ?? 5);
const SEED = Number(process.env.VRELO_SEED ?? 1);
const PUBLISHERS = ["a", "b", "c", "d"];
const EVENTS_PER_SECOND = 200; // of all
const LIFE_MS = [500, 14_000]; // of a worker; a short one makes the pause after it longer
const PROBE_MS = 5; // from one connect to the next
const SOON_MS = [0, 1500]; // of one that meets who connects, comes back, catches up

test("browsers miss nothing while the worker is killed and replaced", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const program = path.join(folder, "vrelo");
  await copyFile(binary(), program);
  const hub = await t.hub({ supervise: true, retry: "100ms", drain: "1s" }, { folder, program, lifetimeMs: 0 });
  const worker = new Worker(hub);
  await worker.serves(1);

  const names = Object.keys(BROWSERS);
  const pages = [];
  for (const name of names) {
    const page = await Page.open(BROWSERS[name], await t.folder());
    t.atEnd(() => page.close());
    pages.push(page);
    await page.listen(`${hub.url}?match=a`);
    await page.untilOwn("vrelo.hello");
  }
  const eventsPerSecond = EVENTS_PER_SECOND / PUBLISHERS.length;
  const publishers = PUBLISHERS.map((name) => new Publisher(hub, { name, eventsPerSecond }));
  t.atEnd(() => publishers.forEach((publisher) => publisher.close()));
  const published = () => publishers.reduce((sum, { ids }) => sum + ids.length, 0);
  const bytesOf = (id) => hub.publishBytes({ topic: "a", id, data: `${id} `.repeat(200) });
  const caughtUp = () =>
    Promise.all(pages.flatMap((page) => publishers.map(({ ids }) => page.untilId(ids.at(-1)))));

  const upgrade = async () => {
    await copyFile(binary(), `${program}.new`);
    await rename(`${program}.new`, program);
    hub.signal("SIGUSR2");
    const { ino } = await stat(program);
    const runs = async (pid) => (await stat(`/proc/${pid}/exe`).catch(() => ({}))).ino === ino;
    await until(async () => (await runs(hub.pid)) && (await runs(worker.pid)), "both to be the new program");
  };
  const random = chance(SEED);
  const disturb = async () => {
    let left = { kills: KILLS, upgrades: UPGRADES };
    for (let [shortest, longest] = LIFE_MS; left.kills + left.upgrades > 0; ) {
      await delay(shortest + random() * (longest - shortest));
      const isKill = random() * (left.kills + left.upgrades) < left.kills;
      left = { kills: left.kills - (isKill ? 1 : 0), upgrades: left.upgrades - (isKill ? 0 : 1) };
      const opened = await Promise.all(pages.map(async (page) => (await page.seen()).opened));
      await (isKill ? worker.kill() : upgrade());
      const isSoon = isKill && random() < 0.5 && left.kills + left.upgrades > 0;
      if (!isSoon) {
        await Promise.all(pages.map((page, i) => page.untilOpened(opened[i] + 1)));
        await caughtUp();
      }
      [shortest, longest] = isSoon ? SOON_MS : LIFE_MS;
      const what = `${isKill ? "kill" : "upgrade"}${isSoon ? ", and soon something else" : ""}`;
      console.error(`${what}; ${published()} events; to come: ${JSON.stringify(left)}`);
    }
    for (const publisher of publishers) {
      publisher.isStopped = true;
    }
  };
  const begin = performance.now();
  const runs = publishers.map((publisher) => publisher.run(bytesOf));
  const seen = await askDuring(hub, Promise.all([...runs, disturb()]), PROBE_MS);
  const seconds = (performance.now() - begin) / 1000;

  await caughtUp();
  for (const [i, page] of pages.entries()) {
    const { ids, own, opened } = await page.seen();
    for (const [j, publisher] of publishers.entries()) {
      assert.deepEqual(ids.filter((id) => id.startsWith(PUBLISHERS[j])), publisher.ids);
    }
    assert.equal(ids.length, published());
    assert.deepEqual(own.filter((type) => type !== "vrelo.hello"), []);
    console.log(`row: | ${names[i]} | ${KILLS} | ${UPGRADES} | ${ids.length} | ${opened} |`);
  }
  const { asked, cut, longestMs } = seen;
  console.log(`sentence: Meanwhile (${Math.round(seconds)} s, ${Math.round(published() / seconds)} events/s)`
    + ` ${asked} connections asked for \`/healthz\`, also while no worker was there. None was refused, ${cut} were`
    + ` cut by the death of the worker that had taken them, all others were answered, and that took`
    + ` ${(longestMs / 1000).toFixed(1)} s at most.`);
});
