// SPDX-License-Identifier: Apache-2.0
//
// docs/authorization.md: each of its examples, with the hub that `vrelo init` sets up.

import assert from "node:assert/strict";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

import { BROWSERS, launchBrowser } from "../harness/browser.mjs";
import { Command } from "../harness/command.mjs";
import { binary } from "../harness/hub.mjs";
import { fencedBlocks, page } from "../harness/markdown.mjs";
import { test } from "../harness/test.mjs";
import { until } from "../harness/waiting.mjs";

const ADDRESS = "127.0.0.1:3000"; // in all examples
const LIBRARY = new URL("../../web/client/dist/", import.meta.url);
const BLOCKS = [
  "json token", "js token", "js application", "sh service", "js own site", "js other origin", "toml origins",
  "js phone", "toml keys", "sh explain", "sh administrator", "sh revocation",
];

async function block(name) {
  const blocks = fencedBlocks(await page("docs/authorization.md"));
  assert.deepEqual(blocks.map(({ language }) => language), BLOCKS.map((one) => one.split(" ")[0]));
  return blocks[BLOCKS.indexOf(name)].text;
}

// A folder in which `vrelo init` has written settings, and a hub that has them.
async function initialized(t, settings = {}) {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  const run = (line) => Command.start(["bash", "--norc", "-c", line], { cwd: folder, env, input: "" }).ended();
  assert.equal((await run("vrelo init")).status, 0);
  const hub = await t.hub({ config: "vrelo.toml", ...settings }, { folder });
  return { folder, hub, run };
}

// Makes a token as the application does.
async function personsToken({ folder, run }) {
  await writeFile(path.join(folder, "token.mjs"), await block("js token"));
  const print = "import('./token.mjs').then(({ makeToken }) => console.log(makeToken(['orders/7'])))";
  const { status, output, errors } = await run(`node -e "${print}"`);
  assert.deepEqual([status, errors], [0, ""]);
  return output.trim();
}

// Runs the application; returns its port.
async function application(t, { folder }) {
  await writeFile(path.join(folder, "token.mjs"), await block("js token"));
  const overPlainHttp = (await block("js application")).replace("__Secure-", "").replace("Secure; ", "");
  const anyPort = overPlainHttp.replace("8080", "0");
  const told = 'server.on("listening", () => console.log(server.address().port));\n';
  await writeFile(path.join(folder, "app.mjs"), anyPort + told);
  const command = Command.start([process.execPath, "app.mjs"], { cwd: folder, input: "" });
  t.atEnd(() => command.signal("SIGKILL"));
  await command.until(() => command.lines.length > 0, "the application's port");
  return Number(command.lines[0]);
}

// Passes a request on, as a proxy does.
function forward(request, response, { host, port }) {
  const headers = { ...request.headers, host: `${host}:${port}` };
  const asked = http.request({ host, port, method: request.method, path: request.url, headers });
  asked.on("response", (answered) => {
    response.writeHead(answered.statusCode, answered.headers);
    answered.pipe(response);
  });
  response.on("close", () => asked.destroy());
  asked.on("error", () => response.destroy());
  request.pipe(asked);
}

async function publishPrivately(setup, data) {
  const lines = (await block("sh service")).trim().split("\n");
  assert.equal((await setup.run(lines[0])).status, 0);
  const { status, output } = await setup.run(
    lines[1].replace(ADDRESS, setup.hub.authority).replace("data=shipped", `data=${data}`),
  );
  assert.equal(status, 0);
  assert.match(output, /^(urn:uuid:|#)/);
}

// Serves a page with a script, and what the script asks for. It ends with the test.
async function site(t, script, answer) {
  const server = http.createServer(async (request, response) => {
    if (request.url === "/") {
      const type = /^(import|await) /m.test(script) ? ' type="module"' : "";
      response.setHeader("content-type", "text/html");
      response.end(`<!doctype html><body><script${type}>${script}</script>`);
    } else {
      await answer(request, response);
    }
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function open(t, launch, url) {
  const browser = await launchBrowser(launch, await t.folder());
  t.atEnd(() => browser.close());
  const tab = await browser.newPage();
  await tab.goto(url);
  return tab;
}

// Publishes until the page shows it: when its stream is open nobody but the page knows.
function showsWhatIsPublished(setup, tab) {
  return until(async () => {
    await publishPrivately(setup, "shipped");
    return tab.evaluate(() => document.body.textContent.includes("shipped"));
  }, "the page to show an event");
}

test("a token of the documentation's form is one, and its application makes such", async (t) => {
  const setup = await initialized(t);
  const shown = JSON.parse(await block("json token"));
  await writeFile(path.join(setup.folder, "token"), await personsToken(setup));
  const { status, output } = await setup.run("vrelo token inspect token --config vrelo.toml");
  assert.equal(status, 0, output);
  assert.match(output, new RegExp(`^issuer +${shown.iss}$`, "m"));
  assert.match(output, new RegExp(`^audience +${shown.aud}$`, "m"));
  assert.match(output, /^read +orders\/7$/m);
  assert.match(output, /^publish +nothing$/m);
  assert.match(output, /^hub +takes it to read$/m);
});

test("a service publishes with its token, and a person reads what it may", async (t) => {
  const setup = await initialized(t);
  const token = await personsToken(setup);
  const headers = { authorization: `Bearer ${token}` };
  const mine = await setup.hub.subscribe({ match: "orders/7" }, { headers });
  const strangers = await setup.hub.subscribe({ match: "orders/7" });
  await publishPrivately(setup, "shipped");
  assert.equal((await mine.next()).data, "shipped");
  assert.equal((await setup.hub.post({ topic: "orders/7", data: "forged" }, { headers })).status, 403);
  assert.equal((await setup.hub.post({ topic: "orders/7", data: "forged" })).status, 401);
  // A public event comes after all that: strangers get this one alone.
  const publisher = (await readFile(path.join(setup.folder, "publisher.token"), "utf8")).trim();
  const publishing = { headers: { authorization: `Bearer ${publisher}` } };
  assert.equal((await setup.hub.post({ topic: "orders/7", data: "mark" }, publishing)).status, 200);
  assert.equal((await strangers.next()).data, "mark");
  assert.equal((await mine.next()).data, "mark");
});

for (const [name, launch] of Object.entries(BROWSERS)) {
  const options = { browser: true };

  test(`${name}: a page of the hub's own site reads by the cookie that its application sets`, options, async (t) => {
    const setup = await initialized(t, { cookieName: "mercure_access_token" });
    const app = { host: "127.0.0.1", port: await application(t, setup) };
    // The application and the hub behind one address, as a proxy has them.
    const server = await site(t, await block("js own site"), (request, response) =>
      forward(request, response, request.url.startsWith("/.well-known/") ? setup.hub : app),
    );
    const tab = await open(t, launch, `http://127.0.0.1:${server.address().port}/`);
    await showsWhatIsPublished(setup, tab);
  });

  test(`${name}: a page of another origin reads with the library, which asks for a token`, options, async (t) => {
    const setup = await initialized(t);
    const app = { host: "127.0.0.1", port: await application(t, setup) };
    const example = (await block("js other origin")).replace(ADDRESS, setup.hub.authority);
    const script = example.replace('"vrelo"', '"/dist/index.js"');
    const server = await site(t, script, async (request, response) => {
      if (!request.url.startsWith("/dist/")) {
        forward(request, response, app);
      } else {
        response.setHeader("content-type", "text/javascript");
        response.end(await readFile(new URL(request.url.replace("/dist/", ""), LIBRARY)));
      }
    });
    const origin = `http://127.0.0.1:${server.address().port}`;
    const toml = await block("toml origins");
    const file = path.join(setup.folder, "vrelo.toml");
    await writeFile(file, toml.replace("https://www.example.com", origin) + (await readFile(file, "utf8")));
    setup.hub.signal("SIGHUP");
    await setup.hub.logLine(/SIGHUP: settings read/);
    const tab = await open(t, launch, origin);
    await showsWhatIsPublished(setup, tab);
  });
}

test("a phone comes back with a fresh token, and misses nothing", async (t) => {
  const setup = await initialized(t, { retry: "1s" });
  await addAdministrator(setup);
  const example = (await block("js phone"))
    .replace(ADDRESS, setup.hub.authority)
    .replace("8080", `${await application(t, setup)}`);
  await writeFile(path.join(setup.folder, "phone.mjs"), example);
  const phone = Command.start([process.execPath, "phone.mjs"], { cwd: setup.folder, input: "" });
  t.atEnd(() => phone.signal("SIGKILL"));
  await setup.hub.streamsOpen(1);
  await publishPrivately(setup, "shipped");
  await phone.until(() => phone.lines.length === 1, "the first event");
  // All tokens until now are taken back; who fetches another one goes on.
  await revoke(setup);
  await publishPrivately(setup, "on-its-way");
  await phone.until(() => phone.lines.length === 2, "the second event");
  assert.deepEqual(phone.lines, ["shipped", "on-its-way"]);
});

// Gives the hub an issuer for administrators, and makes admin.token.
async function addAdministrator({ folder, hub, run }) {
  assert.equal((await run(await block("sh administrator"))).status, 0);
  hub.adminToken = (await readFile(path.join(folder, "admin.token"), "utf8")).trim();
  hub.signal("SIGHUP");
  await hub.logLine(/SIGHUP: settings read/);
}

// Takes the tokens of the person in the example back.
async function revoke({ hub, run }) {
  const example = (await block("sh revocation")).replace(`${ADDRESS}/admin`, `${hub.authority}/admin`);
  const { status, output } = await run(example);
  assert.equal(status, 0);
  assert.match(output, /^\{"issuer":"http:\/\/127\.0\.0\.1:3000","subject":"eva","at":[0-9]+\}\n$/);
}

test("an administrator asks why a request would be taken", async (t) => {
  const setup = await initialized(t);
  await addAdministrator(setup);
  await publishPrivately(setup, "shipped"); // which makes publisher.token
  const { status, output } = await setup.run((await block("sh explain")).replace(ADDRESS, setup.hub.authority));
  assert.equal(status, 0);
  assert.match(output, /^topic +orders\/7: granted, by \*$/m);
});

test("an administrator takes a person's tokens back", async (t) => {
  const setup = await initialized(t);
  const { hub, run } = setup;
  await addAdministrator(setup);
  const person = await run("vrelo token --config vrelo.toml --subscribe '*' --subject eva");
  const headers = { authorization: `Bearer ${person.output.trim()}` };
  const stream = await hub.subscribe({ match: "orders/7" }, { headers });
  await revoke(setup);
  await stream.ended();
  const again = await hub.stream({ match: "orders/7" }, { headers });
  assert.equal(again.status, 401);
});
