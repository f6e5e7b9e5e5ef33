// SPDX-License-Identifier: Apache-2.0
//
// Reconnection and history: the cases of the Mercure protocol by their numbers in the project's digest of
// it. The hub's own events (`vrelo.*`) are set aside, as the protocol does not know them.

import assert from "node:assert/strict";

import { testOnEachLog } from "../../harness/test.mjs";

const A1 = "https://a.example/1";

const idsOf = (events) => events.map((event) => event.id);

async function publishAll(hub, ids, topic = A1) {
  for (const [i, id] of ids.entries()) {
    // The same id with the same content again would be a repeat, so each event is another one.
    await hub.publish({ topic, id, data: `${id} ${i}` });
  }
}

// Opens a stream with a cursor, and expects it to replay `ids`, to go on with an event that is published
// then, and to name `answer` in its header. Returns that event's id.
async function assertResumes(hub, query, options, ids, answer) {
  const stream = await hub.subscribe(query, options);
  const live = await hub.publish({ topic: A1 });
  assert.deepEqual(idsOf(await stream.take(ids.length + 1)), [...ids, live]);
  assert.equal(stream.headers["mercure-last-event-id"], answer);
  assert.equal(stream.headers["last-event-id"], undefined);
  assert.deepEqual(stream.own.map((event) => event.type), []);
  stream.close();
  return live;
}

testOnEachLog("66: a cursor in the header resumes after that event, then live", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2", "i3"]);
  const headers = { "last-event-id": "i1" };
  await assertResumes(hub, { match: A1 }, { headers }, ["i2", "i3"], "i1");
});

testOnEachLog("66: the hub's own ids are cursors as well", async (t) => {
  const hub = await t.hub();
  const ids = [];
  for (let i = 0; i < 3; ++i) {
    ids.push(await hub.publish({ topic: A1 }));
  }
  const headers = { "last-event-id": ids[0] };
  await assertResumes(hub, { match: A1 }, { headers }, ids.slice(1), ids[0]);
});

testOnEachLog("67: a cursor in the query does the same", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2", "i3"]);
  await assertResumes(hub, { match: A1, last_event_id: "i1" }, {}, ["i2", "i3"], "i1");
});

testOnEachLog("68: the header goes before the query", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2", "i3"]);
  const headers = { "last-event-id": "i2" };
  await assertResumes(hub, { match: A1, last_event_id: "i1" }, { headers }, ["i3"], "i2");
});

testOnEachLog("69: `earliest` replays all there is", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2", "i3"]);
  const query = { match: A1, last_event_id: "earliest" };
  await assertResumes(hub, query, {}, ["i1", "i2", "i3"], "earliest");
});

testOnEachLog("70: an unknown cursor replays all there is, after a gap that says so", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2"]);
  const stream = await hub.subscribe({ match: A1, last_event_id: "nobody's" });
  assert.deepEqual(idsOf(await stream.take(2)), ["i1", "i2"]);
  assert.equal(stream.headers["mercure-last-event-id"], "earliest");
  assert.deepEqual(stream.own.map((event) => event.type), ["vrelo.gap"]);
  const { reason, after } = JSON.parse(stream.own[0].data);
  assert.deepEqual({ reason, after }, { reason: "unknown", after: "nobody's" });
});

testOnEachLog("a cursor that is longer than any id is an unknown one, and of two the first counts", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2"]);
  const long = "x".repeat(9000);
  for (const [query, headers] of [[{ last_event_id: long }, {}], [{}, { "last-event-id": [long, "i1"] }]]) {
    const stream = await hub.subscribe({ match: A1, ...query }, { headers });
    assert.deepEqual(idsOf(await stream.take(2)), ["i1", "i2"]);
    assert.equal(JSON.parse(stream.own[0].data).after, long);
  }
  await assertResumes(hub, { match: A1 }, { headers: { "last-event-id": ["i1", long] } }, ["i2"], "i1");
});

testOnEachLog("71: with an empty history, the answer to any cursor is `earliest`", async (t) => {
  const hub = await t.hub();
  for (const cursor of ["earliest", "i1", "#x", "#AAAAAAAAAAA.5"]) {
    const stream = await hub.subscribe({ match: A1, last_event_id: cursor });
    assert.equal(stream.headers["mercure-last-event-id"], "earliest", cursor);
    stream.close();
  }
});

testOnEachLog("72: the last event's id as the cursor replays nothing", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2"]);
  await assertResumes(hub, { match: A1, last_event_id: "i2" }, {}, [], "i2");
});

testOnEachLog("73: an event that the selectors leave out is a cursor, and stays the answer", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1"]);
  await publishAll(hub, ["i2"], "other");
  const live = await assertResumes(hub, { match: A1, last_event_id: "i1" }, {}, [], "i1");
  await assertResumes(hub, { match: A1, last_event_id: "i2" }, {}, [live], "i2");
});

testOnEachLog("73: a private event is a cursor like any other", async (t) => {
  const hub = await t.hub();
  await hub.publish({ topic: A1, id: "p", private: "on" });
  await publishAll(hub, ["i1"]);
  await assertResumes(hub, { match: A1, last_event_id: "p" }, {}, ["i1"], "p");
});

testOnEachLog("74: of an id that came twice, the cursor is the first", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["a", "x", "b", "x", "c"]);
  await assertResumes(hub, { match: A1, last_event_id: "x" }, {}, ["b", "x", "c"], "x");
});

testOnEachLog("76: replay while others publish has no gap, no repeat, and the log's order", async (t) => {
  const hub = await t.hub();
  const count = 2000;
  const ids = Array.from({ length: count }, (_, i) => `n${i}`);
  const publisher = await hub.connect();
  const send = (from, to) => {
    for (let i = from; i < to; ++i) {
      publisher.write(hub.publishBytes({ topic: i % 2 ? A1 : "b", id: ids[i], data: "x".repeat(200) }));
    }
  };
  send(0, count / 2);
  for (let i = 0; i < count / 2; ++i) {
    await publisher.readResponse();
  }
  send(count / 2, count);
  const streams = [];
  for (let i = 0; i < 20; ++i) {
    streams.push(await hub.stream({ match: [A1, "b"], last_event_id: i ? ids[i * 50] : "earliest" }));
  }
  for (let i = count / 2; i < count; ++i) {
    assert.equal((await publisher.readResponse()).text, ids[i]);
  }
  publisher.close();
  for (const [i, stream] of streams.entries()) {
    const wanted = i ? ids.slice(i * 50 + 1) : ids;
    assert.deepEqual(idsOf(await stream.take(wanted.length)), wanted);
    stream.close();
  }
});

testOnEachLog("134: the older names of the cursor work, and older readers get its older field", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2"]);
  const queries = [`lastEventID=i1`, `Last-Event-ID=i1`, `lastEventID=i1&Last-Event-ID=i1`];
  const after = ["i2"];
  for (const cursor of queries) {
    const stream = await hub.subscribe(`topic=${A1}&${cursor}`);
    after.push(await hub.publish({ topic: A1 }));
    assert.deepEqual(idsOf(await stream.take(after.length)), after, cursor);
    assert.equal(stream.headers["last-event-id"], "i1", cursor);
    assert.equal(stream.headers["mercure-last-event-id"], "i1", cursor);
    stream.close();
  }
});

testOnEachLog("135: of several names in the query, the one that is freshest goes first", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2", "i3", "i4"]);
  const names = ["lastEventId", "last_event_id", "lastEventID", "Last-Event-ID"];
  const after = ["i4"];
  for (const [i, name] of names.entries()) {
    const others = names.slice(i + 1).map((other) => `&${other}=i1`).join("");
    const stream = await hub.subscribe(`topic=${A1}${others}&${name}=i3`);
    after.push(await hub.publish({ topic: A1 }));
    assert.deepEqual(idsOf(await stream.take(after.length)), after, name);
    stream.close();
  }
});

testOnEachLog("R19: an empty cursor is none, and the next name counts", async (t) => {
  const hub = await t.hub();
  await publishAll(hub, ["i1", "i2"]);
  const headers = { "last-event-id": "" };
  await assertResumes(hub, { match: A1, last_event_id: "i1" }, { headers }, ["i2"], "i1");
  const last = await hub.publish({ topic: A1 });
  await assertResumes(hub, { match: A1, last_event_id: "" }, {}, [], last);
});
