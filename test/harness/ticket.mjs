// SPDX-License-Identifier: Apache-2.0
//
// Hubs that mint tickets, and what clients do with them.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { form } from "./http.mjs";
import { HUB_PATH } from "./hub.mjs";
import { AUDIENCE, Issuer } from "./token.mjs";

export const APP = "https://app.example";
export const ADMIN = "https://admin.example";
export const TICKETS = `${HUB_PATH}/tickets`;

export const bearer = (token) => ({ authorization: `Bearer ${token}` });

// Starts a hub with an issuer of readers' and publishers' tokens, and an administrator. `settings` are TOML, as is
// `issuer`, for that one; start() starts the same hub again, `env` is its environment.
export async function hubWithTickets(t, { settings = "", issuer = "", flags = {}, folder, lifetimeMs, env } = {}) {
  folder ??= await t.folder();
  const app = new Issuer(APP);
  const admin = new Issuer(ADMIN, { kid: "admin" });
  await app.writeKey(path.join(folder, "app.jwk"));
  await admin.writeKey(path.join(folder, "admin.jwk"));
  const toml = (more) => `audiences = ["${AUDIENCE}"]
${more}
[[issuers]]
name = "${APP}"
keys = ["app.jwk"]
${issuer}
[[issuers]]
name = "${ADMIN}"
keys = ["admin.jwk"]
roles = ["admin"]
`;
  const configure = (more) => writeFile(path.join(folder, "hub.toml"), toml(more));
  await configure(settings);
  const start = (more) => t.hub({ config: "hub.toml", ...flags, ...more }, { folder, lifetimeMs, env });
  const publisher = bearer(app.token({ publish: ["*"] }));
  return {
    hub: await start(),
    start,
    configure,
    folder,
    app,
    admin: bearer(admin.token({ seconds: 7 * 86_400 })), // also where the time of day is set by days
    publish: async (hub, fields) => {
      const answer = await hub.post(fields, { headers: publisher });
      assert.equal(answer.status, 200, answer.text);
      return answer.text;
    },
  };
}

// A token for a reader. Its subject may be a claim.
export const readerToken = (app, { topics = ["*"], seconds, ...claims } = {}) =>
  app.token({ subscribe: topics, seconds, claims: { iat: Math.floor(Date.now() / 1000) - 1, ...claims } });

// Asks for a ticket; what is answered may be anything.
export const askForTicket = (hub, fields, headers) => hub.post(fields, { headers, target: TICKETS });

// Gets a ticket.
export async function mint(hub, token, fields = { match: "a" }) {
  const answer = await askForTicket(hub, fields, bearer(token));
  assert.equal(answer.status, 201, answer.text);
  return answer.json;
}

// Asks for the stream of `ticket`, which is what mint() gave, or a text.
export function streamOf(hub, ticket, { query = {}, ...options } = {}) {
  return hub.stream(form({ ticket: ticket.ticket ?? ticket, ...query }), options);
}

// The same, and waits for the first block.
export async function openTicket(hub, ticket, options) {
  const stream = await streamOf(hub, ticket, options);
  assert.equal(stream.status, 200);
  return stream.opened();
}

// What a browser sends when it comes back.
export const comingBack = (stream, headers = {}) => ({ headers: { "last-event-id": stream.lastEventId, ...headers } });
