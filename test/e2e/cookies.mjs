// SPDX-License-Identifier: Apache-2.0
//
// Cookies never act for a stranger. `SameSite=Strict` lets a browser send a cookie to every port of its host, and from
// every subdomain: so a page of somebody else there could publish by its reader's cookie, if the hub did not ask where
// the request comes from.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

import puppeteer from "puppeteer-core";

import { BROWSERS } from "../harness/browser.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { test } from "../harness/test.mjs";
import { AUDIENCE, Issuer } from "../harness/token.mjs";

const HOST = "app.localhost"; // a site of its own, to browsers; they all resolve to this machine
const COOKIE = "access";

// Serves until the test ends; returns the port.
async function serve(t, answer) {
  const server = http.createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return server.address().port;
}

// A hub that takes cookies, and a token to publish with.
async function hubWithCookie(t, settings) {
  const folder = await t.folder();
  const app = new Issuer("https://app.example");
  await app.writeKey(path.join(folder, "app.jwk"));
  await writeFile(
    path.join(folder, "hub.toml"),
    `audiences = ["${AUDIENCE}"]
anonymous = true
${settings}
cookie_name = "${COOKIE}"
[[issuers]]
name = "${app.name}"
keys = ["app.jwk"]
`,
  );
  const hub = await t.hub({ config: "hub.toml" }, { folder });
  return { hub, token: app.token({ publish: ["*"] }) };
}

// A hub behind an address that also signs people in, by a cookie, and remembers what comes to the hub.
async function site(t) {
  const { hub, token } = await hubWithCookie(t, `allowed_hosts = ["${HOST}"]`);
  const publishes = [];
  const port = await serve(t, (request, response) => {
    if (!request.url.startsWith(HUB_PATH)) {
      const scope = `HttpOnly; SameSite=Strict; Path=${HUB_PATH}`;
      response.setHeader("set-cookie", `${COOKIE}=${token}; ${scope}`);
      response.setHeader("content-type", "text/html").end("<!doctype html><title>signed in</title>");
      return;
    }
    const asked = http.request({ host: hub.host, port: hub.port, path: request.url, method: request.method });
    for (const [name, value] of Object.entries(request.headers)) {
      asked.setHeader(name, value);
    }
    asked.on("response", (answered) => {
      const { cookie, origin } = request.headers;
      publishes.push({ hasCookie: cookie?.includes(token) ?? false, origin, status: answered.statusCode });
      response.writeHead(answered.statusCode, answered.headers);
      answered.pipe(response);
    });
    request.pipe(asked);
  });
  return { hub, publishes, origin: `http://${HOST}:${port}` };
}

// What a page does to publish by its reader's cookie. It cannot see what is answered.
async function publish(url) {
  const body = new URLSearchParams({ topic: "a" });
  await fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
}

for (const [name, launch] of Object.entries(BROWSERS)) {
  const title = `${name} sends the cookie to another port and for a subdomain, and the hub refuses it`;
  test(title, { browser: true }, async (t) => {
    const { hub, publishes, origin } = await site(t);
    const port = await serve(t, (request, response) => {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>a stranger's</title>");
    });
    const browser = await puppeteer.launch({ ...launch, env: { ...process.env, HOME: await t.folder() } });
    t.atEnd(() => browser.close());
    const tab = await browser.newPage();
    const url = `${origin}${HUB_PATH}`;

    const reader = await hub.subscribe({ match: "a" });
    const strangers = [`http://${HOST}:${port}`, `http://evil.${HOST}:${port}`];
    await tab.goto(`${origin}/`);
    for (const stranger of strangers) {
      await tab.goto(`${stranger}/`);
      await tab.evaluate(publish, url);
    }
    await tab.goto(`${origin}/`);
    await tab.evaluate(publish, url);
    assert.deepEqual(publishes, [
      { hasCookie: true, origin: strangers[0], status: 403 },
      { hasCookie: true, origin: strangers[1], status: 403 },
      { hasCookie: true, origin, status: 200 },
    ]);
    await reader.next();
    assert.equal(reader.events.length, 1);

    // Only a page of another site gets no cookie.
    await tab.goto(`http://other.localhost:${port}/`);
    await tab.evaluate(publish, url);
    assert.deepEqual(publishes.at(-1), { hasCookie: false, origin: `http://other.localhost:${port}`, status: 401 });
  });
}

test("where the public URL is set, its origin alone publishes by cookie, whatever Host is", async (t) => {
  const publicUrl = `https://hub.example:8443${HUB_PATH}`;
  const { hub, token } = await hubWithCookie(t, `allowed_hosts = ["hub.example"]\npublic_url = "${publicUrl}"`);
  const publish = async (host, from) => {
    const headers = { cookie: `${COOKIE}=${token}`, host, ...from };
    return (await hub.post({ topic: "a" }, { headers })).status;
  };
  // A proxy may leave the port out of Host, or put its own name for the hub there.
  for (const host of ["hub.example:8443", "hub.example", hub.authority]) {
    const statusOf = (origin) => publish(host, { origin });
    assert.equal(await statusOf("https://hub.example:8443"), 200, host);
    assert.equal(await publish(host, { referer: "https://hub.example:8443/page" }), 200, host);
    for (const origin of ["https://hub.example", "http://hub.example", "http://hub.example:8443", hub.origin]) {
      assert.equal(await statusOf(origin), 403, `${origin} at ${host}`);
    }
  }
});
