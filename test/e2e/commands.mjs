// SPDX-License-Identifier: Apache-2.0
//
// `vrelo` itself: help whose examples work, `vrelo serve` and `vrelo log` as given in a terminal.

import assert from "node:assert/strict";
import { mkdir, readFile, readdir, readlink, symlink, writeFile } from "node:fs/promises";
import path from "node:path";

import { Command } from "../harness/command.mjs";
import { binary } from "../harness/hub.mjs";
import { SQLITE, test } from "../harness/test.mjs";

const ORIGIN = "http://127.0.0.1:3000"; // in examples

const run = (args, options) => Command.vrelo(args, { input: "", ...options }).ended();

async function help(...command) {
  const { status, output, errors } = await run([...command, "--help"]);
  assert.deepEqual([status, errors], [0, ""], `vrelo ${command} --help`);
  return output;
}

// The commands under the last heading of a page of help.
function examples(page) {
  const lines = page.slice(page.lastIndexOf(":\n")).match(/^ {2}.+$/gm).map((line) => line.trim());
  assert.ok(lines.length > 0, page);
  return lines;
}

// A folder in which examples can be run: with `vrelo` in its bin/, and with the files that they name.
async function exampleFolder(t) {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const settings = await readFile(new URL("../../docs/vrelo.toml", import.meta.url), "utf8");
  await writeFile(path.join(folder, "vrelo.toml"), settings);
  await writeFile(path.join(folder, "events.ndjson"), '{"topic":"news","data":"Hello"}\n');
  await writeFile(path.join(folder, "log.ndjson"), '{"data":"Hello"}\n');
  return folder;
}

// Starts the line of an example in a terminal. It ends with the test, as by Ctrl-C.
function startExample(t, folder, line) {
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}`, VRELO_LISTEN: "127.0.0.1:0" };
  const command = Command.start(["bash", "-c", line], { cwd: folder, env, terminal: true });
  t.atEnd(() => {
    command.write("\x03");
    return command.ended();
  });
  return command;
}

test("each example of help works", async (t) => {
  const folder = await exampleFolder(t);
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "*" });
  const pages = await Promise.all([[], ["serve"], ["sub"], ["pub"], ["log"], ["bench"]].map((name) => help(...name)));
  const lines = pages.flatMap(examples);
  const seen = { serve: 0, sub: 0, pub: 0, log: 0, bench: 0 };
  for (const example of lines) {
    const [, name] = /\bvrelo (\w+)/.exec(example);
    seen[name] += 1;
    const command = startExample(t, folder, example.replace(ORIGIN, hub.origin));
    if (name === "serve") {
      await command.printed(/^listening on http:\/\/127\.0\.0\.1:[0-9]+\n/m);
      command.write("\x03");
      assert.equal((await command.ended()).status, 0, example);
    } else if (name === "sub") {
      await hub.streamsOpen(2);
      await hub.publish({ topic: "news", data: "Hello" });
      await stream.next();
      await command.printed(/Hello/);
      command.write("\x03");
      await command.ended();
      await hub.streamsOpen(1);
    } else if (name === "pub") {
      const event = await stream.next();
      await command.printed(new RegExp(`${event.id}\n`));
    } else if (name === "bench") {
      await command.printed(/publishing: events|^\{/m);
      command.write("\x03");
      await command.printed(/"delivered":[1-9]|deliveries {2}[1-9]/);
      await command.ended();
    } else {
      assert.equal((await command.ended()).status, 0, command.output);
      assert.match(command.output, /a new epoch has begun/);
    }
  }
  assert.ok(Object.values(seen).every((count) => count > 0), JSON.stringify(seen));
});

test("each example of help for tokens works, one after the other", async (t) => {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  const pages = await Promise.all([["init"], ["token"], ["token", "inspect"]].map((name) => help(...name)));
  for (const example of pages.flatMap(examples)) {
    const command = Command.start(["bash", "--norc", "-c", example], { cwd: folder, env, input: "" });
    const { status, output, errors } = await command.ended();
    assert.deepEqual([status, errors], [0, ""], `${example}: ${output}`);
  }
  const settings = await readFile(path.join(folder, "hub", "vrelo.toml"), "utf8");
  assert.match(settings, /"https:\/\/hub\.example\.com\/\.well-known\/mercure"/);
});

test("each example of help for tickets works, one after the other", async (t) => {
  const folder = await t.folder();
  await mkdir(path.join(folder, "bin"));
  await symlink(binary(), path.join(folder, "bin", "vrelo"));
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  const start = (line) => Command.start(["bash", "--norc", "-c", line], { cwd: folder, env, input: "" });
  assert.equal((await start("vrelo init").ended()).status, 0);
  const hub = await t.hub({ config: "vrelo.toml" }, { folder });
  const make = "vrelo token --config vrelo.toml --publish '*' --subscribe '*' > token";
  assert.equal((await start(make).ended()).status, 0);
  assert.equal((await start(`vrelo pub ${hub.origin} news Hello --token-file token`).ended()).status, 0);
  for (const example of examples(await help("ticket"))) {
    const line = example.replace(ORIGIN, hub.origin);
    const isReader = line.includes("vrelo sub");
    const { status, output, errors } = await start(isReader ? `${line} --from earliest --count 1` : line).ended();
    assert.deepEqual([status, errors], [0, ""], `${example}: ${output}`);
    assert.equal(isReader, /^urn:uuid:[0-9a-f-]+ message Hello\n$/.test(output), output);
  }
});

test("each example of help for explain works", async (t) => {
  const folder = await exampleFolder(t);
  const hub = await t.hub();
  await writeFile(path.join(folder, "token"), "a.b.c");
  await writeFile(path.join(folder, "admin"), "a.b.c");
  const env = { PATH: `${path.join(folder, "bin")}:${process.env.PATH}` };
  for (const example of examples(await help("explain"))) {
    const line = example.replace(ORIGIN, hub.origin);
    const command = Command.start(["bash", "--norc", "-c", line], { cwd: folder, env, input: "" });
    const { status, output, errors } = await command.ended();
    assert.deepEqual([status, errors], [0, ""], `${example}: ${output}`);
  }
});

test("help names the commands and each of their options, and fits a terminal", async () => {
  const page = await help();
  const commands = [...page.matchAll(/^ {2}(\w+) {2,}\S/gm)].map((match) => match[1]);
  assert.deepEqual(commands, ["serve", "init", "sub", "pub", "token", "ticket", "explain", "bench", "log"]);
  for (const text of [page, ...(await Promise.all(commands.map((name) => help(name))))]) {
    assert.deepEqual(text.split("\n").filter((line) => [...line].length > 100), []);
    assert.equal(text.split("Examples:").length <= 2, true, "one list of examples");
  }
  assert.equal((await run(["help"])).output, page);
  for (const name of commands) {
    assert.equal((await run(["help", name])).output, await help(name));
  }
  assert.match((await run(["--version"])).output, /^vrelo [0-9]+\.[0-9]+\.[0-9]+\n$/);
});

test("a command that does not exist is refused, and the nearest one suggested", async () => {
  const cases = [
    [["srve"], 'there is no command "srve": did you mean serve?; see vrelo --help'],
    [["help", "srve"], 'there is no command "srve": did you mean serve?; see vrelo --help'],
    [["hlep"], 'there is no command "hlep": did you mean help?; see vrelo --help'],
    [["--verison"], 'there is no option "--verison": did you mean --version?; see vrelo --help'],
    [["\x1B[2J"], 'there is no command "\\u{1B}[2J"; see vrelo --help'],
  ];
  for (const [args, words] of cases) {
    const { status, output, errors } = await run(args);
    assert.deepEqual([status, output, errors], [2, "", `vrelo: ${words}\n`]);
  }
  const none = await run([]);
  assert.deepEqual([none.status, none.output], [2, ""]);
  assert.equal(none.errors, await help());
});

test("serve says on its first line where it listens", async (t) => {
  for (const [listen, address] of [["127.0.0.1:0", "127\\.0\\.0\\.1"], ["[::1]:0", "\\[::1\\]"]]) {
    const cwd = await t.folder();
    const hub = Command.vrelo(["serve", "--listen", listen, "--log", "memory:", "--admin", "127.0.0.1:0"], { cwd });
    await hub.printed(/\n.*\n/);
    hub.signal("SIGTERM");
    assert.equal((await hub.ended()).status, 0);
    const [main, admin, ...more] = hub.lines;
    assert.match(main, new RegExp(`^listening on http://${address}:[1-9][0-9]*$`));
    assert.match(admin, /^administration on http:\/\/127\.0\.0\.1:[1-9][0-9]*$/);
    assert.deepEqual(more, []);
    assert.deepEqual(await readdir(cwd), []);
  }
});

test("serve refuses arguments that make no sense, before it does anything", async (t) => {
  const cwd = await t.folder();
  const taken = (await t.hub()).authority;
  await writeFile(path.join(cwd, "bad.toml"), "shards = 2\nlisten = 3000\n");
  await writeFile(path.join(cwd, "unknown.toml"), "shards = 2\nlistn = 1\n");
  const issuer = 'audiences = ["a"]\n[[issuers]]\nname = "a"\nkeys = ["none.jwk"]\n';
  await writeFile(path.join(cwd, "keys.toml"), issuer);
  await writeFile(path.join(cwd, "roles.toml"), `${issuer}roles = ["publsh"]\n`);
  const cases = [
    [["--listen", "here"], 2, '--listen: "here" is not ADDRESS:PORT, as in "127.0.0.1:3000" or "[::1]:3000"'],
    [["--listen", "127.0.0.1:70000"], 2, /^--listen: "127\.0\.0\.1:70000" is not ADDRESS:PORT/],
    [["--listen", "0.0.0.0:0"], 2, /^listen: other machines can reach 0\.0\.0\.0:0, .*open = true/],
    [["--listen", taken], 1, `cannot listen on ${taken}: address in use; is another hub running there?`],
    [["--listen"], 2, /^--listen needs a value: ADDRESS:PORT/],
    [["--shards", "1", "--shards", "2"], 2, "--shards is given more than once"],
    [["--shards", "1000"], 2, '--shards: "1000" is out of range: 0 to 256'],
    [["--history-age", "5y"], 2, /^--history-age: "5y" is not a duration: /],
    [["--log", "file"], 2, '--log: "file" is neither "memory:" nor "sqlite:FILE"'],
    [["--log", "sqlite:nowhere/a.db"], 1, /^log nowhere\/a\.db: .*cannot be opened/],
    [["--open=perhaps"], 2, '--open: "perhaps" is neither "true" nor "false"'],
    [["--lsten", "127.0.0.1:0"], 2, "--lsten: there is no such flag; did you mean --listen?"],
    [["127.0.0.1:0"], 2, "127.0.0.1:0: not expected here; did you mean --listen 127.0.0.1:0?"],
    [["--config", "none.toml"], 2, "--config: none.toml: there is no such file"],
    [["--config", "bad.toml"], 2, /^bad\.toml:2: listen: "3000" is not ADDRESS:PORT/],
    [["--config", "roles.toml"], 2, 'issuers[0]: roles: "publsh" is none of: publish, subscribe, admin'],
    [["--config", "keys.toml"], 2, "issuers[0]: none.jwk: No such file or directory"],
    [["--config", "unknown.toml"], 2, "unknown.toml:2: listn: there is no such setting; did you mean listen?"],
  ];
  const before = await readdir(cwd);
  for (const [args, expected, words] of cases) {
    const { status, output, errors } = await run(["serve", ...args], { cwd, env: { VRELO_LISTEN: "127.0.0.1:0" } });
    assert.deepEqual([status, output], [expected, ""], `${args}: ${errors}`);
    assert.match(errors, /^vrelo serve: .*\n$/);
    const said = errors.slice("vrelo serve: ".length, -1);
    (typeof words === "string" ? assert.equal : assert.match)(said, words);
  }
  const env = { VRELO_LISTN: "1" };
  const { status, errors } = await run(["serve"], { cwd, env });
  const words = "vrelo serve: VRELO_LISTN: there is no such setting; did you mean VRELO_LISTEN?\n";
  assert.deepEqual([status, errors], [2, words]);
  assert.deepEqual(await readdir(cwd), before);
});

test("serve writes nothing into its files when its standard streams are closed", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const listener = await t.listener();
  const subsets = ["0<&-", "1>&-", "2>&-", "1>&- 2>&-", "0<&- 1>&- 2>&-"];
  const ids = [];
  for (const closed of subsets) {
    const hub = await t.spawnHubOn(listener, {}, { folder, limits: `exec ${closed}` });
    const stream = await hub.subscribe({ match: "a", last_event_id: "earliest" });
    ids.push(await hub.publish({ topic: "a", data: closed }));
    assert.deepEqual((await stream.take(ids.length)).map((event) => event.id), ids);
    for (const [fd] of closed.matchAll(/[0-9]/g)) {
      assert.equal(await readlink(`/proc/${hub.pid}/fd/${fd}`), "/dev/null");
    }
    assert.deepEqual(await hub.stop(), { code: 0, signal: null });
    assert.equal(await readFile(path.join(folder, "vrelo.db.lock"), "utf8"), "");
  }
  const hub = await t.hub({}, { folder });
  const stream = await hub.subscribe({ match: "a", last_event_id: "earliest" });
  assert.deepEqual((await stream.take(ids.length)).map((event) => event.data), subsets);
});

test("every command says that its output could not be written", async (t) => {
  const hub = await t.hub();
  const id = await hub.publish({ topic: "news", data: "a" });
  const cases = [
    ["serve", "--listen", "127.0.0.1:0", "--log", "memory:"],
    ["sub", `${hub.url}?match=news`, "--from", "earliest"],
    ["pub", hub.origin, "news", "b"],
    ["--help"],
    ["--version"],
    ...["serve", "sub", "pub", "log"].map((command) => [command, "--help"]),
  ];
  for (const args of cases) {
    const full = ["sh", "-c", '"$0" "$@" >/dev/full', binary(), ...args];
    const { status, errors } = await Command.start(full, { input: "" }).ended();
    assert.equal(status, 1, `${args}: ${errors}`);
    const command = args[0].startsWith("-") ? "vrelo" : `vrelo ${args[0]}`;
    const line = `${command}: standard output: No space left on device`;
    assert.ok(errors.split("\n").includes(line), `${args}: ${errors}`);
  }
  const stream = await hub.subscribe({ match: "news", last_event_id: id });
  assert.equal((await stream.next()).data, "b", "what was published is");
});

test("log new-epoch tells every reader that comes back of a gap", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const newEpoch = (file) => run(["log", "new-epoch", file], { cwd: folder });
  const before = await t.hub({}, { folder });
  const id = await before.publish({ topic: "news", data: "a" });
  const inUse = await newEpoch("vrelo.db");
  const words = "another process has this log open; end that one, or name another file";
  const withoutPid = ({ status, errors }) => [status, errors.replace(` (process ${before.pid})`, "")];
  assert.deepEqual(withoutPid(inUse), [1, `vrelo log: vrelo.db: ${words}\n`]);
  const second = await run(["serve", "--listen", "127.0.0.1:0"], { cwd: folder });
  assert.deepEqual(withoutPid(second), [1, `vrelo serve: log ./vrelo.db: ${words}\n`]);
  await before.stop();

  const done = await newEpoch("vrelo.db");
  assert.deepEqual([done.status, done.output, done.errors], [0, "vrelo.db: a new epoch has begun\n", ""]);
  const after = await t.hub({}, { folder });
  const stream = await after.subscribe({ match: "news", last_event_id: id });
  await stream.until(() => stream.own.length > 0, "the gap");
  assert.equal(stream.own[0].type, "vrelo.gap");
  assert.equal((await stream.next()).data, "a", "what there is comes all the same");
});

test("log new-epoch leaves alone what is no log", async (t) => {
  const cwd = await t.folder();
  await writeFile(path.join(cwd, "notes.txt"), "a".repeat(5000));
  const cases = [
    [["new-epoch", "none.db"], 1, "none.db: there is no such file"],
    [["new-epoch", "sqlite:vrelo.db"], 1, "sqlite:vrelo.db: there is no such file; FILE is a path, without sqlite:"],
    [["new-epoch", "notes.txt"], 1, "notes.txt: the file is not a log of vrelo's"],
    [["new-epoch"], 2, "expected new-epoch FILE; see vrelo log --help"],
    [["old-epoch", "notes.txt"], 2, "expected new-epoch FILE; see vrelo log --help"],
    [[], 2, "expected new-epoch FILE; see vrelo log --help"],
  ];
  for (const [args, expected, words] of cases) {
    const { status, output, errors } = await run(["log", ...args], { cwd });
    assert.deepEqual([status, output, errors], [expected, "", `vrelo log: ${words}\n`]);
  }
  assert.equal(await readFile(path.join(cwd, "notes.txt"), "utf8"), "a".repeat(5000));
  assert.deepEqual((await readdir(cwd)).filter((name) => name.startsWith("none")), []);
});
