// SPDX-License-Identifier: Apache-2.0
//
// Tickets where many want the same one, where the hub dies, drains or cannot write, and what is told of them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { access, readdir, readFile, writeFile } from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { chance } from "../harness/chance.mjs";
import { HUB_PATH } from "../harness/hub.mjs";
import { SQLITE, test } from "../harness/test.mjs";
import {
  askForTicket,
  bearer,
  comingBack,
  hubWithTickets,
  mint,
  openTicket,
  readerToken,
  streamOf,
} from "../harness/ticket.mjs";
import { mortal, until, within } from "../harness/waiting.mjs";

const TICKETS = Number(process.env.VRELO_TICKETS ?? 60); // script/long tickets: 2,000
const KILLED = Number(process.env.VRELO_KILLED_TICKETS ?? 20); // and 500
const LIFETIME = process.env.VRELO_TICKETS === undefined ? {} : { lifetimeMs: 0 };
const KILLED_MS_MAX = 4; // after the request
const KILLS_THAT_FALL_EVERYWHERE = 500;
const CLIENTS = 64;
const SUBJECTS = 40;
const EVENTS = "text/event-stream";

// Does something `count` times, at most so many at a time.
async function inLanes(lanes, count, act) {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      await act(next++);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

// Lets 64 clients race for each of the tickets, a few tickets at a time. `race` gets what each client got.
async function raceForTickets(hub, app, headersOf, race) {
  const tokens = Array.from({ length: SUBJECTS }, (_, i) => readerToken(app, { sub: `reader ${i}` }));
  const one = async (i) => {
    const ticket = await mint(hub, tokens[i % SUBJECTS]);
    const clients = Array.from({ length: CLIENTS }, (_, client) =>
      streamOf(hub, ticket, { headers: headersOf(client) }),
    );
    await race(await Promise.all(clients));
  };
  await inLanes(4, TICKETS, one);
}

async function exactlyOneGetsIt(hub, app, headersOf) {
  await raceForTickets(hub, app, headersOf, (streams) => {
    const statuses = streams.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, ...Array(CLIENTS - 1).fill(401)]);
    streams.forEach((stream) => hub.forget(stream));
  });
}

test("of 64 clients that differ exactly one gets a ticket's stream", { log: SQLITE }, async (t) => {
  const { hub, app } = await hubWithTickets(t, LIFETIME);
  await exactlyOneGetsIt(hub, app, (client) => ({ "user-agent": `client ${client}` }));
});

test("of 64 clients that are alike exactly one gets it without grace", { log: SQLITE }, async (t) => {
  const { hub, app } = await hubWithTickets(t, { settings: 'ticket_grace = "0"', ...LIFETIME });
  await exactlyOneGetsIt(hub, app, () => ({}));
});

test("with grace 64 clients that are alike share one session, and one keeps its stream", { log: SQLITE }, async (t) => {
  const { hub, app, admin } = await hubWithTickets(t, LIFETIME);
  await raceForTickets(hub, app, () => ({}), async (streams) => {
    const accepted = streams.filter(({ status }) => status === 200);
    assert.ok(accepted.length >= 1);
    const open = () => accepted.filter((stream) => !stream.isEnded);
    await until(() => open().length === 1, "one open stream");
    streams.forEach((stream) => hub.forget(stream));
  });
  const { text } = await hub.ask({ target: "/metrics", headers: admin });
  assert.match(text, new RegExp(`^vrelo_tickets_redeemed_total ${TICKETS}$`, "m"));
});

// Waits for a moment between two milliseconds, which no timer can.
async function passMs(duration) {
  const end = performance.now() + duration;
  while (performance.now() < end) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("a ticket whose hub is killed opens no second session", { log: SQLITE }, async (t) => {
  const { hub: first, start, app } = await hubWithTickets(t, LIFETIME);
  const random = chance(1);
  const fell = { before: 0, between: 0, after: 0 }; // the kills, by what the disk and the owner knew then
  let hub = first;
  for (let i = 0; i < KILLED; ++i) {
    const owner = { "user-agent": "owner", host: "localhost" }; // the port changes
    const ticket = await mint(hub, readerToken(app, { sub: `reader ${i}` }), { match: "a", ttl: "300" });
    const opening = openTicket(hub, ticket, { headers: owner }).catch(() => undefined);
    await passMs(random() * KILLED_MS_MAX);
    await hub.kill();
    const stream = await opening;
    hub = await start();
    const strangers = [];
    for (let client = 0; client < 4; ++client) {
      strangers.push(await streamOf(hub, ticket, { headers: { "user-agent": `stranger ${client}` } }));
    }
    const gotIn = strangers.filter(({ status }) => status === 200).length;
    if (stream !== undefined) {
      fell.after += 1;
      assert.equal(gotIn, 0);
      const back = await openTicket(hub, ticket, comingBack(stream, owner));
      assert.notEqual(back.lastEventId, stream.lastEventId);
    } else if (gotIn === 0) {
      // It was used, and the owner did not learn that: its own request is let in again.
      fell.between += 1;
      await openTicket(hub, ticket, { headers: owner });
    } else {
      fell.before += 1;
      assert.equal(gotIn, 1);
      assert.equal((await streamOf(hub, ticket, { headers: owner })).status, 401);
    }
  }
  console.log(`row: | kills before the ticket was used | ${fell.before} | > 0 |`);
  console.log(`row: | kills between that and its answer | ${fell.between} | > 0 |`);
  console.log(`row: | kills after the answer | ${fell.after} | > 0 |`);
  assert.ok(KILLED < KILLS_THAT_FALL_EVERYWHERE || Object.values(fell).every((count) => count > 0));
});

test("a request that got no answer may come again, but not a copy of it", { log: SQLITE }, async (t) => {
  const { hub, app, admin } = await hubWithTickets(t);
  const ticket = await mint(hub, readerToken(app));
  const headers = { accept: EVENTS, "user-agent": "owner", origin: hub.origin };
  const connection = await hub.connect({ isReading: false });
  await connection.write(hub.request({ target: `${HUB_PATH}?ticket=${ticket.ticket}`, headers }));
  await until(async () => {
    const { text } = await hub.ask({ target: "/metrics", headers: admin });
    return text.includes("\nvrelo_tickets_redeemed_total 1\n");
  }, "the ticket to be used");
  connection.reset();
  const stranger = { ...headers, "user-agent": "stranger" };
  assert.equal((await streamOf(hub, ticket, { headers: stranger })).status, 401);
  const again = await until(async () => {
    const stream = await streamOf(hub, ticket, { headers });
    return stream.status === 200 && stream;
  }, "the hub to see that the connection is gone");
  await again.opened();
  const back = await openTicket(hub, ticket, comingBack(again, headers));
  back.close();
  assert.equal((await streamOf(hub, ticket, { headers })).status, 401, "grace ends with the first proof");
});

test("a full hub and one that drains redeem, and give an id to come back with", { log: SQLITE }, async (t) => {
  const { hub, start, app, admin, publish } = await hubWithTickets(t, {
    settings: 'connections = 3\ndrain = "30s"',
    flags: { drain: undefined },
  });
  const token = readerToken(app);
  const tickets = [];
  for (let i = 0; i < 3; ++i) {
    tickets.push(await mint(hub, token, { match: "a", ttl: "300" }));
  }
  hub.closeIdle();
  const idle = [await hub.connect(), await hub.connect(), await hub.connect()];
  const isFull = async () => {
    const { text } = await hub.ask({ target: "/metrics", headers: admin });
    return text.includes("\nvrelo_open_connections 3\n");
  };
  await until(isFull, "a full hub");
  const shortStream = async (ticket, options) => {
    const stream = await openTicket(hub, ticket, options);
    await stream.ended();
    assert.deepEqual(stream.own.map(({ type }) => type), ["vrelo.hello"]);
    return stream;
  };
  let first = await shortStream(tickets[0]);
  first = await shortStream(tickets[0], comingBack(first));
  idle.forEach((connection) => connection.close());
  hub.closeIdle();
  await until(() => publish(hub, { topic: "a", data: "one" }).then(() => true, () => false), "room in the hub");
  const back = await openTicket(hub, tickets[0], comingBack(first));
  assert.equal((await back.next()).data, "one");

  hub.signal("SIGTERM");
  await hub.logLine(/SIGTERM: closing streams/);
  const second = await shortStream(tickets[1]);
  hub.signal("SIGTERM");
  await hub.ended();
  const again = await start();
  const resumed = await openTicket(again, tickets[1], comingBack(second));
  assert.equal(resumed.isEnded, false);
  await openTicket(again, tickets[2]);
});

// Keeps everybody else from writing to an SQLite file, until it is ended.
function lockFile(t, file) {
  const script = `import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
sys.stdin.read()`;
  const child = mortal(spawn("python3", ["-c", script, file], { stdio: ["pipe", "pipe", "inherit"] }));
  const ended = new Promise((resolve) => child.once("close", resolve));
  t.atEnd(() => child.kill("SIGKILL"));
  const locked = new Promise((resolve) => child.stdout.once("data", resolve));
  return within(locked, "the lock").then(() => () => {
    child.stdin.end();
    return within(ended, "the lock's end");
  });
}

test("a ticket stays unused while nothing can be kept", { log: SQLITE }, async (t) => {
  const { hub, folder, app } = await hubWithTickets(t);
  const token = readerToken(app);
  const ticket = await mint(hub, token, { match: "a", ttl: "300" });
  const unlock = await lockFile(t, path.join(folder, "vrelo.db.auth"));
  const told = await streamOf(hub, ticket);
  await told.ended();
  assert.equal(told.status, 200);
  assert.equal(told.own.length, 0);
  assert.ok(told.parser.retry > 0 && told.lastEventId === "");
  assert.equal((await askForTicket(hub, { match: "a" }, bearer(token))).status, 503);
  await hub.logLine(/tickets cannot be kept/);
  await unlock();
  await openTicket(hub, ticket);
});

// Returns how much later a stream ends for which the disk was slow twice than another one of its token, in ms.
// Undefined: it was not opened in time.
async function lateWhereDiskIsSlow(t, seconds) {
  const { hub, folder, app } = await hubWithTickets(t);
  const other = readerToken(app, { sub: "other" });
  await mint(hub, other); // makes the file
  const slowly = async (act) => {
    const unlock = await lockFile(t, path.join(folder, "vrelo.db.auth"));
    const done = act();
    await delay(600); // within the second for which the hub tries
    await unlock();
    return done;
  };
  const token = readerToken(app, { exp: Date.now() / 1000 + seconds });
  const quick = await mint(hub, token);
  const first = await openTicket(hub, quick);
  const ticket = await slowly(async () => {
    const before = askForTicket(hub, { match: "a" }, bearer(other));
    await delay(50); // the next one has to wait for this one's commit
    const [, answer] = await Promise.all([before, askForTicket(hub, { match: "a" }, bearer(token))]);
    return answer.json.ticket;
  });
  const second = ticket && (await slowly(() => streamOf(hub, ticket)));
  if (second?.status !== 200) {
    return undefined;
  }
  const endOf = async (stream) => {
    await stream.ended();
    return stream.own.at(-1)?.type === "vrelo.end" ? performance.now() : undefined;
  };
  const [firstEnd, secondEnd] = await Promise.all([endOf(first), endOf(second)]);
  return firstEnd && secondEnd && secondEnd - firstEnd;
}

test("a ticket's stream ends with its token where the disk is slow", { log: SQLITE }, async (t) => {
  let lateMs;
  // A busy machine needs a token that lives longer.
  for (let seconds = 2.5; lateMs === undefined && seconds < 30; seconds *= 2) {
    lateMs = await lateWhereDiskIsSlow(t, seconds);
  }
  assert.ok(Math.abs(lateMs) < 250, `${lateMs} ms late`); // 550 for each wait that counted
});

test("a subject that has all its streams redeems, and comes back with its proof", { log: SQLITE }, async (t) => {
  const { hub, app, publish } = await hubWithTickets(t, { issuer: "streams = 1" });
  const token = readerToken(app, { sub: "eva" });
  const first = await openTicket(hub, await mint(hub, token));
  const ticket = await mint(hub, token);
  let stream = await openTicket(hub, ticket);
  await stream.ended();
  assert.deepEqual(stream.own.map(({ type }) => type), ["vrelo.hello"]);
  assert.equal((await streamOf(hub, ticket, { headers: { "user-agent": "stranger" } })).status, 401);
  await publish(hub, { topic: "a", data: "one" });
  first.close();
  const event = await until(async () => {
    stream = await openTicket(hub, ticket, comingBack(stream));
    return stream.next().catch(() => undefined); // it ended
  }, "the place of the first");
  assert.equal(event.data, "one");
});

// How long the threads of a process have run, in ms.
async function cpuMs(pid) {
  const threads = await readdir(`/proc/${pid}/task`);
  const texts = await Promise.all(threads.map((id) => readFile(`/proc/${pid}/task/${id}/schedstat`, "utf8")));
  return texts.reduce((total, text) => total + Number(text.split(" ")[0]) / 1e6, 0);
}

test("a flood of unknown tickets costs as little where there are many tickets", async (t) => {
  const UNKNOWN = 5000;
  const MINTED = 10_000;
  const settings = `tickets_per_minute = ${2 * MINTED}\ntickets_unused = ${2 * MINTED}`;
  const { hub, app } = await hubWithTickets(t, { settings });
  const flood = async () => {
    const connection = await hub.connect();
    const requests = Array.from({ length: UNKNOWN }, (_, i) =>
      hub.request({ target: `${HUB_PATH}?ticket=vt_${`${i}`.padStart(42, "x")}A`, headers: { accept: EVENTS } }));
    const begin = await cpuMs(hub.pid);
    connection.write(Buffer.concat(requests));
    for (let i = 0; i < UNKNOWN; ++i) {
      assert.equal((await connection.readResponse()).status, 401);
    }
    connection.close();
    return (await cpuMs(hub.pid)) - begin;
  };
  // Other programs make it longer, never shorter.
  const least = async () => Math.min(await flood(), await flood(), await flood());
  const withFew = await least();
  const token = readerToken(app);
  await inLanes(16, MINTED, () => mint(hub, token, { match: "a", ttl: "300" }));
  const ticket = await mint(hub, token);
  const withMany = await least();
  assert.ok(withMany < 6 * withFew, `${withMany} ms; with few, ${withFew} ms`);
  await openTicket(hub, ticket);
});

test("neither ticket nor proof is in the log, the metrics or an error", { log: SQLITE }, async (t) => {
  const { hub, app, admin } = await hubWithTickets(t, { settings: 'log_level = "debug"' });
  const secrets = [];
  const answers = [];
  const ticket = await mint(hub, readerToken(app));
  const stream = await openTicket(hub, ticket, { headers: { "user-agent": "owner" } });
  secrets.push(ticket.ticket.slice(3), stream.lastEventId.slice(-22));
  const second = await openTicket(hub, ticket, comingBack(stream));
  const third = await openTicket(hub, ticket, comingBack(second));
  secrets.push(second.lastEventId.slice(-22), third.lastEventId.slice(-22));
  const get = { accept: EVENTS };
  const target = `${HUB_PATH}?ticket=${ticket.ticket}`;
  for (const request of [
    { target, headers: get },
    { target, headers: { ...get, "last-event-id": stream.lastEventId } },
    { target, headers: { ...get, "last-event-id": third.lastEventId } },
    { target: `${target}&match=a`, headers: get },
    { target: `${target}&last_event_id=%00${stream.lastEventId}`, headers: get },
    { target, headers: bearer(ticket.ticket) },
    { target: HUB_PATH + "?match=a", headers: { ...get, ...bearer(ticket.ticket) } },
    { target: "/metrics", headers: admin },
  ]) {
    answers.push((await hub.ask(request)).text);
  }
  const told = answers.join("\n") + hub.errorText + hub.outputLines.join("\n");
  for (const secret of secrets) {
    assert.ok(!told.includes(secret), secret);
  }
  assert.ok(!told.includes(secrets[0].slice(0, 12)), "a part of the ticket");
});

test("a proxy that repeats a request whose answer was lost gets the stream", { log: SQLITE }, async (t) => {
  const { hub, app, publish } = await hubWithTickets(t);
  const proxy = await t.proxy({ host: "127.0.0.1", port: hub.port });
  proxy.dropAnswers(1);
  const folder = await t.folder();
  await writeFile(
    path.join(folder, "nginx.conf"),
    `daemon off; pid nginx.pid; error_log stderr; worker_processes 1;
events {}
http {
  access_log off; client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream hubs { server 127.0.0.1:${proxy.port} max_fails=0; server 127.0.0.1:${hub.port} max_fails=0; }
  server {
    listen unix:${folder}/front;
    location / { proxy_pass http://hubs; proxy_http_version 1.1; proxy_set_header Host $host; proxy_buffering off; }
  }
}
`,
  );
  const nginx = mortal(spawn("nginx", ["-p", folder, "-c", "nginx.conf", "-e", "stderr"], { stdio: "pipe" }));
  t.atEnd(() => nginx.kill("SIGKILL"));
  await until(() => access(path.join(folder, "front")).then(() => true, () => false), "nginx");
  for (let i = 0; i < 2; ++i) { // one of the two requests goes by the proxy that cuts
    const { ticket } = await mint(hub, readerToken(app));
    const answer = await new Promise((resolve, reject) => {
      const headers = { host: "localhost", accept: EVENTS, "user-agent": "owner" };
      const request = { socketPath: `${folder}/front`, path: `${HUB_PATH}?ticket=${ticket}`, headers };
      http.get(request, resolve).on("error", reject);
    });
    assert.equal(answer.statusCode, 200);
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk) => (text += chunk)).on("error", () => {});
    await until(() => /^event: vrelo\.hello\n[^]*\n\n/m.test(text), "the first block");
    await publish(hub, { topic: "a", data: `event ${i}` });
    await until(() => text.includes(`data: event ${i}\n`), "the event");
    answer.destroy();
  }
  assert.equal(proxy.dropsLeft, 0);
});
