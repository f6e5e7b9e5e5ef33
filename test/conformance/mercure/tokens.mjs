// SPDX-License-Identifier: Apache-2.0
//
// Who may publish and read: the cases of the Mercure protocol by their numbers in the project's digest of it.
// (Of 77 to 91, bad_tokens.mjs has all that is bad about a token, case by case.)

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { Command } from "../../harness/command.mjs";
import { SQLITE, test, testOnEachLog } from "../../harness/test.mjs";
import { AUDIENCE, Issuer } from "../../harness/token.mjs";
import { HUB_PATH } from "../../harness/hub.mjs";
import { lockReaders } from "../../harness/locks.mjs";
import { until } from "../../harness/waiting.mjs";

const A1 = "https://a.example/1";
const A2 = "https://a.example/2";
const METADATA = "https://hub.example.net/.well-known/oauth-protected-resource/.well-known/mercure";
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

// A hub that takes tokens of `app`, of `subscribers` (which may not publish), of `former` (0.x), and of `admin`.
async function hubWithTokens(t, { anonymous = true, mercure0x = true, ...settings } = {}) {
  const folder = await t.folder();
  const issuers = {
    app: new Issuer("https://app.example"),
    subscribers: new Issuer("https://app.example", { kid: "subscribers" }),
    other: new Issuer("https://other.example", { kid: "other" }),
    former: new Issuer("", { kid: "former", algorithm: "HS256", secret: randomBytes(32) }),
    admin: new Issuer("https://admin.example", { kid: "admin" }),
  };
  const tables = {
    app: 'roles = ["publish", "subscribe"]',
    subscribers: 'roles = ["subscribe"]',
    other: "",
    former: "mercure_claim = true",
    admin: 'roles = ["admin"]',
  };
  let config = `audiences = ["${AUDIENCE}"]\nanonymous = ${anonymous}\nmercure_0x = ${mercure0x}\n`;
  for (const [name, lines] of Object.entries(tables)) {
    const issuer = issuers[name];
    await issuer.writeKey(path.join(folder, `${name}.jwk`));
    config += `\n[[issuers]]\nkeys = ["${name}.jwk"]\n${issuer.name && `name = "${issuer.name}"`}\n${lines}\n`;
  }
  await writeFile(path.join(folder, "hub.toml"), config);
  const hub = await t.hub({ config: "hub.toml", ...settings }, { folder });
  const tokens = {
    TP: issuers.app.token({ publish: ["*"] }),
    TP1: issuers.app.token({ publish: [A1] }),
    TS: issuers.app.token({ subscribe: ["*"] }),
    TS1: issuers.app.token({ subscribe: [A1] }),
    T0: issuers.app.token(),
    LP: issuers.former.formerToken({ publish: ["*"] }),
    LS: issuers.former.formerToken({ subscribe: ["*"] }),
  };
  return { hub, folder, ...issuers, ...tokens };
}

async function publish(hub, token, fields) {
  const response = await hub.post(fields, bearer(token));
  assert.equal(response.status, 200, response.text);
  return response.text;
}

// Opens a stream with `token`.
const read = (hub, token, query, options = {}) =>
  hub.subscribe(query, { headers: { ...(token ? bearer(token).headers : {}), ...options.headers } });

function assertRefused(response, status, error) {
  assert.equal(response.status, status, response.text);
  const challenge = response.headers["www-authenticate"];
  const reason = error ? `error="${error}", ` : "";
  assert.equal(challenge, `Bearer ${reason}resource_metadata="${METADATA}"`);
  assert.equal(response.headers["content-type"], "application/problem+json");
}

const idsOf = (events) => events.map((event) => event.id);

testOnEachLog("11: a private event reaches only who may read it", async (t) => {
  const { hub, TP, TS } = await hubWithTokens(t);
  const anonymous = await read(hub, undefined, { match: A1 });
  const allowed = await read(hub, TS, { match: A1 });
  const ids = [];
  for (const value of ["", "0", "false"]) {
    ids.push(await publish(hub, TP, { topic: A1, private: value }));
  }
  const mark = await publish(hub, TP, { topic: A1 });
  assert.deepEqual(idsOf(await allowed.take(4)), [...ids, mark]);
  assert.equal((await anonymous.next()).id, mark);
});

test("28: without a token nobody publishes, and the answer says where to look", async (t) => {
  const { hub } = await hubWithTokens(t);
  assertRefused(await hub.post({ topic: A1 }), 401);
});

testOnEachLog("29, 30, 31: each topic of an event needs the right to it", async (t) => {
  const { hub, TP, TP1, TS, T0 } = await hubWithTokens(t);
  assertRefused(await hub.post({ topic: A2 }, bearer(TP1)), 403, "insufficient_scope");
  assertRefused(await hub.post({ topic: [A1, A2] }, bearer(TP1)), 403, "insufficient_scope");
  assertRefused(await hub.post({ topic: A1 }, bearer(TS)), 403, "insufficient_scope");
  assertRefused(await hub.post({ topic: A1 }, bearer(T0)), 403, "insufficient_scope");
  const id = await publish(hub, TP1, { topic: A1 });
  const mark = await publish(hub, TP, { topic: A2 });
  const stream = await read(hub, undefined, { match: "*", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await stream.take(2)), [id, mark]);
});

testOnEachLog("75: history is judged by the token of now, and any id is a cursor", async (t) => {
  const { hub, TP, TS, TS1 } = await hubWithTokens(t);
  const hidden = await publish(hub, TP, { topic: A2, private: "on" });
  const own = await publish(hub, TP, { topic: A1, private: "on" });
  const open = await publish(hub, TP, { topic: A2 });
  const all = await read(hub, TS, { match: "*", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await all.take(3)), [hidden, own, open]);
  const some = await read(hub, TS1, { match: "*", last_event_id: "earliest" });
  assert.deepEqual(idsOf(await some.take(2)), [own, open]);
  const after = await read(hub, TS1, { match: "*", last_event_id: hidden });
  assert.equal(after.headers["mercure-last-event-id"], hidden);
  assert.deepEqual(idsOf(await after.take(2)), [own, open]);
});

test("77 to 91: a token that is not as it must be is refused, whatever is wrong with it", async (t) => {
  const { hub, app, other } = await hubWithTokens(t, { mercure0x: false });
  const good = { publish: ["*"] };
  const now = Math.floor(Date.now() / 1000);
  const details = (detail) => ({
    claims: { authorization_details: [{ type: "https://mercure.rocks/authorization-detail", ...detail }] },
  });
  const topics = [{ match: "*" }];
  const type = "https://mercure.rocks/authorization-detail";
  const several = (...list) => ({ claims: { authorization_details: list } });
  const bad = {
    "another type": app.token({ ...good, header: { typ: "JWT" } }),
    "no type": app.token({ ...good, header: { typ: undefined } }),
    "an algorithm that its key has not": app.token({ ...good, header: { alg: "ES384" } }),
    "no issuer": app.token({ ...good, claims: { iss: undefined } }),
    "an action that is a number": app.token(details({ actions: [1], topics })),
    "a topic that is a text": app.token(details({ actions: ["publish"], topics: ["*"] })),
    "a topic without match": app.token(details({ actions: ["publish"], topics: [{}] })),
    "a kind of match in another case": app.token({ publish: [{ match: "*", match_type: "Exact" }] }),
    "a bad detail beside a good one": app.token(several({ type, actions: ["publish"], topics }, { type })),
    "too many details": app.token(several(...Array(33).fill({ type, actions: ["publish"], topics }))),
    "no algorithm": app.token({ ...good, header: { alg: "none" } }),
    "a key in its header": app.token({ ...good, header: { jwk: other.jwk, kid: "x" } }),
    "an unknown issuer": app.token({ ...good, claims: { iss: "https://nobody.example" } }),
    "another's key": other.token({ ...good, claims: { iss: "https://app.example" } }),
    "another audience": app.token({ ...good, audience: "https://other.example" }),
    "no audience": app.token({ ...good, claims: { aud: undefined } }),
    "no end": app.token({ ...good, claims: { exp: undefined } }),
    "an end that was": app.token({ ...good, seconds: -1 }),
    "a beginning to come": app.token({ ...good, claims: { nbf: now + 60 } }),
    "no actions": app.token(details({ actions: [], topics })),
    "no topics": app.token(details({ actions: ["publish"], topics: [] })),
    "an unknown kind of match": app.token({ publish: [{ match: "*", match_type: "uritemplate" }] }),
    "a malformed pattern": app.token({ publish: [{ match: "https://a.example/(", match_type: "urlpattern" }] }),
    "a payload that is no object": app.token(details({ actions: ["publish"], topics, payload: 3 })),
  };
  for (const [name, token] of Object.entries(bad)) {
    const response = await hub.post({ topic: A1 }, bearer(token));
    assert.equal(response.status, 401, `${name}: ${response.text}`);
    assertRefused(response, 401, "invalid_token");
  }
  const taken = {
    "its type in another case": app.token({ ...good, header: { typ: "AT+JWT" } }),
    "its type in full": app.token({ ...good, header: { typ: "application/at+jwt" } }),
    "several audiences": app.token({ ...good, audience: ["x", AUDIENCE] }),
    "a fraction of a second": app.token({ ...good, claims: { exp: now + 60.5 } }),
    "actions that we do not know": app.token(details({ actions: ["publish", "archive"], topics })),
    "another's detail, of any shape": app.token(several({ type: "x" }, { type, actions: ["publish"], topics })),
  };
  const { sub, client_id: client, iat, jti } = JSON.parse(Buffer.from(app.token(good).split(".")[1], "base64url"));
  assert.deepEqual([sub, client, iat, jti], Array(4).fill(undefined), "84: no token here has them");
  for (const [name, token] of Object.entries(taken)) {
    assert.equal((await hub.post({ topic: A1 }, bearer(token))).status, 200, name);
  }
});

test("92, 93, 96: the header goes before the cookie, and comes once", async (t) => {
  const { hub, TP } = await hubWithTokens(t);
  const cookie = `__Secure-mercure_access_token=${TP}`;
  const post = (headers) => hub.post({ topic: A1 }, { headers });
  assert.equal((await post({ authorization: `bearer ${TP}` })).status, 200);
  assertRefused(await post({ authorization: "Bearer x.y.z", cookie }), 401, "invalid_token");
  assert.equal((await post({ authorization: `Bearer ${TP}`, cookie: "__Secure-mercure_access_token=x" })).status, 200);
  assertRefused(await post({ authorization: "Bearer" }), 400, "invalid_request");
  const bytes = hub.publishBytes({ topic: A1 }, bearer(TP)).toString();
  const connection = await hub.connect();
  connection.write(bytes.replace("\r\n\r\n", `\r\nAuthorization: Bearer ${TP}\r\n\r\n`));
  assertRefused(await connection.readResponse(), 400, "invalid_request");
});

test("94, 95: a cookie may hold the token, the query may not", async (t) => {
  const { hub, TP, TS } = await hubWithTokens(t);
  const cookie = `a=b; __Secure-mercure_access_token=${TS}`;
  const byCookie = await hub.subscribe({ match: A1 }, { headers: { cookie } });
  const byQuery = await hub.subscribe({ match: A1, access_token: TS });
  const hidden = await publish(hub, TP, { topic: A1, private: "on" });
  const open = await publish(hub, TP, { topic: A1 });
  assert.deepEqual(idsOf(await byCookie.take(2)), [hidden, open]);
  assert.equal((await byQuery.next()).id, open);
});

test("97, 98: a bad token is refused where none is needed, and none where one is", async (t) => {
  const { hub } = await hubWithTokens(t);
  const target = "/.well-known/mercure?match=a";
  assertRefused(await hub.ask({ target, ...bearer("x.y.z") }), 401, "invalid_token");
  const { hub: closed, T0, TS } = await hubWithTokens(t, { anonymous: false });
  assertRefused(await closed.ask({ target }), 401);
  await read(closed, T0, { match: "a" });
  await read(closed, TS, { match: "a" });
});

test("99, 100: a cookie publishes only for pages of the hub and those on the list", async (t) => {
  const { hub, TP } = await hubWithTokens(t, { allowedOrigins: "https://app.example.net" });
  const cookie = `__Secure-mercure_access_token=${TP}`;
  const post = async (headers) => (await hub.post({ topic: A1 }, { headers: { cookie, ...headers } })).status;
  assert.equal(await post({ origin: `http://${hub.authority}` }), 200);
  assert.equal(await post({ origin: "https://app.example.net" }), 200);
  assert.equal(await post({ referer: `http://${hub.authority}/page?a#b` }), 200);
  assert.equal(await post({ origin: "https://evil.example" }), 403);
  assert.equal(await post({ origin: `http://127.0.0.1:1` }), 403, "another port is another origin");
  assert.equal(await post({ referer: "https://evil.example/" }), 403);
  assert.equal(await post({ referer: `https://evil.example/?http://${hub.authority}/` }), 403);
  assert.equal(await post({}), 403);
  // Whoever may not act by the cookie does not learn what it is worth: mercure.md R7.
  const bad = { cookie: "__Secure-mercure_access_token=a.b.c" };
  assert.equal(await post({ ...bad, origin: "https://evil.example" }), 403);
  assert.equal(await post(bad), 403);
  assert.equal(await post({ ...bad, origin: `http://${hub.authority}` }), 401);
  const twice = { cookie: `${bad.cookie}; ${cookie}`, origin: "https://evil.example" };
  assert.equal(await post(twice), 400, "the form comes first");
  const byHeader = { origin: "https://evil.example", ...bearer(TP).headers };
  assert.equal((await hub.post({ topic: A1 }, { headers: byHeader })).status, 200);
});

testOnEachLog("101, 102, 103: a grant covers an event by any of its topics", async (t) => {
  const { hub, TP, TS1, T0 } = await hubWithTokens(t);
  const [all, second, none] = [
    await read(hub, TS1, { match: "*" }),
    await read(hub, TS1, { match: A2 }),
    await read(hub, T0, { match: "*" }),
  ];
  const own = await publish(hub, TP, { topic: A1, private: "on" });
  const hidden = await publish(hub, TP, { topic: A2, private: "on" });
  const open = [await publish(hub, TP, { topic: A1 }), await publish(hub, TP, { topic: A2 })];
  const both = await publish(hub, TP, { topic: [A2, A1], private: "on" });
  const mark = await publish(hub, TP, { topic: A2 });
  assert.ok(hidden);
  assert.deepEqual(idsOf(await all.take(5)), [own, ...open, both, mark]);
  assert.deepEqual(idsOf(await second.take(3)), [open[1], both, mark]);
  assert.deepEqual(idsOf(await none.take(3)), [...open, mark]);
});

testOnEachLog("104: a stream ends before its token does and says so, and its reader comes back", async (t) => {
  const { hub, app, TP } = await hubWithTokens(t);
  const exp = Date.now() / 1000 + 2;
  const token = app.token({ subscribe: ["*"], claims: { exp } });
  const stream = await read(hub, token, { match: A1 });
  const longer = await read(hub, app.token({ subscribe: ["*"] }), { match: A1 });
  const before = await publish(hub, TP, { topic: A1, private: "on" });
  await stream.ended();
  const left = exp - Date.now() / 1000;
  assert.ok(left > 0 && left < 1, `it ended ${left} s before its token`);
  const blocks = stream.blocks.map((lines) => lines.join("\n"));
  assert.match(blocks.at(-1), /^event: vrelo\.end\nretry: [1-9][0-9]*\ndata: \{"reason":"expired"\}$/);
  const missed = await publish(hub, TP, { topic: A1, private: "on" });
  const target = `/.well-known/mercure?match=${encodeURIComponent(A1)}`;
  await until(() => Date.now() / 1000 > exp, "the end of the token");
  assertRefused(await hub.ask({ target, ...bearer(token) }), 401, "invalid_token");
  const again = await read(hub, app.token({ subscribe: ["*"] }), { match: A1, last_event_id: before });
  assert.equal((await again.next()).id, missed);
  assert.deepEqual(idsOf(await longer.take(2)), [before, missed]);
});

testOnEachLog("105: a stream ends when it has lasted long enough, and its reader goes on", async (t) => {
  const { hub, TP, TS } = await hubWithTokens(t, { streamLifetime: "1s" });
  const begin = performance.now();
  const streams = [await read(hub, undefined, { match: A1 }), await read(hub, TS, { match: A1 })];
  const before = await publish(hub, TP, { topic: A1 });
  for (const stream of streams) {
    await stream.ended();
    assert.ok(performance.now() - begin > 800, `${performance.now() - begin} ms`);
    const last = stream.blocks.at(-1).join("\n");
    assert.match(last, /^event: vrelo\.end\nretry: [1-9][0-9]*\ndata: \{"reason":"lifetime"\}$/);
    assert.deepEqual(idsOf(stream.events), [before]);
  }
  const missed = await publish(hub, TP, { topic: A1 });
  const again = await read(hub, TS, { match: A1, last_event_id: before });
  assert.equal((await again.next()).id, missed);
});

test("a reload takes a key away: its streams end within a second, the others do not notice", async (t) => {
  const { hub, folder, app, other, TP } = await hubWithTokens(t);
  const replaced = new Issuer(app.name, { kid: app.kid });
  const gone = await Promise.all(Array.from({ length: 20 }, () => read(hub, app.token(), { match: A1 })));
  const kept = await Promise.all(Array.from({ length: 20 }, () => read(hub, other.token(), { match: A1 })));
  hub.signal("SIGHUP");
  await hub.logLine(/settings read/);
  const id = await publish(hub, TP, { topic: A1 });
  assert.equal((await gone[0].next()).id, id, "the key is still there");

  await replaced.writeKey(path.join(folder, "app.jwk"));
  const begin = performance.now();
  hub.signal("SIGHUP");
  await Promise.all(gone.map((stream) => stream.ended()));
  assert.ok(performance.now() - begin < 1000);
  const last = gone[0].blocks.at(-1).join("\n");
  assert.match(last, /^event: vrelo\.end\nretry: [1-9][0-9]*\ndata: \{"reason":"revoked"\}$/);
  const after = await publish(hub, replaced.token({ publish: ["*"] }), { topic: A1 });
  for (const stream of kept) {
    assert.deepEqual(idsOf(await stream.take(2)), [id, after]);
  }
  assertRefused(await hub.post({ topic: A1 }, bearer(TP)), 401, "invalid_token");
});

test("a token that ends while its cursor is looked up opens no stream", { log: SQLITE }, async (t) => {
  const { hub, folder, app } = await hubWithTokens(t);
  const unlock = await lockReaders(t, path.join(folder, "vrelo.db"));
  const exp = Date.now() / 1000 + 0.5;
  const token = app.token({ subscribe: ["*"], claims: { exp } });
  const answer = hub.ask({ target: `${HUB_PATH}?match=a&last_event_id=unknown`, ...bearer(token) });
  await until(() => Date.now() / 1000 > exp, "the end of the token");
  await unlock();
  assertRefused(await answer, 401, "invalid_token");
});

test("equal rights are one group, whatever is revoked or reloaded", async (t) => {
  const { hub, app, admin } = await hubWithTokens(t, { shards: 1 });
  hub.adminToken = admin.token();
  const reader = (sub) => app.token({ subscribe: [A1], claims: { sub } });
  await read(hub, reader("a"), { match: A1 });
  const fields = { issuer: "https://other.example", token: "t1" };
  const revoked = await hub.post(fields, { target: "/admin/revocations", ...bearer(admin.token()) });
  assert.equal(revoked.status, 200, revoked.text);
  await read(hub, reader("b"), { match: A1 });
  hub.signal("SIGHUP");
  await hub.logLine(/settings read/);
  await read(hub, reader("c"), { match: A1 });
  assert.equal((await hub.metrics()).get("vrelo_stream_groups"), 1);
});

test("a reload that ends anonymous reading ends the streams without a token within a second", async (t) => {
  for (const streamLifetime of ["0", "1h"]) {
    const { hub, folder, TS } = await hubWithTokens(t, { streamLifetime });
    const anonymous = await Promise.all(Array.from({ length: 20 }, () => read(hub, undefined, { match: A1 })));
    const named = await read(hub, TS, { match: A1 });
    const file = path.join(folder, "hub.toml");
    await writeFile(file, (await readFile(file, "utf8")).replace("anonymous = true", "anonymous = false"));
    const begin = performance.now();
    hub.signal("SIGHUP");
    await Promise.all(anonymous.map((stream) => stream.ended()));
    assert.ok(performance.now() - begin < 1000);
    const last = anonymous[0].blocks.at(-1).join("\n");
    assert.match(last, /^event: vrelo\.end\nretry: [1-9][0-9]*\ndata: \{"reason":"revoked"\}$/);
    assert.equal(named.isEnded, false);
  }
});

test("a hub that gets its first key ends the streams without a token where they need one", async (t) => {
  const folder = await t.folder();
  const app = new Issuer("https://app.example");
  await app.writeKey(path.join(folder, "app.jwk"));
  await writeFile(path.join(folder, "hub.toml"), "");
  const hub = await t.hub({ config: "hub.toml" }, { folder });
  const stream = await read(hub, undefined, { match: A1 });
  const issuer = `[[issuers]]\nname = "${app.name}"\nkeys = ["app.jwk"]\n`;
  await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\nanonymous = false\n${issuer}`);
  hub.signal("SIGHUP");
  await stream.ended();
});

test("106: a key for subscribers signs no publish", async (t) => {
  const { hub, subscribers } = await hubWithTokens(t);
  const token = subscribers.token({ publish: ["*"], subscribe: ["*"] });
  assertRefused(await hub.post({ topic: A1 }, bearer(token)), 401, "invalid_token");
  await read(hub, token, { match: A1 });
});

test("107: the hub describes itself to those who look for a token", async (t) => {
  const { hub } = await hubWithTokens(t);
  const response = await hub.ask({ target: new URL(METADATA).pathname });
  assert.equal(response.status, 200);
  assert.equal(response.headers["content-type"], "application/json");
  assert.deepEqual(response.json, {
    resource: AUDIENCE,
    authorization_servers: ["https://app.example", "https://other.example", "https://admin.example"],
    authorization_details_types_supported: ["https://mercure.rocks/authorization-detail"],
    bearer_methods_supported: ["header"],
    mercure_cookie: "__Secure-mercure_access_token",
  });
});

test("108: the hub's URL may have another path", async (t) => {
  const { hub, TP } = await hubWithTokens(t, { path: "/rt/hub" });
  const target = "/rt/hub";
  assert.equal((await hub.ask({ target: `/.well-known/oauth-protected-resource${target}` })).status, 200);
  assert.equal((await hub.ask({ target: new URL(METADATA).pathname })).status, 404);
  assert.equal((await hub.post({ topic: A1 }, bearer(TP))).status, 404);
  const post = (topic, options) => hub.post({ topic }, { target, ...options });
  const missing = await post(A1);
  assert.equal(
    missing.headers["www-authenticate"],
    `Bearer resource_metadata="https://hub.example.net/.well-known/oauth-protected-resource${target}"`,
  );
  for (const topic of ["/rt/hub/x", "https://any.example/rt/hub", "hub", "/rt/x/../%68ub"]) {
    const { status, json } = await post(topic, bearer(TP));
    assert.deepEqual([status, json.field], [400, "topic"], topic);
  }
  assert.equal((await post("/.well-known/mercure/x", bearer(TP))).status, 200);
  const stream = await hub.streamAt(`${target}?match=${encodeURIComponent(A1)}`);
  const id = (await post(A1, bearer(TP))).text;
  assert.equal((await stream.next()).id, id);
});

test("129 to 133, 139: tokens of 0.x by every way they may come", async (t) => {
  const { hub, LP, LS, TP, former } = await hubWithTokens(t);
  assert.equal((await hub.post({ topic: A1 }, bearer(LP))).status, 200);
  for (const mercure of [{ publish: [] }, { subscribe: ["*"] }]) {
    const token = former.formerToken(mercure);
    assertRefused(await hub.post({ topic: A1 }, bearer(token)), 403, "insufficient_scope");
  }
  const streams = [
    await hub.subscribe({ topic: "*", authorization: LS }),
    await read(hub, LS, { match: A1 }),
    await hub.subscribe({ topic: A1 }, { headers: { cookie: `mercureAuthorization=${LS}` } }),
    await hub.subscribe({ topic: A1, authorization: LS }, { headers: { cookie: "mercureAuthorization=x" } }),
  ];
  assert.match(streams[0].headers["cache-control"], /private/);
  const id = await publish(hub, TP, { topic: A1, private: "on" });
  for (const stream of streams) {
    assert.equal((await stream.next()).id, id);
  }
  const query = `/.well-known/mercure?topic=a&authorization=${LS}`;
  assertRefused(await hub.ask({ target: query, ...bearer("x.y.z") }), 401, "invalid_token");
});

test("138: a token of 1.0 that fails is not looked at as one of 0.x", async (t) => {
  const { hub, app, former } = await hubWithTokens(t);
  const claims = { mercure: { publish: ["*"] } };
  for (const issuer of [app, former]) {
    const token = issuer.token({ publish: ["*"], audience: "https://other.example", claims });
    assertRefused(await hub.post({ topic: A1 }, bearer(token)), 401, "invalid_token");
  }
});

test("140: with the layer of 0.x off its selectors and tokens are refused", async (t) => {
  const { hub, LP, LS, TP } = await hubWithTokens(t, { mercure0x: false });
  for (const query of ["topic=https://e.com/b/{id}", `topic=*&authorization=${LS}`]) {
    assert.equal((await hub.ask({ target: `/.well-known/mercure?${query}` })).status, 400, query);
  }
  assertRefused(await hub.post({ topic: A1 }, bearer(LP)), 401, "invalid_token");
  const anonymous = await hub.subscribe({ match: A1 }, { headers: { cookie: `mercureAuthorization=${LS}` } });
  const hidden = await publish(hub, TP, { topic: A1, private: "on" });
  const open = await publish(hub, TP, { topic: A1 });
  assert.notEqual(hidden, open);
  assert.equal((await anonymous.next()).id, open);
});

test("141: an audience of before 0.6 is refused, so that nobody else reads the event", async (t) => {
  const { hub, LP, TP } = await hubWithTokens(t);
  for (const token of [LP, TP]) {
    const { status, json } = await hub.post({ topic: A1, target: "x" }, bearer(token));
    assert.deepEqual([status, json.field], [400, "target"]);
  }
  const { hub: strict, TP: token } = await hubWithTokens(t, { mercure0x: false });
  assert.equal((await strict.post({ topic: A1, target: "x" }, bearer(token))).status, 200);
});

test("what the administrator reads needs a token for that, by header", async (t) => {
  const { hub, admin, TP } = await hubWithTokens(t);
  const ask = (headers) => hub.ask({ target: "/metrics", headers });
  assertRefused(await ask({}), 401);
  assertRefused(await ask(bearer(TP).headers), 401, "invalid_token");
  assertRefused(await ask({ cookie: `__Secure-mercure_access_token=${admin.token()}` }), 401);
  assert.equal((await ask(bearer(admin.token()).headers)).status, 200);
  assert.equal((await hub.ask({ target: "/healthz" })).status, 200);
});

test("vrelo pub and vrelo sub show the token of a file, and none among their arguments", async (t) => {
  const { hub, folder, admin, TP, TS } = await hubWithTokens(t, { anonymous: false });
  await writeFile(path.join(folder, "publish"), `${TP}\n`, { mode: 0o600 });
  await writeFile(path.join(folder, "read"), TS, { mode: 0o600 });
  const run = (...args) => Command.vrelo(args, { cwd: folder, input: "" });
  const reader = run("sub", hub.origin, A1, "--count", "1", "--token-file", "read");
  const metrics = { target: "/metrics", ...bearer(admin.token()) };
  await until(async () => /^vrelo_streams 1$/m.test((await hub.ask(metrics)).text), "the reader's stream");
  const id = await run("pub", hub.origin, A1, "hidden", "--private", "--token-file", "publish").ended();
  assert.equal(id.status, 0, id.errors);
  const read = await reader.ended();
  assert.equal(read.status, 0, read.errors);
  assert.match(read.output, /hidden/);

  const without = await run("pub", hub.origin, A1, "x").ended();
  assert.equal(without.status, 1);
  assert.match(without.errors, /401.*--token-file FILE/s);
  const refused = await run("pub", hub.origin, A1, "x", "--token", TP).ended();
  assert.equal(refused.status, 2);
  assert.match(refused.errors, /every user of this machine/);
  assert.ok(!refused.errors.includes(TP));
});
