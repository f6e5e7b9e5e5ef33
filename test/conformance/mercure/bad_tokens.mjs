// SPDX-License-Identifier: Apache-2.0
//
// Tokens that somebody made up, altered, took from elsewhere or kept too long: each is refused with the right error,
// says to its sender nothing but that, and does nothing.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { test } from "../../harness/test.mjs";
import { AUDIENCE, DETAIL, Issuer } from "../../harness/token.mjs";
import { until } from "../../harness/waiting.mjs";

const APP = "https://app.example";
const COOKIE = "__Secure-mercure_access_token";
const TOPICS = [{ match: "*" }];

const issuers = {
  app: new Issuer(APP, { kid: "app" }),
  rsa: new Issuer(APP, { kid: "rsa", algorithm: "RS256" }),
  ed: new Issuer(APP, { kid: "ed", algorithm: "EdDSA" }),
  shared: new Issuer(APP, { kid: "shared", algorithm: "HS256" }),
  unnamed: new Issuer(APP, { algorithm: "EdDSA" }), // whose key is in PEM, without kid
  readers: new Issuer(APP, { kid: "readers" }),
  other: new Issuer("https://other.example", { kid: "other" }),
  former: new Issuer("", { kid: "former", algorithm: "HS256" }),
  admin: new Issuer("https://admin.example", { kid: "admin" }),
  stranger: new Issuer(APP, { kid: "app" }), // whom the hub does not know
};
const { app, rsa, shared, unnamed, readers, other, former, admin, stranger } = issuers;

async function start(t) {
  const folder = await t.folder();
  const tables = {
    app: `name = "${APP}"`,
    rsa: `name = "${APP}"`,
    ed: `name = "${APP}"`,
    shared: `name = "${APP}"\ntoken_lifetime = "1h"`,
    unnamed: `name = "${APP}"`,
    readers: `name = "${APP}"\nroles = ["subscribe"]`,
    other: `name = "${other.name}"`,
    former: "mercure_claim = true",
    admin: `name = "${admin.name}"\nroles = ["admin"]`,
  };
  let config = `audiences = ["${AUDIENCE}"]\nanonymous = true\n`;
  for (const [name, lines] of Object.entries(tables)) {
    const file = path.join(folder, `${name}.key`);
    await (name === "unnamed" ? issuers[name].writePem(file) : issuers[name].writeKey(file));
    config += `\n[[issuers]]\nkeys = ["${name}.key"]\n${lines}\n`;
  }
  await writeFile(path.join(folder, "hub.toml"), config);
  return t.hub({ config: "hub.toml" }, { folder });
}

const now = () => Date.now() / 1000;
const b64 = (value) => Buffer.from(value).toString("base64url");
const bearer = (token) => ({ authorization: `Bearer ${token}` });

// A token that is good but for some claims, or members of its header.
const claims = (changed) => app.token({ publish: ["*"], claims: changed });
const header = (changed) => app.token({ publish: ["*"], header: changed });
const detail = (changed) =>
  claims({ authorization_details: [{ type: DETAIL, actions: ["publish"], topics: TOPICS, ...changed }] });

// A token of the issuer whose tokens live for an hour.
const lasting = (seconds, age) =>
  shared.token({ publish: ["*"], seconds, claims: { iat: Math.floor(now()) - age } });

const good = app.token({ publish: ["*"] });
const [goodHeader, goodPayload, goodSignature] = good.split(".");
const payloadText = Buffer.from(goodPayload, "base64url").toString();

// The same with some signature.
const withSignature = (bytes) => `${goodHeader}.${goodPayload}.${b64(bytes)}`;

// The same with its header or its payload as some text, and rightly signed.
const withHeader = (text) => app.signText(`${b64(text)}.${goodPayload}`);
const withPayload = (text) => app.signText(`${goodHeader}.${b64(text)}`);

// Signs as somebody who thinks that the hub takes this for the secret of a key.
function bySecret(kid, secret) {
  const text = `${b64(JSON.stringify({ typ: "at+jwt", alg: "HS256", kid }))}.${goodPayload}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

// Signs as somebody who takes a public key for a shared secret.
const byPublicKey = (issuer, secret) => bySecret(issuer.kid, secret);
const pem = (issuer) => issuer.publicKey.export({ type: "spki", format: "pem" });
const der = (issuer) => issuer.publicKey.export({ type: "spki", format: "der" });

// Another last character that stands for the same bytes.
function otherSpelling(text) {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet.indexOf(text.at(-1));
  const same = [...alphabet].find(
    (c, i) => i !== last && Buffer.from(text.slice(0, -1) + c, "base64url").equals(Buffer.from(text, "base64url")),
  );
  return text.slice(0, -1) + same;
}

function flipped(text, bit) {
  const bytes = Buffer.from(text, "base64url");
  bytes[bit >> 3] ^= 1 << (bit & 7);
  return bytes.toString("base64url");
}

const nested = (depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
const many = (count, one) => Array.from({ length: count }, () => one);

// What is wrong, and the token. All of them are refused with 401 and invalid_token.
const INVALID = {
  // Its form.
  "one part": "abc",
  "two parts": `${goodHeader}.${goodPayload}`,
  "four parts": `${good}.${goodSignature}`,
  "five parts, as an encrypted one": `${good}.${goodSignature}.${goodSignature}`,
  "no header": `.${goodPayload}.${goodSignature}`,
  "no payload": app.signText(`${goodHeader}.`),
  "no signature": `${goodHeader}.${goodPayload}.`,
  "nothing but dots": "..",
  "characters of the other base64": `${goodHeader}.${goodPayload}.${"+/".repeat(43)}`,
  "a signature with padding": `${good}=`,
  "another spelling of its signature": `${goodHeader}.${goodPayload}.${otherSpelling(goodSignature)}`,
  "more than 8 KiB": claims({ more: "x".repeat(8192) }),

  // Its header.
  "a header that is no JSON": withHeader("{"),
  "a header that is a list": withHeader("[]"),
  "a header with something behind it": withHeader(`{"typ":"at+jwt","alg":"ES256","kid":"app"}x`),
  "a header with a name twice": withHeader(`{"typ":"at+jwt","alg":"none","alg":"ES256","kid":"app"}`),
  "a header with a name twice, deep inside": withHeader(`{"typ":"at+jwt","alg":"ES256","x":{"a":1,"a":1}}`),
  "a header with a byte order mark": withHeader(`\ufeff{"typ":"at+jwt","alg":"ES256","kid":"app"}`),
  "a header that is not UTF-8": withHeader(
    Buffer.from(`{"typ":"at+jwt","alg":"ES256","kid":"app","x":"\xff"}`, "latin1"),
  ),
  "no algorithm": header({ alg: undefined }),
  "the algorithm none": `${b64(`{"typ":"at+jwt","alg":"none"}`)}.${goodPayload}.`,
  "the algorithm none, and signed": header({ alg: "none" }),
  "the algorithm None": header({ alg: "None" }),
  "the algorithm NONE": header({ alg: "NONE" }),
  "an algorithm in another case": header({ alg: "es256" }),
  "an algorithm that is a number": header({ alg: 256 }),
  "an algorithm that is null": header({ alg: null }),
  "an unknown algorithm": header({ alg: "ES256K" }),
  "an algorithm of another curve": header({ alg: "ES384" }),
  "an algorithm of another kind of key": header({ alg: "RS256" }),
  "another algorithm of the same key": rsa.token({ publish: ["*"], header: { alg: "PS256" } }),
  "a longer hash with the same secret": shared.token({ publish: ["*"], header: { alg: "HS512" } }),
  "an RSA public key in PEM as a secret": byPublicKey(rsa, pem(rsa)),
  "the same without its last line end": byPublicKey(rsa, pem(rsa).trimEnd()),
  "an RSA public key in DER as a secret": byPublicKey(rsa, der(rsa)),
  "an EC public key in PEM as a secret": byPublicKey(app, pem(app)),
  "a JWK as a secret": byPublicKey(app, JSON.stringify(app.jwk)),
  "nothing as a secret": byPublicKey(shared, ""),
  "no type": header({ typ: undefined }),
  "the type JWT": header({ typ: "JWT" }),
  "the type of a logout token": header({ typ: "logout+jwt" }),
  "a type that is a number": header({ typ: 1 }),
  "a type with a space": header({ typ: "at+jwt " }),
  "crit": header({ crit: ["exp"] }),
  "an empty crit": header({ crit: [] }),
  "b64": header({ b64: false }),
  "zip": header({ zip: "DEF" }),
  "a token in the token": header({ cty: "JWT" }),
  "an unknown kid": header({ kid: "nobody" }),
  "a kid that is a path": header({ kid: "../../../../dev/null" }),
  "a kid that is a path, signed with nothing": bySecret("/dev/null", ""),
  "a kid with line breaks": header({ kid: "a\r\nSet-Cookie: a=b\n" }),
  "a kid that is a question": header({ kid: "' OR '1'='1" }),
  "a kid with NUL behind one that is known": header({ kid: "app\u0000" }),
  "an empty kid": header({ kid: "" }),
  "a kid that is a number": header({ kid: 0 }),
  "a kid that is null": header({ kid: null }),
  "a kid of more than 256 bytes": unnamed.token({ publish: ["*"], header: { kid: "k".repeat(257) } }),
  "the kid of another key": header({ kid: "rsa" }),
  "a key of its own": stranger.token({ publish: ["*"], header: { jwk: stranger.jwk, kid: undefined } }),
  "a URL of its own key": stranger.token({ publish: ["*"], header: { jku: "https://evil.example/keys" } }),
  "a certificate of its own": stranger.token({ publish: ["*"], header: { x5c: [der(stranger).toString("base64")] } }),
  "a URL of its certificate": stranger.token({ publish: ["*"], header: { x5u: "https://evil.example/c" } }),

  // Its signature.
  "a stranger's key": stranger.token({ publish: ["*"] }),
  "a bit of its signature": `${goodHeader}.${goodPayload}.${flipped(goodSignature, 7)}`,
  "a bit of its payload": `${goodHeader}.${flipped(goodPayload, 80)}.${goodSignature}`,
  "a signature of zeros": withSignature(Buffer.alloc(64)),
  "a signature that is too short": withSignature(Buffer.from(goodSignature, "base64url").subarray(1)),
  "a signature with a byte more": `${good}AA`,
  "a signature in DER": withSignature(app.signature(`${goodHeader}.${goodPayload}`, { dsaEncoding: "der" })),
  "the signature of another token": `${goodHeader}.${goodPayload}.${claims({ jti: "2" }).split(".")[2]}`,
  "a header that says the same otherwise":
    `${b64(`{"alg":"ES256","typ":"at+jwt","kid":"app"}`)}.${goodPayload}.${goodSignature}`,

  // Who it is from.
  "no issuer": claims({ iss: undefined }),
  "an issuer that is a number": claims({ iss: 1 }),
  "an issuer that is a list": claims({ iss: [APP] }),
  "an unknown issuer": claims({ iss: "https://nobody.example" }),
  "an issuer with a slash more": claims({ iss: `${APP}/` }),
  "an issuer in another case": claims({ iss: APP.toUpperCase() }),
  "an issuer with NUL behind it": claims({ iss: `${APP}\u0000` }),
  "another issuer by our key": claims({ iss: other.name }),
  "our issuer by another's key": other.token({ publish: ["*"], claims: { iss: APP } }),
  "a key for readers": readers.token({ publish: ["*"] }),
  "a key for administrators": admin.token({ publish: ["*"] }),
  "an ID token": app.sign(
    { typ: "JWT", alg: "ES256", kid: "app" },
    { iss: APP, aud: "the-client", sub: "eva", nonce: "n", exp: now() + 600, iat: now() },
  ),
  "an ID token that calls itself an access token": claims({ aud: "the-client", nonce: "n" }),

  // Whom it is for.
  "no audience": claims({ aud: undefined }),
  "another audience": claims({ aud: "https://other.example/.well-known/mercure" }),
  "several other audiences": claims({ aud: ["https://other.example", "a", "b"] }),
  "no audience in the list": claims({ aud: [] }),
  "a list with a number beside the audience": claims({ aud: [AUDIENCE, 1] }),
  "an audience that is an object": claims({ aud: { [AUDIENCE]: true } }),
  "an audience in another case": claims({ aud: AUDIENCE.toUpperCase() }),
  "the beginning of the audience": claims({ aud: AUDIENCE.slice(0, -1) }),
  "an empty audience": claims({ aud: "" }),

  // When.
  "no end": claims({ exp: undefined }),
  "an end that was": claims({ exp: now() - 1 }),
  "an end this moment": claims({ exp: now() }),
  "an end that was, by a fraction": claims({ exp: now() - 0.001 }),
  "an end that is a text": claims({ exp: String(now() + 600) }),
  "an end that is null": claims({ exp: null }),
  "an end that is true": claims({ exp: true }),
  "an end in a list": claims({ exp: [now() + 600] }),
  "an end before all time": claims({ exp: -1 }),
  "an end beyond all doubles": withPayload(payloadText.replace(/"exp":\d+/, '"exp":1e400')),
  "an end beyond whole numbers": claims({ exp: 2 ** 53 + 2 }),
  "an end that is no number of JSON": withPayload(payloadText.replace(/"exp":\d+/, '"exp":NaN')),
  "an end further away than its issuer's tokens live": lasting(4000, 0),
  "a life that is longer than its issuer's tokens live": lasting(60, 3600),
  "no time of issue, where its issuer's tokens live for a time": shared.token({ publish: ["*"] }),
  "a beginning to come": claims({ nbf: now() + 60 }),
  "a beginning far away": claims({ nbf: 2 ** 53 }),
  "a beginning that is a text": claims({ nbf: "0" }),
  "a time of issue that is a text": claims({ iat: "0" }),
  "a time of issue before all time": claims({ iat: -0.5 }),

  // Its payload.
  "a payload that is no JSON": withPayload("exp"),
  "a payload that is a list": withPayload("[]"),
  "a payload that is a text": withPayload(`"${APP}"`),
  "a payload with something behind it": withPayload(`${payloadText}{}`),
  "a payload with a name twice": withPayload(payloadText.replace("{", '{"exp":1,')),
  "the same in another spelling": withPayload(payloadText.replace("{", '{"\\u0065xp":1,')),
  "a name twice in a detail": withPayload(payloadText.replace('"actions"', '"actions":["subscribe"],"actions"')),
  "a payload that is nested too deep": withPayload(payloadText.replace("{", `{"x":${nested(40)},`)),
  "a payload that is not UTF-8": withPayload(Buffer.from(payloadText.replace("{", '{"x":"\xff",'), "latin1")),
  "a subject that is a number": claims({ sub: 7 }),
  "an id that is a list": claims({ jti: ["1"] }),
  "a client that is an object": claims({ client_id: {} }),

  // What it may.
  "details that are no list": claims({ authorization_details: { type: DETAIL, actions: ["publish"], topics: TOPICS } }),
  "a detail that is a text": claims({ authorization_details: [DETAIL] }),
  "a detail without a type": claims({ authorization_details: [{ actions: ["publish"], topics: TOPICS }] }),
  "no actions": detail({ actions: undefined }),
  "an empty list of actions": detail({ actions: [] }),
  "actions that are a text": detail({ actions: "publish" }),
  "an action that is a number": detail({ actions: ["publish", 1] }),
  "no topics": detail({ topics: undefined }),
  "an empty list of topics": detail({ topics: [] }),
  "a topic that is a text": detail({ topics: ["*"] }),
  "a topic without match": detail({ topics: [{ match_type: "exact" }] }),
  "a match that is a number": detail({ topics: [{ match: 1 }] }),
  "a match with NUL": detail({ topics: [{ match: "a\u0000" }] }),
  "an unknown kind of match": detail({ topics: [{ match: "*", match_type: "uritemplate" }] }),
  "a kind of match in another case": detail({ topics: [{ match: "*", match_type: "Exact" }] }),
  "a pattern that is none": detail({ topics: [{ match: "https://a.example/(", match_type: "urlpattern" }] }),
  "a pattern that cannot be run": detail({ topics: [{ match: "/((?=a)a)", match_type: "urlpattern" }] }),
  "a payload that is no object": detail({ payload: 3 }),
  "a bad detail beside a good one": claims({
    authorization_details: [{ type: DETAIL, actions: ["publish"], topics: TOPICS }, { type: DETAIL }],
  }),
  "more than 32 details": claims({
    authorization_details: many(33, { type: DETAIL, actions: ["publish"], topics: TOPICS }),
  }),
  "more than 100 topics in a detail": detail({ topics: many(101, { match: "a" }) }),
  "a topic of more than 4,096 bytes": detail({ topics: [{ match: "a".repeat(4097) }] }),

  // Of 0.x.
  "a claim of 0.x by an issuer that is not marked": app.sign(
    { typ: "JWT", alg: "ES256", kid: "app" },
    { mercure: { publish: ["*"] } },
  ),
  "a claim of 0.x that is over": former.formerToken({ publish: ["*"] }, { exp: now() - 1 }),
  "a claim of 0.x that is no list": former.formerToken({ publish: "*" }),
  "no claim of 0.x": former.sign({ typ: "JWT", alg: "HS256" }, { sub: "eva" }),
};

// What the request shows, and its status. `error` is in the field; undefined: there is no reason.
const PRESENTED = [
  ["nothing behind Bearer", { authorization: "Bearer" }, 400, "invalid_request"],
  ["an empty field", { authorization: "" }, 400, "invalid_request"],
  ["a token in quotes", { authorization: `Bearer "${good}"` }, 400, "invalid_request"],
  ["two tokens in one field", { authorization: `Bearer ${good}, Bearer ${good}` }, 400, "invalid_request"],
  ["two fields", { authorization: [`Bearer ${good}`, `Bearer ${good}`] }, 400, "invalid_request"],
  ["a good field behind a bad one", { authorization: ["Bearer x", `Bearer ${good}`] }, 400, "invalid_request"],
  ["a space inside", { authorization: `Bearer ${good.replace(".", " .")}` }, 400, "invalid_request"],
  ["a letter that no token has", { authorization: `Bearer ${good}\xe9` }, 400, "invalid_request"],
  ["padding inside", { authorization: `Bearer ${good.replace(".", "=.")}` }, 400, "invalid_request"],
  ["the same cookie with two values", { cookie: `${COOKIE}=${good}; ${COOKIE}=x` }, 400, "invalid_request"],
  ["a cookie in quotes", { cookie: `${COOKIE}="${good}"` }, 400, "invalid_request"],
  ["another scheme", { authorization: `Basic ${good}` }, 401, undefined],
  ["another scheme beside a good cookie", { authorization: "Basic eA==", cookie: `${COOKIE}=${good}` }, 401, undefined],
  ["a cookie of another name", { cookie: `access_token=${good}` }, 401, undefined],
  ["a cookie in another case", { cookie: `${COOKIE.toUpperCase()}=${good}` }, 401, undefined],
  ["an empty cookie", { cookie: `${COOKIE}=` }, 401, undefined],
  ["the former cookie with a token of 1.0", { cookie: `mercureAuthorization=${good}` }, 401, "invalid_token"],
  ["a bad field beside a good cookie", { ...bearer("x.y.z"), cookie: `${COOKIE}=${good}` }, 401, "invalid_token"],
];

// Tokens that are good, and do not say what is asked for.
const TOO_LITTLE = {
  "no details": claims({ authorization_details: undefined }),
  "no detail of ours": claims({ authorization_details: [{ type: "https://other.example", actions: ["publish"] }] }),
  "the right to read": app.token({ subscribe: ["*"] }),
  "an action that we do not know": detail({ actions: ["archive"] }),
  "another topic": app.token({ publish: ["b"] }),
  "a topic that begins alike": app.token({ publish: ["a/b"] }),
  "a topic in another case": app.token({ publish: ["A"] }),
  "a pattern of others": app.token({ publish: [{ match: "/a", match_type: "urlpattern" }] }),
  "a star inside a topic": app.token({ publish: ["a*"] }),
  "an empty list of 0.x": former.formerToken({ publish: [] }),
  "a claim of 0.x to read": former.formerToken({ subscribe: ["*"] }),
  "a template of others": former.formerToken({ publish: ["b{c}"] }),
};

// All that an answer says, but for its body's length, which follows from it.
const said = ({ status, headers, text }) => ({ status, headers, text });

test("bad tokens are refused, all alike, and do nothing", async (t) => {
  assert.ok(Object.keys(INVALID).length >= 80);
  const hub = await start(t);
  const post = (headers) => hub.post({ topic: "a" }, { headers });
  const mark = await post(bearer(good));
  assert.equal(mark.status, 200, "the token that all others were made of");
  const first = await post(bearer("x.y.z"));
  assert.equal(first.status, 401);
  assert.match(first.headers["www-authenticate"], /^Bearer error="invalid_token", resource_metadata="[^"]+"$/);
  for (const [what, token] of Object.entries(INVALID)) {
    assert.deepEqual(said(await post(bearer(token))), said(first), what);
    assert.equal((await post(bearer(token))).status, 401, `${what}, once more`);
    const read = await hub.ask({ target: "/.well-known/mercure?match=a", method: "HEAD", headers: bearer(token) });
    assert.equal(read.status, what === "a key for readers" ? 200 : 401, `${what}, to read, where no token is needed`);
    const metrics = await hub.ask({ target: "/metrics", headers: bearer(token) });
    assert.equal(metrics.status, what === "a key for administrators" ? 200 : 401, `${what}, to administer`);
  }
  for (const [what, headers, status, error] of PRESENTED) {
    // A page of the hub's own; else a cookie is not even looked at.
    const answer = await post({ ...headers, origin: hub.origin });
    assert.equal(answer.status, status, `${what}: ${answer.text}`);
    const challenge = answer.headers["www-authenticate"];
    assert.equal(/error="([a-z_]+)"/.exec(challenge)?.[1], error, what);
  }
  for (const [what, token] of Object.entries(TOO_LITTLE)) {
    const answer = await post(bearer(token));
    assert.equal(answer.status, 403, `${what}: ${answer.text}`);
    assert.match(answer.headers["www-authenticate"], /error="insufficient_scope"/, what);
  }
  for (const name of ["access_token", "authorization", "token"]) {
    const target = `/.well-known/mercure?${name}=${good}`;
    const status = (await hub.post({ topic: "a" }, { target })).status;
    assert.equal(status, 401, `a token of 1.0 in the query, as ${name}`);
  }
  const end = await post(bearer(good));
  const all = await hub.subscribe({ match: "*", last_event_id: "earliest" });
  assert.deepEqual((await all.take(2)).map(({ id }) => id), [mark.text, end.text], "nothing else was published");
});

test("what is odd about a token and no fault is taken", async (t) => {
  const hub = await start(t);
  const taken = {
    "several audiences": claims({ aud: ["https://other.example", AUDIENCE, ""] }),
    "a fraction of a second": claims({ exp: now() + 60.25, nbf: now() - 0.25, iat: now() + 0.5 }),
    "the last end there is": claims({ exp: 2 ** 53 }),
    "an end with an exponent": withPayload(payloadText.replace(/"exp":\d+/, '"exp":4.1e9')),
    "no kid": header({ kid: undefined }),
    "any kid, by a key without one": unnamed.token({ publish: ["*"], header: { kid: "k".repeat(256) } }),
    "a type in another case": header({ typ: "AT+JWT" }),
    "another member of its header": withHeader(`{"typ":"at+jwt","alg":"ES256","kid":"app","x":"\u00ff"}`),
    "members that nobody knows": claims({ scope: "mercure", nested: { a: [1, { b: null }] } }),
    "a name with NUL": claims({ sub: "eva\u0000" }),
    "another's detail of any shape": claims({
      authorization_details: [{ type: "x", actions: 3 }, { type: DETAIL, actions: ["publish"], topics: TOPICS }],
    }),
    "RSA": rsa.token({ publish: ["*"] }),
    "Ed25519": issuers.ed.token({ publish: ["*"] }),
    "a shared secret": lasting(60, 3500),
    "0.x": former.formerToken({ publish: ["*"] }),
  };
  for (const [what, token] of Object.entries(taken)) {
    const answer = await hub.post({ topic: "a" }, { headers: bearer(token) });
    assert.equal(answer.status, 200, `${what}: ${answer.text}`);
  }
});

test("a token is good up to the moment of its end, and not after it", async (t) => {
  const hub = await start(t);
  const exp = now() + 1.5;
  const token = app.token({ publish: ["*"], claims: { exp } });
  const answers = [];
  await until(async () => {
    const begin = now();
    const { status } = await hub.post({ topic: "a" }, { headers: bearer(token) });
    answers.push({ status, begin, end: now() });
    return status !== 200;
  }, "the end of the token");
  const last = answers.pop();
  assert.equal(last.status, 401);
  assert.ok(last.end >= exp, `it was refused ${exp - last.end} s too early`);
  assert.ok(answers.length > 0);
  for (const { begin } of answers) {
    assert.ok(begin < exp, `it was taken ${begin - exp} s too late`);
  }
});
