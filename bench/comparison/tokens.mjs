// SPDX-License-Identifier: Apache-2.0
//
// Makes a key, a configuration of a hub that trusts it, and files of tokens for `vrelo bench`:
//
//   node tokens.mjs FOLDER ALGORITHM < SETS
//
// ALGORITHM is HS256 or ES256. SETS is JSON: by a file's name, {"count": how many tokens, each of another "jti" and
// "sub"; "subscribe": the topics whose private events each may read, where "{token}" stands for its number}. Each
// may publish everything.

import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import path from "node:path";

import { AUDIENCE, Issuer } from "../../test/harness/token.mjs";

const [folder, algorithm] = process.argv.slice(2);
const issuer = new Issuer("https://app.example", { algorithm });
await issuer.writeKey(path.join(folder, "key.jwk"));
const table = `[[issuers]]\nname = "${issuer.name}"\nkeys = ["key.jwk"]\n`;
await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\n${table}`);

for (const [name, { count, subscribe }] of Object.entries(JSON.parse(readFileSync(0, "utf8")))) {
  const lines = Array.from({ length: count }, (_, number) => {
    const topics = subscribe.map((topic) => topic.replaceAll("{token}", String(number)));
    const rights = topics.length > 0 ? { subscribe: topics } : {};
    const claims = { jti: `${name}-${number}`, sub: `reader-${number}` };
    return `${issuer.token({ publish: ["*"], ...rights, claims })}\n`;
  });
  await writeFile(path.join(folder, name), lines.join(""), { mode: 0o600 });
}
