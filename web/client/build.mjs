// SPDX-License-Identifier: Apache-2.0
//
// Makes dist/ of src/: an ES module of each source, with types and a source map, and the classic script.

import { execFileSync } from "node:child_process";
import { copyFile, readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const CLASSIC = "classic.ts";
const common = { outdir: `${root}dist`, target: "es2022", sourcemap: true, logLevel: "warning" };

await rm(`${root}dist`, { recursive: true, force: true });
const names = (await readdir(`${root}src`)).filter((name) => name.endsWith(".ts") && name !== CLASSIC);
await esbuild.build({ ...common, entryPoints: names.map((name) => `${root}src/${name}`), format: "esm" });
await esbuild.build({ ...common, entryPoints: [`${root}src/${CLASSIC}`], format: "iife", bundle: true, minify: true });
await copyFile(`${root}../../LICENSE`, `${root}dist/LICENSE`);
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, "--project", root], { stdio: "inherit" });
