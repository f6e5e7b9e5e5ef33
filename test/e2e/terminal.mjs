// SPDX-License-Identifier: Apache-2.0
//
// `vrelo sub` and `vrelo pub`, as people and scripts use them: what docs/cli.md promises.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import http from "node:http";

import { Command } from "../harness/command.mjs";
import { MEMORY, SQLITE, test } from "../harness/test.mjs";

const UUID = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const RESERVED_TYPE = '"mercure", and what begins with "vrelo.", is the hub\'s own';
const NOBODY = "Connection refused; is a hub running there?";
const EVENTS_PUBLISHED = "vrelo pub: events published:";
const STREAM = { "content-type": "text/event-stream" };

// Starts `vrelo ARGS`, which ends with the test.
function start(t, args, options) {
  const command = Command.vrelo(args, options);
  t.atEnd(() => {
    command.signal("SIGKILL");
    return command.ended();
  });
  return command;
}

// Runs `vrelo ARGS` to its end.
const run = (t, args, options) => start(t, args, { input: "", ...options }).ended();

// Publishes from a terminal's command line and returns the event's id.
async function pub(t, ...args) {
  const { status, lines, errors } = await run(t, ["pub", ...args]);
  assert.deepEqual([status, errors, lines.length], [0, "", 1]);
  return lines[0];
}

// A server that is no hub: `answer` is called with each request and its body.
async function server(t, answer) {
  const listening = http.createServer(async (request, response) => {
    const chunks = await request.toArray();
    answer(request, response, Buffer.concat(chunks).toString("utf8"));
  });
  await new Promise((resolve) => listening.listen(0, "127.0.0.1", resolve));
  t.atEnd(() => {
    listening.closeAllConnections();
    listening.close();
  });
  return `http://127.0.0.1:${listening.address().port}`;
}

// The address of a server that has gone.
async function nobody(t) {
  const proxy = await t.proxy({});
  await proxy.close();
  return `http://127.0.0.1:${proxy.port}`;
}

test("sub prints events for people as they come", async (t) => {
  const hub = await t.hub();
  const reader = start(t, ["sub", hub.origin, "news", "chat"]);
  await hub.streamsOpen(1);
  await hub.publish({ topic: "news", id: "n1", data: "Hello, world" });
  await reader.printed(/^n1 message Hello, world\n$/);
  await hub.publish({ topic: "other", id: "n2", data: "not asked for" });
  await hub.publish({ topic: "chat", id: "n3", type: "note", data: "two\nlines" });
  await reader.printed(/\nn3 note two\n {4}lines\n$/);
  assert.equal(reader.lines.length, 3);
  assert.equal(reader.errors, "");
});

test("sub prints an object a line for programs", async (t) => {
  const hub = await t.hub();
  const event = { id: "n1", type: "note", data: 'two\nlines, "quoted", \u{1F642} \x1B[2J' };
  await hub.publish({ topic: "news", ...event });
  const { output, status } = await run(t, ["sub", hub.origin, "news", "--json", "--from=earliest", "--count=1"]);
  assert.deepEqual(JSON.parse(output), event);
  assert.match(output, /^\{"id":"n1","type":"note","data":"two\\nlines, [ -~\u{1F642}]*"\}\n$/u);
  assert.equal(status, 0);
});

test("sub reads any event stream", async (t) => {
  const origin = await server(t, (request, response) => {
    assert.equal(request.url, "/x?y");
    response.writeHead(200, STREAM);
    response.end(Buffer.from("data: \xFF\n\nid: 1\nevent: a\ndata:b\r\rdata: c\n\n", "latin1"));
  });
  const text = await run(t, ["sub", `${origin}/x?y`, "--no-reconnect", "--count", "3"]);
  assert.match(text.output, /^- message .\n1 a b\n1 message c\n$/);
  const json = await run(t, ["sub", `${origin}/x?y`, "--no-reconnect", "--json"]);
  assert.equal(JSON.parse(json.lines[0]).data, "\uFFFD");
  assert.deepEqual([text.status, json.status], [0, 0]);
});

test("sub begins after an event, with all there is, or where its cursor's log was replaced", async (t) => {
  const hub = await t.hub();
  const ids = [];
  for (const data of ["a", "b", "c"]) {
    ids.push(await hub.publish({ topic: "news", data }));
  }
  const data = async (...args) => {
    const { lines, status } = await run(t, ["sub", hub.origin, "news", "--json", ...args]);
    assert.equal(status, 0);
    return lines.map((line) => JSON.parse(line)).map((event) => event.type.replace("message", event.data));
  };
  assert.deepEqual(await data("--from", "earliest", "--count", "3"), ["a", "b", "c"]);
  assert.deepEqual(await data("--from", ids[0], "--count", "2"), ["b", "c"]);
  assert.deepEqual(await data("--from", "#k3.17", "--count", "1"), ["vrelo.gap", "a"]);
});

test("sub loses and doubles nothing over cuts and restarts of the hub", { log: SQLITE }, async (t) => {
  const folder = await t.folder();
  const target = {};
  const proxy = await t.proxy(target);
  let hub;
  const restart = async () => {
    await hub?.stop();
    hub = await t.hub({ retry: "10ms" }, { folder });
    Object.assign(target, { host: hub.host, port: hub.port });
  };
  await restart();
  const reader = start(t, ["sub", `http://127.0.0.1:${proxy.port}`, "news", "--json", "--count", "400"]);
  await hub.streamsOpen(1);
  const ids = [];
  for (let i = 0; i < 400; ++i) {
    if (i % 100 === 50) {
      await restart();
    } else if (i % 40 === 20) {
      proxy.cut();
    }
    ids.push(await hub.publish({ topic: "news", data: String(i) }));
  }
  assert.equal((await reader.ended()).status, 0);
  assert.deepEqual(reader.lines.map((line) => JSON.parse(line).id), ids);
  const words = /^vrelo sub: (connected again|[^\n]+; next attempt in [0-9]+\.[0-9] s)$/;
  assert.deepEqual(reader.errors.trimEnd().split("\n").filter((line) => !words.test(line)), []);
});

test("sub comes back when the server asks for it, and later each time an attempt fails", async (t) => {
  const answers = [
    (response) => response.writeHead(200, STREAM).end("retry: 10\nid: 1\ndata: a\n\n"),
    (response) => response.writeHead(503, { "retry-after": "1" }).end(),
    (response) => response.writeHead(502).end(),
    (response) => response.writeHead(200, STREAM).end("id: 2\ndata: b\n\n"),
    (response) => response.writeHead(204).end(),
  ];
  const cursors = [];
  const origin = await server(t, (request, response) => {
    cursors.push(request.headers["last-event-id"]);
    answers.shift()(response);
  });
  const { status, output, errors } = await run(t, ["sub", `${origin}/x`]);
  assert.deepEqual([status, output], [0, "1 message a\n2 message b\n"]);
  assert.deepEqual(cursors, [undefined, "1", "1", "1", "2"]);
  assert.match(
    errors,
    new RegExp(
      "^vrelo sub: the stream ended; next attempt in 0\\.[56] s\n" +
        "vrelo sub: the hub refused \\(503\\): Service Unavailable; next attempt in 1\\.[0-3] s\n" +
        "vrelo sub: the hub refused \\(502\\): Bad Gateway; next attempt in [0-9]\\.[0-9] s\n" +
        "vrelo sub: connected again\n" +
        "vrelo sub: the stream ended; next attempt in 0\\.[56] s\n$",
    ),
  );

  const waiting = start(t, ["sub", await nobody(t), "news"]);
  await waiting.said(/(next attempt[^]*){2}\n$/);
  const [first, second] = [...waiting.errors.matchAll(/: Connection refused; next attempt in ([0-9.]+) s/g)];
  assert.ok(Number(second[1]) > Number(first[1]), waiting.errors);
});

test("sub comes back where a stream brings no heartbeat", async (t) => {
  let opened = 0;
  const origin = await server(t, (request, response) => {
    opened += 1;
    response.writeHead(200, STREAM).write(`: vrelo heartbeat=1\nretry: 10\ndata: ${opened}\n\n`);
  });
  const reader = await run(t, ["sub", `${origin}/x`, "--count", "2"]);
  assert.deepEqual([reader.status, reader.output], [0, "- message 1\n- message 2\n"]);
  assert.match(reader.errors, /^vrelo sub: [^\n]*; next attempt in 0\.[56] s\nvrelo sub: connected again\n$/);
});

test("sub says why it ends, in words and as a status", async (t) => {
  const hub = await t.hub();
  const status = await server(t, (request, response) => response.writeHead(204).end());
  const gone = await nobody(t);
  const cases = [
    [[status], 0, ""],
    [[`${hub.url}?matches=a`], 1, /^vrelo sub: the hub refused \(400\): matches: .+\n$/],
    [[`${hub.origin}/healthz`], 1, /^vrelo sub: the answer is not an event stream: it is text\/plain.*\n$/],
    [[hub.origin], 1, /^vrelo sub: the hub refused \(404\): .+; a hub is asked for topics, which stand after/],
    [[gone, "news", "--no-reconnect"], 3, `vrelo sub: ${gone.slice(7)}: ${NOBODY}\n`],
    [[`${hub.origin}/hub`, "a"], 1, /^vrelo sub: the hub refused \(404\): .+; the path of a hub is .+\n$/],
    [["http://nowhere.invalid", "a"], 3, /^vrelo sub: nowhere\.invalid: .+\n$/],
    [[hub.origin.replace("http", "https"), "a"], 3, /^vrelo sub: [0-9.:]+: TLS failed: .+; if it speaks no TLS, .+\n$/],
    [["http://me:secret@127.0.0.1:1", "a"], 2, "vrelo sub: the URL holds a user or a password\n"],
    [[`${hub.url}?match=a#b`], 2, /^vrelo sub: http:.+#b: what stands behind # is not sent; .+ write %23\n$/],
    [["news", hub.origin], 2, "vrelo sub: news: this is not a URL; one looks like http://127.0.0.1:3000\n"],
    [["127.0.0.1:1"], 2, "vrelo sub: 127.0.0.1:1: this is not a URL; did you mean http://127.0.0.1:1?\n"],
    [[], 2, "vrelo sub: URL is required; see vrelo sub --help\n"],
    [[hub.origin, "--count"], 2, "vrelo sub: --count needs a value: NUMBER; see vrelo sub --help\n"],
    [[hub.origin, "--count", "0"], 2, 'vrelo sub: --count: "0" is not a number of events\n'],
    [[hub.origin, "--cuont", "1"], 2, /^vrelo sub: there is no option --cuont; did you mean --count\?/],
  ];
  for (const [args, expected, words] of cases) {
    const { status: ended, output, errors } = await run(t, ["sub", ...args]);
    assert.deepEqual([ended, output], [expected, ""], `${args}: ${errors}`);
    (typeof words === "string" ? assert.equal : assert.match)(errors, words);
  }
});

test("sub ends with its signals, and when nobody reads what it prints", async (t) => {
  const hub = await t.hub({ heartbeat: "1s" });
  for (const [signal, expected] of [["SIGINT", 130], ["SIGTERM", 143]]) {
    const reader = start(t, ["sub", hub.origin, "news"]);
    await hub.streamsOpen(1);
    reader.signal(signal);
    const { status, output, errors } = await reader.ended();
    assert.deepEqual([status, output, errors], [expected, "", ""]);
    await hub.streamsOpen(0);
  }
  for (const isWriting of [true, false]) {
    const reader = start(t, ["sub", hub.origin, "news"]);
    await hub.streamsOpen(1);
    reader.abandonOutput();
    if (isWriting) {
      await hub.publish({ topic: "news" });
    }
    assert.equal((await reader.ended()).status, 141, `writing: ${isWriting}`);
    assert.equal(reader.errors, "");
    await hub.streamsOpen(0);
  }
});

test("sub has colours, and shows what could harm, on a terminal only", async (t) => {
  const hub = await t.hub();
  const event = { topic: "news", id: "n1", data: "\x1B[2J\u202E\tü" };
  await hub.publish(event);
  const args = ["sub", hub.origin, "news", "--from", "earliest", "--count", "1"];
  const harmless = "\\u{1B}[2J\\u{202E}\tü\n";

  const coloured = await run(t, args, { terminal: true });
  assert.equal(coloured.output, `\x1B[2mn1\x1B[0m \x1B[36mmessage\x1B[0m ${harmless}`);
  const plain = await run(t, args, { terminal: true, env: { NO_COLOR: "1" } });
  assert.equal(plain.output, `n1 message ${harmless}`);
  const piped = await run(t, args);
  assert.equal(piped.output, `n1 message ${event.data}\n`);
  assert.deepEqual([coloured.status, plain.status, piped.status], [0, 0, 0]);

  const reader = start(t, args.slice(0, 3), { terminal: true });
  await hub.streamsOpen(1);
  reader.write("\x03"); // Ctrl-C
  assert.equal((await reader.ended()).status, 130);
});

test("pub prints an event's id once the hub has stored it", { log: SQLITE }, async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "*" });
  const id = await pub(t, hub.origin, "news", "Hello, world");
  assert.match(id, UUID);
  const event = await stream.next();
  assert.deepEqual([event.id, event.type, event.data], [id, "message", "Hello, world"]);

  const chat = await hub.subscribe({ match: "chat" });
  const options = ["--topic", "chat", "--topic", "other", "--id", "n1", "--type", "note", "--retry", "2000"];
  assert.equal(await pub(t, hub.url, "news", "-x", ...options).catch(() => "refused"), "refused");
  assert.equal(await pub(t, hub.url, "news", ...options, "--", "-x"), "n1");
  const { lines } = await chat.next();
  assert.deepEqual([...lines].sort(), ["data: -x", "event: note", "id: n1", "retry: 2000"]);

  await pub(t, hub.origin, "news", "hidden", "--private");
  const last = await pub(t, hub.origin, "news", "");
  assert.deepEqual((await stream.take(2)).map((one) => [one.id, one.data]), [["n1", "-x"], [last, ""]]);
});

test("pub reads data from standard input, without the line end that it may end with", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "news" });
  for (const [input, data] of [["a\n", "a"], ["a\nb\n\n", "a\nb\n"], ["ü", "ü"], ["", ""]]) {
    for (const dash of [[], ["-"]]) {
      const { status, lines } = await run(t, ["pub", hub.origin, "news", ...dash], { input });
      assert.equal(status, 0);
      const event = await stream.next();
      assert.deepEqual([event.id, event.data], [lines[0], data]);
    }
  }
  const bytes = await run(t, ["pub", hub.origin, "news"], { input: Buffer.of(0xff) });
  assert.deepEqual([bytes.status, bytes.errors], [1, "vrelo pub: the hub refused (400): data: It is not UTF-8\n"]);
  const long = await run(t, ["pub", hub.origin, "news"], { input: "a".repeat((16 << 20) + 1) });
  assert.deepEqual([long.status, long.errors], [1, "vrelo pub: standard input is longer than 16777216 bytes\n"]);
});

test("pub says what it waits for where standard input is a terminal", async (t) => {
  const hub = await t.hub();
  const stream = await hub.subscribe({ match: "news" });
  const cases = [
    [[], "type the data; Ctrl-D ends it\n", "Hello\n\x04"],
    [["--ndjson"], "type an event a line; Ctrl-D ends it\n", '{"data":"Hello"}\n\x04'],
  ];
  for (const [args, words, typed] of cases) {
    const writer = start(t, ["pub", hub.origin, "news", ...args], { terminal: true });
    await writer.printed(new RegExp(`^vrelo pub: ${words}`));
    writer.write(typed);
    assert.equal((await writer.ended()).status, 0);
    assert.equal((await stream.next()).data, "Hello");
  }
});

test("sub prints the largest event that pub publishes", async (t) => {
  const hub = await t.hub({ bodyBytes: "64MiB" });
  const input = "0123456789abcdef".repeat(1 << 20);
  const { status, errors } = await run(t, ["pub", hub.origin, "news"], { input });
  assert.deepEqual([status, errors], [0, ""]);
  const reader = await run(t, ["sub", hub.origin, "news", "--from", "earliest", "--count", "1", "--json"]);
  assert.deepEqual([reader.status, reader.errors], [0, ""]);
  assert.ok(JSON.parse(reader.output).data === input, "the data has changed");
});

test("pub publishes lines as they come, over one connection", { log: SQLITE }, async (t) => {
  const hub = await t.hub();
  const proxy = await t.proxy(hub);
  const stream = await hub.subscribe({ match: "*" });
  const chat = await hub.subscribe({ match: "chat" });
  const page = await readFile(new URL("../../docs/cli.md", import.meta.url), "utf8");
  const examples = [...page.matchAll(/^ {4}(\{.+)$/gm)].map((match) => match[1]);
  assert.equal(examples.length, 2);

  const writer = start(t, ["pub", `http://127.0.0.1:${proxy.port}`, "greeting", "--ndjson", "--type", "note"]);
  writer.write(`${examples[0]}\n`);
  await writer.printed(/\n/);
  const hello = await stream.next();
  assert.deepEqual([hello.id, hello.type, hello.data], [writer.lines[0], "note", "Hello"]);

  const unspaced = '{ "data": [1.10, "a b", null, true] }';
  const many = Array.from({ length: 1000 }, (_, i) => JSON.stringify({ id: `n${i}`, data: `${i}` }));
  writer.endInput(`\n${unspaced}\r\n \t\n${examples[1]}\n${many.join("\n")}`);
  assert.equal((await writer.ended()).status, 0);
  assert.equal(writer.errors, "");
  assert.deepEqual(writer.lines.slice(2), ["p-1", ...many.map((_, i) => `n${i}`)]);
  const [list, ...events] = await stream.take(1001);
  assert.deepEqual([list.id, list.data], [writer.lines[1], '[1.1E0,"a b",null,true]']);
  assert.deepEqual(events.map((event) => event.data), many.map((_, i) => `${i}`));
  assert.deepEqual(chat.events, [], "the second example is private");
  assert.equal(proxy.opened, 1);
});

test("pub ends at the first line that is no event, and names what is wrong", async (t) => {
  const hub = await t.hub();
  const cases = [
    ["Hello", "this is not JSON: syntax error"],
    ['{"data":"a"', "this is not JSON: incomplete JSON"],
    ['["a"]', "this is not a JSON object"],
    ['{"dat":"a"}', '"dat" is no member of an event; did you mean data?'],
    ['{"topic":[]}', "topic is neither a text nor a list of texts"],
    ['{"retry":"5"}', "retry is not a number of milliseconds"],
    ['{"private":1}', "private is neither true nor false"],
    ['{"id":"#1"}', 'the hub refused (400): id: Ids that begin with "#" are the hub\'s own'],
    ['{"topic":"*"}', 'the hub refused (400): topic: "*" stands for all topics'],
  ];
  for (const [line, message] of cases) {
    const input = `{"data":"a"}\n\n${line}\n`;
    const { status, lines, errors } = await run(t, ["pub", hub.origin, "news", "--ndjson"], { input });
    assert.deepEqual([status, errors, lines.length], [1, `vrelo pub: line 3: ${message}\n${EVENTS_PUBLISHED} 1\n`, 1]);
  }
  const { status, errors } = await run(t, ["pub", hub.origin, "--ndjson"], { input: '{"data":"a"}' });
  const words = "vrelo pub: line 1: there is no topic, neither here nor as an argument\n";
  assert.deepEqual([status, errors], [1, `${words}${EVENTS_PUBLISHED} 0\n`]);
});

test("pub publishes all that stands before a line that is no event, or that the hub refuses", async (t) => {
  const hub = await t.hub();
  const publish = (prefix, bad) => {
    const lines = Array.from({ length: 1000 }, (_, i) => `{"id":"${prefix}${i}"}`);
    lines[500] = bad;
    return run(t, ["pub", hub.origin, "more", "--ndjson"], { input: lines.join("\n") });
  };
  const ids = (prefix) => Array.from({ length: 500 }, (_, i) => `${prefix}${i}`);
  const cut = await publish("m", "{");
  assert.deepEqual(cut.lines, ids("m"));
  const refused = await publish("n", '{"type":"mercure"}');
  assert.deepEqual(refused.lines.slice(0, 500), ids("n"));
  const words = `vrelo pub: line 501: the hub refused (400): type: ${RESERVED_TYPE}\n`;
  assert.equal(refused.errors, `${words}${EVENTS_PUBLISHED} ${refused.lines.length}\n`);
  await hub.publish({ topic: "more", data: "end" });
  const after = await hub.subscribe({ match: "more", last_event_id: "n499" });
  await after.until(() => after.events.at(-1)?.data === "end", "the last event");
  assert.ok(after.events.length <= 128, `${after.events.length} after the refused one`);
  assert.equal(refused.lines.length - 500, after.events.length - 1, "what is stored has its id printed");
});

test("pub stores an event once, however often it must be sent", async (t) => {
  const bodies = [];
  const origin = await server(t, (request, response, body) => {
    bodies.push(body);
    if (bodies.length === 1) {
      request.socket.destroy(); // the answer is lost
    } else if (bodies.length === 2) {
      response.writeHead(503, { "retry-after": "0" }).end();
    } else {
      response.writeHead(200).end(new URLSearchParams(body).get("id"));
    }
  });
  const { status, lines, errors } = await run(t, ["pub", origin, "news", "a"]);
  assert.deepEqual([status, bodies.length, new Set(bodies).size], [0, 3, 1]);
  assert.match(lines[0], UUID);
  assert.match(errors, /^(vrelo pub: [^\n]+; next attempt in [0-9.]+ s\n){2}$/);
});

test("pub says why it fails, in words and as a status", { log: MEMORY }, async (t) => {
  const hub = await t.hub({ bodyBytes: "1KiB" });
  const gone = await nobody(t);
  const page = await server(t, (request, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html>");
  });
  const cases = [
    [[gone, "news", "a"], 3, `vrelo pub: ${gone.slice(7)}: ${NOBODY}\n`],
    [[page, "news", "a"], 1, "vrelo pub: the answer is not the id of an event: it is text/html\n"],
    [[hub.origin, "*", "a"], 1, 'vrelo pub: the hub refused (400): topic: "*" stands for all topics\n'],
    [[hub.origin, "news", "a".repeat(2000)], 1, /\(413\): Content-Length: At most 1024 bytes are allowed\n$/],
    [[`${hub.origin}/other`, "news", "a"], 1, /^vrelo pub: the hub refused \(404\): .+; the path of a hub is .+\n$/],
    [[hub.origin], 2, "vrelo pub: there is no topic: it stands behind the URL\n"],
    [[hub.origin, "news", "a", "b"], 2, 'vrelo pub: "b" is one argument too many; see vrelo pub --help\n'],
    [[hub.origin, "news", "a", "--retry", "1s"], 2, 'vrelo pub: --retry: "1s" is not a whole number of milliseconds\n'],
    [[hub.origin, "news", "a", "--ndjson"], 2, /^vrelo pub: --ndjson reads standard input, so /],
    [[hub.origin, "news", "--id", "a", "--id", "b"], 2, /^vrelo pub: --id is given more than once; see /],
    [["http://me:secret@127.0.0.1:1", "a", "b"], 2, "vrelo pub: the URL holds a user or a password\n"],
  ];
  for (const [args, expected, words] of cases) {
    const { status, output, errors } = await run(t, ["pub", ...args]);
    assert.deepEqual([status, output], [expected, ""], `${args}: ${errors}`);
    (typeof words === "string" ? assert.equal : assert.match)(errors, words);
  }
  const waiting = start(t, ["pub", hub.origin, "news"]);
  waiting.signal("SIGINT");
  assert.equal((await waiting.ended()).status, 130);
});
