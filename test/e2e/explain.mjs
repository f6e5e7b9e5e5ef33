// SPDX-License-Identifier: Apache-2.0
//
// Why a request would be allowed or refused: /admin/explain and `vrelo explain`. What they say is compared with what
// becomes of the request itself.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { Command } from "../harness/command.mjs";
import { form } from "../harness/http.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { test } from "../harness/test.mjs";
import { AUDIENCE, Issuer } from "../harness/token.mjs";

const TARGET = "/admin/explain";
const bearer = (token) => ({ authorization: `Bearer ${token}` });

async function hubWithTokens(t, settings = {}) {
  const folder = await t.folder();
  const app = new Issuer("https://app.example", { kid: "app" });
  const admin = new Issuer("https://admin.example", { kid: "admin" });
  const stranger = new Issuer("https://app.example", { kid: "app" });
  await app.writeKey(path.join(folder, "app.jwk"));
  await admin.writeKey(path.join(folder, "admin.jwk"));
  await writeFile(
    path.join(folder, "hub.toml"),
    `audiences = ["${AUDIENCE}"]
anonymous = true
allowed_origins = ["https://www.example"]
[[issuers]]
name = "${admin.name}"
keys = ["admin.jwk"]
roles = ["admin"]
[[issuers]]
name = "${app.name}"
keys = ["app.jwk"]
streams = 1
publishes_per_second = 1000
`,
  );
  const hub = await t.hub({ config: "hub.toml", ...settings }, { folder });
  const ask = async (query, { token, headers = bearer(admin.token()) } = {}) => {
    const target = `${TARGET}?${typeof query === "string" ? query : form(query)}`;
    return hub.ask({ target, headers: { ...headers, ...(token ? { "explained-token": token } : {}) } });
  };
  return { hub, folder, app, admin, stranger, ask };
}

const PATTERN = { match: "/books/:id", match_type: "urlpattern" };

test("what is explained is what happens to the request", async (t) => {
  const { hub, app, admin, stranger, ask } = await hubWithTokens(t);
  const publisher = app.token({ publish: ["a", PATTERN], claims: { sub: "eva" } });
  const reader = app.token({ subscribe: ["a"], claims: { sub: "tom" } });
  const cases = [
    ["a topic of the token's", { action: "publish", topic: "a" }, publisher, 200],
    ["one by a pattern", { action: "publish", topic: "/books/1" }, publisher, 200],
    ["another topic", { action: "publish", topic: ["a", "b"] }, publisher, 403],
    ["a reader's token", { action: "publish", topic: "a" }, reader, 403],
    ["no token", { action: "publish", topic: "a" }, undefined, 401],
    ["another's key", { action: "publish", topic: "a" }, stranger.token({ publish: ["a"] }), 401],
    ["a token that is over", { action: "publish", topic: "a" }, app.token({ publish: ["a"], seconds: -1 }), 401],
    ["an administrator's", { action: "publish", topic: "a" }, admin.token({ publish: ["a"] }), 401],
    ["no token at all", { action: "publish", topic: "a" }, "abc", 401],
    ["a malformed form", { action: "publish", topic: "*" }, publisher, 400],
    ["a page's origin", { action: "publish", topic: "a", origin: "https://www.example" }, publisher, 200],
    ["another page's", { action: "publish", topic: "a", origin: "https://evil.example" }, publisher, 200],
    ["a cookie of another page", { action: "publish", topic: "a", channel: "cookie", origin: "https://evil.example" },
      publisher, 403],
    ["a bad cookie of another page",
      { action: "publish", topic: "a", channel: "cookie", origin: "https://evil.example" }, "abc", 403],
    ["a bad cookie of a page", { action: "publish", topic: "a", channel: "cookie", origin: "https://www.example" },
      "abc", 401],
    ["no token of another page", { action: "publish", topic: "a", origin: "https://evil.example" }, undefined, 401],
    ["a cookie without origin", { action: "publish", topic: "a", channel: "cookie" }, publisher, 403],
    ["a cookie of a page", { action: "publish", topic: "a", channel: "cookie", origin: "https://www.example" },
      publisher, 200],
    ["another name of the hub", { action: "subscribe", match: "a", host: "evil.example" }, reader, 421],
    ["no name of a host", { action: "publish", topic: "a", host: "a b" }, publisher, 400],
    ["an address", { action: "publish", topic: "a", host: "192.0.2.1:80" }, publisher, 200],
    ["a stream", { action: "subscribe", match: "a" }, reader, 200],
    ["a stream of nobody's", { action: "subscribe", match: "a" }, undefined, 200],
    ["a bad selector", { action: "subscribe", matches: "a" }, reader, 400],
    ["a bad selector and a bad token", { action: "subscribe", matchx: "1" }, "abc", 400],
    ["a bad token", { action: "subscribe", match: "a" }, "abc", 401],
    ["a bad pattern", { action: "subscribe", match_urlpattern: "/(" }, reader, 400],
  ];
  for (const [what, query, token, status] of cases) {
    const { status: answered, json, text } = await ask(query, { token });
    assert.equal(answered, 200, `${what}: ${text}`);
    assert.deepEqual([json.allowed, json.status], [status === 200, status], `${what}: ${text}`);
    assert.ok(json.allowed || json.reason.length > 0, what);

    const { action, channel, origin, host, ...fields } = query;
    const name = "__Secure-mercure_access_token";
    const shown = channel === "cookie" ? { cookie: `${name}=${token}` } : token ? bearer(token) : {};
    const headers = { ...shown, ...(origin ? { origin } : {}), ...(host ? { host } : {}) };
    const answer =
      action === "publish"
        ? await hub.post(fields, { headers })
        : await hub.ask({ method: "HEAD", target: `${HUB_PATH}?${form(fields)}`, headers });
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
  }
});

test("an explanation says who the token is, what covers what, and which limits there are", async (t) => {
  const { hub, app, stranger, ask } = await hubWithTokens(t);
  const claims = { sub: "eva", jti: "t1", client_id: "shop", exp: 4e9 };
  const token = app.token({ publish: ["a", PATTERN], subscribe: ["a", PATTERN], claims });
  const who = {
    form: "access token",
    key: "app",
    issuer: "https://app.example",
    subject: "eva",
    client: "shop",
    id: "t1",
    expires: 4e9,
  };
  const verified = { ...who, verified: true, settings: "issuers[1]", algorithm: "ES256" };
  const limits = { streams: { open: 0, max: 1 }, publishes_per_second: 1000 };

  const publish = await ask({ action: "publish", topic: ["a", "/books/1", "b"] }, { token });
  assert.deepEqual(publish.json, {
    allowed: false,
    status: 403,
    reason: "not granted: The token does not allow to publish on the topic, or on one of the topics.",
    field: "topic",
    token: verified,
    topics: [
      { topic: "a", granted: true, by: { match: "a" } },
      { topic: "/books/1", granted: true, by: PATTERN },
      { topic: "b", granted: false },
    ],
    limits,
  });

  const stream = await hub.subscribe({ match: "a" }, { headers: bearer(token) });
  const query = "action=subscribe&match=a&match=b&match_urlpattern=/books/:id&match_urlpattern=/books/*";
  const subscribe = await ask(query, { token });
  assert.deepEqual(subscribe.json, {
    allowed: false,
    status: 429,
    reason: "too many streams of one subject",
    token: verified,
    selectors: [
      { topic: "a", private: "all", by: { match: "a" } },
      { topic: "b", private: "some" },
      { pattern: "/books/*", private: "some" },
      { pattern: "/books/:id", private: "all", by: PATTERN },
    ],
    limits: { ...limits, streams: { open: 1, max: 1 } },
  });
  stream.close();

  const forged = stranger.token({ publish: ["a"], claims });
  assert.deepEqual((await ask({ action: "publish", topic: "a" }, { token: forged })).json, {
    allowed: false,
    status: 401,
    reason: "the token's signature is wrong",
    token: { ...who, verified: false },
  });
  const nobody = await ask("action=subscribe&topic=a&topic=%7Bb%7D");
  assert.deepEqual(nobody.json, {
    allowed: true,
    status: 200,
    selectors: [
      { topic: "a", private: "none" },
      { topic: "{b}", private: "none" },
      { template: "{b}", private: "none" },
    ],
  });
});

test("only an administrator is told, by the header alone, and no token stands in a URL", async (t) => {
  const { hub, app, admin, ask } = await hubWithTokens(t);
  const query = { action: "publish", topic: "a" };
  for (const headers of [
    {},
    bearer(app.token({ publish: ["*"] })),
    { cookie: `__Secure-mercure_access_token=${admin.token()}` },
  ]) {
    assert.equal((await ask(query, { headers })).status, 401);
  }
  const malformed = [
    ["topic=a", "action"],
    ["action=delete", "action"],
    ["action=publish&channel=mail", "channel"],
    ["action=publish&topic=a&authorization=x", "authorization"],
    ["action=publish&topic=a&access_token=x", "access_token"],
  ];
  for (const [bad, field] of malformed) {
    const { status, json } = await ask(bad);
    assert.deepEqual([status, json.field], [400, field], bad);
  }
  assert.equal((await hub.post({ topic: "a" }, { target: TARGET, headers: bearer(admin.token()) })).status, 405);
});

test("where there are no keys, everything is allowed", async (t) => {
  const hub = await t.hub();
  const { json } = await hub.ask({ target: `${TARGET}?action=publish&topic=a` });
  assert.equal(json.allowed, true);
  assert.match(json.reason, /has no keys/);
});

test("where there are no keys, what refuses a request is the reason", async (t) => {
  const hub = await t.hub();
  const cases = [
    ["action=subscribe&matches=a", { method: "GET", target: `${HUB_PATH}?matches=a` }],
    ["action=subscribe&match=a&host=evil.example",
      { method: "GET", target: `${HUB_PATH}?match=a`, headers: { host: "evil.example" } }],
  ];
  for (const [query, request] of cases) {
    const { json } = await hub.ask({ target: `${TARGET}?${query}` });
    const problem = (await hub.ask(request)).json;
    const reason = problem.detail ? `${problem.title}: ${problem.detail}` : problem.title;
    assert.deepEqual([json.allowed, json.status, json.reason], [false, problem.status, reason], query);
  }
});

test("vrelo explain says it in words, and takes tokens from files and standard input alone", async (t) => {
  const { hub, folder, app, admin } = await hubWithTokens(t);
  const token = app.token({ publish: ["news"], subscribe: ["news"], claims: { sub: "eva" } });
  await writeFile(path.join(folder, "token"), `${token}\n`);
  await writeFile(path.join(folder, "admin"), admin.token());
  const run = (args, { input = "" } = {}) =>
    Command.vrelo(["explain", hub.origin, ...args], { cwd: folder, input }).ended();

  const asAdmin = ["--admin-token-file", "admin"];
  const allowed = await run(["--publish", "news", "--token-file", "token", ...asAdmin]);
  assert.deepEqual([allowed.status, allowed.errors], [0, ""]);
  assert.match(allowed.output, /^request +allowed$/m);
  assert.match(allowed.output, /^subject +eva$/m);
  assert.match(allowed.output, /^topic +news: granted, by news$/m);

  const refused = await run(["--publish", "chat", "--token-file", "-", ...asAdmin], { input: token });
  assert.equal(refused.status, 1);
  assert.match(refused.output, /^request +refused with 403$/m);

  const byCookie = ["--by", "cookie", "--origin", "https://evil.example"];
  const cookie = await run(["--publish", "news", "--token-file", "token", ...byCookie, ...asAdmin]);
  assert.match(cookie.output, /^because +Origin: origin not allowed/m);

  const stream = await run(["--subscribe", "news", "--subscribe-pattern", "/a/*", "--json", ...asAdmin]);
  assert.equal(stream.status, 0);
  assert.equal(JSON.parse(stream.output).selectors.length, 2);
  const former = await run(["--subscribe-0x", "news/{id}", ...asAdmin]);
  assert.match(former.output, /^selector +template news\/\{id\}: no private events$/m);

  const without = await run(["--publish", "news"]);
  assert.equal(without.status, 1);
  assert.match(without.errors, /401.*--admin-token-file FILE/s);
  await writeFile(path.join(folder, "token"), token);
  const asReader = await run(["--publish", "news", "--admin-token-file", "token"]);
  assert.equal(asReader.status, 1);
  assert.match(asReader.errors, /^vrelo explain: the hub refused \(401\): token refused; .* with the role admin; /);
  const usage = [
    ["--publish", "news", "--token", token],
    ["--publish", "news", "--subscribe", "news"],
    [],
    ["--publish", "news", "--by", "mail"],
    ["--publish", "news", "--token-file", "-", "--admin-token-file", "-"],
    ["--publish", "news", "--token-file", "missing"],
  ];
  for (const args of usage) {
    const { status, output, errors } = await run(args);
    assert.deepEqual([status, output], [2, ""], args.join(" "));
    assert.ok(!errors.includes(token));
  }
  const nowhere = await Command.vrelo(["explain", "http://127.0.0.1:1", "--publish", "a"], { input: "" }).ended();
  assert.equal(nowhere.status, 3);
});

test("the log says in one line why a token was refused, and its sender does not learn it", async (t) => {
  const { hub, stranger } = await hubWithTokens(t);
  const answer = await hub.post({ topic: "a" }, { headers: bearer(stranger.token({ publish: ["a"] })) });
  assert.deepEqual([answer.status, answer.json.title, answer.json.detail], [401, "token refused", undefined]);
  await hub.stop();
  const lines = hub.errorText.split("\n").filter((line) => line.includes("refused"));
  assert.deepEqual(lines.map((line) => line.split(" info ")[1]), [
    "token refused: 127.0.0.1: the token's signature is wrong",
  ]);
});
