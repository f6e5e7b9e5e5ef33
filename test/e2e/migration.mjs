// SPDX-License-Identifier: Apache-2.0
//
// Programs of other libraries, and the same with ours: on the same server they send the same and see the same.

import assert from "node:assert/strict";

import { bundledLines } from "../../web/client/src/migration_testing.mjs";
import { Server } from "../../web/client/src/server_testing.mjs";
import { BROWSERS, launchBrowser } from "../harness/browser.mjs";
import { page as readPage } from "../harness/markdown.mjs";
import { test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

// What of a request has to be the same. Where the cursor is, is the library's own choice, unless told.
function told({ method, target, headers, body }) {
  const query = new URL(target, "http://a").searchParams;
  const cursor = headers["last-event-id"] ?? query.get("lastEventId") ?? undefined;
  const [test, fetched] = [headers["x-test"], headers["x-fetch"]];
  return { method, body, test, fetched, cookie: headers.cookie, after: query.get("after"), cursor };
}

function answer(exchange, what) {
  if (typeof what === "number") {
    exchange.end(what);
    return;
  }
  const [, open, text] = /^(open )?(.*)$/s.exec(what);
  exchange.open(text);
  if (!open) {
    exchange.end();
  }
}

// Serves an empty page, and /WAY/INDEX for each way to run a line, to pages of other origins as well.
class Lines {
  answers = [];

  #runs = new Map(); // path to its exchanges

  serve(exchange) {
    const [, way, index] = exchange.target.split(/[/?]/);
    const { origin, "access-control-request-headers": asked } = exchange.headers;
    if (origin !== undefined) {
      exchange.response.setHeader("access-control-allow-origin", origin);
      exchange.response.setHeader("access-control-allow-credentials", "true");
    }
    if (exchange.method === "OPTIONS") {
      exchange.end(204, { "access-control-allow-headers": asked, "access-control-allow-methods": "PUT" });
    } else if (index !== undefined) {
      const exchanges = this.exchanges(`/${way}/${index}`);
      exchanges.push(exchange);
      answer(exchange, this.answers[index][exchanges.length - 1] ?? this.answers[index].at(-1));
    } else {
      exchange.response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>test</title>");
    }
  }

  exchanges(path) {
    if (!this.#runs.has(path)) {
      this.#runs.set(path, []);
    }
    return this.#runs.get(path);
  }
}

// The rows of the README's table.
async function rows() {
  const readme = await readPage("web/client/README.md");
  const section = readme.slice(readme.indexOf("## Coming from another library"), readme.indexOf("## What differs"));
  return section.split("\n").filter((line) => line.startsWith("| ")).slice(1);
}

for (const [name, launch] of Object.entries(BROWSERS)) {
  test(`${name}: each program of another library does with ours what it did`, async (t) => {
    const lines = new Lines();
    const open = () => Server.open({ after: (end) => t.atEnd(end) }, (exchange) => lines.serve(exchange));
    const [server, far] = [await open(), await open()];
    const browser = await launchBrowser(launch, await t.folder());
    t.atEnd(() => browser.close());
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.exposeFunction("untilClosed", (path) => lines.exchanges(path).at(-1).closed());
    await page.addScriptTag({ content: await bundledLines() });
    // As a text, since Firefox hands over a list that is there twice once only.
    const all = JSON.parse(await page.evaluate(() => {
      document.cookie = "kind=test";
      return JSON.stringify(LINES);
    }));
    lines.answers = all.map(({ answers }) => answers);
    const tested = all.flatMap(({ rows: ofLine }) => ofLine);
    assert.deepEqual((await rows()).filter((row) => !tested.some((text) => row.includes(text))), []);

    for (const [index, line] of all.entries()) {
      const run = async (kind, left) => {
        const path = `/${left ? `without-${left}` : kind}/${index}`;
        const url = line.far ? far.origin + path : path;
        const call = page.evaluate((way, number, ...rest) => LINES[number][way](...rest), kind, index, url, left);
        const seen = await within(call, `${line.about}, ${path}`);
        return { seen, sent: lines.exchanges(path).map(told) };
      };
      const there = await run("there");
      assert.deepEqual(await run("here"), there, line.about);
      for (const option of line.options ?? []) {
        assert.notDeepEqual(await run("here", option), there, `${line.about}, without ${option}`);
      }
    }
  });
}
