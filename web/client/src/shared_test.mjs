// SPDX-License-Identifier: Apache-2.0
//
// Tabs that share a connection, as sources of one process. Real tabs are in test/e2e/shared.mjs.

import assert from "node:assert/strict";
import test from "node:test";

import { chance } from "../../../test/harness/chance.mjs";
import { until } from "../../../test/harness/waiting.mjs";
import { EventSource, stream } from "../dist/index.js";
import { Locks } from "./locks_testing.mjs";
import { QUICK, Server, Watch } from "./server_testing.mjs";

const SEED = 8;

Object.defineProperty(globalThis, "navigator", { value: { locks: new Locks() }, configurable: true });

const stay = (text, headers) => (exchange) => exchange.open(text, headers);
const event = (id) => `id: ${id}\ndata: ${id}\n\n`;
const told = (id) => `message ${id} #${id}`;

// Opens a tab.
const open = (t, server, options = {}) =>
  new Watch(t, new EventSource(server.url, { ...QUICK, shared: true, ...options }));

// Opens tabs, one after the other, and waits until each is open.
async function openTabs(t, server, count, options) {
  const tabs = [];
  for (let i = 0; i < count; ++i) {
    tabs.push(open(t, server, options));
    await tabs[i].until(1);
  }
  return tabs;
}

test("shared: ten tabs have one connection, and each event once", async (t) => {
  const server = await Server.open(t, stay());
  const tabs = await openTabs(t, server, 10);
  const ids = Array.from({ length: 100 }, (_, i) => `${i}`);
  server.exchanges[0].write(ids.map(event).join(""));
  for (const tab of tabs) {
    assert.deepEqual(await tab.until(101), ["open", ...ids.map(told)]);
    assert.equal(tab.source.readyState, EventSource.OPEN);
  }
  assert.equal(server.exchanges.length, 1);
});

test("shared: when the tab that reads is closed, the next reads on, and no page notices", async (t) => {
  const server = await Server.open(t, stay());
  const tabs = await openTabs(t, server, 4);
  server.exchanges[0].write(event(2));
  await Promise.all(tabs.map((tab) => tab.until(2)));
  for (let id = 3; id <= 5; ++id) {
    tabs.shift().source.close();
    await server.exchanges[id - 3].closed();
    const next = await server.exchange(id - 2);
    assert.equal(next.headers["last-event-id"], `${id - 1}`);
    next.write(event(id));
    await Promise.all(tabs.map((tab) => tab.until(tab.entries.length + 1)));
  }
  const entries = tabs[0].entries;
  assert.deepEqual(entries.slice(-4), [2, 3, 4, 5].map(told));
  assert.ok(entries.every((entry) => !entry.startsWith("error")));
  tabs[0].source.close();
  await server.exchanges[3].closed();
});

test("shared: all tabs are told of a failure, and of what happens next", async (t) => {
  const server = await Server.open(t, stay(), stay(event(2)), (exchange) => exchange.end(404));
  const tabs = await openTabs(t, server, 3);
  server.exchanges[0].write(event(1));
  await Promise.all(tabs.map((tab) => tab.until(2)));
  server.exchanges[0].end();
  const second = await server.exchange(1);
  await Promise.all(tabs.map((tab) => tab.until(5)));
  second.end();
  for (const tab of tabs) {
    const entries = await tab.until(7);
    assert.deepEqual(entries, ["open", told(1), "error closed reconnects", "open", told(2),
      "error closed reconnects", "error http 404 has given up"]);
    assert.equal(tab.source.readyState, EventSource.CLOSED);
  }
  assert.equal(server.exchanges.length, 3);
});

test("shared: when retryOn throws, all tabs have failed, and the lock is free for the next", async (t) => {
  const server = await Server.open(t, stay(), (exchange) => exchange.end(500), stay());
  const tabs = await openTabs(t, server, 2, { retryOn: () => { throw new Error("of the test"); } });
  server.exchanges[0].end();
  for (const tab of tabs) {
    assert.deepEqual(await tab.until(3), ["open", "error closed reconnects", "error http 500 has given up"]);
  }
  assert.deepEqual(tabs.map(({ lastError }) => lastError.cause?.message), ["of the test", undefined]);
  await openTabs(t, server, 1);
  assert.equal(server.exchanges.length, 3);
});

test("shared: a tab that begins at an id gets what the others have had since then", async (t) => {
  const server = await Server.open(t, stay());
  const [first] = await openTabs(t, server, 1);
  server.exchanges[0].write([1, 2, 3].map(event).join(""));
  await first.until(4);
  const late = open(t, server, { lastEventId: "1" });
  assert.deepEqual(await late.until(3), ["open", told(2), told(3)]);
  assert.equal(server.exchanges.length, 1);
});

test("shared: a tab that begins before what the others have had reads that by itself, and joins them", async (t) => {
  const server = await Server.open(t, stay(), stay());
  const [first] = await openTabs(t, server, 1);
  const shared = server.exchanges[0];
  shared.write(event(5));
  await first.until(2);
  const late = open(t, server, { lastEventId: "3" });
  const own = await server.exchange(1);
  assert.equal(own.headers["last-event-id"], "3");
  own.write(event(4));
  await late.until(2);
  shared.write(event(6));
  await first.until(3);
  own.write(event(5) + event(6));
  await own.closed();
  shared.write(event(7));
  assert.deepEqual(await late.until(5), ["open", ...[4, 5, 6, 7].map(told)]);
  assert.deepEqual(await first.until(4), ["open", ...[5, 6, 7].map(told)]);
  assert.equal(server.exchanges.length, 2);
});

test("shared: a tab that is still catching up hears of the end when it has all that came before", async (t) => {
  const server = await Server.open(t, stay(), stay());
  const first = open(t, server, { finite: true });
  await first.until(1);
  const [shared] = server.exchanges;
  shared.write(event(5));
  await first.until(2);
  const late = open(t, server, { finite: true, lastEventId: "3" });
  const own = await server.exchange(1);
  shared.write(event(6));
  shared.end();
  await first.until(4);
  own.write(event(4));
  await late.until(2);
  own.write(event(5) + event(6));
  assert.deepEqual(await late.until(5), ["open", ...[4, 5, 6].map(told), "error closed has given up"]);
  assert.equal(late.source.readyState, EventSource.CLOSED);
  assert.equal(server.exchanges.length, 2);
});

test("shared: a tab that is still catching up hears at once of a failure that is not the end", async (t) => {
  const server = await Server.open(t, stay());
  const [first] = await openTabs(t, server, 1);
  const [shared] = server.exchanges;
  shared.write(event(5));
  await first.until(2);
  const late = open(t, server, { lastEventId: "3" });
  const own = await server.exchange(1);
  own.write(event(4));
  await late.until(2);
  shared.end();
  const next = await server.exchange(2);
  await late.until(4);
  own.write(event(5));
  await own.closed();
  next.write(event(6));
  assert.deepEqual(await late.until(6), ["open", told(4), "error closed reconnects", "open", told(5), told(6)]);
});

test("shared: a tab that is still catching up when it takes the lock reads on from its own cursor", async (t) => {
  const server = await Server.open(t, stay());
  const [first] = await openTabs(t, server, 1);
  const [shared] = server.exchanges;
  shared.write(event(5));
  await first.until(2);
  const late = open(t, server, { lastEventId: "3" });
  const own = await server.exchange(1);
  own.write(event(4));
  await late.until(2);
  shared.write(event(6));
  await first.until(3);
  first.source.close();
  await own.closed();
  const next = await server.exchange(2);
  assert.equal(next.headers["last-event-id"], "4");
  next.write([5, 6, 7].map(event).join(""));
  assert.deepEqual(await late.until(5), ["open", ...[4, 5, 6, 7].map(told)]);
  assert.equal(server.exchanges.length, 3);
});

test("shared: the hub's greeting comes only where the stream begins", async (t) => {
  const hello = (id) => `event: vrelo.hello\ndata: \nid: ${id}\n\n`;
  const server = await Server.open(t, stay(hello(0) + event(1)), stay(hello(1) + event(2)));
  const tab = new Watch(t, new EventSource(server.url, { ...QUICK, shared: true }), ["vrelo.hello"]);
  await tab.until(3);
  server.exchanges[0].end();
  assert.deepEqual(await tab.until(6),
    ["open", "vrelo.hello  #0", told(1), "error closed reconnects", "open", told(2)]);
});

test("shared: tabs with another URL, other credentials or another name have a connection of their own", async (t) => {
  const server = await Server.open(t, stay("data: a\n\n"));
  await openTabs(t, server, 2);
  await openTabs(t, server, 2, { shared: "a person" });
  await openTabs(t, server, 2, { withCredentials: true });
  await new Watch(t, new EventSource(`${server.url}?a=b`, { shared: true })).until(2);
  assert.equal(server.exchanges.length, 4);
});

// A server that has all that it has sent with an id, and goes on after the id that it is told.
class HistoryServer {
  count = 0; // of events with an id

  #remarks = 0; // events without one

  static async open(t) {
    const history = new HistoryServer();
    history.server = await Server.open(t, (exchange) => {
      const cursor = Number(exchange.headers["last-event-id"] ?? history.count);
      exchange.open(`retry: 1\nevent: vrelo.hello\ndata: \nid: ${cursor}\n\n`);
      for (let id = cursor + 1; id <= history.count; ++id) {
        exchange.write(event(id));
      }
    });
    return history;
  }
  get open() {
    return this.server.exchanges.filter(({ isClosed, response }) => !isClosed && !response.destroyed);
  }
  publish() {
    this.count += 1;
    this.open.forEach((exchange) => exchange.write(event(this.count)));
  }
  // Sends an event without an id to those who read, which says after which one it comes, and its number.
  remark() {
    this.#remarks += 1;
    this.open.forEach((exchange) => exchange.write(`data: ${this.count}+${this.#remarks}\n\n`));
  }
}

// Brings messages later, in their order.
class LateChannel extends BroadcastChannel {
  static below; // for how late

  #last = Promise.resolve();

  set onmessage(listener) {
    super.onmessage = (message) => {
      const delay = LateChannel.below(4);
      this.#last = this.#last
        .then(() => delay && new Promise((resolve) => setTimeout(resolve, delay)))
        .then(() => listener(message));
    };
  }
}

test("shared: whatever happens to tabs and connections, each tab has each event once and in order", async (t) => {
  const random = chance(SEED);
  const below = (limit) => Math.floor(limit * random());
  const { BroadcastChannel: ordinary } = globalThis;
  globalThis.BroadcastChannel = Object.assign(LateChannel, { below });
  t.after(() => (globalThis.BroadcastChannel = ordinary));
  for (let round = 0; round < 30; ++round) {
    const history = await HistoryServer.open(t);
    const tabs = [];
    const add = () => {
      const options = below(3) === 0 && history.count > 0 ? { lastEventId: `${1 + below(history.count)}` } : {};
      tabs.push(open(t, history.server, options));
    };
    const acts = [
      () => history.publish(),
      () => history.publish(),
      () => history.remark(),
      add,
      () => tabs.length > 1 && tabs.splice(below(tabs.length), 1)[0].source.close(),
      () => history.open[0]?.cut(),
      () => navigator.locks.request(`vrelo 1 false ${history.server.url} `, { steal: true }, () => {}),
      () => new Promise((resolve) => setImmediate(resolve)),
      () => new Promise((resolve) => setTimeout(resolve, below(5))),
    ];
    add();
    for (let step = 0; step < 40; ++step) {
      await acts[below(acts.length)]();
    }
    // A tab may be open and not know yet where, as long as nothing has come.
    const hasBegun = ({ entries }) => entries.some((entry) => entry.startsWith("message"));
    const isRemark = (entry) => entry.includes("+");
    await until(() => tabs.every(hasBegun) || history.publish(), "an event in each tab");
    history.publish();
    for (const tab of tabs) {
      const all = (await tab.untilEntry(told(history.count))).filter((entry) => entry.startsWith("message"));
      const ids = all.filter((entry) => !isRemark(entry));
      const first = Number(/#([0-9]+)$/.exec(ids[0])[1]);
      const expected = Array.from({ length: history.count - first + 1 }, (_, i) => told(first + i));
      assert.deepEqual(ids, expected, `round ${round} of seed ${SEED}`);
      // Some of those without an id may be missing.
      const remarks = all.filter(isRemark).map((entry) => entry.match(/[0-9]+/g).map(Number));
      const isInOrder = ([after, number, id], i) => after === id && number > (remarks[i - 1]?.[1] ?? 0);
      assert.ok(remarks.every(isInOrder), `round ${round} of seed ${SEED}: ${all}`);
      tab.source.close();
    }
    await until(() => history.open.length === 0, "no connection");
  }
});

// Has the lock in a tab that says nothing until it is told to.
class Silent {
  wasTaken = false;

  #channel;

  constructor(t, server, options = {}) {
    const name = `vrelo 1 false ${server.url} `;
    this.#channel = new BroadcastChannel(name);
    const held = navigator.locks.request(name, options, () => new Promise(() => {}));
    this.taken = held.catch(() => (this.wasTaken = true));
    t.after(() => this.#channel.close());
  }
  asked(count) {
    return new Promise((resolve) => {
      const seen = [];
      this.#channel.onmessage = ({ data }) => seen.push(data) === count && resolve(seen);
    });
  }
  tell(message) {
    this.#channel.postMessage({ from: "silent", ...message });
  }
}

let linkCount = 0;

const link = (after, id, data = id) => ({ after, event: { type: "message", data, lastEventId: id }, origin: "http://a",
  by: "silent", number: linkCount++ });

test("shared: from a tab that stands still, the lock is taken; what it says later counts no more", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const server = await Server.open(t, stay(event(4)), stay());
  const silent = new Silent(t, server);
  const asked = silent.asked(1);
  const tab = open(t, server);
  const [{ kind, from }] = await asked;
  assert.equal(kind, "ask");
  silent.tell({ kind: "lead", term: 1, to: from, cursor: "1", isOpen: true, links: [] });
  silent.tell({ kind: "event", link: link("1", "2") });
  await tab.until(2);

  // A message is a sign of life.
  t.mock.timers.tick(3000);
  t.mock.timers.tick(3000);
  silent.tell({ kind: "event", link: link("2", "3") });
  await tab.until(3);
  t.mock.timers.tick(3000);
  t.mock.timers.tick(3000);
  assert.equal(silent.wasTaken, false);
  t.mock.timers.tick(3000);
  await silent.taken;
  const { headers } = await server.exchange(0);
  assert.equal(headers["last-event-id"], "3");
  await tab.until(4);
  silent.tell({ kind: "event", link: link("4", "4") });
  silent.tell({ kind: "failure", failure: { reason: "http", status: 500, willReconnect: false, delayMs: 0 } });

  // It wakes up and believes that it leads, which disturbs nobody.
  silent.tell({ kind: "lead", term: 1, cursor: "3", isOpen: true });
  const other = open(t, server);
  await other.until(1);
  server.exchanges[0].write(event(5));
  await other.until(2);
  assert.deepEqual(await tab.until(5), ["open", ...[2, 3, 4, 5].map(told)]);
  assert.deepEqual([other.entries, server.exchanges.length], [["open", told(5)], 1]);
});

test("shared: a tab listens to who leads last, and to anybody when that one is silent", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const server = await Server.open(t, stay());
  const silent = new Silent(t, server);
  const asked = silent.asked(1);
  const tab = open(t, server);
  const [{ from: to }] = await asked;
  const lead = (from, term) => silent.tell({ kind: "lead", from, term, to, cursor: "1", isOpen: true, links: [] });
  lead("b", 2);
  lead("a", 1);
  silent.tell({ kind: "event", from: "a", link: link("1", "x") });
  silent.tell({ kind: "event", from: "b", link: link("1", "2") });
  await tab.until(2);
  const again = silent.asked(1);
  t.mock.timers.tick(3000);
  await again;
  lead("a", 1);
  silent.tell({ kind: "event", from: "a", link: link("2", "3") });
  assert.deepEqual(await tab.until(3), ["open", told(2), told(3)]);
});

// [the option of the tab that becomes visible, whether the one that reads connects again]
const WAKES = [[undefined, true], [{ online: false }, true], [{ visible: false }, false], [false, false]];

test("shared: a tab that becomes visible ends the wait of the one that reads", async (t) => {
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden", baseURI: "http://a/" });
  t.after(() => delete globalThis.document);
  for (const [wake, isWoken] of WAKES) {
    const server = await Server.open(t, stay(event(1)), stay(event(2)));
    const slow = { retry: { minMs: 1e6, maxMs: 1e6, jitter: 0 }, wake: false };
    const [leader] = await openTabs(t, server, 1, slow);
    globalThis.document = document;
    const [other] = await openTabs(t, server, 1, { ...slow, wake });
    delete globalThis.document;
    await leader.until(2);
    server.exchanges[0].end();
    await Promise.all([leader, other].map((tab) => tab.untilEntry("error closed reconnects")));
    document.visibilityState = "visible";
    document.dispatchEvent(new Event("visibilitychange"));
    document.visibilityState = "hidden";
    // Who asks for what is not remembered hears from the other after that one has been woken, and reads by itself.
    const tabs = [leader, other, ...(isWoken ? [] : [open(t, server, { ...slow, lastEventId: "0" })])];
    const { headers } = await server.exchange(1);
    assert.equal(headers["last-event-id"], isWoken ? "1" : "0", JSON.stringify(wake));
    tabs.forEach(({ source }) => source.close());
  }
});

test("shared: a tab asks for what it has missed, and takes events in whatever order they come", async (t) => {
  const server = await Server.open(t, stay());
  const silent = new Silent(t, server);
  let asked = silent.asked(1);
  const tab = open(t, server);
  const [{ from }] = await asked;
  silent.tell({ kind: "lead", term: 1, to: from, cursor: "1", isOpen: true, links: [] });
  await tab.until(1);
  asked = silent.asked(1);
  silent.tell({ kind: "event", link: link("2", "3") });
  const [{ kind, cursor }] = await asked;
  assert.deepEqual([kind, cursor], ["ask", "1"]);
  silent.tell({ kind: "event", link: link("3", "4") });
  silent.tell({ kind: "event", link: link("1", "2") });
  silent.tell({ kind: "lead", term: 1, to: from, cursor: "4", isOpen: true, links: ["1", "2", "3"].map((id) => (
    link(id, `${Number(id) + 1}`))) });
  silent.tell({ kind: "event", link: link("4", "5") });
  assert.deepEqual(await tab.until(5), ["open", ...[2, 3, 4, 5].map(told)]);
  assert.equal(server.exchanges.length, 0);
});

test("shared: a tab that loses the lock before anything came begins where the next one is", async (t) => {
  const server = await Server.open(t, stay());
  const tab = open(t, server);
  await tab.until(1);
  const silent = new Silent(t, server, { steal: true });
  const [{ from: to, cursor }] = await silent.asked(1);
  assert.equal(cursor, undefined);
  silent.tell({ kind: "lead", term: 1e15, to, cursor: "7", isOpen: true, links: [] });
  silent.tell({ kind: "event", link: link("7", "8") });
  assert.deepEqual(await tab.until(2), ["open", told(8)]);
});

test("shared: a tab that had nothing with an id yet gets what it has missed", async (t) => {
  const page = new EventTarget();
  for (const name of ["addEventListener", "removeEventListener"]) {
    globalThis[name] = page[name].bind(page);
    t.after(() => delete globalThis[name]);
  }
  const server = await Server.open(t, stay());
  const silent = new Silent(t, server);
  let asked = silent.asked(1);
  const tab = open(t, server);
  const [{ from: to }] = await asked;
  const lead = (cursor, links) => silent.tell({ kind: "lead", term: 1, to, cursor, isOpen: true, links });
  lead("", []);
  await tab.until(1);
  page.dispatchEvent(new Event("pagehide"));
  asked = silent.asked(1);
  page.dispatchEvent(new Event("pageshow"));
  assert.equal((await asked)[0].cursor, "");
  lead("2", [link("", "1"), link("1", "2")]);
  assert.deepEqual(await tab.until(3), ["open", told(1), told(2)]);
});

test("shared: a tab that had nothing with an id yet goes on from here where what it missed is forgotten", async (t) => {
  const server = await Server.open(t, stay());
  const silent = new Silent(t, server);
  const asked = silent.asked(1);
  const tab = open(t, server);
  const [{ from: to }] = await asked;
  const lead = (cursor, links) => silent.tell({ kind: "lead", term: 1, to, cursor, isOpen: true, links });
  lead("", []);
  lead("8", null);
  silent.tell({ kind: "event", link: link("8", "9") });
  assert.deepEqual(await tab.until(2), ["open", told(9)]);
});

test("shared: an event without an id comes once, whether it is heard, asked for, or read as well", async (t) => {
  const server = await Server.open(t, stay());
  const silent = new Silent(t, server);
  const asked = silent.asked(1);
  const tab = open(t, server);
  const [{ from: to }] = await asked;
  const [two, a] = [link("1", "2"), link("2", "2", "a")];
  const lead = (cursor, links) => silent.tell({ kind: "lead", term: 1, to, cursor, isOpen: true, links });
  lead("1", []);
  silent.tell({ kind: "event", link: two });
  silent.tell({ kind: "event", link: a });
  lead("2", [two, a]);
  lead("9", null); // which is not remembered, so it is read
  const own = await server.exchange(0);
  assert.equal(own.headers["last-event-id"], "2");
  own.write(`${event(3)}data: b\n\n`);
  await tab.untilEntry(told(3));
  silent.tell({ kind: "event", link: link("3", "3", "b") });
  await tab.untilEntry("message b #3");
  silent.tell({ kind: "event", link: link("3", "4") });
  await tab.untilEntry(told(4));
  assert.deepEqual(tab.entries, ["open", told(2), "message a #2", told(3), "message b #3", told(4)]);
});

test("shared: is refused where it cannot be had, with the reason", (t) => {
  const url = "http://127.0.0.1:9/";
  const refused = (options, message) => assert.throws(() => new EventSource(url, options).close(),
    { name: "NotSupportedError", message: `vrelo does not have ${message}` });
  refused({ shared: true, wake: { pauseHidden: true } }, "shared with pauseHidden");
  refused({ shared: true, body: "a" }, "shared with body");
  refused({ shared: true, body: async () => "a" }, "shared with body");
  refused({ shared: true, method: "POST" }, "shared with method");
  refused({ shared: true, native: true }, "native with shared");
  const { navigator } = globalThis;
  t.after(() => Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true }));
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true }); // some versions of Node have locks
  refused({ shared: true }, "shared here");
});

test("shared: is refused by stream(), which reads at its own pace", async () => {
  const events = stream("http://127.0.0.1:9/", { shared: true });
  await assert.rejects(events.next(), { name: "NotSupportedError" });
});
