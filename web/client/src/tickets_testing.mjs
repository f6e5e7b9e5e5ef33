// SPDX-License-Identifier: Apache-2.0
//
// A server that has tickets as the hub has them, and a page that reads with one. Tests say what goes wrong.

import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import http from "node:http";

import { Signal } from "../../../test/harness/waiting.mjs";
import { Exchange } from "./server_testing.mjs";

const ROOT = new URL("../", import.meta.url);
const FILE = /^\/dist\/\w+\.js$/;
const RENEW = 'event: vrelo.renew\ndata: {"in":30}\n\n';
const PROOF = /^(.*)~([A-Za-z0-9_-]{22})$/;

// Reads at once, also where it is prerendered; `?native` by the browser's own class, `?shared…` with the other tabs.
const PAGE = `<!doctype html><meta charset="utf-8"><title>test</title><script type="module">
  import { EventSource } from "/dist/index.js";

  const native = location.search === "?native";
  const shared = location.search.startsWith("?shared");
  const ticket = async () => (await fetch("/tickets", { method: "POST" })).json();
  const source = new EventSource("/stream?match=a", { native, shared, ticket, retry: { minMs: 10, maxMs: 100 } });
  globalThis.source = source;
  globalThis.seen = { data: [], ids: [], errors: [] };
  source.onmessage = ({ data, lastEventId }) => {
    seen.data.push(data);
    seen.ids.push(lastEventId);
  };
  source.onerror = ({ reason, status }) => seen.errors.push(status ? reason + " " + status : reason);
</script>`;

// Opens the page with its own query before it is asked for.
const PRERENDERING = `<!doctype html><meta charset="utf-8"><title>test</title><script>
  const rules = document.createElement("script");
  rules.type = "speculationrules";
  const urls = ["/page" + location.search];
  rules.textContent = JSON.stringify({ prerender: [{ urls, eagerness: "immediate" }] });
  document.head.append(rules);
</script>`;

const SERVICE_WORKER = `
  oninstall = () => skipWaiting();
  onactivate = (event) => event.waitUntil(clients.claim());
  onfetch = (event) => event.respondWith(fetch(event.request));`;

const FILES = {
  "/page": ["text/html", PAGE],
  "/other": ["text/html", '<!doctype html><meta charset="utf-8"><title>other</title>'],
  "/prerendering": ["text/html", PRERENDERING],
  "/worker.js": ["text/javascript", SERVICE_WORKER],
};

export class TicketServer {
  opened = []; // streams, as exchanges with {ticket, cursor}
  refused = []; // statuses of what was answered otherwise
  ticketsGiven = 0;
  hasTickets = true; // else there is none to be had
  nextStatus = undefined; // of the next answer to a request for a stream
  renewsAtOnce = false; // each stream says at its beginning that its session ends soon

  #files;
  #served = new Set(); // names of files that were asked for
  #events = []; // texts; an event's id is its place, from 1
  #tickets = new Map(); // ticket to its session, once there is one
  #changed = new Signal();
  #server;

  // `files` are more of them, as in FILES. The server ends with the test.
  static async open(t, files = {}) {
    const server = new TicketServer();
    server.#files = { ...FILES, ...files };
    server.#server = http.createServer((request, response) => {
      server.#answer(request, response).catch((error) => response.destroy(error));
    });
    await new Promise((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    server.origin = `http://127.0.0.1:${server.#server.address().port}`;
    t.atEnd(() => {
      server.#server.closeAllConnections();
      return new Promise((resolve) => server.#server.close(resolve));
    });
    return server;
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    if (pathname === "/tickets" && !this.hasTickets) {
      this.#refuse(503, response);
    } else if (pathname === "/tickets" && request.method === "POST") {
      const ticket = `vt_${randomBytes(32).toString("base64url")}`;
      this.#tickets.set(ticket, undefined);
      this.ticketsGiven += 1;
      response.writeHead(201, { "content-type": "application/json", "cache-control": "no-store" });
      response.end(JSON.stringify({ ticket, url: `${this.origin}/stream?ticket=${ticket}` }));
    } else if (pathname === "/stream") {
      this.#stream(new Exchange(request, response, "", this.#changed), searchParams);
    } else if (pathname in this.#files || FILE.test(pathname)) {
      const [type, text] = this.#files[pathname] ??
        ["text/javascript", await readFile(new URL(`.${pathname}`, ROOT))];
      response.writeHead(200, { "content-type": type }).end(text);
      this.#served.add(pathname);
      this.#changed.notify();
    } else {
      response.writeHead(404).end();
    }
  }

  #refuse(status, response) {
    this.refused.push(status);
    response.writeHead(status).end();
    this.#changed.notify();
  }

  // The session that a request opens or resumes, and where it begins; undefined: it is refused.
  #session({ headers }, query) {
    const ticket = query.get("ticket");
    const [, cursor, proof] = PROOF.exec(headers["last-event-id"] ?? "") ?? [];
    if (!this.#tickets.has(ticket)) {
      return undefined;
    }
    const session = this.#tickets.get(ticket);
    if (session === undefined) {
      const made = { proof: randomBytes(16).toString("base64url"), isOver: false };
      this.#tickets.set(ticket, made);
      return { ...made, session: made, ticket, cursor: Number(query.get("last_event_id") ?? this.#events.length) };
    }
    const isGood = proof === session.proof && !session.isOver;
    return isGood ? { ...session, session, ticket, cursor: Number(cursor) } : undefined;
  }

  #stream(exchange, query) {
    const { nextStatus } = this;
    this.nextStatus = undefined;
    const found = nextStatus === undefined ? this.#session(exchange, query) : undefined;
    if (found === undefined) {
      this.#refuse(nextStatus ?? 401, exchange.response);
      return;
    }
    Object.assign(exchange, found);
    const id = `${found.cursor}~${found.proof}`;
    exchange.open(`: vrelo heartbeat=15\nevent: vrelo.hello\nretry: 10\ndata: \nid: ${id}\n\n`);
    this.opened.push(exchange);
    if (this.renewsAtOnce) {
      exchange.write(RENEW);
    }
    for (let id = found.cursor + 1; id <= this.#events.length; ++id) {
      this.#send(exchange, id);
    }
    this.#changed.notify();
  }

  #send(exchange, id) {
    exchange.write(`data: ${this.#events[id - 1]}\nid: ${id}~${exchange.proof}\n\n`);
  }

  get #open() {
    return this.opened.filter(({ isClosed, response }) => !isClosed && !response.writableEnded);
  }

  // Publishes an event whose data is its id, and returns that.
  publish() {
    const id = `${this.#events.length + 1}`;
    this.#events.push(id);
    this.#open.forEach((exchange) => this.#send(exchange, this.#events.length));
    return id;
  }
  // Says that the sessions end soon.
  renew() {
    this.#open.forEach((exchange) => exchange.write(RENEW));
  }
  // Ends the sessions.
  end() {
    for (const exchange of this.#open) {
      exchange.session.isOver = true;
      exchange.write('event: vrelo.end\ndata: {"reason":"expired"}\n\n');
      exchange.end();
    }
  }
  // Breaks the connections.
  cut() {
    this.#open.forEach((exchange) => exchange.cut());
  }

  // Waits until somebody has asked for a file.
  untilServed(name) {
    return this.#changed.until(() => this.#served.has(name), `the request for ${name}`);
  }

  // Waits until streams have been opened so many times, and returns the last.
  async untilOpened(count) {
    await this.#changed.until(() => this.opened.length >= count, `the stream number ${count}`);
    return this.opened[count - 1];
  }

  // Waits until so many answers of that status were given.
  async untilRefused(status, count) {
    const isThere = () => this.refused.filter((one) => one === status).length >= count;
    await this.#changed.until(isThere, `${count} answers of ${status}`);
  }
}
