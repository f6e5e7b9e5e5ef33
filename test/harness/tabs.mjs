// SPDX-License-Identifier: Apache-2.0
//
// Tabs of one browser, at one origin, that read with the JavaScript library.

import { readdir, readFile } from "node:fs/promises";

import { CasesServer } from "../../web/client/src/cases_server_testing.mjs";
import { launchBrowser } from "./browser.mjs";
import { within } from "./waiting.mjs";

// Runs in the page: reads, and keeps what came. `reads` says whether the page has a connection.
const READ = async (url, options) => {
  const { EventSource } = await import("/dist/index.js");
  const send = globalThis.fetch;
  let signal = { aborted: true };
  globalThis.fetch = (target, init) => {
    signal = init.signal;
    return send(target, init);
  };
  globalThis.reads = () => !signal.aborted;
  globalThis.seen = { ids: [], errors: [], opened: 0 };
  const source = new EventSource(url, { retry: { minMs: 10, maxMs: 200 }, ...options });
  globalThis.source = source;
  source.onmessage = ({ lastEventId }) => seen.ids.push(lastEventId);
  source.onerror = ({ reason }) => seen.errors.push(reason);
  await new Promise((resolve) => {
    source.onopen = () => resolve((seen.opened += 1));
  });
};

export class Tab {
  constructor(page) {
    this.page = page;
  }

  read(url, options) {
    return within(this.page.evaluate(READ, url, options), "the stream, in the page");
  }
  reads() {
    return this.page.evaluate(() => reads());
  }
  seen() {
    return this.page.evaluate(() => seen);
  }
  // Waits for the event with this id.
  async untilId(id) {
    const wait = this.page.waitForFunction((wanted) => seen.ids.includes(wanted), { polling: 20, timeout: 0 }, id);
    await within(wait, `the event ${id}, in a page`);
  }
  close() {
    return this.page.close();
  }
}

// Returns the processes of tabs that `browser` has started, itself or by another one.
async function tabProcesses(browser) {
  const parents = new Map();
  const tabs = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name)).map(Number)) {
    const read = (name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => ""); // it may have ended
    parents.set(pid, Number((await read("status")).match(/^PPid:\t([0-9]+)$/m)?.[1]));
    if (/[ \0]tab[ \0]*$/.test(await read("cmdline"))) {
      tabs.push(pid);
    }
  }
  const isUnder = (pid) => pid === browser || (parents.has(pid) && isUnder(parents.get(pid)));
  return tabs.filter(isUnder);
}

export class Tabs {
  all = [];

  // The browser ends with the test.
  static async open(t, launch) {
    const tabs = new Tabs();
    tabs.server = await CasesServer.open();
    t.atEnd(() => tabs.server.close());
    tabs.browser = await launchBrowser(launch, await t.folder());
    t.atEnd(() => tabs.browser.close());
    return tabs;
  }

  // The tab has the process that is new with it as its `pid`, if there is one and the browser tells what each is for.
  async add() {
    const before = await tabProcesses(this.browser.process().pid);
    const page = await this.browser.newPage();
    await page.goto(`${this.server.origin}/`);
    const tab = new Tab(page);
    const added = (await tabProcesses(this.browser.process().pid)).filter((pid) => !before.includes(pid));
    tab.pid = added.length === 1 ? added[0] : undefined;
    this.all.push(tab);
    return tab;
  }

  // Takes the tab that has the connection out of `all`, and returns it.
  async takeReader() {
    for (const [index, tab] of this.all.entries()) {
      if (await tab.reads()) {
        this.all.splice(index, 1);
        return tab;
      }
    }
    throw new Error("no tab has a connection");
  }

  async untilId(id) {
    await Promise.all(this.all.map((tab) => tab.untilId(id)));
  }
}
