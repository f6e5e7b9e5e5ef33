// SPDX-License-Identifier: Apache-2.0
//
// Streams that a page may not read, by its own policy or as mixed content: the native class gives up, and ours, to
// which fetch does not tell the reason, tries again.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";

import { BROWSERS, launchBrowser } from "../harness/browser.mjs";
import { page as readPage } from "../harness/markdown.mjs";
import { test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

const ORIGIN = "https://page.example";
const HUB = "hub.example"; // it would give everyone a stream
const WEB_CLIENT = new URL("../../web/client/", import.meta.url);
const ROW = "what `connect-src` or the rule of mixed content forbids | given up | tried again";

// What a page is told first, by the native class and by ours.
const CASES = [
  { about: "no policy", url: `https://${HUB}/`, native: "open", ours: "open" },
  { about: "connect-src", url: `https://${HUB}/`, policy: "connect-src 'self'", native: "error 2", ours: "error 0" },
  { about: "mixed content", url: `http://${HUB}/`, native: "error 2", ours: "error 0" },
];

// Answers in the server's place, so that there are pages that came by https. `policy` is the page's.
async function answer(request, policy) {
  const { hostname, pathname } = new URL(request.url());
  if (hostname === HUB) {
    const headers = { "access-control-allow-origin": "*" };
    await request.respond({ contentType: "text/event-stream", headers, body: "data: a\n\n" });
  } else if (pathname.startsWith("/dist/")) {
    const body = await readFile(new URL(`.${pathname}`, WEB_CLIENT));
    await request.respond({ contentType: "text/javascript", body });
  } else {
    const headers = policy === undefined ? {} : { "content-security-policy": policy };
    await request.respond({ contentType: "text/html", headers, body: "<!doctype html><title>test</title>" });
  }
}

// Runs in the page: what the class tells first.
const FIRST = async (isOurs, url) => {
  const Class = isOurs ? (await import("/dist/index.js")).EventSource : EventSource;
  const source = new Class(url);
  return new Promise((resolve) => {
    const tell = (text) => {
      source.close();
      resolve(text);
    };
    source.onopen = () => tell("open");
    source.onerror = () => tell(`error ${source.readyState}`);
  });
};

for (const [browser, launch] of Object.entries(BROWSERS)) {
  test(`${browser}: what a page may not read`, async (t) => {
    assert.ok((await readPage("web/client/README.md")).includes(ROW));
    const home = await launchBrowser(launch, await t.folder());
    t.atEnd(() => home.close());
    for (const { about, url, policy, ...expected } of CASES) {
      const page = await home.newPage();
      const failed = [];
      await page.setRequestInterception(true);
      page.on("request", (request) => answer(request, policy).catch((error) => failed.push(error)));
      await page.goto(`${ORIGIN}/`);
      const first = (isOurs) => within(page.evaluate(FIRST, isOurs, url), `${about}, in the page`);
      assert.deepEqual({ native: await first(false), ours: await first(true) }, expected, about);
      assert.deepEqual(failed, []);
      await page.close();
    }
  });
}
