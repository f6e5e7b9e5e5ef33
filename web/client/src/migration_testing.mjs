// SPDX-License-Identifier: Apache-2.0

import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";

// Returns migration_lines.mjs with all that it imports, as one script that sets LINES.
export async function bundledLines() {
  const { outputFiles } = await esbuild.build({
    entryPoints: [fileURLToPath(new URL("migration_lines.mjs", import.meta.url))],
    bundle: true,
    format: "iife",
    globalName: "MIGRATION",
    write: false,
  });
  return `${outputFiles[0].text}; globalThis.LINES = MIGRATION.LINES;`;
}
