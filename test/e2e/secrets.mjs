// SPDX-License-Identifier: Apache-2.0
//
// A secret is planted wherever one may come from, in a request that is good, one that is bad and one that is too large:
// it is found in no line of the log, no metric, no error, and among no process's arguments.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import net from "node:net";
import path from "node:path";

import { Command } from "../harness/command.mjs";
import { form } from "../harness/http.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import { TICKETS } from "../harness/ticket.mjs";
import { AUDIENCE, Issuer } from "../harness/token.mjs";
import { Signal, until } from "../harness/waiting.mjs";
import { Worker } from "../harness/worker.mjs";

const COOKIE = "__Secure-mercure_access_token";
const OVERSIZE = 40_000; // more than a header or a target may have
const FORM = { "content-type": "application/x-www-form-urlencoded" };

const random = () => randomBytes(24).toString("hex");

// What tells a secret, however it is written: parts of it that nothing else has.
function marks(secret) {
  const parts = secret.split(".").filter((part) => part.length >= 16);
  const asBase64 = (part) => Buffer.from(part).toString("base64").slice(0, 20);
  return parts.flatMap((part) => [part.slice(0, 16), part.slice(-16), asBase64(part)]);
}

class Secrets {
  #marks = new Map(); // to the place that it was planted in

  // Remembers a secret, and returns it. All that tells it is kept, but for what tokens have in common: their headers.
  plant(place, secret) {
    for (const mark of marks(secret)) {
      this.#marks.set(mark, this.#marks.has(mark) ? undefined : place);
    }
    return secret;
  }

  // Returns whether `text` has what tells this secret.
  static isIn(text, secret) {
    return marks(secret).some((mark) => text.includes(mark));
  }

  // Fails if something of a secret is in `text`.
  assertNone(text, where) {
    assert.ok(this.#marks.size > 0);
    for (const [mark, place] of this.#marks) {
      assert.ok(place === undefined || !text.includes(mark), `${where} has the secret of: ${place}`);
    }
  }
}

async function start(t, settings = {}) {
  const folder = await t.folder();
  const issuers = {
    app: new Issuer("https://app.example", { kid: "app" }),
    shared: new Issuer("https://app.example", { kid: "shared", algorithm: "HS256" }),
    former: new Issuer("", { kid: "former", algorithm: "HS256" }),
    admin: new Issuer("https://admin.example", { kid: "admin" }),
  };
  const lines = { former: "mercure_claim = true", admin: 'roles = ["admin"]' };
  let config = `audiences = ["${AUDIENCE}"]\nanonymous = true\nallowed_origins = ["https://www.example"]\n`;
  for (const [name, issuer] of Object.entries(issuers)) {
    await issuer.writeKey(path.join(folder, `${name}.jwk`));
    const named = issuer.name ? `name = "${issuer.name}"\n` : "";
    config += `\n[[issuers]]\nkeys = ["${name}.jwk"]\n${named}${lines[name] ?? ""}\n`;
  }
  await writeFile(path.join(folder, "hub.toml"), config);
  const hub = await t.hub({ config: "hub.toml", logLevel: "debug", ...settings }, { folder });
  return { hub, folder, ...issuers };
}

// What a process shows to every user of the machine.
const argumentsOf = (pid) => readFile(`/proc/${pid}/cmdline`, "latin1");

// Where a request may have a secret. Each makes a request of one: `token` says which kind makes it a good one, `shown`
// that its sender or a reader gets it back, as data or a cursor; read() reads it then. It goes to `path`, or to what
// of() says.
const PLACES = {
  "a field Authorization": { token: "app", of: (secret) => ({ headers: { authorization: `Bearer ${secret}` } }) },
  "a password in Authorization": {
    of: (secret) => ({ headers: { authorization: `Basic ${Buffer.from(`eva77:${secret}`).toString("base64")}` } }),
  },
  "an unknown scheme": { of: (secret) => ({ headers: { authorization: `Token ${secret}` } }) },
  "a second field Authorization": {
    of: (secret) => ({ headers: { authorization: ["Bearer a.b.c", `Bearer ${secret}`] } }),
  },
  "the cookie": {
    token: "app",
    of: (secret) => ({ headers: { cookie: `${COOKIE}=${secret}`, origin: "https://www.example" } }),
  },
  "the cookie of a stranger's page": {
    token: "app",
    of: (secret) => ({ headers: { cookie: `${COOKIE}=${secret}`, origin: "https://evil.example" } }),
  },
  "the cookie of 0.x": {
    token: "former",
    of: (secret) => ({ headers: { cookie: `mercureAuthorization=${secret}`, origin: "https://www.example" } }),
  },
  "a cookie of somebody else's": { of: (secret) => ({ headers: { cookie: `session=${secret}` } }) },
  "a cookie twice": { of: (secret) => ({ headers: { cookie: `${COOKIE}=x; ${COOKIE}=${secret}` } }) },
  "the query of 0.x": { token: "former", of: (secret) => ({ query: { authorization: secret } }) },
  "access_token in the query": { token: "app", of: (secret) => ({ query: { access_token: secret } }) },
  "another name in the query": { of: (secret) => ({ query: { api_key: secret } }) },
  "the page that it comes from": {
    of: (secret) => ({ headers: { referer: `https://www.example/?session=${secret}` } }),
  },
  "a field of a proxy's": { of: (secret) => ({ headers: { "proxy-authorization": `Basic ${secret}` } }) },
  "a field that nobody knows": { of: (secret) => ({ headers: { "x-api-key": secret } }) },
  "a user in the target": { of: (secret) => ({ userinfo: `eva:${secret}@` }) },
  "a field of the form": { of: (secret) => ({ fields: { password: secret } }) },
  "the data": {
    shown: true, // to readers
    read: async (hub) => (await (await hub.subscribe({ match: "told", last_event_id: "earliest" })).take(1))[0].data,
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ publish: ["*"], subscribe: ["*"] })}` },
      fields: { topic: "told", data: secret },
    }),
  },
  "the token that is explained": {
    token: "app",
    path: "/admin/explain?action=publish&topic=a&",
    of: (secret, { admin }) => ({
      headers: { authorization: `Bearer ${admin.token()}`, "explained-token": secret },
    }),
  },
  "the token in what is explained": {
    path: "/admin/explain?action=publish&topic=a&",
    of: (secret, { admin }) => ({
      headers: { authorization: `Bearer ${admin.token()}` },
      query: { authorization: secret },
    }),
  },
  "an administrator's token": {
    token: "admin",
    path: "/metrics?",
    of: (secret) => ({ headers: { authorization: `Bearer ${secret}` } }),
  },
  "a cursor in the query": { shown: true, of: (secret) => ({ query: { last_event_id: secret } }) },
  "a cursor in a field": { shown: true, of: (secret) => ({ headers: { "last-event-id": secret } }) },
  "a selector that is refused": { of: (secret) => ({ query: { match: `${secret}\u0007` } }) },
  "a pattern that is refused": { of: (secret) => ({ query: { match_urlpattern: `https://[${secret}` } }) },
  "a selector that nobody knows": { of: (secret) => ({ query: { match_other: secret } }) },
  "a topic that is refused": {
    token: "app",
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ publish: ["*"] })}` },
      fields: { topic: `${HUB_PATH}/${secret}` },
    }),
  },
  "a ticket": { token: "ticket", of: (secret) => ({ query: { ticket: secret } }) },
  "the path": { of: (secret) => ({ path: `/${secret}?` }) },
  "the path below the hub's": { of: (secret) => ({ path: `${HUB_PATH}/${secret}?` }) },
  "the path below that of tickets": { of: (secret) => ({ path: `${TICKETS}/${secret}?` }) },
  "the path below the administration's": { of: (secret) => ({ path: `/admin/${secret}?` }) },
  "a path that cannot be read": { of: (secret) => ({ path: `/%zz/${secret}?` }) },
  "the token that a ticket is minted with": {
    token: "app",
    path: `${TICKETS}?`,
    of: (secret) => ({ headers: { authorization: `Bearer ${secret}` } }),
  },
  "the cookie that a ticket is minted with": {
    token: "app",
    path: `${TICKETS}?`,
    of: (secret) => ({ headers: { cookie: `${COOKIE}=${secret}`, origin: "https://www.example" } }),
  },
  "the cookie of a stranger's page that wants a ticket": {
    token: "app",
    path: `${TICKETS}?`,
    of: (secret) => ({ headers: { cookie: `${COOKIE}=${secret}`, origin: "https://evil.example" } }),
  },
  "the query of 0.x, for a ticket": {
    token: "former",
    path: `${TICKETS}?`,
    of: (secret) => ({ query: { authorization: secret } }),
  },
  "a ticket that is shown for a ticket": {
    token: "ticket",
    path: `${TICKETS}?`,
    of: (secret) => ({ query: { ticket: secret } }),
  },
  "a field of the form for a ticket": {
    path: `${TICKETS}?`,
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ subscribe: ["*"] })}` },
      fields: { password: secret },
    }),
  },
  "a selector of a ticket that is refused": {
    path: `${TICKETS}?`,
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ subscribe: ["*"] })}` },
      fields: { match_urlpattern: `https://[${secret}` },
    }),
  },
  "the life of a ticket that is refused": {
    path: `${TICKETS}?`,
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ subscribe: ["*"] })}` },
      fields: { ttl: secret },
    }),
  },
  "the label of a ticket": {
    path: `${TICKETS}?`,
    of: (secret, { app }) => ({
      headers: { authorization: `Bearer ${app.token({ subscribe: ["*"] })}` },
      fields: { label: secret },
    }),
  },
  "the hub's name": { of: (secret) => ({ headers: { host: `${secret}.example` } }) },
  "a second token that is explained": {
    token: "app",
    path: "/admin/explain?action=publish&topic=a&",
    of: (secret, { admin }) => ({
      headers: { authorization: `Bearer ${admin.token()}`, "explained-token": ["a.b.c", secret] },
    }),
  },
  "a token that is revoked": {
    shown: true, // to the administrator who asks for it
    path: "/admin/revocations?",
    of: (secret, { admin }) => ({
      headers: { authorization: `Bearer ${admin.token()}` },
      fields: { issuer: "https://app.example", token: secret },
    }),
  },
};

// What kind of request, and the secret that makes it that.
const KINDS = {
  good: (issuers, token) => {
    if (token === "former") {
      return issuers.former.formerToken({ publish: ["*"], subscribe: ["*"] }, { jti: random() });
    }
    if (token === "ticket") {
      return `vt_${randomBytes(32).toString("base64url")}`;
    }
    return token ? issuers[token].token({ publish: ["*"], subscribe: ["*"], claims: { jti: random() } }) : random();
  },
  // By somebody else's key, and so on: it looks like one, and is none.
  bad: (issuers, token) => {
    const made = KINDS.good(issuers, token);
    return token ? `${made.slice(0, -20)}${random().slice(0, 20)}` : `${made}\u00e9"`;
  },
  oversize: () => random().repeat(OVERSIZE / 48),
};

// What a form has besides, to be a good one.
function usualFields(target) {
  return target.startsWith(TICKETS) ? { match: "a" } : target.startsWith(HUB_PATH) ? { topic: "a" } : {};
}

function request({ hub }, { path: usual = `${HUB_PATH}?match=a&`, method }, parts) {
  const { path: target = usual, query = {}, userinfo, fields, headers } = parts;
  const hasBody = method === "POST";
  const where = `${target}${form(query)}`;
  return hub.request({
    method,
    target: userinfo ? `http://${userinfo}${hub.authority}${where}` : where,
    headers: { ...(hasBody ? FORM : {}), ...headers },
    body: hasBody ? form({ ...usualFields(target), ...fields }) : "",
  });
}

// Sends a request and returns what is answered; of a stream, its first block.
async function exchange(hub, bytes) {
  const connection = await hub.connect();
  connection.write(bytes);
  const { status, headers } = await connection.readHead();
  const length = headers["content-length"];
  const body =
    length === undefined
      ? await connection.takeUntil("\n\n", "the first block")
      : await connection.takeBytes(Number(length), "the answer");
  connection.close();
  return { status, body, text: `${JSON.stringify(headers)}\n${body}` };
}

test("no log line, metric or error has a secret that came with a request", async (t) => {
  const setup = await start(t);
  const { hub } = setup;
  const secrets = new Secrets();
  const statuses = new Set();
  let minted = 0;
  for (const [place, { token, path: target, shown, read, of }] of Object.entries(PLACES)) {
    const planted = [];
    const answers = [];
    for (const [kind, make] of Object.entries(KINDS)) {
      for (const method of ["GET", "POST"]) {
        const secret = secrets.plant(`${place}, ${kind}, ${method}`, make(setup, token));
        const parts = of(secret, setup);
        const answer = await exchange(hub, request(setup, { path: target, method }, parts));
        statuses.add(answer.status);
        planted.push(secret);
        answers.push(answer.text);
        if (!shown) {
          secrets.assertNone(answer.text, `the answer to ${place}, ${kind}, ${method}`);
        }
        if (answer.status === 201) {
          secrets.plant(`the ticket for ${place}`, JSON.parse(answer.body).ticket);
          ++minted;
        }
      }
    }
    if (shown) {
      answers.push(read ? await read(hub) : "");
      const isShown = planted.some((secret) => answers.some((text) => Secrets.isIn(text, secret)));
      assert.ok(isShown, `${place} comes back, and would be seen where it should not be`);
    }
  }
  const expected = [200, 201, 400, 401, 403, 404, 405, 431];
  assert.ok(expected.every((status) => statuses.has(status)), [...statuses].join(" "));
  assert.ok(minted >= 3, `${minted} tickets`);
  const metrics = await hub.ask({
    target: "/metrics",
    headers: { authorization: `Bearer ${setup.admin.token()}` },
  });
  assert.equal(metrics.status, 200);
  secrets.assertNone(metrics.text, "/metrics");
  hub.signal("SIGHUP");
  await hub.logLine(/SIGHUP: settings read/);
  secrets.assertNone(await argumentsOf(hub.pid), "the arguments");
  await hub.stop();
  assert.match(hub.errorText, /token refused/, "refusals are in the log");
  secrets.assertNone(hub.errorText, "the log");
  secrets.assertNone(hub.outputLines.join("\n"), "standard output");
});

test("no key of a file is in a log line or an error, whatever is wrong with the file", async (t) => {
  const secrets = new Secrets();
  const secret = secrets.plant("a key", randomBytes(40).toString("base64url"));
  const jwk = { kty: "oct", k: secret, alg: "HS256", kid: "k" };
  const files = {
    good: JSON.stringify(jwk),
    cut: JSON.stringify(jwk).slice(0, -3),
    "with a name twice": JSON.stringify(jwk).replace("{", `{"k":"${secret}",`),
    "of an unknown algorithm": JSON.stringify({ ...jwk, alg: "HS999" }),
    "of an unknown kind": JSON.stringify({ ...jwk, kty: "XYZ" }),
    "whose kid is too long": JSON.stringify({ ...jwk, kid: "k".repeat(300) }),
    "of no form": secret,
    "too large": JSON.stringify({ ...jwk, more: secret.repeat(30_000) }),
  };
  for (const [what, text] of Object.entries(files)) {
    const folder = await t.folder();
    await writeFile(path.join(folder, "key.jwk"), text);
    const issuer = '[[issuers]]\nname = "https://app.example"\nkeys = ["key.jwk"]\n';
    await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\n${issuer}`);
    const args = ["serve", "--config", "hub.toml", "--listen", "127.0.0.1:0", "--log", "memory:"];
    const hub = Command.vrelo([...args, "--log-level", "debug"], { cwd: folder, input: "" });
    await hub.until(() => hub.status !== undefined || hub.lines.length > 0, "the hub's start or its end");
    assert.equal(hub.status === undefined, what === "good", `${what}: ${hub.errors}`);
    hub.signal("SIGTERM");
    await hub.ended();
    secrets.assertNone(hub.output + hub.errors, `a hub whose key is ${what}`);
    const sign = ["token", "--key-file", "key.jwk", "--issuer", "a", "--audience", "b"];
    const made = await Command.vrelo(sign, { cwd: folder, input: "" }).ended();
    secrets.assertNone(made.errors, `vrelo token with a key ${what}`);
  }
});

test("no command has a secret among its arguments or in what it says", async (t) => {
  const setup = await start(t);
  const { hub, folder, app, admin } = setup;
  const secrets = new Secrets();
  const tokens = {
    good: app.token({ publish: ["*"], subscribe: ["*"], claims: { jti: random() } }),
    bad: `${app.token({ claims: { jti: random() } }).slice(0, -20)}${random().slice(0, 20)}`,
    oversize: random().repeat(1000),
  };
  for (const [kind, token] of Object.entries(tokens)) {
    secrets.plant(`a token that is ${kind}`, token);
    await writeFile(path.join(folder, kind), token);
  }
  await writeFile(path.join(folder, "admin"), secrets.plant("an administrator's", admin.token()));
  const commands = (file) => [
    ["sub", hub.origin, "a", "--count", "1", "--token-file", file],
    ["pub", hub.origin, "a", "x", "--token-file", file],
    ["token", "inspect", file],
    ["token", "inspect", file, "--config", "hub.toml"],
    ["explain", hub.origin, "--publish", "a", "--token-file", file, "--admin-token-file", "admin"],
    ["explain", hub.origin, "--publish", "a", "--admin-token-file", file],
  ];
  for (const kind of Object.keys(tokens)) {
    for (const args of commands(kind)) {
      const command = Command.vrelo(args, { cwd: folder, input: "" });
      const isStream = args[0] === "sub" && kind === "good";
      if (isStream) {
        const post = () => hub.post({ topic: "a" }, { headers: { authorization: `Bearer ${tokens.good}` } });
        await until(async () => (await post()) && command.status !== undefined, "the event");
      }
      await command.ended();
      secrets.assertNone(command.output + command.errors, `vrelo ${args.join(" ")}`);
    }
  }
  const ticket = `vt_${secrets.plant("a ticket", randomBytes(32).toString("base64url"))}`;
  // Who tries it all the same is told why not, and not by repeating it.
  const tried = [
    ["sub", hub.origin, "a", "--token", tokens.good],
    ["pub", hub.origin, "a", "x", "--token", tokens.good],
    ["explain", hub.origin, "--publish", "a", "--token", tokens.good],
    ["token", "inspect", tokens.good],
    ["pub", `http://eva:${tokens.good}@${hub.authority}`, "a", "x"],
    ["serve", "--token", tokens.good],
    [tokens.good],
    ["serve", tokens.good],
    ["serve", "--config", tokens.good],
    ["sub", hub.origin, "a", "--token-file", tokens.good],
    ["sub", hub.origin, "a", `--ticket-file=${ticket}`],
    ["sub", tokens.good, "a"],
    ["pub", hub.origin, "a", "x", tokens.good],
    ["pub", hub.origin, "a", "x", "--retry", tokens.good],
    ["token", "--key-file", tokens.good, "--issuer", "a", "--audience", "b"],
    ["token", "--config", tokens.good],
    ["token", "inspect", "good", "--config", tokens.good],
    ["explain", hub.origin, "--publish", "a", "--token-file", tokens.good],
    ["ticket", hub.origin, "a", "--token-file", tokens.good],
    ["init", `${tokens.good}/x`],
  ];
  for (const args of tried) {
    const { status, output, errors } = await Command.vrelo(args, { cwd: folder, input: "" }).ended();
    assert.ok(status > 0, args[0]);
    secrets.assertNone(output + errors, `vrelo ${args.join(" ")}`);
  }
  await hub.stop();
  secrets.assertNone(hub.errorText, "the log");
});

// A server that takes what comes, and never answers.
async function silentServer(t) {
  const received = { text: "", changed: new Signal() };
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      received.text += bytes.toString("latin1");
      received.changed.notify();
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.atEnd(() => {
    sockets.forEach((socket) => socket.destroy());
    server.close();
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    has: (text) => received.changed.until(() => received.text.includes(text), `${text} in a request`),
    forget: () => (received.text = ""),
  };
}

// Whether a command with one thread has read all that there is on its standard input: it sleeps, for want of more.
async function hasReadAll(pid) {
  const stat = await readFile(`/proc/${pid}/stat`, "latin1");
  return /^\d+ \(vrelo\) S /.test(stat);
}

test("no command that has read a secret shows it among its arguments", async (t) => {
  const folder = await t.folder();
  const secrets = new Secrets();
  const plant = async (name, secret) => {
    await writeFile(path.join(folder, name), secrets.plant(name, secret));
    return secret;
  };
  const app = new Issuer("https://app.example");
  const token = await plant("token", app.token({ publish: ["*"], subscribe: ["*"], claims: { jti: random() } }));
  const admin = await plant("admin", app.token({ claims: { jti: random() } }));
  const ticket = await plant("ticket", `vt_${randomBytes(32).toString("base64url")}`);
  const server = await silentServer(t);
  const run = (args, options) => {
    const command = Command.vrelo(args, { cwd: folder, ...options });
    t.atEnd(() => {
      command.signal("SIGKILL");
      return command.ended();
    });
    return command;
  };
  const check = async (command, args) => {
    const shown = await argumentsOf(command.pid);
    assert.deepEqual(shown.split("\0").slice(1, -1), args, "all that it was given, and nothing else");
    secrets.assertNone(shown, `the arguments of vrelo ${args.join(" ")}`);
    command.signal("SIGKILL");
    const { output, errors } = await command.ended();
    secrets.assertNone(output + errors, `vrelo ${args.join(" ")}`);
  };

  // Who has sent it has read it.
  const sending = [
    [["sub", server.origin, "a", "--token-file", "token"], token],
    [["sub", server.origin, "--ticket-file", "ticket"], ticket],
    [["pub", server.origin, "a", "x", "--token-file", "token"], token],
    [["ticket", server.origin, "a", "--token-file", "token"], token],
    [["explain", server.origin, "--publish", "a", "--token-file", "token", "--admin-token-file", "admin"], token],
    [["explain", server.origin, "--publish", "a", "--admin-token-file", "admin"], admin],
    [["bench", server.origin, "--readers", "1", "--events", "1", "--token-file", "token"], token],
    [["sub", server.origin, "a", "--token-file", "-"], token],
    [["sub", server.origin, "--ticket-file", "-"], ticket],
    [["pub", server.origin, "a", "x", "--token-file", "-"], token],
    [["ticket", server.origin, "a", "--token-file", "-"], token],
    [["explain", server.origin, "--publish", "a", "--token-file", "-", "--admin-token-file", "admin"], token],
  ];
  for (const [args, secret] of sending) {
    const command = run(args, { input: args.includes("-") ? secret : "" });
    await server.has(secret);
    await check(command, args);
    server.forget();
  }

  // The others send nothing; they wait for the end of their standard input.
  const k = secrets.plant("a key", randomBytes(32).toString("base64url"));
  const reading = [
    [["token", "inspect", "-"], token],
    [["token", "--key-file", "-", "--issuer", "a", "--audience", "b"], JSON.stringify({ kty: "oct", alg: "HS256", k })],
  ];
  for (const [args, secret] of reading) {
    const command = run(args);
    await command.write(secret);
    await until(() => hasReadAll(command.pid), "the command to have read it");
    await check(command, args);
  }
});

test("neither a supervisor nor its worker has a secret among its arguments", { log: SQLITE }, async (t) => {
  const setup = await start(t, { supervise: true });
  const { hub, folder, app } = setup;
  const secrets = new Secrets();
  const worker = new Worker(hub);
  await worker.serves(1);
  for (const name of ["shared", "former"]) {
    secrets.plant(`the key ${name}`, JSON.parse(await readFile(path.join(folder, `${name}.jwk`), "utf8")).k);
  }
  const token = secrets.plant("a token", app.token({ publish: ["*"], claims: { jti: random() } }));
  const checkAll = async () => {
    const headers = { authorization: `Bearer ${token}` };
    assert.equal((await hub.post({ topic: "a" }, { headers })).status, 200);
    for (const pid of [hub.pid, worker.pid]) {
      const shown = await argumentsOf(pid);
      assert.match(shown, /serve/);
      secrets.assertNone(shown, "the arguments");
    }
  };
  await checkAll();
  hub.closeIdle();
  await worker.kill();
  await worker.serves(2);
  await checkAll();
  secrets.assertNone(hub.errorText + hub.outputLines.join("\n"), "what they say");
});
