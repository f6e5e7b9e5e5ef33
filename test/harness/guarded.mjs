// SPDX-License-Identifier: Apache-2.0
//
// A hub that nobody uses without a token.

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { AUDIENCE, Issuer } from "./token.mjs";

// Starts a hub whose pages are those of `origin`. Gives it, publish(fields), and readerToken(topics).
export async function guardedHub(t, origin, settings = {}) {
  const folder = await t.folder();
  const app = new Issuer("https://app.example");
  const admin = new Issuer("https://admin.example", { kid: "admin" });
  let config = `audiences = ["${AUDIENCE}"]\nanonymous = false\n`;
  for (const [name, issuer, roles] of [["app", app, '"publish", "subscribe"'], ["admin", admin, '"admin"']]) {
    await issuer.writeKey(path.join(folder, `${name}.jwk`));
    config += `\n[[issuers]]\nkeys = ["${name}.jwk"]\nname = "${issuer.name}"\nroles = [${roles}]\n`;
  }
  await writeFile(path.join(folder, "hub.toml"), config);
  const hub = await t.hub({ config: "hub.toml", allowedOrigins: origin, ...settings }, { folder });
  hub.adminToken = admin.token();
  const headers = { authorization: `Bearer ${app.token({ publish: ["*"] })}` };
  const publish = async (fields) => {
    const { status, text } = await hub.post(fields, { headers });
    assert.equal(status, 200, text);
    return text;
  };
  return { hub, publish, readerToken: (...topics) => app.token({ subscribe: topics }) };
}
