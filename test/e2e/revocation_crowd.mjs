// SPDX-License-Identifier: Apache-2.0
//
// A revocation among very many streams: it ends all that it names within a second, and no other notices.

import assert from "node:assert/strict";

import { test } from "../harness/test.mjs";
import { APP, bearer, hubWithTickets, readerToken } from "../harness/ticket.mjs";
import { until } from "../harness/waiting.mjs";

const CROWD = 5_000; // of the subject that is revoked, and as many others
const AT_ONCE = 200; // streams that are being opened
const WITHIN_MS = 1_000;
const END = /^event: vrelo\.end\nretry: [1-9][0-9]*\ndata: \{"reason":"revoked"\}\n\n$/;

// Opens `count` streams with `token`.
async function crowd(hub, token, count) {
  const streams = [];
  while (streams.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - streams.length) }, () =>
      hub.subscribe({ match: "a" }, { headers: bearer(token) }));
    streams.push(...(await Promise.all(some)));
  }
  return streams;
}

test(`a revocation ends ${CROWD} streams of its subject within a second, and no stream of others`, async (t) => {
  const { hub, app, admin, publish } = await hubWithTickets(t);
  const revoked = await crowd(hub, readerToken(app, { sub: "eva" }), CROWD);
  const kept = await crowd(hub, readerToken(app, { sub: "tom" }), CROWD);
  const before = await publish(hub, { topic: "a", private: "on" });
  await Promise.all([...revoked, ...kept].map(async (stream) => assert.equal((await stream.next()).id, before)));

  // From here on each takes little of the processors, which are the hub's as well.
  const last = revoked.map(({ connection }) => {
    const chunks = [];
    connection.forward((chunk) => chunks.push(chunk));
    return chunks;
  });
  const begin = performance.now();
  const fields = { issuer: APP, subject: "eva" };
  const answer = await hub.post(fields, { target: "/admin/revocations", headers: admin });
  assert.equal(answer.status, 200, answer.text);
  let ended = 0;
  await until(() => {
    for (; ended < CROWD && revoked[ended].isEnded; ++ended);
    return ended === CROWD;
  }, "the end of all that were revoked");
  const took = performance.now() - begin;
  console.log(`${CROWD} streams ended within ${took.toFixed(0)} ms`);
  assert.ok(took < WITHIN_MS, `${took} ms`);
  for (const chunks of last) {
    assert.match(chunks.join(""), END, "nothing but the end");
  }

  const after = await publish(hub, { topic: "a", private: "on" });
  for (const stream of kept) {
    assert.equal((await stream.next()).id, after);
    assert.deepEqual([stream.isEnded, stream.events.length], [false, 2]);
  }
});
