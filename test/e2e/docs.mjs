// SPDX-License-Identifier: Apache-2.0
//
// What the documentation shows is what happens: its examples are taken from its pages and run.

import assert from "node:assert/strict";
import { access, constants, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";

import puppeteer from "puppeteer-core";

import { BROWSERS } from "../harness/browser.mjs";
import { Command } from "../harness/command.mjs";
import { binary, HUB_PATH } from "../harness/hub.mjs";
import { fencedBlocks, page } from "../harness/markdown.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { within } from "../harness/waiting.mjs";

const ADDRESS = "127.0.0.1:3000"; // in all examples

// The blocks of each page, in their order, by the names that tests give them.
const BLOCKS = {
  "README.md": [
    "sh server", "sh subscribe", "sh publish", "html page", "sh terminal", "sh tokens", "nginx", "caddy", "toml",
  ],
  "docs/wire.md": [
    "sh publish", "sh subscribe", " begin", " event", "sh pattern", "sh template", "sh resume", "sh ticket",
    "json ticket", "json refusal",
  ],
  "docs/tickets.md": ["js page", "sh mint"], // the first is what ticket_browsers.mjs opens
  "docs/settings.md": [],
  "docs/cli.md": [],
};

// Returns what stands in a block, with the address of `hub` where the example has one.
async function block(file, name, hub) {
  const { text } = fencedBlocks(await page(file))[BLOCKS[file].indexOf(name)];
  return hub ? text.replaceAll(ADDRESS, hub.authority) : text;
}

// Starts what a shell does with `text`; it ends with the test.
function shell(t, text, options) {
  const command = Command.start(["bash", "-c", `exec ${text}`], options);
  t.atEnd(() => {
    command.signal("SIGTERM");
    return command.ended();
  });
  return command;
}

// What differs from stream to stream is made equal.
const normalized = (text) => text.replace(/#[\w-]{11}\.[0-9]+/g, "#POSITION").replace(/retry: [0-9]+/, "retry: N");

test("each block of the documentation is one that is tried", async () => {
  for (const [file, names] of Object.entries(BLOCKS)) {
    const blocks = fencedBlocks(await page(file));
    assert.deepEqual(blocks.map(({ language }) => language), names.map((name) => name.split(" ")[0]), file);
  }
  const server = (await block("README.md", "sh server")).trim();
  await access(new URL(`../../${server}`, import.meta.url), constants.X_OK);
});

test("the lines of the README's first screen subscribe and publish", async (t) => {
  const hub = await t.hub();
  const reader = shell(t, await block("README.md", "sh subscribe", hub));
  await reader.printed(/^: vrelo heartbeat=15\n/);
  const writer = await shell(t, await block("README.md", "sh publish", hub)).ended();
  assert.match(writer.output, /^#[\w-]{11}\.1$/);
  await reader.printed(/\ndata: Hello, world\nid: #[\w-]{11}\.1\n\n$/);
});

const inBrowser = { log: SQLITE, browser: true };

test("the README's page of ten lines shows events, and misses none over a restart", inBrowser, async (t) => {
  const folder = await t.folder();
  const first = await t.hub({ retry: "100ms" }, { folder });
  const html = await block("README.md", "html page", first);
  assert.equal(html.split("\n").length - 1, 10);
  const site = http.createServer((request, response) => response.end(html));
  await new Promise((resolve) => site.listen(0, "localhost", resolve));
  t.atEnd(() => site.closeAllConnections());
  t.atEnd(() => site.close());

  const home = await t.folder();
  const browser = await puppeteer.launch({ ...BROWSERS.Chromium, env: { ...process.env, HOME: home } });
  t.atEnd(() => browser.close());
  const tab = await browser.newPage();
  await tab.goto(`http://localhost:${site.address().port}/news.html`);
  await first.streamsOpen(1);

  const publish = await block("README.md", "sh publish", first);
  const items = () => tab.$$eval("#news > li", (all) => all.map((item) => item.textContent));
  const shown = (count) =>
    within(tab.waitForFunction(`document.querySelectorAll("#news > li").length >= ${count}`), `${count} items`);
  await shell(t, publish).ended();
  await shown(1);
  await first.stop();
  const second = await t.hub({ retry: "100ms", listen: first.authority }, { folder });
  await shell(t, publish).ended();
  await shown(2);
  await second.publish({ topic: "news", data: "<b>the end</b>" });
  await shown(3);
  assert.deepEqual(await items(), ["Hello, world", "Hello, world", "<b>the end</b>"]);
});

test("the README's lines for the terminal work", async (t) => {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const options = { cwd: folder, env: { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` } };
  const lines = (await block("README.md", "sh terminal")).trim().split("\n");
  assert.equal(lines.length, 3);

  const hub = shell(t, lines[0].replace(ADDRESS, "127.0.0.1:0"), options);
  await hub.printed(/^listening on http:\/\/.+\n/);
  const authority = hub.lines[0].replace("listening on http://", "");
  const [, subscribe, publish] = lines.map((line) => line.replace(ADDRESS, authority));
  const reader = shell(t, `${subscribe} --from earliest`, options);
  const writer = await shell(t, publish, options).ended();
  assert.match(writer.output, /^urn:uuid:.+\n$/);
  await reader.printed(/message Hello, world\n$/);
  assert.equal(reader.output, `${writer.lines[0]} message Hello, world\n`);
});

test("the README's lines for tokens work, and nobody without one reads or publishes", async (t) => {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  const options = { cwd: folder, env };
  const lines = (await block("README.md", "sh tokens")).trim().split("\n");
  assert.equal(lines.length, 5);
  const run = (line) => Command.start(["bash", "--norc", "-c", line], { ...options, input: "" }).ended();
  assert.equal((await run(lines[0])).status, 0);
  const hub = shell(t, lines[1], { ...options, env: { ...env, VRELO_LISTEN: "127.0.0.1:0" } });
  await hub.printed(/^listening on http:\/\/.+\n/);
  const authority = hub.lines[0].replace("listening on http://", "");
  const [, , make, read, publish] = lines.map((line) => line.replaceAll(ADDRESS, authority));
  assert.equal((await run(make)).status, 0);
  // The pipe is made by hand: what stands behind it has to end with the test.
  const [mint, subscribe] = read.split(" | ");
  const ticket = await run(mint);
  assert.deepEqual([ticket.status, ticket.errors], [0, ""]);
  const reader = shell(t, `${subscribe} --from earliest`, { ...options, input: ticket.output });
  const stranger = shell(t, `${subscribe} --from earliest`.replace("--ticket-file -", "news"), options);
  const refused = await run(publish.replace("--token-file token", ""));
  assert.equal(refused.status, 1);
  assert.match(refused.errors, /\(401\)/);
  assert.equal((await run(publish)).status, 0);
  await reader.printed(/message Hello, you\n$/);
  assert.equal((await run(publish.replace("--private", "").replace("Hello, you", "Hello, all"))).status, 0);
  await stranger.printed(/message Hello, all\n$/);
  assert.doesNotMatch(stranger.output, /Hello, you/);
});

test("a back end gets a ticket as docs/tickets.md shows it", async (t) => {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  const run = (line) => Command.start(["bash", "--norc", "-c", line], { cwd: folder, env, input: "" }).ended();
  assert.equal((await run("vrelo init")).status, 0);
  const hub = await t.hub({ config: "vrelo.toml" }, { folder });
  const [make, mint] = (await block("docs/tickets.md", "sh mint", hub)).trim().split("\n");
  assert.equal((await run(make)).status, 0);
  const ticket = JSON.parse((await run(mint)).output);
  assert.match(ticket.url, /^http:\/\/127\.0\.0\.1:3000\/\.well-known\/mercure\?ticket=vt_.{43}$/);

  const [open] = /curl -N [^`]+/.exec(await page("docs/tickets.md"));
  const options = { cwd: folder, env: { URL: ticket.url.replace(ADDRESS, hub.authority) } };
  const refused = await shell(t, open.replace(/-H '[^']+'/, ""), options).ended();
  assert.equal(JSON.parse(refused.output).status, 406);
  await shell(t, open, options).printed(/^: vrelo heartbeat=15\n/);
});

test("what docs/wire.md shows goes over the wire", async (t) => {
  const hub = await t.hub();
  const read = (name) => block("docs/wire.md", name, hub);
  const reader = shell(t, await read("sh subscribe"));
  const begin = await read(" begin");
  await reader.until(() => normalized(reader.output) === normalized(begin), "the first block");

  await hub.publish({ topic: "weather", type: "headline", data: "Hello, world" });
  const event = normalized(await read(" event"));
  await reader.until(() => normalized(reader.output).endsWith(`\n\n${event}`), "the event");

  const writer = await shell(t, await read("sh publish")).ended();
  assert.match(writer.output, /^#[\w-]{11}\.2$/);
  await reader.printed(/data: Hello, world\nid: #[\w-]{11}\.2\n\n$/);

  const resumed = shell(t, await read("sh resume"));
  await resumed.printed(/\n\ndata: Hello, world\nid: #[\w-]{11}\.2\n\n$/);

  const refused = await hub.post({ data: "a" });
  assert.equal(refused.headers["content-type"], "application/problem+json");
  assert.equal(`${refused.text.trimEnd()}\n`, await read("json refusal"));
  assert.equal(refused.status, refused.json.status);
});

test("what docs/wire.md says of URL patterns is so", async (t) => {
  const hub = await t.hub();
  const reader = shell(t, await block("docs/wire.md", "sh pattern", hub));
  await reader.printed(/^: vrelo heartbeat=15\n/);
  await hub.publish({ topic: "https://shop.example/orders/1", data: "paid" });
  await reader.printed(/\ndata: paid\n/);

  const text = await page("docs/wire.md");
  const table = text.slice(text.indexOf("### URL patterns"), text.indexOf("### Templates"));
  const rows = [...table.matchAll(/^\| `([^`]+)` \| (.*) \| (.*) ?\|$/gm)];
  assert.equal(rows.length, 5);
  const quoted = (cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, topic]) => topic);
  for (const [, pattern, matches, others] of rows) {
    const stream = await hub.subscribe({ match_urlpattern: pattern });
    for (const topic of [...quoted(others), ...quoted(matches)]) {
      await hub.publish({ topic, data: topic });
    }
    const expected = quoted(matches);
    assert.ok(expected.length > 0, pattern);
    assert.deepEqual((await stream.take(expected.length)).map(({ data }) => data), expected, pattern);
    stream.close();
  }
});

test("what docs/wire.md says of templates is so", async (t) => {
  const hub = await t.hub();
  const reader = shell(t, await block("docs/wire.md", "sh template", hub));
  await reader.printed(/^: vrelo heartbeat=15\n/);
  for (const topic of ["https://shop.example/orders/1/items", "https://shop.example/orders/1"]) {
    await hub.publish({ topic, data: topic });
  }
  await reader.printed(/\ndata: https:\/\/shop\.example\/orders\/1\n/);
  assert.ok(!reader.output.includes("items"));
});

test("what docs/wire.md says of refusals and of the operator's pages is so", async (t) => {
  const hub = await t.hub({ bodyBytes: "1KiB", headerBytes: "1KiB" });
  const text = await page("docs/wire.md");
  const rows = [...text.matchAll(/^\| ([0-9, ]+) \| /gm)];
  const listed = new Set(rows.flatMap(([, statuses]) => statuses.split(", ").map(Number)));
  const get = (target, headers = {}) => hub.ask({ target, headers });
  const answers = [
    [400, await hub.post({})],
    [403, await hub.post({ topic: "a" }, { headers: { origin: "https://other.example" } })],
    [404, await get("/nothing")],
    [405, await hub.ask({ method: "DELETE" })],
    [406, await get(`${HUB_PATH}?match=a`, { accept: "text/html" })],
    [413, await hub.post({ topic: "a", data: "a".repeat(2000) })],
    [415, await hub.post("{}", { headers: { "content-type": "application/json" } })],
    [417, await hub.post({ topic: "a" }, { headers: { expect: "a" } })],
    [421, await get(`${HUB_PATH}?match=a`, { host: "other.example" })],
    [431, await get("/healthz", { x: "a".repeat(2000) })],
  ];
  for (const [status, answer] of answers) {
    assert.equal(answer.status, status, answer.text);
    assert.ok(listed.has(status), `${status} is in the table`);
    assert.equal(answer.headers["content-type"], "application/problem+json", String(status));
    assert.equal(answer.json.status, status);
  }
  for (const target of ["/healthz", "/readyz", "/metrics"]) {
    assert.equal((await get(target)).status, 200, target);
    assert.ok(text.includes(`\`${target}\``));
  }
});

// The rows of docs/settings.md: {name, range, standard}.
async function settings() {
  const rows = (await page("docs/settings.md")).matchAll(/^\| `(\w+)` \| `.*?`(?:, (.+?))? \| (?:`(.*?)`)? \| /gm);
  return [...rows].map(([, name, range, standard]) => ({ name, range, standard }));
}

// A value for a setting that is its default; for what has none, one that is possible.
const POSSIBLE = {
  allowed_origins: "https://www.example.com",
  allowed_hosts: "events.example.com",
  audiences: "https://events.example.com/.well-known/mercure",
  public_url: "https://events.example.com/.well-known/mercure",
};
const valueOf = ({ name, standard }) => (name === "listen" ? "127.0.0.1:0" : (POSSIBLE[name] ?? standard));

const flagOf = (name) => `--${name.replaceAll("_", "-")}`;

test("docs/settings.md has all settings, and only those", async () => {
  const { output } = await Command.vrelo(["serve", "--help"], { input: "" }).ended();
  const flags = [...output.matchAll(/^ {2}(--[a-z0-9-]+)/gm)].map((match) => match[1]);
  assert.deepEqual(flags, (await settings()).map(({ name }) => flagOf(name)));
});

test("each setting is taken from a flag, the environment and a file", async (t) => {
  const rows = (await settings()).filter(({ name }) => name !== "config");
  const folder = await t.folder();
  const isList = (name) => name.startsWith("allowed_") || name === "audiences";
  const list = (name, value) => (isList(name) ? `["${value}"]` : `"${value}"`);
  const toml = rows.map((row) => `${row.name} = ${list(row.name, valueOf(row))}`).join("\n");
  await writeFile(path.join(folder, "all.toml"), toml.replace(/"([0-9]+|true|false)"/g, "$1"));
  const example = (await page("docs/vrelo.toml")).replace(/^# (\w+ = )/gm, "$1").replace(ADDRESS, "127.0.0.1:0");
  await writeFile(path.join(folder, "vrelo.toml"), example);
  const named = [...example.matchAll(/^(\w+) = /gm)].map((match) => match[1]);
  assert.deepEqual(named, rows.map(({ name }) => name));

  const ways = [
    [rows.flatMap((row) => (/^(true|false)$/.test(row.standard) ? [] : [flagOf(row.name), valueOf(row)])), {}],
    [[], Object.fromEntries(rows.map((row) => [`VRELO_${row.name.toUpperCase()}`, valueOf(row)]))],
    [["--config", "all.toml"], {}],
    [[], { VRELO_CONFIG: "vrelo.toml" }],
  ];
  for (const [args, env] of ways) {
    const hub = Command.vrelo(["serve", ...args], { cwd: folder, env, input: "" });
    await hub.until(() => hub.lines.length > 0 || hub.status !== undefined, "the first line");
    hub.signal("SIGTERM");
    assert.equal((await hub.ended()).status, 0, hub.errors);
    assert.match(hub.output, /^listening on /);
  }
});

test("each setting with a range refuses what is beyond it", async () => {
  const bounded = (await settings()).filter(({ range }) => range);
  assert.ok(bounded.length > 10);
  for (const { name, range } of bounded) {
    const beyond = range.split(" to ")[1].replace(/^[0-9]+/, (digits) => String(Number(digits) + 1)).replace(" ", "");
    const { status, errors } = await Command.vrelo(["serve", flagOf(name), beyond], { input: "" }).ended();
    assert.equal(errors, `vrelo serve: ${flagOf(name)}: "${beyond}" is out of range: ${range}\n`);
    assert.equal(status, 2);
  }
});

test("systemd finds the units right, and the service small in what it may do", async (t) => {
  const folder = await t.folder();
  const program = path.join(folder, "vrelo"); // without the spaces that another path may have
  await symlink(binary(), program);
  for (const name of ["vrelo.socket", "vrelo.service"]) {
    const unit = await page(`docs/systemd/${name}`);
    await writeFile(path.join(folder, name), unit.replace("=/usr/local/bin/vrelo ", `=${program} `));
  }
  const analyze = (...args) => Command.start(["systemd-analyze", ...args], { cwd: folder, input: "" }).ended();
  const verified = await analyze("verify", "--man=no", "./vrelo.socket", "./vrelo.service");
  assert.deepEqual([verified.status, verified.errors], [0, ""]);
  const judged = await analyze("security", "--no-pager", "--offline=true", "--threshold=15", "./vrelo.service");
  assert.equal(judged.status, 0, `more than 1.5 of 10 of what a service can harm:\n${judged.output}`);
});

test("the service takes the socket that systemd holds, and writes into its folder alone", async (t) => {
  const folder = await t.folder();
  const state = path.join(folder, "state");
  await mkdir(state);
  const etc = await t.folder();
  await writeFile(path.join(etc, "vrelo.toml"), await page("docs/vrelo.toml"));
  const [, line] = /^ExecStart=\S+ serve (.+)$/m.exec(await page("docs/systemd/vrelo.service"));
  const flags = line.replace("/etc/vrelo", etc).replace("${STATE_DIRECTORY}", state);
  const settings = Object.fromEntries([...flags.matchAll(/--(\S+) (\S+)/g)].map(([, name, value]) => [name, value]));
  const listener = await t.listener();
  const hub = await t.hubOn(listener, settings, { folder });
  assert.equal(hub.port, listener.port);
  await hub.publish({ topic: "news", data: "Hello" });
  assert.ok((await readdir(state)).includes("vrelo.db"));
  assert.deepEqual(await readdir(folder), ["state"]);
});
