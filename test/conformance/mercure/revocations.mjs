// SPDX-License-Identifier: Apache-2.0
//
// Tokens that are refused though they are true: /admin/revocations.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { MEMORY, SQLITE, test } from "../../harness/test.mjs";
import { TICKETS } from "../../harness/ticket.mjs";
import { AUDIENCE, Issuer } from "../../harness/token.mjs";

const NAME = "https://app.example";
const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

// A hub with an issuer whose keys are the files that `writeKeys` writes into a folder, and an administrator. `more` is
// TOML for the issuer.
async function hubWithKeys(t, writeKeys, more = "") {
  const folder = await t.folder();
  const keys = await writeKeys((name) => path.join(folder, name));
  const admin = new Issuer("https://admin.example", { kid: "admin" });
  await admin.writeKey(path.join(folder, "admin.jwk"));
  await writeFile(
    path.join(folder, "hub.toml"),
    `audiences = ["${AUDIENCE}"]
anonymous = false
[[issuers]]
name = "${NAME}"
keys = ${JSON.stringify(keys)}
${more}
[[issuers]]
name = "https://admin.example"
keys = ["admin.jwk"]
roles = ["admin"]
`,
  );
  const start = () => t.hub({ config: "hub.toml" }, { folder });
  return { hub: await start(), start, admin: bearer(admin.token()) };
}

// The same, with two keys.
async function hubWithTokens(t, { lifetime = "" } = {}) {
  const first = new Issuer(NAME, { kid: "first" });
  const second = new Issuer(NAME, { kid: "second" });
  const writeKeys = async (at) => {
    await first.writeKey(at("first.jwk"));
    await second.writeKey(at("second.jwk"));
    return ["first.jwk", "second.jwk"];
  };
  return { ...(await hubWithKeys(t, writeKeys, lifetime)), first, second };
}

const readToken = (issuer, claims, options) =>
  issuer.token({
    publish: ["*"],
    subscribe: ["*"],
    claims: { iat: Math.floor(Date.now() / 1000) - 1, ...claims },
    ...options,
  });

const target = "/admin/revocations";
const revoke = (hub, fields, options) => hub.post(fields, { ...options, target });
const list = async (hub, options) => (await hub.ask({ ...options, target })).json.revocations;
const statusOf = async (hub, token) => {
  const stream = await hub.stream({ match: "a" }, bearer(token));
  stream.close();
  return stream.status;
};

test("a revocation ends the streams that it names within a second, and refuses their tokens", async (t) => {
  const { hub, first, second, admin } = await hubWithTokens(t);
  const tokens = {
    byId: readToken(first, { jti: "t1", sub: "eva" }),
    bySubject: readToken(first, { jti: "t2", sub: "tom" }),
    byKey: readToken(second, { jti: "t3", sub: "ann" }),
    none: readToken(first, { jti: "t4", sub: "eva" }),
  };
  const streams = {};
  for (const [name, token] of Object.entries(tokens)) {
    assert.equal((await hub.post({ topic: "a" }, bearer(token))).status, 200);
    streams[name] = await hub.subscribe({ match: "a" }, bearer(token));
  }
  const named = { byId: { token: "t1" }, bySubject: { subject: "tom" }, byKey: { key: "second" } };
  for (const [name, field] of Object.entries(named)) {
    const begin = performance.now();
    const answer = await revoke(hub, { issuer: NAME, ...field }, admin);
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual({ ...answer.json, at: 0 }, { issuer: NAME, ...field, at: 0 });
    await streams[name].ended();
    assert.ok(performance.now() - begin < 1000, `${performance.now() - begin} ms`);
    assert.equal(streams[name].own.at(-1).type, "vrelo.end");
    assert.equal(await statusOf(hub, tokens[name]), 401);
    assert.equal((await hub.post({ topic: "a" }, bearer(tokens[name]))).status, 401);
  }
  assert.equal(streams.none.isEnded, false);
  assert.equal(await statusOf(hub, tokens.none), 200);
  assert.equal((await list(hub, admin)).length, 3);
  // Who signs in again may read; a key that is lost is lost.
  const later = { iat: Date.now() / 1000 };
  assert.equal(await statusOf(hub, readToken(first, { sub: "tom", ...later })), 200);
  assert.equal(await statusOf(hub, readToken(second, { sub: "tom", ...later })), 401);
  // One that says that it will be issued may have been there before.
  const tomorrow = { iat: Date.now() / 1000 + 86400 };
  assert.equal(await statusOf(hub, readToken(first, { sub: "tom", ...tomorrow })), 401);
  assert.equal(await statusOf(hub, readToken(first, { sub: "ann", ...tomorrow })), 200);
});

test("the kid of a revoked key is that of the token, or of any entry of its key", async (t) => {
  const inPem = new Issuer(NAME, { kid: "k1" });
  const twice = new Issuer(NAME, { kid: "k2" });
  const { hub, admin } = await hubWithKeys(t, async (at) => {
    await inPem.writePem(at("k1.pem"));
    await twice.writePem(at("k2.pem"));
    await twice.writeKey(at("k2.jwk"));
    return ["k1.pem", "k2.pem", "k2.jwk"];
  });
  const rights = { publish: ["*"], subscribe: ["*"] };
  const noKid = { ...rights, header: { kid: undefined } };
  const cases = [
    // What has this kid, the token, and the status after it was revoked.
    ["PEM, a kid in the token", inPem.token(rights), 401],
    ["PEM, no kid in the token", inPem.token(noKid), 200],
    ["PEM and a JWK, a kid in the token", twice.token(rights), 401],
    ["PEM and a JWK, no kid in the token", twice.token(noKid), 401],
    ["PEM and a JWK, another kid in the token", twice.token({ ...rights, header: { kid: "k3" } }), 401],
  ];
  const publish = async (token) => (await hub.post({ topic: "a" }, bearer(token))).status;
  const mint = async (token) => (await hub.post({ match: "a" }, { ...bearer(token), target: TICKETS })).status;
  const streams = new Map();
  for (const [what, token] of cases) {
    streams.set(what, await hub.subscribe({ match: "a" }, bearer(token)));
    assert.equal(await publish(token), 200, what);
    assert.equal(await mint(token), 201, what);
  }
  for (const key of ["k1", "k2"]) {
    const answer = await revoke(hub, { issuer: NAME, key }, admin);
    assert.equal(answer.status, 200, answer.text);
  }
  for (const [what, token, status] of cases) {
    if (status === 401) {
      await streams.get(what).ended();
    }
    assert.equal(streams.get(what).isEnded, status === 401, what);
    assert.equal(await publish(token), status, `${what}, to publish`);
    assert.equal(await statusOf(hub, token), status, `${what}, to read`);
    assert.equal(await mint(token), status === 401 ? 401 : 201, `${what}, for a ticket`);
  }
});

test("a revocation holds over a restart", { log: SQLITE }, async (t) => {
  const { hub, start, first, admin } = await hubWithTokens(t);
  const token = readToken(first, { jti: "t1" });
  assert.equal((await revoke(hub, { issuer: NAME, token: "t1" }, admin)).status, 200);
  const before = await list(hub, admin);
  await hub.kill();
  const again = await start();
  assert.equal(await statusOf(again, token), 401);
  assert.deepEqual(await list(again, admin), before);
  again.signal("SIGHUP");
  await again.logLine(/SIGHUP: settings read/);
  assert.equal(await statusOf(again, token), 401);
});

test("tokens that may live longer than their issuer's are refused, so that a revocation may end", async (t) => {
  const { hub, first } = await hubWithTokens(t, { lifetime: 'token_lifetime = "10min"' });
  assert.equal(await statusOf(hub, readToken(first, {}, { seconds: 599 })), 200);
  assert.equal(await statusOf(hub, readToken(first, {}, { seconds: 660 })), 401);
  await hub.logLine(/the token's exp is further away than its issuer's token_lifetime/);
  // One that was made long ago to live long would be taken again near its end.
  const hourAgo = Math.floor(Date.now() / 1000) - 3600;
  assert.equal(await statusOf(hub, readToken(first, { iat: hourAgo }, { seconds: 300 })), 401);
  assert.equal(await statusOf(hub, readToken(first, { iat: undefined }, { seconds: 300 })), 401);
  await hub.logLine(/the token has no iat, which its issuer's token_lifetime needs/);
});

test("only an administrator revokes, by the header alone, and says what", { log: MEMORY }, async (t) => {
  const { hub, first, admin } = await hubWithTokens(t);
  const fields = { issuer: NAME, token: "t1" };
  const refused = [
    [{}, 401],
    [bearer(readToken(first)), 401],
    [{ headers: { cookie: `__Secure-mercure_access_token=${admin.headers.authorization.slice(7)}` } }, 401],
  ];
  for (const [options, status] of refused) {
    assert.equal((await revoke(hub, fields, options)).status, status);
    assert.equal((await hub.ask({ ...options, target })).status, status);
  }
  const malformed = [
    [{ token: "t1" }, "issuer"],
    [{ issuer: "https://other.example", token: "t1" }, "issuer"],
    [{ issuer: NAME }, "token"],
    [{ issuer: NAME, token: "" }, "token"],
    [{ issuer: NAME, subject: "x".repeat(257) }, "subject"],
    [{ issuer: NAME, token: "t1", subject: "eva" }, "subject"],
    [{ issuer: [NAME, NAME], token: "t1" }, "issuer"],
    [{ issuer: NAME, token: "t1", reason: "lost" }, "reason"],
  ];
  for (const [bad, field] of malformed) {
    const { status, json } = await revoke(hub, bad, admin);
    assert.deepEqual([status, json.field], [400, field], JSON.stringify(bad));
  }
  const json = { headers: { ...admin.headers, "content-type": "application/json" } };
  assert.equal((await revoke(hub, fields, json)).status, 415);
  assert.deepEqual(await list(hub, admin), []);
});

test("without tokens there is nothing to revoke", async (t) => {
  const hub = await t.hub();
  assert.equal((await revoke(hub, { issuer: NAME, token: "t1" })).status, 404);
});
