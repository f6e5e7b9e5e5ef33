// SPDX-License-Identifier: Apache-2.0
//
// Makes dist/ of src/: an ES module of each source, with types and a source map.

import { execFileSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

await rm(`${root}dist`, { recursive: true, force: true });
const names = (await readdir(`${root}src`)).filter((name) => name.endsWith(".ts"));
await esbuild.build({
  entryPoints: names.map((name) => `${root}src/${name}`),
  outdir: `${root}dist`,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  logLevel: "warning",
});
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "--project", root], { stdio: "inherit" });
