// SPDX-License-Identifier: Apache-2.0
//
// Real browsers, and a page in them with a native EventSource.

import http from "node:http";

import puppeteer from "puppeteer-core";

import { until, within } from "./waiting.mjs";

// Neither may talk to its maker meanwhile; as root, Chromium runs without its sandbox only.
const CHROMIUM = {
  browser: "chrome",
  executablePath: "/usr/bin/chromium",
  args: ["--disable-background-networking", ...(process.getuid() === 0 ? ["--no-sandbox"] : [])],
};
const FIREFOX = {
  browser: "firefox",
  executablePath: "/usr/bin/firefox-esr",
  extraPrefsFirefox: {
    "app.normandy.enabled": false,
    "app.update.disabledForTesting": true,
    "browser.safebrowsing.downloads.remote.enabled": false,
    "datareporting.policy.dataSubmissionEnabled": false,
    "extensions.getAddons.cache.enabled": false,
    "extensions.update.enabled": false,
    "network.captive-portal-service.enabled": false,
    "network.connectivity-service.enabled": false,
    "services.settings.server": "data:,",
  },
};

export const BROWSERS = { Chromium: CHROMIUM, Firefox: FIREFOX };

// Starts a browser. `home` is a folder for what it writes.
export function launchBrowser(launch, home) {
  return puppeteer.launch({ ...launch, env: { ...process.env, HOME: home } });
}

// Goes to `path`, which was prerendered, and returns that page. As it takes the place of `page`, the driver may lose
// both: a new connection to the browser finds it.
export async function showPrerendered(page, path) {
  await page.evaluate((url) => { setTimeout(() => { location.href = url; }); }, path);
  const isShown = () => performance.getEntriesByType("navigation")[0].activationStart > 0;
  return until(async () => {
    const browser = await puppeteer.connect({ browserWSEndpoint: page.browser().wsEndpoint() });
    for (const one of await browser.pages()) {
      if (await one.evaluate(isShown).catch(() => false)) {
        return one;
      }
    }
    await browser.disconnect();
    return undefined;
  }, "the page to be shown");
}

// What the page keeps of its streams.
const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script>
  const ids = [];     // of messages, in the order in which they came
  const own = [];     // types of the hub's own events
  const waiters = []; // {holds, resolve}
  let opened = 0;
  let source;

  function look() {
    for (const waiter of waiters.filter(({ holds }) => holds())) {
      waiters.splice(waiters.indexOf(waiter), 1);
      waiter.resolve();
    }
  }
  function until(holds) {
    return new Promise((resolve) => {
      waiters.push({ holds, resolve });
      look();
    });
  }
  function open(url) {
    source = new EventSource(url);
    source.onopen = () => { opened += 1; look(); };
    source.onmessage = (event) => { ids.push(event.lastEventId); look(); };
    source.onerror = look;
    for (const type of ["vrelo.hello", "vrelo.position", "vrelo.gap"]) {
      source.addEventListener(type, () => { own.push(type); look(); });
    }
  }
  const isGivenUp = () => source.readyState === EventSource.CLOSED;
</script>`;

// A page in a browser of its own, from an origin that is not the hub's.
export class Page {
  #server;
  #browser;
  #page;

  // `home` is a folder for what the browser writes.
  static async open(launch, home) {
    const page = new Page();
    page.#server = http.createServer((request, response) => {
      response.setHeader("content-type", "text/html");
      response.end(PAGE);
    });
    await new Promise((resolve) => page.#server.listen(0, "127.0.0.1", resolve));
    try {
      page.#browser = await launchBrowser(launch, home);
      page.#page = await page.#browser.newPage();
      await page.#page.goto(`http://127.0.0.1:${page.#server.address().port}/`);
    } catch (error) {
      await page.close();
      throw error;
    }
    return page;
  }

  // Opens the page's one EventSource.
  listen(url) {
    return this.#page.evaluate((target) => open(target), url);
  }

  // Waits until the EventSource has been opened `count` times in all, the first time included.
  untilOpened(count) {
    return this.#until((wanted) => opened >= wanted, count, `the stream to be opened ${count} times`);
  }

  // Waits until the page has had an event of the hub's own.
  untilOwn(type) {
    return this.#until((wanted) => own.includes(wanted), type, type);
  }

  // Waits until the page has had the message with this id.
  untilId(id) {
    return this.#until((wanted) => ids.includes(wanted), id, `the event ${id}`);
  }

  // Waits until `holds(argument)` does, in the page. Fails if the EventSource has given up by then.
  async #until(holds, argument, what) {
    const wait = `until(() => isGivenUp() || (${holds})(${JSON.stringify(argument)})).then(isGivenUp)`;
    if (await within(this.#page.evaluate(wait), `${what}, in the page`)) {
      throw new Error(`the EventSource gave up before ${what}`);
    }
  }

  // Returns what the page has had: {ids, own, opened}.
  seen() {
    return this.#page.evaluate(() => ({ ids, own, opened }));
  }

  async close() {
    await this.#browser?.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
