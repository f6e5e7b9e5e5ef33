// SPDX-License-Identifier: Apache-2.0
//
// The page of docs/tickets.md, with the native EventSource of real browsers: from the hub's own origin, another port
// and another site, with and without credentials, while connections break and the hub dies.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";

import puppeteer from "puppeteer-core";

import { BROWSERS, showPrerendered } from "../harness/browser.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { fencedBlocks, page as documentation } from "../harness/markdown.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { sum } from "../harness/metrics.mjs";
import { hubWithTickets, mint, readerToken, streamOf } from "../harness/ticket.mjs";
import { until } from "../harness/waiting.mjs";
import { Worker } from "../harness/worker.mjs";

const CUTS = 10;
const LIBRARY = new URL("../../web/client/dist/", import.meta.url);

// The application of the page: its HTML, its tickets, and the hub behind its own origin.
class Application {
  tickets = 0; // that it has got
  subject = "reader";
  headers = {}; // of the page, besides its own
  requests = []; // that were forwarded: method, Sec-Fetch-Mode and Sec-Fetch-Dest, Sec-Purpose

  static async open(t, script) {
    const application = new Application();
    application.script = script;
    const server = http.createServer((request, response) => application.#answer(request, response));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
    application.port = server.address().port;
    t.atEnd(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    return application;
  }

  async #answer(request, response) {
    if (request.url.startsWith(HUB_PATH)) {
      this.#forward(request, response);
    } else if (request.url === "/tickets") {
      this.tickets += 1;
      const { ticket } = await mint(this.hub, readerToken(this.app, { sub: this.subject }));
      response.end(JSON.stringify({ url: `${this.base}${HUB_PATH}?ticket=${ticket}` }));
    } else if (request.url.startsWith("/dist/")) {
      response.setHeader("content-type", "text/javascript");
      response.end(await readFile(new URL(request.url.slice("/dist/".length), LIBRARY)));
    } else if (request.url === "/prerendering") {
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><title>test</title><script type="speculationrules">
        {"prerender": [{"urls": ["/"], "eagerness": "immediate"}]}</script>`);
    } else if (request.url === "/worker.js") {
      response.setHeader("content-type", "text/javascript");
      response.end(`addEventListener("install", () => skipWaiting());
        addEventListener("activate", (event) => event.waitUntil(clients.claim()));
        addEventListener("fetch", (event) => event.respondWith(fetch(event.request)));`);
    } else if (request.url === "/other") {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>other</title>");
    } else {
      response.setHeader("content-type", "text/html");
      response.setHeader("connection", "close");
      Object.entries(this.headers).forEach(([name, value]) => response.setHeader(name, value));
      response.end(`<!doctype html><title>test</title><script>
        const shown = [];
        const show = (text) => shown.push(text);
        ${this.script}</script>`);
    }
  }

  // As a reverse proxy does it.
  #forward({ method, url, headers }, response) {
    const { host, port } = this.proxy;
    const told = [method, headers["sec-fetch-mode"], headers["sec-fetch-dest"], headers["sec-purpose"]];
    this.requests.push(told.filter(Boolean).join(" "));
    const options = { host, port, method, path: url, headers: { ...headers, connection: "close" } };
    const onward = http.request(options, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.on("data", (chunk) => response.write(chunk));
      answer.on("end", () => response.end());
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    onward.end();
  }
}

async function launch(t, browser) {
  const env = { ...process.env, HOME: await t.folder() };
  const launched = await puppeteer.launch({ ...browser, env });
  t.atEnd(() => launched.close());
  return launched;
}

const script = async () => {
  const [js] = fencedBlocks(await documentation("docs/tickets.md")).filter(({ language }) => language === "js");
  return js.text;
};

const withCredentials = (plain) => {
  const changed = plain.replace(/new EventSource\((.*)\);/, "new EventSource($1, { withCredentials: true });");
  assert.notEqual(changed, plain);
  return changed;
};

// How many a page takes while its connections break.
const TICKETS = { Chromium: 1, Firefox: 1 };

const VARIANTS = ["own origin", "another port", "another site"].flatMap((from) =>
  [false, true].map((credentials) => ({ from, credentials })),
);

// Where the application's page is asked for, and where it finds the hub.
const pageOf = (from, { port }) => `http://${from === "another site" ? "localhost" : "127.0.0.1"}:${port}/`;
const baseFor = (from, { port, proxy }) => `http://127.0.0.1:${from === "own origin" ? port : proxy.port}`;

// What arrives of a ticket's URL in links, images and the like.
const REQUESTS = [
  "GET cors empty", // a preload, and fetch() that accepts anything
  "GET navigate document",
  "GET navigate iframe",
  "GET no-cors empty",
  "GET no-cors empty prefetch",
  "GET no-cors image",
  "GET no-cors script",
  "GET no-cors style",
  "GET no-cors video",
  "HEAD cors empty",
];

// What becomes of a page that was left, and what the page does for it, besides the rule of docs/tickets.md. Chromium
// keeps a page with its stream; Firefox keeps none that has a stream when it is left, even if it closes it at pagehide.
const BACK = {
  "made anew": {
    isKept: false,
    browsers: ["Chromium", "Firefox"],
    headers: { "cache-control": "no-store" },
    script: `
      shown.push(...JSON.parse(sessionStorage.shown ?? "[]"));
      lastId = sessionStorage.lastId;
      addEventListener("pagehide", () => {
        sessionStorage.shown = JSON.stringify(shown);
        sessionStorage.lastId = lastId;
      });`,
    tickets: 2,
  },
  "kept with its stream": { isKept: true, browsers: ["Chromium"], script: "", tickets: 1 },
  "kept, its stream closed at pagehide": {
    isKept: true,
    browsers: ["Chromium"],
    script: `
      addEventListener("pagehide", () => source.close());
      addEventListener("pageshow", ({ persisted }) => persisted && follow(0));`,
    tickets: 2,
  },
  "kept, its stream closed before that": {
    isKept: true,
    browsers: ["Chromium", "Firefox"],
    script: `
      leave = () => source.close();
      addEventListener("pageshow", ({ persisted }) => persisted && follow(0));`,
    tickets: 2,
  },
};

// A hub that the applications' pages may use, behind a proxy that breaks connections.
async function start(t, applications, settings = "") {
  const of = [applications].flat();
  const origins = of.flatMap(({ port }) => ["127.0.0.1", "localhost"].map((host) => `"http://${host}:${port}"`));
  const setup = await hubWithTickets(t, {
    settings: `allowed_origins = [${origins}]\nretry = "100ms"\ntickets_per_minute = 1000\n${settings}`,
    flags: { supervise: true },
  });
  setup.hub.adminToken = setup.admin.authorization.replace("Bearer ", "");
  const proxy = await t.proxy({ host: "127.0.0.1", port: setup.hub.port });
  of.forEach((application) => Object.assign(application, { hub: setup.hub, app: setup.app, proxy }));
  return { ...setup, proxy, worker: new Worker(setup.hub) };
}

const resumed = async (hub) => sum(await hub.metrics(), "vrelo_sessions_resumed_total");
const shown = (page) => page.evaluate(() => shown);
const showsAll = (page, texts) =>
  until(async () => (await shown(page)).length >= texts.length, `${texts.length} events in the page`);

for (const [name, browser] of Object.entries(BROWSERS)) {
  test(`${name} misses nothing of a ticket's stream, wherever the page is from`, { log: SQLITE }, async (t) => {
    const application = await Application.open(t, "");
    const { hub, publish, proxy, worker } = await start(t, application);
    const browsers = await launch(t, browser);
    const plain = await script();
    for (const { from, credentials } of VARIANTS) {
      const about = `${from}${credentials ? ", with credentials" : ""}`;
      application.script = credentials
        ? withCredentials(plain)
        : plain;
      application.subject = about;
      application.base = baseFor(from, application);
      const page = await browsers.newPage();
      const texts = [];
      const say = async (text) => {
        await publish(hub, { topic: "a", data: text, private: "on" });
        texts.push(text);
      };
      const [ticketsBefore, resumedBefore] = [application.tickets, await resumed(hub)];
      proxy.dropAnswers(1); // that of the request which redeems
      await page.goto(pageOf(from, application));
      await until(async () => (await page.evaluate(() => typeof lastId)) === "string", "the first block");
      for (let cut = 0; cut < CUTS; ++cut) {
        await say(`${about} ${cut}`);
        if (cut % 3 === 0) {
          proxy.cut();
        } else if (cut % 3 === 1) {
          const inside = proxy.cutInside();
          await say(`${about} ${cut} cut`);
          await inside;
        } else {
          proxy.dropAnswers(1);
          proxy.cut();
        }
        await say(`${about} ${cut} more`);
        await showsAll(page, texts);
      }
      // Neither grace nor the proof has failed: the browser came back by itself each time.
      assert.equal(application.tickets - ticketsBefore, TICKETS[name], about);
      assert.ok((await resumed(hub)) - resumedBefore >= CUTS, about);
      await worker.kill();
      await until(() => publish(hub, { topic: "a", data: "after" }).then(() => true, () => false), "the next worker");
      texts.push("after");
      await showsAll(page, texts);
      assert.deepEqual(await shown(page), texts, about);
      assert.equal(proxy.dropsLeft, 0, about);
      await page.close();
    }
  });

  test(`${name} comes back to a hub's own port while its supervisor restarts it`, { log: SQLITE }, async (t) => {
    const application = await Application.open(t, await script());
    const { hub, publish, worker } = await start(t, application);
    application.base = `http://127.0.0.1:${hub.port}`;
    const page = await (await launch(t, browser)).newPage();
    await page.goto(`http://127.0.0.1:${application.port}/`);
    await until(async () => (await page.evaluate(() => typeof lastId)) === "string", "the first block");
    const texts = [];
    for (let kill = 0; kill < 3; ++kill) {
      texts.push(`${kill} before`, `${kill} after`);
      await publish(hub, { topic: "a", data: `${kill} before` });
      await showsAll(page, texts.slice(0, -1));
      await worker.kill();
      const say = () => publish(hub, { topic: "a", data: `${kill} after` }).then(() => true, () => false);
      await until(say, "the next worker");
      await showsAll(page, texts);
    }
    assert.deepEqual(await shown(page), texts);
    assert.equal(application.tickets, 1);
  });

  test(`${name} gets another ticket before its session ends, and misses and doubles nothing`, async (t) => {
    const plain = await script();
    const open = ({ credentials }) => Application.open(t, credentials ? withCredentials(plain) : plain);
    const applications = await Promise.all(VARIANTS.map(open));
    const { hub, publish } = await start(t, applications, 'ticket_session = "25s"');
    const browsers = await launch(t, browser);
    const pages = [];
    for (const [i, { from }] of VARIANTS.entries()) {
      applications[i].base = baseFor(from, applications[i]);
      pages.push(await browsers.newPage());
      await pages[i].goto(pageOf(from, applications[i]));
      await until(async () => (await pages[i].evaluate(() => typeof lastId)) === "string", "the first block");
      await pages[i].evaluate(() => {
        globalThis.first = source;
      });
    }
    const texts = [];
    const say = async (text) => {
      texts.push(text);
      await publish(hub, { topic: "a", data: text, private: "on" });
    };
    const hasChanged = () => source !== first && source.readyState === EventSource.OPEN;
    const haveChanged = async () => (await Promise.all(pages.map((page) => page.evaluate(hasChanged)))).every(Boolean);
    while (!(await haveChanged())) {
      await say(`${texts.length}`); // so that the changes are among them
    }
    await say("after the change");
    for (const [i, page] of pages.entries()) {
      const about = Object.values(VARIANTS[i]).join(", ");
      await until(async () => (await shown(page)).includes("after the change"), about);
      assert.deepEqual(await shown(page), texts, about);
      assert.ok(applications[i].tickets >= 2, about);
    }
  });

  for (const [about, { isKept, browsers, headers = {}, script: more, tickets }] of Object.entries(BACK)) {
    if (!browsers.includes(name)) {
      continue;
    }
    test(`${name} misses and doubles nothing after history back, ${about}`, async (t) => {
      const noting = `let persisted; addEventListener("pageshow", (event) => (persisted = event.persisted));
        let leave = () => {};`;
      const application = await Application.open(t, noting + (await script()) + more);
      application.headers = headers;
      const { hub, publish, proxy } = await start(t, application);
      application.base = `http://127.0.0.1:${proxy.port}`;
      const page = await (await launch(t, browser)).newPage();
      await page.goto(`http://127.0.0.1:${application.port}/`);
      await until(async () => (await page.evaluate(() => typeof lastId)) === "string", "the first block");
      const texts = ["one", "two", "away", "back"];
      const say = (data) => publish(hub, { topic: "a", data });
      await say("one");
      await say("two");
      await showsAll(page, texts.slice(0, 2));
      const isAt = (path) => until(
        async () => (await page.evaluate(() => document.readyState + location.pathname).catch(() => "")) ===
          `complete${path}`,
        path,
      );
      await page.evaluate(() => leave());
      await page.goto(`http://127.0.0.1:${application.port}/other`);
      await say("away");
      // (Of a page that was kept nobody tells the driver that it is there.)
      await page.evaluate(() => void setTimeout(() => history.back()));
      await isAt("/");
      await say("back");
      await showsAll(page, texts);
      assert.deepEqual(await shown(page), texts);
      assert.equal(await page.evaluate(() => persisted), isKept);
      assert.equal(application.tickets, tickets);
    });
  }

  test(`${name} misses and doubles nothing behind a service worker`, async (t) => {
    const application = await Application.open(t, await script());
    const { hub, publish, proxy } = await start(t, application);
    application.base = `http://127.0.0.1:${application.port}`;
    const page = await (await launch(t, browser)).newPage();
    await page.goto(`http://127.0.0.1:${application.port}/other`);
    await page.evaluate(async () => {
      await navigator.serviceWorker.register("/worker.js");
      await navigator.serviceWorker.ready;
    });
    await page.goto(`http://127.0.0.1:${application.port}/`);
    await until(async () => (await page.evaluate(() => typeof lastId)) === "string", "the first block");
    assert.ok(await page.evaluate(() => navigator.serviceWorker.controller !== null));
    const texts = [];
    for (let cut = 0; cut < 3; ++cut) {
      for (const text of [`${cut} before`, `${cut} after`]) {
        texts.push(text);
        await publish(hub, { topic: "a", data: text });
        if (text.endsWith("before")) {
          await showsAll(page, texts);
          proxy.cut();
        }
      }
      await showsAll(page, texts);
    }
    assert.deepEqual(await shown(page), texts);
  });

  test(`${name} uses no ticket up but by a stream`, async (t) => {
    const application = await Application.open(t, "");
    const { hub, app } = await start(t, application);
    const { ticket } = await mint(hub, readerToken(app), { match: "a", ttl: "300" });
    const url = `http://127.0.0.1:${application.port}${HUB_PATH}?ticket=${ticket}`;
    application.script = `
      const add = (tag, attributes) => new Promise((resolve) => {
        const element = Object.assign(document.createElement(tag), attributes);
        element.onload = element.onerror = resolve;
        setTimeout(resolve, 3000); // not each of them tells its end
        document.documentElement.append(element);
      });
      const done = Promise.all([
        add("img", { src: "${url}" }),
        add("script", { src: "${url}" }),
        add("iframe", { src: "${url}" }),
        add("link", { rel: "prefetch", href: "${url}" }),
        add("link", { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: "${url}" }),
        add("link", { rel: "stylesheet", href: "${url}" }),
        add("video", { src: "${url}" }),
        fetch("${url}").catch(() => {}),
        fetch("${url}", { method: "HEAD" }).catch(() => {}),
        fetch("${url}", { mode: "no-cors" }).catch(() => {}),
      ]).then(() => "done");`;
    const browsers = await launch(t, browser);
    const page = await browsers.newPage();
    await page.goto(`http://127.0.0.1:${application.port}/`);
    assert.equal(await page.evaluate(() => done), "done");
    const other = await browsers.newPage();
    await other.goto(url).catch(() => {});
    assert.deepEqual([...new Set(application.requests)].sort(), REQUESTS);
    assert.equal((await streamOf(hub, ticket)).status, 200);
  });
}

// These run in a page that is prerendered, after the page's own class or in its place.
const CLASSES = {
  "the native class": script,
  "the library": async () => `
    let lastId;
    import("/dist/index.js").then(({ EventSource }) => {
      const ticket = async () => (await fetch("/tickets", { method: "POST" })).json();
      const source = new EventSource("${HUB_PATH}?match=a", { ticket });
      source.addEventListener("vrelo.hello", () => (lastId = "there"));
      source.onmessage = ({ data }) => show(data);
    });`,
};
for (const [name, make] of Object.entries(CLASSES)) {
  test(`Chromium, ${name}: a prerendered page reads with the hub's ticket, and reads on when shown`, async (t) => {
    const application = await Application.open(t, await make());
    const { hub, publish } = await start(t, application);
    application.base = `http://127.0.0.1:${application.port}`;
    const page = await (await launch(t, BROWSERS.Chromium)).newPage();
    await page.goto(`${application.base}/prerendering`);
    await hub.streamsOpen(1);
    assert.ok(application.requests.every((request) => request.includes("prerender")), `${application.requests}`);
    await publish(hub, { topic: "a", data: "hidden", private: "on" });
    const visible = await showPrerendered(page, "/");
    await publish(hub, { topic: "a", data: "visible", private: "on" });
    await showsAll(visible, ["hidden", "visible"]);
    assert.deepEqual(await shown(visible), ["hidden", "visible"]);
    assert.deepEqual([application.tickets, application.requests.length], [1, 1]);
  });
}
