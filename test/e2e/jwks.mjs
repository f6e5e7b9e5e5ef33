// SPDX-License-Identifier: Apache-2.0
//
// Keys from a JWKS URL, with a real HTTPS server that is not always as it should be.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import https from "node:https";
import path from "node:path";
import { promisify } from "node:util";

import { Connection } from "../harness/http.mjs";
import { askAt } from "../harness/hub.mjs";
import { fencedBlocks, page } from "../harness/markdown.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { comingBack, mint, openTicket, streamOf } from "../harness/ticket.mjs";
import { AUDIENCE, Issuer } from "../harness/token.mjs";
import { Signal } from "../harness/waiting.mjs";

const NAME = "https://idp.example";
const SECRET = "planted-in-the-query";
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });
const key = (kid) => new Issuer(NAME, { kid });

// An issuer's server. `answer(request, response)` says how it answers; at first with the keys in `keys`.
class KeyServer {
  keys = [];
  requests = [];
  answer = (request, response) => response.end(JSON.stringify({ keys: this.keys.map(({ jwk }) => jwk) }));

  #arrived = new Signal();
  #tls;
  #server;

  static async open(t, folder, names = "IP:127.0.0.1") {
    const [file, keyFile] = [path.join(folder, "server.pem"), path.join(folder, "server.key")];
    const subject = ["-subj", "/CN=test", "-addext", `subjectAltName=${names}`, "-days", "2"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    await promisify(execFile)("openssl", ["req", "-x509", ...kind, ...subject, "-keyout", keyFile, "-out", file]);
    const server = new KeyServer();
    server.#tls = { cert: await readFile(file), key: await readFile(keyFile) };
    await server.listen();
    t.atEnd(() => server.close());
    return server;
  }

  async listen() {
    this.#server = https.createServer(this.#tls, (request, response) => {
      this.requests.push(request.url);
      this.#arrived.notify();
      this.answer(request, response);
    });
    await new Promise((resolve) => this.#server.listen(this.port ?? 0, "127.0.0.1", resolve));
    this.port = this.#server.address().port;
  }

  close() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  asked(count) {
    return this.#arrived.until(() => this.requests.length >= count, `${count} requests for keys`);
  }
}

// A hub that takes tokens of whoever has the keys of `server`.
async function hubOf(t, server, folder, { ca = "server.pem", host = "127.0.0.1", more = "", ...settings } = {}) {
  const example = fencedBlocks(await page("docs/authorization.md")).find(({ text }) => text.includes("jwks_url"));
  const url = `https://${host}:${server.port}/jwks?key=${SECRET}`;
  const issuer = example.text.replace(/https:.*\.json/, url) + (ca ? `jwks_ca = "${ca}"\n` : "");
  await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\n${issuer}${more}`);
  return t.hub({ config: "hub.toml", ...settings }, { folder });
}

async function setUp(t, ...keys) {
  const folder = await t.folder();
  const server = await KeyServer.open(t, folder);
  server.keys = keys;
  const hub = await hubOf(t, server, folder);
  await hub.logLine(/keys fetched: issuers\[0\], https:\/\/127\.0\.0\.1:[0-9]+\/jwks\?…: [0-9]+ keys\n/);
  t.atEnd(() => assert.ok(!hub.errorText.includes(SECRET), "the query is in the log"));
  return { folder, server, hub };
}

async function publish(hub, issuer) {
  const response = await hub.post({ topic: "a", data: "x" }, bearer(issuer.token({ publish: ["*"] })));
  return response.status;
}

// Makes the hub fetch the keys once more, and waits for what it has to say of them.
async function fetchAgain(hub, pattern) {
  const before = hub.errorText.length;
  hub.signal("SIGHUP");
  const newLines = () => hub.errorText.slice(before);
  await hub.until(() => pattern.test(newLines()), () => `${pattern} in:\n${newLines()}`);
}

const failure = (text) => new RegExp(`keys not fetched: issuers\\[0\\], https://[^ ]+: ${text}\n`);

test("a new key is taken as soon as its issuer publishes it, and one that is withdrawn ends its streams", async (t) => {
  const [a, b] = [key("a"), key("b")];
  const { server, hub } = await setUp(t, a);
  assert.equal(await publish(hub, a), 200);
  const reader = (issuer) => hub.subscribe({ match: "a" }, bearer(issuer.token({ subscribe: ["*"] })));
  const readers = await Promise.all([reader(a), reader(a), reader(a), reader(a)]);
  assert.equal(server.requests.length, 1);

  server.keys = [a, b];
  assert.equal(await publish(hub, b), 200);
  assert.equal(server.requests.length, 2, "the unknown key is asked for");
  assert.equal(await publish(hub, key("c")), 401);
  assert.equal(server.requests.length, 2, "once a minute");
  const other = await reader(b);
  assert.ok(readers.every((one) => !one.isEnded));

  server.keys = [b];
  let answered;
  server.answer = ((usual) => (request, response) => {
    response.on("finish", () => (answered = Date.now()));
    usual(request, response);
  })(server.answer);
  hub.signal("SIGHUP");
  await Promise.all(readers.map((one) => one.ended()));
  assert.ok(Date.now() - answered < 1000, "within a second");
  assert.equal(await publish(hub, a), 401);
  assert.equal(await publish(hub, b), 200);
  assert.equal((await other.next()).data, "x");
});

test("what is explained waits for a key as the request would", async (t) => {
  const folder = await t.folder();
  const server = await KeyServer.open(t, folder);
  server.keys = [key("a")];
  const admin = new Issuer("https://admin.example", { kid: "admin" });
  await admin.writeKey(path.join(folder, "admin.jwk"));
  const more = `[[issuers]]\nname = "${admin.name}"\nkeys = ["admin.jwk"]\nroles = ["admin"]\n`;
  const hub = await hubOf(t, server, folder, { more });
  await hub.logLine(/keys fetched: issuers\[0\], .*: 1 keys\n/);
  const b = key("b");
  server.keys.push(b);
  const headers = { ...bearer(admin.token()).headers, "explained-token": b.token({ publish: ["*"] }) };
  const { json } = await hub.ask({ target: "/admin/explain?action=publish&topic=a", headers });
  assert.equal(json.allowed, true, JSON.stringify(json));
});

test("a server that cannot be understood changes nothing", async (t) => {
  const [a, b] = [key("a"), key("b")];
  const { server, hub } = await setUp(t, a);
  const stream = await hub.subscribe({ match: "a" }, bearer(a.token({ subscribe: ["*"] })));
  const usual = server.answer;
  const json = (value) => (request, response) => response.end(JSON.stringify(value));
  const wrong = {
    "this is not a JSON object": (request, response) => response.end("<!doctype html>"),
    "keys\\[1\\]\\.kty is oct: a secret that others can read is none": json({
      keys: [a.jwk, { kty: "oct", k: "c2VjcmV0" }],
    }),
    "keys\\[0\\]\\.kty: this is a private key; the hub needs the public one alone": json({
      keys: [{ ...a.jwk, d: "c2VjcmV0" }],
    }),
    "there are 101 keys, of 100 at most": json({ keys: Array(101).fill({ ...a.jwk, kid: undefined }) }),
    "it answers 500": (request, response) => response.writeHead(500).end(),
    "it answers 302, and redirects are not followed": (request, response) =>
      request.url === "/elsewhere"
        ? usual(request, response)
        : response.writeHead(302, { location: "/elsewhere" }).end(),
    "its answer has a Content-Encoding, which was not asked for": (request, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end("x"),
  };
  for (const [text, answer] of Object.entries(wrong)) {
    server.answer = answer;
    await fetchAgain(hub, failure(text));
    assert.equal(await publish(hub, a), 200, text);
  }
  assert.ok(!server.requests.includes("/elsewhere"));
  assert.ok(!hub.errorText.includes("c2VjcmV0"));
  assert.ok(!stream.isEnded);

  // What is unknown is left out.
  server.answer = json({ keys: [{ kty: "new" }, { ...b.jwk, use: "enc", kid: "e" }, b.jwk] });
  await fetchAgain(hub, /not taken: issuers\[0\], [^ ]+: keys\[0\]: its kty signs no tokens\n/);
  await stream.ended();
  assert.equal(await publish(hub, b), 200);
  assert.equal(await publish(hub, a), 401);
});

test("a server that is huge, slow, broken or gone changes nothing, and may come back", async (t) => {
  const [a, b] = [key("a"), key("b")];
  const { server, hub } = await setUp(t, a);
  const usual = server.answer;
  const huge = " ".repeat((256 << 10) + 1);
  const withLength = (request, response) => response.writeHead(200, { "content-length": huge.length }).end(huge);
  const inChunks = (request, response) => {
    response.write(huge.slice(0, 1 << 17));
    response.end(huge.slice(1 << 17));
  };
  const cut = (request, response) => {
    response.writeHead(200, { "content-length": 1000 });
    response.write("{", () => response.destroy());
  };
  const drip = (request, response) => {
    response.writeHead(200);
    const timer = setInterval(() => response.write(" "), 100);
    response.on("close", () => clearInterval(timer));
  };
  for (const [answer, text] of [
    [withLength, "its answer is longer than 256 KiB"],
    [inChunks, "its answer is longer than 256 KiB"],
    [cut, "cannot read its answer: [^\n]+"],
    [drip, "no whole answer within 5 s"],
  ]) {
    server.answer = answer;
    await fetchAgain(hub, failure(text));
    assert.equal(await publish(hub, a), 200, text);
  }

  // Silent: who needs the key waits for 5 s, and others do not notice.
  let began;
  server.answer = () => (began = Date.now());
  const refused = publish(hub, b);
  await server.asked(6);
  assert.equal(await publish(hub, a), 200);
  assert.equal(await refused, 401);
  const waited = Date.now() - began;
  assert.ok(waited > 4500 && waited < 8000, `${waited} ms`);

  await server.close();
  await fetchAgain(hub, failure("cannot connect: Connection refused"));
  assert.equal(await publish(hub, a), 200);

  await server.listen();
  server.answer = usual;
  server.keys = [b];
  await fetchAgain(hub, /keys fetched: /);
  assert.equal(await publish(hub, b), 200);
  assert.equal(await publish(hub, a), 401);
});

test("a hub starts without the server of the keys, and asks for them when they are needed", async (t) => {
  const folder = await t.folder();
  const server = await KeyServer.open(t, folder);
  await server.close();
  const hub = await hubOf(t, server, folder);
  await hub.logLine(failure("cannot connect: Connection refused"));
  assert.equal((await askAt(hub, "/readyz")).status, 200);
  assert.equal((await hub.post({ topic: "a", data: "x" })).status, 401);
  const a = key("a");
  server.keys = [a];
  await server.listen();
  assert.equal(await publish(hub, a), 200);
});

test("after a restart a ticket's session waits for the keys of its issuer", { log: SQLITE }, async (t) => {
  const a = key("a");
  const { folder, server, hub } = await setUp(t, a);
  const usual = server.answer;
  const ticket = await mint(hub, a.token({ subscribe: ["*"] }));
  const unused = await mint(hub, a.token({ subscribe: ["*"] }));
  const stream = await openTicket(hub, ticket);
  await hub.kill();
  let release;
  server.answer = (request, response) => (release = () => usual(request, response));
  const second = await hubOf(t, server, folder);
  const coming = openTicket(second, ticket, comingBack(stream));
  const first = openTicket(second, unused);
  await server.asked(2);
  await second.until(() => release !== undefined, () => "the hub to ask for keys");
  release();
  const resumed = await coming;
  await first;

  await second.kill();
  await server.close();
  const third = await hubOf(t, server, folder);
  await third.logLine(failure("cannot connect: Connection refused"));
  for (let i = 0; i < 2; ++i) {
    const told = await streamOf(third, ticket, comingBack(resumed));
    await told.ended();
    assert.equal(told.status, 200);
    assert.deepEqual(told.own, []);
    assert.ok(told.parser.retry > 0);
  }
  await server.listen();
  server.answer = usual;
  await fetchAgain(third, /keys fetched: /);
  const last = await openTicket(third, ticket, comingBack(resumed));

  // A key that is gone is another thing.
  server.keys = [key("b")];
  await fetchAgain(third, /keys fetched: /);
  await last.ended();
  assert.equal((await streamOf(third, ticket, comingBack(last))).status, 401);
});

test("a hundred requests wait for a key, and further ones do not", async (t) => {
  const [a, b] = [key("a"), key("b")];
  const { server, hub } = await setUp(t, a);
  const usual = server.answer;
  let release;
  server.answer = (request, response) => (release = () => usual(request, response));
  server.keys = [a, b];
  const statuses = [];
  const answered = new Signal();
  const request = hub.publishBytes({ topic: "a", data: "x" }, bearer(b.token({ publish: ["*"] })));
  for (let i = 0; i < 105; ++i) {
    const connection = await Connection.open(hub);
    t.atEnd(() => connection.close());
    connection.write(request);
    connection.readResponse().then(({ status }) => {
      statuses.push(status);
      answered.notify();
    });
  }
  await answered.until(() => statuses.length >= 5, "the answers to those that do not wait");
  assert.equal(await publish(hub, a), 200);
  assert.deepEqual(statuses, Array(5).fill(401));
  release();
  await answered.until(() => statuses.length === 105, "all answers");
  assert.deepEqual(statuses.slice(5), Array(100).fill(200));
  assert.equal(server.requests.length, 2);
});

test("a server is believed only with a certificate of its own, from who is trusted", async (t) => {
  const folder = await t.folder();
  const server = await KeyServer.open(t, folder);
  const stranger = await hubOf(t, server, folder, { ca: "" });
  await stranger.logLine(failure("its certificate is not accepted: self-signed certificate"));
  const misnamed = await hubOf(t, server, folder, { host: "localhost", log: "memory:" });
  await misnamed.logLine(failure("its certificate is not accepted: hostname mismatch"));
  assert.deepEqual(server.requests, []);
});

test("keys of a URL need a file of certificates that can be read", async (t) => {
  const folder = await t.folder();
  const lines = `[[issuers]]\nname = "${NAME}"\njwks_url = "https://127.0.0.1:1/"\njwks_ca = "nowhere.pem"\n`;
  await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\n${lines}`);
  const hub = t.spawnHub({ settings: { config: "hub.toml", log: "memory:" }, cwd: folder });
  assert.equal((await hub.ended()).code, 2);
  assert.match(hub.errorText, /issuers\[0\]: jwks_ca: .*nowhere\.pem: No such file or directory/);
});
