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
  return { method, body, test: headers["x-test"], after: query.get("after"), cursor };
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

// Serves an empty page, and /there/INDEX and /here/INDEX.
class Lines {
  answers = [];

  #runs = new Map(); // path to its exchanges

  serve(exchange) {
    const [, kind, index] = exchange.target.split(/[/?]/);
    if (kind === "there" || kind === "here") {
      const exchanges = this.exchanges(`/${kind}/${index}`);
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
    const server = await Server.open({ after: (end) => t.atEnd(end) }, (exchange) => lines.serve(exchange));
    const browser = await launchBrowser(launch, await t.folder());
    t.atEnd(() => browser.close());
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.exposeFunction("untilClosed", (path) => lines.exchanges(path).at(-1).closed());
    await page.addScriptTag({ content: await bundledLines() });
    // As a text, since Firefox hands over a list that is there twice once only.
    lines.answers = JSON.parse(await page.evaluate(() => JSON.stringify(LINES.map(({ answers }) => answers))));
    const abouts = await page.evaluate(() => LINES.map(({ about }) => about));
    const tested = await page.evaluate(() => LINES.flatMap(({ rows }) => rows));
    assert.deepEqual((await rows()).filter((row) => !tested.some((text) => row.includes(text))), []);

    for (const [index, about] of abouts.entries()) {
      const results = {};
      for (const kind of ["there", "here"]) {
        const call = page.evaluate((way, number) => LINES[number][way](`/${way}/${number}`), kind, index);
        const seen = await within(call, `${about}, ${kind}`);
        results[kind] = { seen, sent: lines.exchanges(`/${kind}/${index}`).map(told) };
      }
      assert.deepEqual(results.here, results.there, about);
    }
  });
}
