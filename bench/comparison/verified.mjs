// SPDX-License-Identifier: Apache-2.0
//
// Publishes, each with a token that the hub has not seen before, and prints what they cost it, as JSON:
//
//   node verified.mjs ALGORITHM EVENTS SERVER_CORE
//
// ALGORITHM is HS256 or ES256, or none: then the hub has no keys.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { Hub } from "../../test/harness/hub.mjs";
import { AUDIENCE, Issuer } from "../../test/harness/token.mjs";

const CONNECTIONS = 8;
const PIPELINE = 64;
const TICKS_PER_SECOND = 100;

const [algorithm, events, core] = process.argv.slice(2);

// Seconds of a processor that a process has used.
async function used(pid) {
  const fields = (await readFile(`/proc/${pid}/stat`, "latin1")).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

async function start(folder, issuer) {
  const settings = { listen: "127.0.0.1:0", shards: 1, log: "memory:", drain: "0" };
  if (issuer) {
    await issuer.writeKey(path.join(folder, "key.jwk"));
    const table = `[[issuers]]\nname = "${issuer.name}"\nkeys = ["key.jwk"]\n`;
    await writeFile(path.join(folder, "hub.toml"), `audiences = ["${AUDIENCE}"]\n${table}`);
    settings.config = "hub.toml";
  }
  const hub = await Hub.spawn({ settings, cwd: folder }).started();
  execFileSync("taskset", ["--all-tasks", "--pid", "--cpu-list", core, String(hub.pid)], { stdio: "ignore" });
  return hub;
}

async function publish(hub, batches) {
  const connection = await hub.connect();
  for (const batch of batches) {
    connection.write(Buffer.concat(batch));
    for (let i = 0; i < batch.length; ++i) {
      const { status, text } = await connection.readResponse();
      if (status !== 200) {
        throw new Error(`the hub answered with ${status}: ${text}`);
      }
    }
  }
  connection.close();
}

const folder = await mkdtemp(path.join(os.tmpdir(), "vrelo-compare-"));
const issuer = algorithm === "none" ? undefined : new Issuer("https://app.example", { algorithm });
const hub = await start(folder, issuer);
try {
  const requests = Array.from({ length: Number(events) }, (_, i) => {
    const token = issuer?.token({ publish: ["*"], claims: { jti: String(i) } });
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    return hub.publishBytes({ topic: "a", data: "x".repeat(100) }, { headers });
  });
  const batches = [];
  for (let i = 0; i < requests.length; i += PIPELINE) {
    batches.push(requests.slice(i, i + PIPELINE));
  }
  const share = (n) => batches.filter((_, i) => i % CONNECTIONS === n);
  const before = await used(hub.pid);
  const begin = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, n) => publish(hub, share(n))));
  const seconds = (performance.now() - begin) / 1000;
  const cpu = (await used(hub.pid)) - before;
  console.log(JSON.stringify({ per_second: requests.length / seconds, cpu_us: (cpu / requests.length) * 1e6 }));
} finally {
  await hub.stop();
  await rm(folder, { recursive: true });
}
process.exit();
