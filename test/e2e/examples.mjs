// SPDX-License-Identifier: Apache-2.0
//
// examples/: each is run as it stands, but for the address of the hub.

import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { Server } from "../../web/client/src/server_testing.mjs";
import { TicketServer } from "../../web/client/src/tickets_testing.mjs";
import { BROWSERS, launchBrowser } from "../harness/browser.mjs";
import { Command } from "../harness/command.mjs";
import { guardedHub } from "../harness/guarded.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { fencedBlocks, page as readPage } from "../harness/markdown.mjs";
import { test } from "../harness/test.mjs";
import { hubWithTickets, mint, readerToken } from "../harness/ticket.mjs";
import { until, within } from "../harness/waiting.mjs";

const EXAMPLES = new URL("../../examples/", import.meta.url);
const LIBRARY = new URL("../../web/client/dist/", import.meta.url);
const FILE = /^\/(?:node_modules\/vrelo\/dist\/(\w+\.js)|([a-z_]+\.(?:html|js)))$/;
const browsed = { browser: true };
const TYPES = { html: "text/html", js: "text/javascript" };

// A site with the examples and the library. `answers` has functions of an exchange, by path.
async function site(t, answers = {}) {
  const server = await Server.open({ after: (end) => t.atEnd(end) }, async (exchange) => {
    const { pathname } = new URL(exchange.target, "http://a");
    if (pathname in answers) {
      answers[pathname](exchange);
      return;
    }
    const [, library, name] = FILE.exec(pathname) ?? [];
    if (library === undefined && name === undefined) {
      exchange.end(404);
      return;
    }
    const text = await readFile(library ? new URL(library, LIBRARY) : new URL(name, EXAMPLES), "utf8");
    exchange.response.setHeader("content-type", TYPES[pathname.split(".").at(-1)]);
    exchange.response.end(text.replaceAll("https://hub.example", server.hub?.origin));
  });
  return server;
}

// Opens pages of the site, in one browser.
async function open(t, server, ...names) {
  const browser = await launchBrowser(BROWSERS.Chromium, await t.folder());
  t.atEnd(() => browser.close());
  const pages = [];
  for (const name of names) {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/${name}`);
    pages.push(page);
  }
  return pages;
}

// Waits until the page's list has these items.
function shows(page, items) {
  const isThere = (wanted) => {
    const there = [...document.querySelectorAll("li")].map(({ textContent }) => textContent);
    return JSON.stringify(there) === wanted;
  };
  const wait = page.waitForFunction(isThere, { polling: 20, timeout: 0 }, JSON.stringify(items));
  return within(wait, `${items}, in the page`);
}

test("jwt.html shows what its user may read, and nothing else", browsed, async (t) => {
  const server = await site(t, { "/token": ({ response }) => response.end(readerToken("orders/7")) });
  const { hub, publish, readerToken } = await guardedHub(t, server.origin);
  server.hub = hub;
  const [page] = await open(t, server, "jwt.html");
  await hub.streamsOpen(1);
  await publish({ topic: "orders/8", data: "of another", private: "on" });
  await publish({ topic: "orders/7", data: "<b>packed</b>", private: "on" });
  await publish({ topic: "orders/7", data: "shipped", private: "on" });
  await shows(page, ["<b>packed</b>", "shipped"]);
});

test("shared.html shows it in all tabs, by one connection", browsed, async (t) => {
  const session = () => JSON.stringify({ name: "7", token: readerToken("orders/7") });
  const server = await site(t, { "/session": ({ response }) => response.end(session()) });
  const { hub, publish, readerToken } = await guardedHub(t, server.origin);
  server.hub = hub;
  const pages = await open(t, server, "shared.html", "shared.html", "shared.html");
  await hub.streamsOpen(1);
  await until(async () => {
    await publish({ topic: "orders/7", data: "shipped", private: "on" });
    const shown = await Promise.all(pages.map((page) => page.evaluate(() => document.body.textContent)));
    return shown.every((text) => text.includes("shipped"));
  }, "each tab to show an event");
  await hub.streamsOpen(1);
});

test("ticket.html reads by the native class, with a ticket of the hub's", browsed, async (t) => {
  const ticket = async ({ response }) => {
    const { ticket: text } = await mint(setup.hub, readerToken(setup.app, { topics: ["orders/7"] }), {
      match: "orders/7",
    });
    response.end(JSON.stringify({ url: `${setup.hub.url}?ticket=${text}` }));
  };
  const server = await site(t, { "/tickets": ticket });
  const setup = await hubWithTickets(t, { settings: `allowed_origins = ["${server.origin}"]\nanonymous = false` });
  const [page] = await open(t, server, "ticket.html");
  await until(async () => {
    await setup.publish(setup.hub, { topic: "orders/7", data: "shipped", private: "on" });
    return page.evaluate(() => document.body.textContent.includes("shipped"));
  }, "the page to show an event");
});

test("ticket_rule.html gets a new ticket before and after each end, and shows each event once", browsed, async (t) => {
  const page = await readPage("examples/ticket_rule.html");
  const server = await TicketServer.open(t, { "/ticket_rule.html": ["text/html", page] });
  const [tab] = await open(t, server, "ticket_rule.html");
  const seen = [];
  const publish = async () => {
    seen.push(server.publish());
    await shows(tab, seen);
  };
  await server.untilOpened(1);
  await publish();
  server.renew();
  await server.untilOpened(2);
  await server.opened[0].closed();
  await publish();

  server.hasTickets = false;
  server.end();
  seen.push(server.publish()); // while nobody reads
  await server.untilRefused(401, 1); // the browser's own attempt
  await server.untilRefused(503, 2);
  server.hasTickets = true;
  await server.untilOpened(3);
  await publish();

  server.cut(); // the browser comes back by itself
  await server.untilOpened(4);
  await publish();
  assert.equal(server.ticketsGiven, 3);
  assert.ok(server.opened.every(({ target }) => !/~|%7e/i.test(target)));
});

test("ticket_rule.html loses nothing where a session ends before its first event", browsed, async (t) => {
  const page = await readPage("examples/ticket_rule.html");
  const server = await TicketServer.open(t, { "/ticket_rule.html": ["text/html", page] });
  const [tab] = await open(t, server, "ticket_rule.html");
  await server.untilOpened(1);
  server.end();
  const seen = [server.publish()];
  await shows(tab, seen);
});

test("ticket_rule.html reads on with the hub's own tickets, over cuts and the ends of sessions", browsed, async (t) => {
  let tickets = 0;
  const ticket = async ({ response }) => {
    const { ticket: text } = await mint(setup.hub, readerToken(setup.app));
    tickets += 1;
    response.end(JSON.stringify({ url: `http://127.0.0.1:${proxy.port}${HUB_PATH}?ticket=${text}` }));
  };
  const server = await site(t, { "/tickets": ticket });
  const settings = `allowed_origins = ["${server.origin}"]\nretry = "50ms"\nticket_session = "10s"`;
  const setup = await hubWithTickets(t, { settings });
  setup.hub.adminToken = setup.admin.authorization.replace("Bearer ", "");
  const proxy = await t.proxy({ host: "127.0.0.1", port: setup.hub.port });
  const [page] = await open(t, server, "ticket_rule.html");
  await setup.hub.streamsOpen(1);
  const texts = [];
  const say = async () => {
    texts.push(`${texts.length}`);
    await setup.publish(setup.hub, { topic: "a", data: texts.at(-1), private: "on" });
  };
  for (let cut = 0; cut < 3; ++cut) {
    await say();
    await shows(page, texts);
    proxy.cut();
    await say();
  }
  await shows(page, texts);
  assert.equal(tickets, 1);
  await until(async () => {
    await say();
    return tickets === 3;
  }, "another two tickets");
  await say();
  await shows(page, texts);
});

// The page's rule, as docs/tickets.md has it.
async function readRule() {
  const [{ text }] = fencedBlocks(await readPage("docs/tickets.md")).filter(({ language }) => language === "js");
  return text;
}

test("the page of ticket_rule.html is that of docs/tickets.md, and is short", async () => {
  const text = await readRule();
  const example = await readPage("examples/ticket_rule.html");
  assert.ok(example.replaceAll("\n  ", "\n").includes(`\n\n${text}</script>`));
  assert.ok(text.split("\n").length - 1 <= 17);
});

// Runs the page's rule in a world of its own, in which Math.random() is always `chance` and waits are noted in `waits`
// and take no time. `ticket(world)` makes what the back end answers, or throws.
class RuleWorld {
  waits = [];
  nowMs = 1e12;
  source; // the newest

  static run(rule, chance, ticket) {
    const world = new RuleWorld();
    class Source extends EventTarget {
      static CLOSED = 2;
      readyState = 0;
      constructor() {
        super();
        world.source = this;
      }
      close() {}
    }
    const wait = (act, milliseconds) => {
      world.waits.push(milliseconds);
      setImmediate(act);
    };
    const fetch = async () => ({ json: async () => ticket(world) });
    const math = { min: Math.min, random: () => chance };
    const date = { now: () => world.nowMs };
    new Function("EventSource", "fetch", "setTimeout", "Math", "Date", rule)(Source, fetch, wait, math, date);
    return world;
  }

  // Waits until the page has asked for a stream, and opens that.
  async open() {
    await until(() => this.source !== undefined, "a stream");
    this.source.onopen();
  }

  // The browser gives the stream up.
  lose() {
    const lost = this.source;
    this.source = undefined;
    lost.readyState = 2;
    lost.onerror();
  }
}

test("pages of ticket_rule.html that lose their streams at once come back one after the other", async () => {
  const rule = await readRule();
  const PAGES = 1000;
  const worlds = Array.from({ length: PAGES }, (_, i) => RuleWorld.run(rule, i / PAGES, () => ({ url: "/?ticket=" })));
  for (const world of worlds) {
    await world.open();
  }
  assert.ok(worlds.every(({ waits }) => waits.length === 1 && waits[0] === 0), "the first ticket at once");
  worlds.forEach((world) => world.lose());
  assert.deepEqual(worlds.map(({ waits }) => waits[1]), worlds.map((_, i) => (i / PAGES) * 2000));
});

test("ticket_rule.html waits longer each time until a stream was open for a minute, however slow its tickets are",
  async () => {
    let tries = 0;
    const world = RuleWorld.run(await readRule(), 1, (self) => {
      self.nowMs += 61_000;
      if (++tries <= 3) {
        throw new Error("no answer");
      }
      return { url: "/?ticket=" };
    });
    await world.open();
    world.nowMs += 59_000;
    world.lose();
    await world.open();
    world.nowMs += 61_000;
    world.lose();
    await world.open();
    assert.deepEqual(world.waits, [0, 2000, 4000, 8000, 16_000, 2000]);
  });

test("ticket_rule.html waits longer each time where every session ends soon", browsed, async (t) => {
  const rule = await readPage("examples/ticket_rule.html");
  const server = await TicketServer.open(t, { "/ticket_rule.html": ["text/html", rule] });
  server.renewsAtOnce = true;
  const [blank] = await open(t, server, "other");
  const page = await blank.browser().newPage();
  // The page's waits are noted, and take no time.
  await page.evaluateOnNewDocument(() => {
    const original = setTimeout;
    globalThis.waits = [];
    Math.random = () => 1;
    globalThis.setTimeout = (action, milliseconds) => {
      waits.push(milliseconds);
      return original(action, 0);
    };
  });
  await page.goto(`${server.origin}/ticket_rule.html`);
  const first = [0, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000];
  await within(page.waitForFunction((count) => waits.length >= count, { polling: 20, timeout: 0 }, first.length),
    `${first.length} waits`);
  assert.deepEqual((await page.evaluate(() => waits)).slice(0, first.length), first);
});

test("completion.html shows an answer as it comes, over a cut", browsed, async (t) => {
  const words = ["Hello", ",", " how", " are", " you", "?"];
  const event = (index) => `id: ${index}\ndata: ${JSON.stringify({ choices: [{ text: words[index] }] })}\n\n`;
  const asked = [];
  const complete = (exchange) => {
    asked.push(exchange);
    if (asked.length === 1) {
      exchange.open(`retry: 10\n${[0, 1, 2].map(event).join("")}id: 3\ndata: {"cho`);
    } else if (asked.length === 2) {
      exchange.end(429, { "retry-after": "0" });
    } else {
      exchange.open([3, 4, 5].map(event).join("") + "data: [DONE]\n\n");
    }
  };
  const server = await site(t, { "/v1/completions": complete });
  const [page] = await open(t, server, "completion.html");
  const untilText = (text) => within(page.waitForFunction((wanted) => answer.textContent === wanted,
    { polling: 20, timeout: 0 }, text), `"${text}", in the page`);
  await untilText("Hello, how");
  asked[0].cut();
  await untilText("Hello, how are you?");
  await asked[2].closed();
  const told = asked.map(({ method, body, headers }) => [method, body, headers["last-event-id"]]);
  const body = '{"prompt":"Hello","stream":true}';
  assert.deepEqual(told, [["POST", body, undefined], ["POST", body, "2"], ["POST", body, "2"]]);
});

test("worker.html shows what its worker reads", browsed, async (t) => {
  const server = await site(t);
  const hub = (server.hub = await t.hub());
  const [page] = await open(t, server, "worker.html");
  await hub.streamsOpen(1);
  await hub.publish({ topic: "news", data: "rain" });
  await shows(page, ["rain"]);
});

test("node.mjs prints what it reads, and why it does not", async (t) => {
  const { hub, publish, readerToken } = await guardedHub(t);
  const folder = await t.folder();
  await mkdir(path.join(folder, "node_modules"));
  await symlink(fileURLToPath(new URL("..", LIBRARY)), path.join(folder, "node_modules/vrelo"));
  await cp(new URL("node.mjs", EXAMPLES), path.join(folder, "node.mjs"));
  const run = (env) => Command.start([process.execPath, "node.mjs", `${hub.origin}${HUB_PATH}?match=orders/7`],
    { cwd: folder, env, input: "" });
  const refused = await run({}).ended();
  assert.equal(refused.status, 1);
  assert.match(refused.errors, /^auth 401 for good\n/);

  const reader = run({ VRELO_TOKEN: readerToken("orders/7") });
  t.atEnd(() => reader.signal("SIGKILL"));
  await hub.streamsOpen(1);
  await publish({ topic: "orders/7", data: "shipped", type: "order", private: "on" });
  await reader.printed(/^\S+ vrelo.hello \n\S+ order shipped\n$/);
});

test("examples/ has nothing that its page does not list", async () => {
  const listed = [...(await readPage("examples/README.md")).matchAll(/\]\(([a-z_]+\.\w+)\)/g)].map(([, name]) => name);
  const files = (await readdir(EXAMPLES)).filter((name) => name !== "README.md");
  assert.deepEqual(files.sort(), listed.sort());
});
