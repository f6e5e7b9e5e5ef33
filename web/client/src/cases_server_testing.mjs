// SPDX-License-Identifier: Apache-2.0
//
// The server behind the cases of the standard, on two origins, with the library and a page that runs them.

import { readFile } from "node:fs/promises";
import http from "node:http";

import { Signal } from "../../../test/harness/waiting.mjs";
import { CASES } from "./cases_testing.mjs";
import { Exchange } from "./server_testing.mjs";

const ROOT = new URL("../", import.meta.url);
const FILE = /^\/(?:dist\/\w+\.js|src\/\w+\.mjs)$/;
const PREFLIGHT = { "access-control-allow-origin": "*", "access-control-allow-headers": "last-event-id" };
const PAGE = '<!doctype html><meta charset="utf-8"><title>test</title>';

export class CasesServer {
  origin;
  otherOrigin;
  nobody; // a URL where nobody listens

  #changed = new Signal();
  #runs = new Map(); // path of a case's run to its exchanges
  #servers = [];
  #preflights = new Set(); // paths of which a preflight was the last request

  static async open() {
    const server = new CasesServer();
    const origins = [];
    for (let i = 0; i < 2; ++i) {
      // An id, which becomes a header, may be of any characters.
      const one = http.createServer({ insecureHTTPParser: true }, (request, response) => {
        server.#answer(request, response).catch((error) => response.destroy(error));
      });
      await new Promise((resolve) => one.listen(0, "127.0.0.1", resolve));
      const { port } = one.address();
      origins.push(`http://127.0.0.1:${port}`);
      server.nobody = `http://127.7.7.7:${port}/`; // this port, where another address is meant
      server.#servers.push(one);
    }
    [server.origin, server.otherOrigin] = origins;
    return server;
  }

  async #answer(request, response) {
    const { pathname, searchParams } = new URL(request.url, this.origin);
    if (pathname.startsWith("/case/")) {
      this.#serveCase(pathname, request, response);
    } else if (pathname.startsWith("/requests/")) {
      await this.#tell(pathname.slice("/requests".length), searchParams, response);
    } else if (FILE.test(pathname)) {
      response.setHeader("content-type", "text/javascript");
      response.end(await readFile(new URL(`.${pathname}`, ROOT)));
    } else if (pathname === "/cookie") {
      response.setHeader("set-cookie", "kind=test; path=/");
      response.end();
    } else if (pathname === "/") {
      response.setHeader("content-type", "text/html");
      response.end(PAGE);
    } else {
      response.writeHead(404).end();
    }
  }

  #exchanges(pathname) {
    if (!this.#runs.has(pathname)) {
      this.#runs.set(pathname, []);
    }
    return this.#runs.get(pathname);
  }

  #serveCase(pathname, request, response) {
    if (request.method === "OPTIONS") {
      this.#preflights.add(pathname);
      response.writeHead(204, PREFLIGHT).end();
      return;
    }
    const exchanges = this.#exchanges(pathname);
    const exchange = new Exchange(request, response, "", this.#changed);
    exchange.otherOrigin = this.otherOrigin;
    exchange.preflight = this.#preflights.delete(pathname);
    exchanges.push(exchange);
    this.#changed.notify();
    CASES[Number(pathname.split("/")[2])].serve?.(exchange, exchanges.length - 1);
  }

  async #tell(pathname, query, response) {
    const exchanges = this.#exchanges(pathname);
    const isThere = () =>
      exchanges.length >= Number(query.get("count") ?? 0) && (!query.get("closed") || exchanges.at(-1).isClosed);
    await this.#changed.until(isThere, `the requests of ${pathname}`);
    if (query.get("cut")) {
      exchanges.at(-1).cut();
    }
    const told = ({ method, target, headers, preflight, isClosed, begunAt }, index) => ({
      method,
      target,
      headers,
      preflight, // was there one before it
      closed: isClosed,
      waitedMs: begunAt - exchanges[index - 1]?.endedAt, // since the end of the one before
    });
    response.end(JSON.stringify(exchanges.map(told)));
  }

  async close() {
    for (const server of this.#servers) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }
}
