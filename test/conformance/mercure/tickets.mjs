// SPDX-License-Identifier: Apache-2.0
//
// Tickets: one-time texts in a URL that open a stream.

import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { HUB_PATH } from "../../harness/hub.mjs";
import { SQLITE, test, testOnEachLog } from "../../harness/test.mjs";
import {
  APP,
  askForTicket,
  bearer,
  comingBack,
  hubWithTickets,
  mint,
  openTicket,
  readerToken,
  streamOf,
  TICKETS,
} from "../../harness/ticket.mjs";
import { AUDIENCE, Issuer } from "../../harness/token.mjs";

const PROOF = /~[A-Za-z0-9_-]{22}$/;
const GET = { accept: "text/event-stream" };

// The status of a GET with the ticket, as it stands.
async function statusOf(hub, ticket, options) {
  const stream = await streamOf(hub, ticket, options);
  hub.forget(stream);
  return stream.status;
}

testOnEachLog("a ticket opens the stream that its token would have, once", async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const token = readerToken(app, { topics: ["a"] });
  const ticket = await mint(hub, token, { match: ["a", "b"] });
  assert.match(ticket.ticket, /^vt_[A-Za-z0-9_-]{43}$/);
  assert.match(ticket.session, /^[A-Za-z0-9_-]{22}$/);
  assert.equal(ticket.url, `${AUDIENCE}?ticket=${ticket.ticket}`);
  assert.equal(ticket.expires_in, 30);
  assert.ok(ticket.session_expires_in > 590 && ticket.session_expires_in <= 600, "as long as the token");

  const stream = await openTicket(hub, ticket);
  assert.equal(stream.own[0].type, "vrelo.hello");
  assert.match(stream.lastEventId, PROOF);
  await publish(hub, { topic: "a", data: "mine", private: "on" });
  await publish(hub, { topic: "b", data: "secret", private: "on" });
  await publish(hub, { topic: "b", data: "public" });
  await publish(hub, { topic: "c", data: "other" });
  await publish(hub, { topic: "a", id: "last" });
  const events = await stream.take(3);
  assert.deepEqual(events.map((event) => event.data), ["mine", "public", ""]);
  for (const event of events) {
    assert.match(event.id, PROOF);
  }
  assert.equal(events[2].id.replace(PROOF, ""), "last");

  assert.equal(await statusOf(hub, ticket, { headers: { "user-agent": "another" } }), 401);
  assert.equal(await statusOf(hub, ticket), 401, "its first block was acknowledged");
});

test("the first block comes with the headers, in one piece", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app));
  const connection = await hub.connect();
  const pieces = [];
  connection.forward((chunk) => pieces.push(chunk.toString("latin1")));
  connection.write(hub.request({ target: `${HUB_PATH}?ticket=${ticket.ticket}`, headers: GET }));
  await connection.until(() => pieces.length > 0, "the answer");
  const block = ": vrelo heartbeat=15\nevent: vrelo.hello\nretry: \\d+\ndata: \nid: #\\S+~\\S{22}\n\n$";
  assert.match(pieces[0], new RegExp(`^HTTP/1.1 200 OK\r\n(.+\r\n)+\r\n${block}`));
});

testOnEachLog("a reader comes back on the same URL with the proof in its id, and misses nothing", async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app));
  let stream = await openTicket(hub, ticket);
  const seen = [];
  for (let i = 0; i < 10; ++i) {
    stream.close();
    const id = await publish(hub, { topic: "a", data: `${i}` });
    stream = await openTicket(hub, ticket, comingBack(stream));
    const event = await stream.next();
    assert.equal(event.id.replace(PROOF, ""), id);
    seen.push(event.data);
  }
  assert.deepEqual(seen, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
});

test("each connection of a session closes the one before", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app));
  const first = await openTicket(hub, ticket);
  const second = await openTicket(hub, ticket, comingBack(first));
  await first.ended();
  assert.deepEqual(first.own.map(({ type }) => type), ["vrelo.hello"]);
  const third = await openTicket(hub, ticket, comingBack(second));
  await second.ended();
  assert.equal(third.isEnded, false);
});

test("a proof that two clients have ends the session for both", async (t) => {
  const { hub, app, admin } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app));
  for (let i = 0; i < 60; ++i) {
    assert.equal(await statusOf(hub, `vt_${"A".repeat(43)}`), 401); // whose lines leave that of the copy alone
  }
  const owner = await openTicket(hub, ticket);
  const stolen = comingBack(owner);
  const second = await openTicket(hub, ticket, comingBack(owner));
  const third = await openTicket(hub, ticket, comingBack(second));
  assert.equal(await statusOf(hub, ticket, stolen), 401);
  await third.ended();
  assert.deepEqual(JSON.parse(third.own.at(-1).data), { reason: "copied" });
  assert.equal(await statusOf(hub, ticket, comingBack(third)), 401);
  const page = await hub.ask({ target: "/metrics", headers: admin });
  assert.match(page.text, /^vrelo_sessions_copied_total 1$/m);
  await hub.logLine(/warning.*session copied: 127.0.0.1: [0-9a-f]{8}: two clients/);
});

test("what is wrong with a ticket is not told", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const used = await mint(hub, readerToken(app));
  await openTicket(hub, used);
  const unknown = `vt_${"A".repeat(43)}`;
  const answers = new Set();
  for (const ticket of [used.ticket, unknown, "vt_", "", "x", readerToken(app)]) {
    const answer = await hub.ask({ target: `${HUB_PATH}?ticket=${ticket}`, headers: GET });
    assert.equal(answer.status, 401);
    assert.match(answer.headers["www-authenticate"], /^Bearer error="invalid_token"/);
    answers.add(JSON.stringify([answer.headers, answer.text]));
  }
  assert.equal(answers.size, 1, [...answers].join("\n"));
});

test("only a request for a stream uses a ticket up", async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: 'allowed_origins = ["https://page.example"]' });
  const ticket = await mint(hub, readerToken(app));
  const target = `${HUB_PATH}?ticket=${ticket.ticket}`;
  const cases = [
    [{ method: "HEAD", headers: GET }, 400],
    [{ method: "OPTIONS", headers: GET }, 204],
    [{ method: "POST", body: "topic=a", headers: { "content-type": "application/x-www-form-urlencoded" } }, 401],
    [{ headers: { accept: "*/*" } }, 406],
    [{ headers: { accept: "text/*" } }, 406],
    [{ headers: {} }, 406],
    ...["navigate", "no-cors", "same-origin", "websocket"].map((mode) => [
      { headers: { ...GET, "sec-fetch-mode": mode } },
      403,
    ]),
    [{ headers: { ...GET, origin: "https://other.example" } }, 403],
    [{ headers: { ...GET, origin: "null" } }, 403],
    ...["1", "0", "2", "1, 1", "", ["0", "1"]].map((early) => [{ headers: { ...GET, "early-data": early } }, 425]),
    [{ headers: { ...GET, ...bearer(readerToken(app)) } }, 400],
    [{ target: `${target}&match=b`, headers: GET }, 400],
    [{ target: `${target}&topic=b`, headers: GET }, 400],
    [{ target: `${target}&Match=b`, headers: GET }, 400],
    [{ target: `${target}&authorization=x`, headers: GET }, 400],
    [{ target: `${target}&ticket=${ticket.ticket}`, headers: GET }, 400],
    [{ headers: { ...GET, "last-event-id": "a\tb" } }, 400],
  ];
  for (const [request, status] of cases) {
    const answer = await hub.ask({ target, ...request });
    assert.equal(answer.status, status, JSON.stringify(request));
  }
  const cookie = { cookie: "__Secure-mercure_access_token=x; mercureAuthorization=y" };
  const headers = { "sec-fetch-mode": "cors", "sec-purpose": "prefetch", origin: "https://page.example", ...cookie };
  const stream = await openTicket(hub, ticket, { headers });
  assert.equal(stream.headers["access-control-allow-origin"], "https://page.example");
});

test("a ticket is no token, and no token is a ticket", async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: "anonymous = true" });
  const ticket = await mint(hub, readerToken(app));
  const asToken = bearer(ticket.ticket);
  const target = `${TICKETS}?ticket=${ticket.ticket}`;
  const fields = { topic: "a", match: "a", ticket: ticket.ticket };
  const refused = [
    await hub.post(fields, { headers: asToken }),
    await hub.post(fields),
    await hub.post(fields, { target: `${HUB_PATH}?ticket=${ticket.ticket}` }),
    await askForTicket(hub, fields, asToken),
    await askForTicket(hub, fields),
    await hub.post(fields, { target }),
    await hub.post(fields, { target: "/admin/revocations", headers: asToken }),
    await hub.ask({ target: `/metrics?ticket=${ticket.ticket}` }),
    await hub.ask({ target: "/metrics", headers: asToken }),
    await hub.ask({ target: `${HUB_PATH}?match=a`, headers: { ...GET, ...asToken } }),
  ];
  assert.deepEqual(refused.map(({ status }) => status), refused.map(() => 401));
  await openTicket(hub, ticket);
  assert.ok(!hub.errorText.includes(ticket.ticket.slice(3, 20)), "it is in the log");
});

test("minting says which field is wrong", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const token = readerToken(app);
  const cases = [
    [{}, 400, "match"],
    [{ match_urlpattern: "(" }, 400, "match_urlpattern"],
    [{ Match: "a" }, 400, "Match"],
    [{ match: "a", ttl: "0" }, 400, "ttl"],
    [{ match: "a", ttl: "301" }, 400, "ttl"],
    [{ match: "a", ttl: "x" }, 400, "ttl"],
    [{ match: "a", label: "" }, 400, "label"],
    [{ match: "a", label: "x".repeat(257) }, 400, "label"],
    [{ match: "a", label: "a\u0000b" }, 400, "label"],
    [{ match: "a", last_event_id: "a\u0000b" }, 400, "last_event_id"],
    [`match=a&x=${"x".repeat(20_000)}`, 413, undefined],
  ];
  for (const [fields, status, field] of cases) {
    const answer = await askForTicket(hub, fields, bearer(token));
    assert.deepEqual([answer.status, answer.json.field], [status, field], JSON.stringify(fields).slice(0, 80));
  }
  const json = { ...bearer(token), "content-type": "application/json" };
  assert.equal((await askForTicket(hub, "{}", json)).status, 415);
  const read = await hub.ask({ target: TICKETS, headers: bearer(token) });
  assert.deepEqual([read.status, read.headers.allow], [405, "POST, OPTIONS"]);
  const good = await mint(hub, token, { match: "a", ttl: "300", label: "tab 1" });
  assert.equal(good.expires_in, 300);
});

test("a cookie mints only for a page of an allowed origin", async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: 'allowed_origins = ["https://page.example"]' });
  const cookie = { cookie: `__Secure-mercure_access_token=${readerToken(app)}` };
  const fields = { match: "a" };
  for (const headers of [{}, { origin: "https://other.example" }, { referer: "https://page.example/" }]) {
    const answer = await askForTicket(hub, fields, { ...cookie, ...headers });
    assert.deepEqual([answer.status, answer.json.field], [403, "Origin"]);
  }
  const bad = { cookie: "__Secure-mercure_access_token=a.b.c" };
  assert.equal((await askForTicket(hub, fields, { ...bad, origin: "https://evil.example" })).status, 403);
  assert.equal((await askForTicket(hub, fields, { ...bad, origin: "https://page.example" })).status, 401);
  const answer = await askForTicket(hub, fields, { ...cookie, origin: "https://page.example" });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers["cache-control"], "no-store");
  assert.equal(answer.headers["access-control-allow-origin"], "https://page.example");
});

test("each subject gets so many tickets a minute, and the oldest of those unused dies", async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: "tickets_per_minute = 4\ntickets_unused = 2" });
  const tickets = [];
  for (let i = 0; i < 4; ++i) {
    tickets.push(await mint(hub, readerToken(app, { sub: "eva" })));
  }
  const refused = await askForTicket(hub, { match: "a" }, bearer(readerToken(app, { sub: "eva" })));
  assert.equal(refused.status, 429);
  assert.ok(Number(refused.headers["retry-after"]) > 50);
  await mint(hub, readerToken(app, { sub: "tom" }));
  const statuses = [];
  for (const ticket of tickets) {
    statuses.push(await statusOf(hub, ticket));
  }
  assert.deepEqual(statuses, [401, 401, 200, 200]);
});

test("an issuer may have limits of its own", async (t) => {
  const settings = "tickets_per_minute = 1\ntickets_unused = 1";
  const issuer = "tickets_per_minute = 3\ntickets_unused = 2";
  const { hub, app } = await hubWithTickets(t, { settings, issuer });
  const token = readerToken(app, { sub: "back end" });
  const tickets = [await mint(hub, token), await mint(hub, token), await mint(hub, token)];
  assert.equal((await askForTicket(hub, { match: "a" }, bearer(token))).status, 429);
  const statuses = [];
  for (const ticket of tickets) {
    statuses.push(await statusOf(hub, ticket));
  }
  assert.deepEqual(statuses, [401, 200, 200]);
});

test("a token that is over but for the leeway, or in a moment, gets no ticket", async (t) => {
  const settings = 'clock_leeway = "10s"';
  const { hub, app, admin } = await hubWithTickets(t, { settings, issuer: "tickets_per_minute = 1" });
  const over = await askForTicket(hub, { match: "a" }, bearer(readerToken(app, { seconds: -20 })));
  assert.equal(over.status, 401);
  for (const seconds of [-4, 0]) {
    const answer = await askForTicket(hub, { match: "a" }, bearer(readerToken(app, { seconds })));
    assert.deepEqual([answer.status, answer.json], [401, over.json]);
    assert.equal(answer.headers["www-authenticate"], over.headers["www-authenticate"]);
  }
  const { text } = await hub.ask({ target: "/metrics", headers: admin });
  assert.match(text, /^vrelo_tickets_minted_total 0$/m);
  await mint(hub, readerToken(app));
});

test("a hub that does not know what it is called says no url", async (t) => {
  const folder = await t.folder();
  const app = new Issuer(APP);
  await app.writeKey(path.join(folder, "app.jwk"));
  const issuer = `[[issuers]]\nname = "${APP}"\nkeys = ["app.jwk"]\n`;
  await writeFile(path.join(folder, "hub.toml"), `audiences = ["hub"]\n${issuer}`);
  const hub = await t.hub({ config: "hub.toml" }, { folder });
  const ticket = await mint(hub, app.token({ subscribe: ["*"], audience: "hub" }));
  assert.deepEqual(Object.keys(ticket), ["ticket", "session", "expires_in", "session_expires_in"]);
});

test("a form keeps what is no part of the stream's query to itself", async (t) => {
  const { hub, app, folder } = await hubWithTickets(t, { flags: { log: SQLITE } });
  await mint(hub, readerToken(app), { match: "a", authorization: "planted", other: "planted" });
  const kept = (await readdir(folder)).filter((file) => file.includes(".auth"));
  assert.ok(kept.length > 0);
  for (const file of kept) {
    assert.ok(!(await readFile(path.join(folder, file))).includes("planted"), file);
  }
});

test("the cursor of a ticket's stream loses the proof behind it", async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const token = readerToken(app);
  const old = await openTicket(hub, await mint(hub, token));
  const first = await publish(hub, { topic: "a", data: "one" });
  await publish(hub, { topic: "a", data: "two" });
  const [{ id }] = await old.take(2);
  const positions = [
    [{ query: { last_event_id: id } }, undefined],
    [{ query: { lastEventId: id } }, undefined],
    [{ query: { last_event_id: first } }, undefined],
    [{ headers: { "last-event-id": id } }, undefined],
    [{}, { match: "a", last_event_id: id }],
    [{}, { match: "a", last_event_id: first }],
  ];
  for (const [options, fields] of positions) {
    const stream = await openTicket(hub, await mint(hub, token, fields), options);
    assert.equal((await stream.next()).data, "two", JSON.stringify([options, fields]));
    assert.ok(!JSON.stringify(stream.headers).includes(id.slice(-22)), "the proof is told back");
    hub.forget(stream);
  }
  // And an ordinary stream takes the id too.
  const plain = await hub.subscribe({ match: "a", last_event_id: id }, { headers: bearer(token) });
  assert.equal((await plain.next()).data, "two");
  assert.ok(!JSON.stringify(plain.headers).includes(id.slice(-22)), "the proof is told back");
});

test("an empty cursor leaves the one that was minted with the ticket", async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const token = readerToken(app);
  const first = await publish(hub, { topic: "a", data: "one" });
  const second = await publish(hub, { topic: "a", data: "two" });
  await publish(hub, { topic: "a", data: "three" });
  const cases = [
    [{ query: { last_event_id: "" } }, "two"],
    [{ query: { lastEventId: "", last_event_id: "" } }, "two"],
    [{ headers: { "last-event-id": "" } }, "two"],
    [{ query: { last_event_id: "" }, headers: { "last-event-id": second } }, "three"],
    [{ query: { last_event_id: second } }, "three"],
  ];
  for (const [options, next] of cases) {
    const stream = await openTicket(hub, await mint(hub, token, { match: "a", last_event_id: first }), options);
    assert.equal((await stream.next()).data, next, JSON.stringify(options));
    hub.forget(stream);
  }
  // Without any other cursor its reader asks where it is.
  const stream = await openTicket(hub, await mint(hub, token), { query: { last_event_id: "" } });
  assert.match(stream.headers["mercure-last-event-id"], /^#/);
});

testOnEachLog("an id that ends like a proof leads to what follows it, with a proof and without", async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const token = readerToken(app);
  const id = `v1~${Buffer.from("0123456789abcdef").toString("base64url")}`;
  await publish(hub, { topic: "a", data: "one", id });
  await publish(hub, { topic: "a", data: "two" });
  const old = await openTicket(hub, await mint(hub, token, { match: "a", last_event_id: "earliest" }));
  const [event] = await old.take(2);
  assert.equal(event.id.replace(PROOF, ""), id);
  for (const cursor of [id, event.id]) {
    const positions = [
      [{ query: { last_event_id: cursor } }, undefined],
      [{ headers: { "last-event-id": cursor } }, undefined],
      [{}, { match: "a", last_event_id: cursor }],
    ];
    for (const [options, fields] of positions) {
      const stream = await openTicket(hub, await mint(hub, token, fields), options);
      assert.equal((await stream.next()).data, "two", JSON.stringify([options, fields]));
      assert.equal(stream.headers["mercure-last-event-id"], id);
      hub.forget(stream);
    }
  }
});

test("of a cursor that is unknown the proof is not told", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const token = readerToken(app);
  const { lastEventId } = await openTicket(hub, await mint(hub, token));
  for (const id of ["unknown", "#AAAAAAAAAAA.1", "#unknown"]) {
    const cursor = id + lastEventId.slice(-23);
    for (const options of [{ query: { last_event_id: cursor } }, { headers: { "last-event-id": cursor } }]) {
      const stream = await openTicket(hub, await mint(hub, token), options);
      const gap = stream.own.find(({ type }) => type === "vrelo.gap");
      assert.equal(JSON.parse(gap.data).after, id);
      assert.ok(!JSON.stringify(stream.headers).includes(cursor.slice(-22)), "the proof is told back");
    }
  }
});

test("a proof counts in the header alone", async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: 'ticket_grace = "0s"' });
  const ticket = await mint(hub, readerToken(app));
  const stream = await openTicket(hub, ticket);
  for (const name of ["last_event_id", "lastEventId", "lastEventID", "Last-Event-ID"]) {
    assert.equal(await statusOf(hub, ticket, { query: { [name]: stream.lastEventId } }), 401);
  }
  assert.equal(await statusOf(hub, ticket, comingBack(stream)), 200);
});

test("revoking a session, a label or a subject ends streams within a second, and unused tickets", async (t) => {
  const { hub, app, admin } = await hubWithTickets(t);
  const revoke = (fields) => hub.post(fields, { target: "/admin/revocations", headers: admin });
  const issuer = app.name;
  const fields = { match: "a", label: "tab" };
  const kinds = [
    (ticket) => ({ session: ticket.session }),
    () => ({ issuer, label: "tab" }),
    () => ({ issuer, subject: "eva" }),
  ];
  for (const kind of kinds) {
    const token = readerToken(app, { sub: "eva" });
    const used = await mint(hub, token, fields);
    const stream = await openTicket(hub, used);
    const unused = await mint(hub, token, fields);
    const begin = performance.now();
    for (const ticket of kind(used).session ? [used, unused] : [used]) {
      const answer = await revoke(kind(ticket));
      assert.equal(answer.status, 200, answer.text);
    }
    await stream.ended();
    assert.ok(performance.now() - begin < 1000, `${performance.now() - begin} ms`);
    assert.deepEqual(JSON.parse(stream.own.at(-1).data), { reason: "revoked" });
    assert.equal(await statusOf(hub, used, comingBack(stream)), 401);
    assert.equal(await statusOf(hub, unused), 401);
  }
  const unknown = await revoke({ session: "nobody" });
  assert.deepEqual([unknown.status, unknown.json.field], [404, "session"]);
  assert.equal((await revoke({ issuer, session: "nobody" })).status, 400);
  const listed = await hub.ask({ target: "/admin/revocations", headers: admin });
  assert.deepEqual(listed.json.revocations.map(({ label, subject }) => label ?? subject).sort(), ["eva", "tab"]);
});

test("revoking a token or a key ends its tickets and their sessions alone, for good", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const other = new Issuer(APP, { kid: "other" });
  await other.writeKey(path.join(folder, "other.jwk"));
  const issuer = `[[issuers]]\nname = "${APP}"\nkeys = ["other.jwk"]\n`;
  const { hub, start, app, admin } = await hubWithTickets(t, { folder, issuer });
  const open = async (token) => {
    const fields = { match: "a", ttl: "300" };
    const used = await mint(hub, token, fields);
    return { used, stream: await openTicket(hub, used), unused: await mint(hub, token, fields) };
  };
  const kinds = [
    [await open(readerToken(app, { jti: "t1" })), { token: "t1" }],
    [await open(readerToken(other, { jti: "t2" })), { key: "other" }],
  ];
  const spared = await open(readerToken(app, { jti: "t3" }));
  const areOver = async (at) => {
    for (const [{ used, stream, unused }] of kinds) {
      assert.equal(await statusOf(at, used, comingBack(stream)), 401);
      assert.equal(await statusOf(at, unused), 401);
    }
  };
  for (const [{ stream }, field] of kinds) {
    const begin = performance.now();
    const answer = await hub.post({ issuer: APP, ...field }, { target: "/admin/revocations", headers: admin });
    assert.equal(answer.status, 200, answer.text);
    await stream.ended();
    assert.ok(performance.now() - begin < 1000, `${performance.now() - begin} ms`);
    assert.deepEqual(JSON.parse(stream.own.at(-1).data), { reason: "revoked" });
  }
  await areOver(hub);
  assert.equal(spared.stream.isEnded, false);
  await hub.kill();
  const again = await start();
  await areOver(again);
  await openTicket(again, spared.used, comingBack(spared.stream));
  await openTicket(again, spared.unused);
});

test("a session tells before it ends, and ends", async (t) => {
  const { hub, app } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app, { seconds: 3 }));
  assert.ok(ticket.expires_in <= 3);
  const stream = await openTicket(hub, ticket);
  const opened = performance.now();
  await stream.until(() => stream.own.length > 1, "the word that it ends soon");
  // A page that comes for the next ticket when it is told so would else do nothing else.
  assert.ok(performance.now() - opened > 500, "half of the time is over before");
  await stream.ended();
  assert.deepEqual(stream.own.map(({ type }) => type), ["vrelo.hello", "vrelo.renew", "vrelo.end"]);
  assert.equal(await statusOf(hub, ticket, comingBack(stream)), 401);
  const { in: seconds } = JSON.parse(stream.own[1].data);
  assert.ok(seconds >= 1 && seconds <= 3, `${seconds}`);
  assert.deepEqual(JSON.parse(stream.own[2].data), { reason: "expired" });
});

test("used and unused tickets, and sessions, are there after a crash", { log: SQLITE }, async (t) => {
  const { hub, start, app, publish } = await hubWithTickets(t);
  const token = readerToken(app);
  const used = await mint(hub, token, { match: "a", ttl: "300" });
  const unused = await mint(hub, token, { match: "a", ttl: "300" });
  const stream = await openTicket(hub, used);
  await publish(hub, { topic: "a", data: "one" });
  await stream.next();
  await hub.kill();
  const again = await start();
  await publish(again, { topic: "a", data: "two" });
  assert.equal(await statusOf(again, used, { headers: { "user-agent": "another" } }), 401);
  const resumed = await openTicket(again, used, comingBack(stream));
  assert.equal((await resumed.next()).data, "two");
  await openTicket(again, unused);
  assert.equal(await statusOf(again, unused, { headers: { "user-agent": "another" } }), 401);
});

test("without a key there are no tickets", async (t) => {
  const hub = await t.hub();
  assert.equal((await askForTicket(hub, { match: "a" })).status, 404);
  assert.equal(await statusOf(hub, `vt_${"A".repeat(43)}`), 401);
});
