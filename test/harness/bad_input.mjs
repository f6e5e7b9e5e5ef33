// SPDX-License-Identifier: Apache-2.0
//
// What a hub must refuse, byte by byte, by classes. A row is
//
//   { name, bytes, status, field, closes, allow }
//
// `field` is what the problem names, if it names any; `closes` says that nothing after it is taken for a request;
// `allow` are the methods that a 405 lists.

import assert from "node:assert/strict";

import { requestBytes } from "./http.mjs";
import { HUB_PATH } from "./hub.mjs";

// The table's own limits, so that what is too large is still small.
export const SETTINGS = { headerBytes: "8KiB", bodyBytes: "64KiB" };
const HEADER_BYTES = 8 * 1024;
const BODY_BYTES = 64 * 1024;

const HOST = "Host: localhost";
const FORM_TYPE = "application/x-www-form-urlencoded";
const GET = `GET ${HUB_PATH}?match=a HTTP/1.1`;
const POST = `POST ${HUB_PATH} HTTP/1.1`;

// Two servers could read it, or what follows it, in two ways. Each character of `text` is a byte.
const unreadable = (name, text, status, field) => ({
  name,
  bytes: Buffer.from(text, "latin1"),
  status,
  field,
  closes: true,
});

// A request that is read as a whole, and then refused.
const refused = (name, request, status, field) => ({
  name,
  bytes: requestBytes({ host: "localhost", target: HUB_PATH, ...request }),
  status,
  field,
  closes: false,
});
const publish = (name, body, status, field, headers) => {
  const fields = { "content-type": FORM_TYPE, ...headers };
  return refused(name, { method: "POST", body: Buffer.from(body, "latin1"), headers: fields }, status, field);
};
const subscribe = (name, query, status, field, headers) =>
  refused(name, { target: `${HUB_PATH}?${query}`, headers }, status, field);

const head = (...lines) => `${lines.join("\r\n")}\r\n\r\n`;
const times = (count, text) => Array.from({ length: count }, (_, i) => text(i));

// --- Request lines and fields.

const REQUEST_LINES = [
  ["a space in front", ` ${GET}`],
  ["two empty lines in front", `\r\n\r\n${GET}`],
  ["a method of other characters", GET.replace("GET", "G(T")],
  ["no method", GET.replace("GET ", "")],
  ["no target", "GET HTTP/1.1"],
  ["no version", GET.replace(" HTTP/1.1", "")],
  ["two spaces before the target", GET.replace(" ", "  ")],
  ["two spaces before the version", GET.replace(" HTTP", "  HTTP")],
  ["tabs", GET.replaceAll(" ", "\t")],
  ["a space at its end", `${GET} `],
  ["a space in the target", GET.replace("match", "mat ch")],
  ["a control in the target", GET.replace("match", "mat\x01ch")],
  ["DEL in the target", GET.replace("match", "mat\x7fch")],
  ["a fragment", GET.replace("match", "#match")],
  ["a target that is no path", GET.replace("/", "")],
  ["an authority", "CONNECT localhost:80 HTTP/1.1"],
  ["* for GET", "GET * HTTP/1.1"],
  ["a URL with a user", GET.replace("/", "http://user@localhost/")],
  ["a URL without a host", GET.replace("/", "http:///")],
  ["a URL with another scheme", GET.replace("/", "ftp://localhost/")],
  ["a version to come", GET.replace("1.1", "2.0")],
  ["a version that never was", GET.replace("1.1", "1.2")],
  ["a version from before", GET.replace("1.1", "0.9")],
  ["a version in other letters", GET.replace("HTTP", "http")],
  ["a long version", GET.replace("1.1", "1.10")],
];

const FIELDS = [
  ["no colon", "X", undefined],
  ["no name", ": a", undefined],
  ["a space in the name", "X Y: a", undefined],
  ["a space before the colon", "X : a", undefined],
  ["a tab before the colon", "X\t: a", undefined],
  ["a name of other characters", "X(Y): a", undefined],
  ["a name beyond ASCII", "X\xe9: a", undefined],
  ["NUL in the name", "X\0: a", undefined],
  ["NUL in the value", "X: a\0b", "X"],
  ["CR in the value", "X: a\rb", "X"],
  ["CR CR LF", "X: a\r", "X"],
  ["BS in the value", "X: a\bb", "X"],
  ["VT in the value", "X: a\vb", "X"],
  ["0x1F in the value", "X: a\x1fb", "X"],
  ["DEL in the value", "X: a\x7fb", "X"],
];

const HOSTS = [
  ["no host", ""],
  ["two hosts", `${HOST}\r\n${HOST}`],
  ["two hosts in one", "Host: localhost, localhost"],
  ["an empty host", "Host:"],
  ["a host with a space", "Host: local host"],
  ["a host with a user", "Host: a@localhost"],
  ["a host with a path", "Host: localhost/a"],
  ["a host beyond ASCII", "Host: localhost\xe9"],
];

const REQUEST_LINES_AND_FIELDS = [
  unreadable("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
  unreadable("NUL", "\0", 400),
  ...REQUEST_LINES.map(([name, line]) => unreadable(name, head(line, HOST), 400)),
  ...FIELDS.map(([name, line, field]) => unreadable(name, head(GET, HOST, line), 400, field)),
  ...HOSTS.map(([name, line]) => unreadable(name, head(GET, ...(line ? [line] : [])), 400, "Host")),
  unreadable("another expectation", head(POST, HOST, "Expect: a"), 417, "Expect"),
  refused("a host that has a port only", { headers: { host: ":80" } }, 400, "Host"),
  refused("a host with a port that is none", { headers: { host: "localhost:x" } }, 400, "Host"),
  refused("another's host", { headers: { host: "evil.example" } }, 421, "Host"),
  refused("another's URL", { target: `http://evil.example${HUB_PATH}?match=a` }, 421, "Host"),
];

// --- Where one request ends and the next begins. What follows each is a publish, which must not be taken.

const LENGTH = "Content-Length: 7";
const CHUNKED = "Transfer-Encoding: chunked";
const CHUNKS = "7\r\ntopic=a\r\n0\r\n\r\n";

const LENGTHS = [
  ["two lengths", [LENGTH, "Content-Length: 8"]],
  ["one length twice", [LENGTH, LENGTH]],
  ["a list of lengths", ["Content-Length: 7, 7"]],
  ["an empty length", ["Content-Length:"]],
  ["a length with a plus", ["Content-Length: +7"]],
  ["a length with a minus", ["Content-Length: -7"]],
  ["a hexadecimal length", ["Content-Length: 0x7"]],
  ["a length with a space inside", ["Content-Length: 0 7"]],
  ["a length with a point", ["Content-Length: 7.0"]],
  ["a length with 2^64 more", ["Content-Length: 18446744073709551623"]],
  ["a length, then chunks", [LENGTH, CHUNKED]],
  ["chunks, then a length", [CHUNKED, LENGTH]],
];

const CODINGS = [
  ["an empty coding", "Transfer-Encoding:"],
  ["a coding that is none", "Transfer-Encoding: identity"],
  ["another coding", "Transfer-Encoding: gzip"],
  ["another coding before it", "Transfer-Encoding: gzip, chunked"],
  ["another coding after it", "Transfer-Encoding: chunked, identity"],
  ["chunked twice in one field", "Transfer-Encoding: chunked, chunked"],
  ["chunked in two fields", `${CHUNKED}\r\n${CHUNKED}`],
  ["another coding in a field before", `Transfer-Encoding: gzip\r\n${CHUNKED}`],
  ["an empty element", "Transfer-Encoding: chunked,"],
  ["a parameter", "Transfer-Encoding: chunked;q=1"],
  ["quoted", 'Transfer-Encoding: "chunked"'],
  ["a longer name", "Transfer-Encoding: xchunked"],
  ["something beyond ASCII", "Transfer-Encoding: \xa0chunked"],
];

const BROKEN_FIELDS = [
  ["a space before the colon of chunked", ["Transfer-Encoding : chunked"], undefined],
  ["a space before the colon of a length", ["Content-Length : 7"], undefined],
  ["VT before chunked", ["Transfer-Encoding: \vchunked"], "Transfer-Encoding"],
  ["NUL after chunked", ["Transfer-Encoding: chunked\0"], "Transfer-Encoding"],
  ["a folded coding", ["Transfer-Encoding:", " chunked"], "Transfer-Encoding"],
  ["a folded length", ["Content-Length: 1", "\t7"], "Content-Length"],
  ["a folded field", ["X: a", " b"], "X"],
  ["a CR that ends no line", [`X: a\r${CHUNKED}`], "X"],
];

const BROKEN_CHUNKS = [
  ["no size", "\r\ntopic=a\r\n0\r\n\r\n"],
  ["a size with a minus", CHUNKS.replace("7", "-7")],
  ["a size with a plus", CHUNKS.replace("7", "+7")],
  ["a size with 0x", CHUNKS.replace("7", "0x7")],
  ["a size with a space before", CHUNKS.replace("7", " 7")],
  ["a size with a space behind", CHUNKS.replace("7", "7 ")],
  ["a size with 2^64 more", CHUNKS.replace("7", "10000000000000007")],
  ["a size that is too small", CHUNKS.replace("7", "3")],
  ["a size that is too large", CHUNKS.replace("7", "8")],
  ["no line end after the data", CHUNKS.replace("=a\r\n", "=a")],
  ["an LF after the size", CHUNKS.replace("7\r\n", "7\n")],
  ["an LF after the data", CHUNKS.replace("=a\r\n", "=a\n")],
  ["an LF after the last size", CHUNKS.replace("0\r\n", "0\n")],
  ["an LF after the trailer", CHUNKS.replace("0\r\n", "0\r\nX: a\n")],
  ["an LF at the very end", CHUNKS.replace("0\r\n\r\n", "0\r\n\n")],
  ["a CR after the size", CHUNKS.replace("7\r\n", "7\r")],
  ["a CR in the trailer", CHUNKS.replace("0\r\n", "0\r\nX: a\rb\r\n")],
  ["NUL in an extension", CHUNKS.replace("7", "7;a=\0")],
  ["LF in an extension", CHUNKS.replace("7", "7;a=\n")],
  ["NUL in the trailer", CHUNKS.replace("0\r\n", "0\r\nX: \0\r\n")],
];

// Of two fields that contradict each other, the problem names the second.
const lengthField = (fields) => (fields.at(-1) === CHUNKED ? "Transfer-Encoding" : "Content-Length");
const posted = (...fields) => head(POST, HOST, `Content-Type: ${FORM_TYPE}`, ...fields);

const SMUGGLING = [
  ...LENGTHS.map(([name, fields]) => unreadable(name, `${posted(...fields)}topic=a`, 400, lengthField(fields))),
  ...CODINGS.map(([name, line]) => unreadable(name, posted(line) + CHUNKS, 400, "Transfer-Encoding")),
  unreadable("chunks in HTTP/1.0", posted(CHUNKED).replace("1.1", "1.0") + CHUNKS, 400, "Transfer-Encoding"),
  ...BROKEN_FIELDS.map(([name, lines, field]) => unreadable(name, posted(...lines) + CHUNKS, 400, field)),
  ...BROKEN_CHUNKS.map(([name, chunks]) => unreadable(name, posted(CHUNKED) + chunks, 400, "Transfer-Encoding")),
  unreadable("an LF after the request line", posted(LENGTH).replace("\r\n", "\n"), 400),
  unreadable("an LF after a field", posted(LENGTH).replace("7\r\n", "7\n"), 400, "Content-Length"),
  unreadable("an LF for the empty line", posted(LENGTH).replace("\r\n\r\n", "\r\n\n"), 400),
  unreadable("LFs alone", posted(LENGTH).replaceAll("\r\n", "\n"), 400),
];

// --- Methods and types.

const ALL_METHODS = "GET, HEAD, POST, OPTIONS";
const notAllowed = (method, target, allow) => ({
  ...refused(`${method} ${target}`, { method, target }, 405),
  allow,
});

const TYPES = [
  ["text/plain", 415],
  ["application/json", 415],
  ["multipart/form-data; boundary=x", 415],
  ["application/x-www-form-urlencoded-2", 415],
  ["text/event-stream", 415],
  [undefined, 400],
  ["", 400],
  [";;", 400],
  ["form", 400],
  ["application/", 400],
  ["application/x y", 400],
  [[FORM_TYPE, FORM_TYPE], 400],
];

const METHODS_AND_TYPES = [
  ...["DELETE", "PUT", "PATCH", "TRACE", "QUERY", "get", "GETS", "BREW"].map((method) =>
    notAllowed(method, HUB_PATH, ALL_METHODS),
  ),
  ...["/healthz", "/readyz", "/metrics", "/admin/explain"].flatMap((target) =>
    ["POST", "DELETE"].map((method) => notAllowed(method, target, "GET, HEAD, OPTIONS")),
  ),
  ...["GET", "POST", "DELETE"].flatMap((method) =>
    ["/", "/nothing", `${HUB_PATH}/`, `/.${HUB_PATH}`, "/.well-known/%6Dercure", `/a/..${HUB_PATH}`].map((target) =>
      refused(`${method} ${target}`, { method, target }, 404),
    ),
  ),
  ...TYPES.map(([type, status]) =>
    publish(`the type ${type}`, "topic=a", status, "Content-Type", { "content-type": type }),
  ),
  ...["gzip", "identity, gzip", "identity;q=1", ""].map((coding) =>
    publish(`the coding ${coding}`, "topic=a", 415, "Content-Encoding", { "content-encoding": coding }),
  ),
  publish("no body", "", 400, "topic"),
  publish("another's page", "topic=a", 403, "Origin", { origin: "https://evil.example" }),
  subscribe("no stream is accepted", "match=a", 406, "Accept", { accept: "application/json" }),
  subscribe("a stream is refused", "match=a", 406, "Accept", { accept: "*/*, text/event-stream;q=0" }),
  subscribe("a link", "match=a", 403, "Sec-Fetch-Mode", { "sec-fetch-mode": "navigate" }),
  subscribe("an image", "match=a", 403, "Sec-Fetch-Mode", { "sec-fetch-mode": "no-cors" }),
  subscribe("no selector", "", 400, "match"),
];

// --- Everything oversize.

const long = (bytes) => "x".repeat(bytes);
const chunk = (bytes) => `${bytes.toString(16)}\r\n${long(bytes)}\r\n`;

const OVERSIZE = [
  unreadable("a target", head(GET.replace("match=a", long(HEADER_BYTES)), HOST), 414),
  unreadable("a target that does not end", `GET /${long(8 * HEADER_BYTES)}`, 414),
  unreadable("a method that does not end", long(HEADER_BYTES), 414),
  unreadable("a header", head(GET, HOST, `X: ${long(HEADER_BYTES)}`), 431, "X"),
  unreadable("a field that does not end", `${GET}\r\n${HOST}\r\nX: ${long(HEADER_BYTES)}`, 431, "X"),
  unreadable("a header among others", head(GET, HOST, `X: ${long(HEADER_BYTES - 100)}`, `Y: ${long(100)}`), 431, "X"),
  unreadable("many small fields", head(GET, HOST, ...times(100, (i) => `X${i}: a`)), 431),
  unreadable("a body", `${posted(`Content-Length: ${BODY_BYTES + 1}`)}topic=a&data=${long(BODY_BYTES)}`, 413,
    "Content-Length"),
  unreadable("a length", posted("Content-Length: 999999999999999999"), 413, "Content-Length"),
  // No field is to blame for these three.
  unreadable("a chunk", posted(CHUNKED) + chunk(BODY_BYTES + 1), 413),
  unreadable("the size of a chunk", `${posted(CHUNKED)}ffffffffffffffff\r\n`, 413),
  unreadable("chunks together", posted(CHUNKED) + chunk(BODY_BYTES / 2) + chunk(BODY_BYTES / 2 + 1), 413),
  unreadable("a chunk's extension", `${posted(CHUNKED)}7;${long(300)}\r\n`, 400, "Transfer-Encoding"),
  unreadable("zeros before a chunk's size", `${posted(CHUNKED)}${"0".repeat(17)}`, 400, "Transfer-Encoding"),
  unreadable("a trailer", `${posted(CHUNKED)}0\r\n${`X: ${long(1000)}\r\n`.repeat(20)}`, 400, "Transfer-Encoding"),
  publish("a topic", `topic=${long(4097)}`, 413, "topic"),
  publish("a topic among others", `topic=a&topic=${long(4097)}`, 413, "topic"),
  publish("topics", times(101, (i) => `topic=t${i}`).join("&"), 413, "topic"),
  publish("an id", `topic=a&id=${long(129)}`, 413, "id"),
  publish("an id that is encoded", `topic=a&id=${"%C3%A9".repeat(65)}`, 413, "id"),
  publish("a type", `topic=a&type=${long(129)}`, 413, "type"),
  publish("a retry", `topic=a&retry=${"0".repeat(11)}`, 413, "retry"),
  ...["match", "match_exact", "match_urlpattern", "topic"].flatMap((name) => [
    subscribe(`${name}: one`, `${name}=${long(4097)}`, 400, name),
    subscribe(`${name}: many`, times(101, (i) => `${name}=t${i}`).join("&"), 400, name),
  ]),
  subscribe("a regular expression", `match_urlpattern=/(${encodeURIComponent("[a-f]{600}")})`, 400, "match_urlpattern"),
  subscribe("groups in a pattern", `match_urlpattern=${"%7B".repeat(1300)}`, 400, "match_urlpattern"),
];

// --- What is no UTF-8.

const NO_UTF8 = [
  ["a byte that never is", "%FF"],
  ["that byte as it is", "\xff"],
  ["overlong, two bytes", "%C0%80"],
  ["overlong, three bytes", "%E0%80%AF"],
  ["overlong, four bytes", "%F0%80%80%AF"],
  ["a surrogate", "%ED%A0%80"],
  ["two surrogates", "%ED%A0%BD%ED%B9%82"],
  ["beyond U+10FFFF", "%F4%90%80%80"],
  ["cut off", "%E2%82"],
  ["cut off in the middle", "%E2%82a"],
  ["a continuation alone", "%80"],
];

const EVENT_NAMES = ["topic", "id", "type", "retry"];
const QUERY_NAMES = [
  "match", "match_exact", "match_urlpattern", "topic",
  "lastEventId", "last_event_id", "lastEventID", "Last-Event-ID",
];
const asEvent = (name, value) => (name === "topic" ? `topic=${value}` : `topic=a&${name}=${value}`);
const asQuery = (name, value) => (/^(match|topic)/.test(name) ? `${name}=${value}` : `match=a&${name}=${value}`);

// A row for `value`, which is percent-encoded, in each field of events and of queries but those of `except`.
const inEachField = (about, value) => [
  ...EVENT_NAMES.map((name) => publish(`${about} in ${name}`, asEvent(name, value), 400, name)),
  ...QUERY_NAMES.map((name) => subscribe(`${about} in ${name}, to read`, asQuery(name, value), 400, name)),
];
const decoded = (value) => value.replace(/%(..)/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
const inHeader = (about, value) =>
  subscribe(`${about} in the header`, "match=a", 400, "Last-Event-ID", { "last-event-id": `a${decoded(value)}b` });

const ENCODING = [
  ...NO_UTF8.flatMap(([about, value]) => [
    ...inEachField(about, `a${value}b`),
    publish(`${about} in data`, `topic=a&data=a${value}b`, 400, "data"),
    inHeader(about, value),
  ]),
  publish("cut off at the end of data", "topic=a&data=a%F0%9F%99", 400, "data"),
  publish("a second topic", "topic=a&topic=%FF", 400, "topic"),
  publish("a topic whose name is encoded", "%74opic=%FF", 400, "topic"),
  publish("half an escape in retry", "topic=a&retry=1%", 400, "retry"),
  publish("digits of another script in retry", "topic=a&retry=%D9%A1", 400, "retry"),
  publish("an encoded asterisk", "topic=%2A", 400, "topic"),
];

// --- Controls, and what nobody sees.

const CONTROLS = ["%00", "%01", "%09", "%0A", "%0D", "%1F", "%7F"];
const INVISIBLE = [
  "\u0080", "\u0085", "\u009F", "\u00AD", "\u0600", "\u061C", "\u180E", "\u200B", "\u200D", "\u202E", "\u2060",
  "\u2066", "\uFEFF", "\uFFF9", "\u{110BD}", "\u{E0001}", "\u{E0041}",
].map(encodeURIComponent);

// What no name may hold, percent-encoded.
export const NOT_IN_NAMES = [...CONTROLS, ...INVISIBLE];

const CHARACTERS = [
  ...NOT_IN_NAMES.flatMap((value) => inEachField(value, `a${value}b`)),
  ...NOT_IN_NAMES.flatMap((value) => inEachField(`${value} alone`, value)),
  // Of controls, a header may have but the tab; those beyond ASCII are bytes like others to it.
  ...["%09", ...INVISIBLE].map((value) => inHeader(value, value)),
  ...CONTROLS.filter((value) => value !== "%09").map((value) => ({
    ...inHeader(value, value),
    field: "last-event-id", // as it was sent
    closes: true,
  })),
];

// --- Names that begin with `match`.

const MATCH_NAMES = [
  "matches", "match_", "match-exact", "matchexact", "match_exactly", "match_regexp", "match_uri_template", "match[]",
  "match.0", "Match", "MATCH", "mATCH_EXACT", "match_urlPattern", "match ", "match\0", "match\u00AD", "match=a",
];

const NAMES = [
  ...MATCH_NAMES.map((name) => subscribe(JSON.stringify(name), `${encodeURIComponent(name)}=a`, 400, name)),
  ...MATCH_NAMES.map((name) =>
    subscribe(`${JSON.stringify(name)} behind a good one`, `match=a&${encodeURIComponent(name)}=a`, 400, name),
  ),
  subscribe("a name that is no UTF-8", "match%FF=a", 400, "match\\xFF"),
  subscribe("a name without a value", "matches", 400, "matches"),
  subscribe("a name between topics", "topic=a&matches=b&topic=c", 400, "matches"),
];

export const BAD_INPUT = {
  "request lines and fields": REQUEST_LINES_AND_FIELDS,
  "what could smuggle a request": SMUGGLING,
  "methods and types": METHODS_AND_TYPES,
  "what is too large": OVERSIZE,
  "what is no UTF-8": ENCODING,
  "control and format characters": CHARACTERS,
  "unknown names of selectors": NAMES,
};

// Fails if the answer is not the one that the row tells of.
export function assertProblem({ name, status, field, closes, allow }, response) {
  const what = `${name}: ${response.status} ${response.text}`;
  assert.equal(response.status, status, what);
  assert.equal(response.headers["content-type"], "application/problem+json", what);
  assert.equal(response.json.status, status, what);
  assert.ok(response.json.title.length > 0, what);
  assert.equal(response.json.field, field, what);
  assert.equal(response.headers.connection, closes ? "close" : undefined, what);
  assert.equal(response.headers.allow, allow, what);
}
