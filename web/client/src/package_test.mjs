// SPDX-License-Identifier: Apache-2.0
//
// The package as it is published: packed, installed into a fresh folder, and used from there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import * as esbuild from "esbuild";
import * as vite from "vite";

import { BROWSERS, launchBrowser } from "../../../test/harness/browser.mjs";
import { fencedBlocks } from "../../../test/harness/markdown.mjs";
import { within } from "../../../test/harness/waiting.mjs";
import { Server } from "./server_testing.mjs";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const KIBIBYTE = 1024;
const run = promisify(execFile);

let folder;
let installed;
before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), "vrelo-test-"));
  const pack = ["pack", "--ignore-scripts", "--json", "--pack-destination", folder];
  const [{ filename }] = JSON.parse((await run("npm", pack, { cwd: ROOT })).stdout);
  await writeFile(path.join(folder, "package.json"), '{"name": "fresh", "private": true, "type": "module"}');
  const install = ["install", "--offline", "--no-audit", "--no-fund", path.join(folder, filename)];
  await run("npm", install, { cwd: folder });
  installed = path.join(folder, "node_modules/vrelo");
});
after(() => {
  process.on("exit", (code) => process.exit(process.exitCode ?? code)); // test/harness/test.mjs says why
  return rm(folder, { recursive: true });
});

// What is loaded where it is used. docs/decisions/client.md has the reasons of the sizes.
const LOADED = ["./shared.js", "./native.js"];
const SIZES = [
  ["the library", 'export * from "vrelo";', 5.5 * KIBIBYTE],
  ["the class alone", 'import { EventSource } from "vrelo"; console.log(EventSource);', 5 * KIBIBYTE],
  ["the parser alone", 'import { Parser } from "vrelo/parser"; console.log(Parser);', 1.5 * KIBIBYTE],
];

for (const [about, contents, bytesMax] of SIZES) {
  test(`package: ${about} has at most ${bytesMax} bytes, bundled by esbuild and gzipped`, async () => {
    const { outputFiles } = await esbuild.build({
      stdin: { contents, resolveDir: folder },
      bundle: true,
      minify: true,
      format: "esm",
      external: LOADED,
      write: false,
    });
    const { length } = gzipSync(outputFiles[0].contents, { level: 9 });
    assert.ok(length <= bytesMax, `${length} bytes`);
  });
}

test("package: has code, types, maps and licence, and depends on nothing", async () => {
  const { dependencies, peerDependencies, exports } = JSON.parse(await readFile(path.join(installed, "package.json")));
  assert.deepEqual([dependencies, peerDependencies], [undefined, undefined]);
  assert.deepEqual((await readdir(installed)).sort(), ["README.md", "dist", "package.json"]);
  const files = await readdir(path.join(installed, "dist"));
  for (const target of Object.values(exports).flatMap((one) => Object.values(typeof one === "string" ? [one] : one))) {
    assert.ok((await readFile(path.join(installed, target))).length > 0, target);
  }
  assert.ok(files.includes("LICENSE"));
  for (const name of files.filter((one) => one.endsWith(".js"))) {
    const map = JSON.parse(await readFile(path.join(installed, "dist", `${name}.map`), "utf8"));
    assert.equal(map.sourcesContent.length, map.sources.length, name);
    assert.match(await readFile(path.join(installed, "dist", name), "utf8"), /\/\/# sourceMappingURL=/);
  }
});

const TYPED = `
import { EventSource, type Failure, GapEvent, stream, StreamErrorEvent } from "vrelo";
import { Parser } from "vrelo/parser";

const source: globalThis.EventSource = new EventSource("/a", { withCredentials: true });
const ours = new EventSource(new URL("http://a/"), { token: async () => "t", headers: () => ({ a: "b" }) });
ours.onmessage = function (event) { const data: string = event.data; this.close(); void data; };
ours.addEventListener("error", (event) => { const error: StreamErrorEvent = event; void error.reason; });
ours.addEventListener("vrelo.gap", ({ after, until }: GapEvent) => void [after, until]);
ours.addEventListener("named", (event: MessageEvent<string>) => void event.data);
ours.addEventListener("named", ({ data }) => { const text: string = data; void text; });
const state: 0 | 1 | 2 = ours.readyState;
for await (const { data } of stream("/a", { onFailure: ({ status }: Failure) => void status })) void data;
new Parser({ onEvent: ({ type }) => void type }).feed(new Uint8Array(1));
// @ts-expect-error an option that is not there
new EventSource("/a", { header: {} });
new EventSource("/a", { shared: "a person" });
new EventSource("/a", { native: true, ticket: async () => ({ ticket: "t" }) });
// @ts-expect-error stream() reads at its own pace
stream("/a", { shared: true });
// @ts-expect-error a state is not written
ours.readyState = 1;
void [source, state];
`;

// In strict mode, the types of the library included.
async function compile(text, options) {
  const file = path.join(folder, "typed.ts");
  await writeFile(file, text);
  const compiler = path.join(ROOT, "node_modules/typescript/bin/tsc");
  await run(process.execPath, [compiler, "--noEmit", "--strict", "--ignoreConfig", ...options, file], { cwd: folder })
    .catch(({ stdout }) => assert.fail(stdout));
}

test("package: its types are those of the native class and more", async () => {
  const options = ["--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler"];
  await compile(TYPED, [...options, "--types", "", "--lib", "es2022,dom,dom.asynciterable"]);
});

const NODE_TYPED = `
import { EventSource, type GapEvent, stream, type StreamErrorEvent, type StreamOptions, type TextEvent } from "vrelo";
import { Parser } from "vrelo/parser";

const options: StreamOptions = { headers: { a: "b" }, body: "a", credentials: "omit", fetch, retry: { minMs: 1 } };
const source = new EventSource("http://a/", options);
source.addEventListener("message", (event) => { const text: TextEvent = event; void text.data.length; });
source.addEventListener("error", (event) => { const error: StreamErrorEvent = event; void error.reason; });
source.addEventListener("vrelo.gap", ({ after }: GapEvent) => void after, { once: true });
source.addEventListener("named", ({ data, lastEventId }) => void [data.length, lastEventId.length]);
for await (const { data } of stream("http://a/", { body: async () => "a" })) void data;
new Parser({ onEvent: ({ type }) => void type }).feed(Buffer.of(1));
`;

test("package: its types do without those of a page, as programs of Node have none", async () => {
  const types = ["--types", "node", "--typeRoots", path.join(ROOT, "node_modules/@types")];
  await compile(NODE_TYPED, ["--target", "es2022", "--module", "nodenext", "--lib", "es2023", ...types]);
});

test("package: the README's programs do what they show", async (t) => {
  const server = await Server.open(t, (exchange) => {
    exchange.open(": vrelo heartbeat=15\nid: 1\ndata: first\n\n");
    exchange.write("data: [DONE]\n\n");
    exchange.end();
  });
  const readme = await readFile(path.join(installed, "README.md"), "utf8");
  const programs = fencedBlocks(readme).filter(({ language }) => language === "js");
  const outputs = [/^first 1\n\[DONE\] 1\nclosed true [0-9]+\n$/, /^first\n\[DONE\]\n$/,
    /^message first 1\nmessage \[DONE\] 1\n$/];
  assert.equal(programs.length, outputs.length);
  for (const [index, { text }] of programs.entries()) {
    const end = index === 0 ? 'source.addEventListener("error", () => source.close());\n' : "";
    const file = path.join(folder, `program${index}.js`);
    await writeFile(file, text.replaceAll("https://hub.example", server.origin) + end);
    assert.match((await run(process.execPath, [file])).stdout, outputs[index]);
  }
  const asked = server.exchanges.map(({ method, body, headers }) => [method, body, headers.authorization]);
  assert.deepEqual(asked, [
    ["GET", "", "Bearer a new token, asked for before every attempt"],
    ["POST", '{"prompt":"Hello"}', undefined],
    ["GET", "", undefined],
  ]);
});

test("package: a bundle by esbuild reads a stream", async (t) => {
  const server = await Server.open(t, (exchange) => exchange.open("data: a\n\n"));
  const contents = `import { EventSource } from "vrelo";
    const source = new EventSource("${server.url}");
    source.onmessage = ({ data }) => { console.log(data); source.close(); };`;
  const outfile = path.join(folder, "bundle/index.mjs");
  await mkdir(path.dirname(outfile));
  await esbuild.build({ stdin: { contents, resolveDir: folder }, bundle: true, format: "esm", outfile });
  assert.equal((await run(process.execPath, [outfile])).stdout, "a\n");
});

// A program for a page, with what is loaded where it is used.
const PROGRAM = `
  for (const options of [{}, { shared: true }, { native: true }]) {
    const source = new EventSource("/stream", options);
    source.onmessage = ({ data }) => {
      document.title += data;
      source.close();
    };
  }`;
const IMPORT = `
  import { EventSource } from "vrelo";
  import { Parser } from "vrelo/parser";
  const parser = new Parser({ onEvent: ({ data }) => (document.title += data) });
  parser.feed(new TextEncoder().encode("data: b\\n\\n"));`;
const page = (script) => `<!doctype html><title></title>${script}`;

// Ways to bring the program into a page: each makes the site in a folder.
const WAYS = {
  "a module script": async (site) => {
    await symlink(path.join(folder, "node_modules"), path.join(site, "node_modules"));
    const at = { vrelo: "/node_modules/vrelo/dist/index.js", "vrelo/parser": "/node_modules/vrelo/dist/parser.js" };
    const code = IMPORT.replace(/"(vrelo[^"]*)"/g, (_, name) => `"${at[name]}"`) + PROGRAM;
    await writeFile(path.join(site, "index.html"), page(`<script type="module">${code}</script>`));
  },
  "the classic script in place of the native class": async (site) => {
    await symlink(path.join(folder, "node_modules"), path.join(site, "node_modules"));
    const classic = '<script src="/node_modules/vrelo/dist/classic.js" data-replace></script>';
    await writeFile(path.join(site, "index.html"), page(`${classic}<script>${PROGRAM}</script>`));
  },
  esbuild: async (site) => {
    const stdin = { contents: IMPORT + PROGRAM, resolveDir: folder };
    const options = { bundle: true, minify: true, format: "esm", splitting: true, outdir: site };
    await esbuild.build({ stdin, ...options });
    await writeFile(path.join(site, "index.html"), page('<script type="module" src="/stdin.js"></script>'));
  },
  Vite: async (site) => {
    const root = path.join(folder, "vite");
    await mkdir(root);
    await writeFile(path.join(root, "main.js"), IMPORT + PROGRAM);
    await writeFile(path.join(root, "index.html"), page('<script type="module" src="/main.js"></script>'));
    await vite.build({ root, configFile: false, logLevel: "error", build: { outDir: site, emptyOutDir: true } });
  },
};

test("package: reads in a page, by whatever way it has come there", async (t) => {
  const browsers = [];
  for (const [name, launch] of Object.entries(BROWSERS)) {
    const browser = await launchBrowser(launch, path.join(folder, `home ${name}`));
    t.after(() => browser.close());
    browsers.push(browser);
  }
  for (const [way, make] of Object.entries(WAYS)) {
    const site = path.join(folder, way.replaceAll(" ", "_"));
    await mkdir(site);
    await make(site);
    const server = await Server.open(t, async (exchange) => {
      if (exchange.target === "/stream") {
        exchange.open("data: a\n\n");
        return;
      }
      const file = path.join(site, exchange.target === "/" ? "index.html" : exchange.target);
      const bytes = await readFile(file).catch(() => undefined);
      const type = file.endsWith(".html") ? "text/html" : "text/javascript";
      exchange.response.writeHead(bytes ? 200 : 404, { "content-type": type }).end(bytes);
    });
    const title = way.includes("classic") ? "aaa" : "baaa"; // the classic script has no parser to give
    for (const browser of browsers) {
      const tab = await browser.newPage();
      await tab.goto(server.origin);
      const wait = tab.waitForFunction((wanted) => document.title === wanted, { polling: 20, timeout: 0 }, title);
      await within(wait, `the title ${title} of the page of ${way}`);
      await tab.close();
    }
  }
});
