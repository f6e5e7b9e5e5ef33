// SPDX-License-Identifier: Apache-2.0
//
// What one subject of an issuer may do at once.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { test } from "../../harness/test.mjs";
import { AUDIENCE, Issuer } from "../../harness/token.mjs";
import { until } from "../../harness/waiting.mjs";

const bearer = (token) => ({ headers: { authorization: `Bearer ${token}` } });

// A hub with an issuer that has `limits`, and another without.
async function hubWithLimits(t, limits) {
  const folder = await t.folder();
  const app = new Issuer("https://app.example", { kid: "app" });
  const other = new Issuer("https://other.example", { kid: "other" });
  await app.writeKey(path.join(folder, "app.jwk"));
  await other.writeKey(path.join(folder, "other.jwk"));
  const write = (lines) =>
    writeFile(
      path.join(folder, "hub.toml"),
      `audiences = ["${AUDIENCE}"]
anonymous = true
[[issuers]]
name = "${app.name}"
keys = ["app.jwk"]
${lines}
[[issuers]]
name = "${other.name}"
keys = ["other.jwk"]
`,
    );
  await write(limits);
  const hub = await t.hub({ config: "hub.toml" }, { folder });
  return { hub, app, other, write };
}

const tokenOf = (issuer, sub) => issuer.token({ publish: ["*"], subscribe: ["*"], claims: { sub } });
const streamOf = (hub, token) => hub.subscribe({ match: "a" }, bearer(token));
const ask = (hub, token, method) => hub.ask({ target: "/.well-known/mercure?match=a", method, ...bearer(token) });

test("a subject has so many streams at once, on all shards, and a place is free when one ends", async (t) => {
  const { hub, app, other, write } = await hubWithLimits(t, "streams = 3");
  const streams = [];
  for (let i = 0; i < 3; ++i) {
    streams.push(await streamOf(hub, tokenOf(app, "eva")));
  }
  // To one that may be an EventSource: a stream that ends, and says when to come back.
  const refused = await hub.stream({ match: "a" }, bearer(tokenOf(app, "eva")));
  assert.equal(refused.status, 200);
  await refused.ended();
  assert.deepEqual(refused.comments, [" too many streams of one subject"]);
  assert.equal(refused.lastEventId, "");
  for (const method of ["GET", "HEAD"]) {
    const answer = await ask(hub, tokenOf(app, "eva"), method);
    assert.equal(answer.status, 429);
    assert.match(answer.headers["retry-after"], /^[1-9]$/);
  }

  // Nobody else is meant: another subject, another issuer's, those without a subject or a token.
  const others = [tokenOf(app, "tom"), tokenOf(other, "eva"), tokenOf(app)];
  for (const token of others) {
    await streamOf(hub, token);
  }
  await hub.subscribe({ match: "a" });
  assert.equal((await hub.post({ topic: "a" }, bearer(tokenOf(app, "eva")))).status, 200);

  streams[0].close();
  await until(async () => (await ask(hub, tokenOf(app, "eva"), "HEAD")).status === 200, "a place");
  await streamOf(hub, tokenOf(app, "eva"));
  assert.equal((await ask(hub, tokenOf(app, "eva"), "HEAD")).status, 429);

  await write("streams = 5");
  hub.signal("SIGHUP");
  await hub.logLine(/SIGHUP: settings read/);
  await until(async () => (await ask(hub, tokenOf(app, "eva"), "HEAD")).status === 200, "the new limit");
  await streamOf(hub, tokenOf(app, "eva"));
  await streamOf(hub, tokenOf(app, "eva"));
  assert.equal((await ask(hub, tokenOf(app, "eva"), "HEAD")).status, 429, "those from before count");
});

test("those without a subject are one", async (t) => {
  const { hub, app } = await hubWithLimits(t, "streams = 1");
  await streamOf(hub, tokenOf(app));
  assert.equal((await ask(hub, tokenOf(app), "HEAD")).status, 429);
});

test("a subject publishes so many events a second, and what is too much is not stored", async (t) => {
  const { hub, app, other } = await hubWithLimits(t, "publishes_per_second = 2");
  const reader = await hub.subscribe({ match: "a" });
  const send = (token, data) => hub.post({ topic: "a", data }, bearer(token));
  const answers = [];
  const begin = performance.now();
  for (let i = 0; i < 100; ++i) {
    answers.push(await send(tokenOf(app, "eva"), String(i)));
  }
  const seconds = (performance.now() - begin) / 1000;
  const taken = answers.flatMap((answer, i) => (answer.status === 200 ? [String(i)] : []));
  assert.deepEqual(taken.slice(0, 2), ["0", "1"]);
  assert.ok(taken.length <= 2 + 2 * seconds, `${taken.length} in ${seconds} s`);
  const refused = answers.filter((answer) => answer.status !== 200);
  for (const { status, headers, json } of refused) {
    assert.deepEqual([status, headers["retry-after"]], [429, "1"]);
    assert.equal(json.title, "too many publishes of one subject");
  }
  assert.equal((await send(tokenOf(app, "tom"), "other subject")).status, 200);
  assert.equal((await send(tokenOf(other, "eva"), "other issuer")).status, 200);
  const again = async () => (await send(tokenOf(app, "eva"), "again")).status === 200;
  await until(again, "the next second");
  const read = (await reader.take(taken.length + 3)).map((event) => event.data);
  assert.deepEqual(read, [...taken, "other subject", "other issuer", "again"]);
});

test("what is refused otherwise costs nothing", async (t) => {
  const { hub, app } = await hubWithLimits(t, "publishes_per_second = 1");
  const options = bearer(app.token({ publish: ["a"], claims: { sub: "eva" } }));
  for (let i = 0; i < 20; ++i) {
    assert.equal((await hub.post({ data: "no topic" }, options)).status, 400);
    assert.equal((await hub.post({ topic: "b" }, options)).status, 403);
  }
  assert.equal((await hub.post({ topic: "a" }, options)).status, 200);
});
