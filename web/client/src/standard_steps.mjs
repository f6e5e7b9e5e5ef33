// SPDX-License-Identifier: Apache-2.0
//
// WHATWG HTML 9.2.2 to 9.2.6, step by step in short, and the cases (standard_cases.mjs, parser_cases.mjs) by which
// each is tested: a text stands for the cases whose names have it. Where there is no case, it says why.

const CONSTRUCTOR = [
  ["9.2.2 IDL constructor", "one URL, and a dictionary", ["the constructor is one", "one argument", "becomes a URL"]],
  ["9.2.2 IDL url", "read alone", ["the attributes are read", "the URL is completed"]],
  ["9.2.2 IDL withCredentials", "read alone", ["the attributes are read", "withCredentials is false"]],
  ["9.2.2 IDL CONNECTING, OPEN, CLOSED", "constants", ["the constants are on the class"]],
  ["9.2.2 IDL readyState", "read alone", ["the attributes are read", "nothing is told before"]],
  ["9.2.2 IDL onopen", "a handler", ["handlers are null", "has the place among the listeners"]],
  ["9.2.2 IDL onmessage", "a handler", ["handlers are null", "an object as handler"]],
  ["9.2.2 IDL onerror", "a handler", ["handlers are null", "closing it in the handler"]],
  ["9.2.2 IDL close", "aborts and closes", ["close() may be called twice", "close() while it connects"]],
  ["9.2.2 IDL EventSourceInit", "withCredentials, false by default", ["withCredentials is false"]],
  ["9.2.2 IDL EventTarget", "the interface that it has besides", ["it is an EventTarget", "listeners may be for once",
    "a class may extend it", "a page may dispatch its own", "its members are enumerable",
    "this is the source", "a handler that throws"]],
  ["9.2.2 constructor 1", "a new object", ["the constructor is one"]],
  ["9.2.2 constructor 2", "its settings are those of its page or worker", ["the URL is completed"]],
  ["9.2.2 constructor 3", "the URL is parsed with the page's base", ["the URL is completed"]],
  ["9.2.2 constructor 4", "what is no URL is a SyntaxError", ["refuses what is no URL"]],
  ["9.2.2 constructor 5", "url is what was parsed", ["the URL is completed", "becomes a URL"]],
  ["9.2.2 constructor 6", "no credentials for other origins", ["not to another one"]],
  ["9.2.2 constructor 7", "with credentials if the dictionary says so", ["and to another one"]],
  ["9.2.2 constructor 8", "a request by CORS", ["needs its permission", "gives no permission"]],
  ["9.2.2 constructor 9", "the request's client is the page or worker", ["needs its permission"]],
  ["9.2.2 constructor 10", "Accept may be set", ["the request is a GET"]],
  ["9.2.2 constructor 11", "no cache", ["the request is a GET"]],
  ["9.2.2 constructor 12", "the initiator type is other", ["the initiator type"]],
  ["9.2.2 constructor 13", "the request is kept for the next time", ["is followed, and forgotten"]],
  ["9.2.2 constructor 14", "the end of the body reestablishes", ["it comes back with the last id",
    "a break of the connection"]],
  ["9.2.2 constructor 15.1", "an aborted request fails", ["close() while it connects"]],
  ["9.2.2 constructor 15.2", "an error of the network reestablishes, or fails", ["gives no permission",
    "an error of a proxy", "a break of the connection", "where nobody listens"]],
  ["9.2.2 constructor 15.3", "another status or type fails", ["fails for good", "the last one counts"]],
  ["9.2.2 constructor 15.4", "else it is announced and read", ["is one of event streams", "the last one counts"]],
  ["9.2.2 constructor 16", "the object is returned", ["nothing is told before"]],
];

const PROCESSING = [
  ["9.2.3 announce", "OPEN and open, in a task, unless CLOSED", ["open is a plain event", "nothing is told before",
    "nothing comes after it"]],
  ["9.2.3 reestablish 1.1", "nothing if CLOSED", ["close() may be called twice", "no further event comes"]],
  ["9.2.3 reestablish 1.2", "CONNECTING", ["a break of the connection"]],
  ["9.2.3 reestablish 1.3", "error", ["a break of the connection", "error is an event"]],
  ["9.2.3 reestablish 2", "the reconnection time is waited for", ["it waits for the time",
    "retry is digits alone", "retry counts at once"]],
  ["9.2.3 reestablish 3", "and perhaps some more", { why: "it may, and backoff_test.mjs has ours" }],
  ["9.2.3 reestablish 4", "at least until error was told", ["closing it in the handler"]],
  ["9.2.3 reestablish 5.1", "not if it is no longer CONNECTING", ["closing it in the handler"]],
  ["9.2.3 reestablish 5.2", "by the request that was kept", ["is followed, and forgotten"]],
  ["9.2.3 reestablish 5.3", "with Last-Event-ID, in UTF-8, if there is an id", ["with the last id, in UTF-8",
    "without an id where there is none", "needs no preflight", "an id of control characters"]],
  ["9.2.3 reestablish 5.4", "and what comes is processed as before", ["a 204 is how a server stops it",
    "a break of the connection"]],
  ["9.2.3 fail", "CLOSED and error, once and for good", ["a 404 fails for good", "error is an event"]],
  ["9.2.4", "the header has the last id", ["with the last id, in UTF-8", "an id with NUL",
    "an id may be of any characters"]],
];

const PARSING = [
  ["9.2.5 stream", "one byte order mark, then events", ["one byte order mark", "a second byte order mark",
    "alone has no events", "an empty stream"]],
  ["9.2.5 event", "lines, and an empty one", ["a block without its empty line", "fields may come in any order"]],
  ["9.2.5 comment", "a colon, and anything", ["begins with a colon", "an empty comment", "control characters"]],
  ["9.2.5 field", "a name, perhaps a colon, a space, and a value", ["one space after", "a tab after", "the first colon",
    "without a colon"]],
  ["9.2.5 end-of-line", "CR LF, LF or CR", [": LF ends", ": CR ends", "CR LF ends one", "may be mixed", "LF CR are",
    "CR CR LF are"]],
  ["9.2.5 encoding", "UTF-8 always", ["charset=windows-1252", "one to four bytes", "no UTF-8 are replaced"]],
  ["9.2.6 decode", "errors are replaced, one byte order mark is removed", ["one byte order mark", "elsewhere stays",
    "overlong", "names of types and ids"]],
  ["9.2.6 empty line", "dispatches", ["one empty line of data", "a block without data"]],
  ["9.2.6 line with a colon first", "is ignored", ["begins with a colon"]],
  ["9.2.6 line with a colon", "is a field with a value, less one space", ["one space after", "the first colon"]],
  ["9.2.6 other line", "is a field with an empty value", ["without a colon is a field"]],
  ["9.2.6 end", "what is pending is forgotten", ["what was cut off", "a block without its empty line",
    "a line without its line end"]],
  ["9.2.6 field event", "sets the type", ["event names the type", "the last event field counts"]],
  ["9.2.6 field data", "adds a line", ["lines of data are joined"]],
  ["9.2.6 field id", "sets the id, unless it has NUL", ["an id holds", "an id with NUL", "an empty id"]],
  ["9.2.6 field retry", "sets the time, if it is digits", ["retry is digits alone", "an empty retry"]],
  ["9.2.6 other field", "is ignored", ["unknown fields", "names are compared"]],
  ["9.2.6 dispatch 1", "the id is kept, and its buffer too", ["an id without data", "an id holds",
    "with the end of its block"]],
  ["9.2.6 dispatch 2", "without data nothing, and the type is forgotten", ["a block without data",
    "a type is forgotten"]],
  ["9.2.6 dispatch 3", "less one LF at the end", ["one empty line of data", "lines of data are joined"]],
  ["9.2.6 dispatch 4", "a MessageEvent", ["a message is a MessageEvent"]],
  ["9.2.6 dispatch 5", "message, data, origin, lastEventId", ["a message is a MessageEvent", "origin is that of"]],
  ["9.2.6 dispatch 6", "or the type that was named", ["a type leads to its listeners", "may name its events"]],
  ["9.2.6 dispatch 7", "the buffers are emptied", ["event names the type of its block alone"]],
  ["9.2.6 dispatch 8", "in a task, unless CLOSED", ["each event is a task", "no further event comes",
    "one of the browser's"]],
];

// [step, what it says, texts of the names of its cases, or {why} there is none]
export const STEPS = [...CONSTRUCTOR, ...PROCESSING, ...PARSING];

// How far the standard numbers the steps of its lists: for each step, how many there are below it.
export const NUMBERED = {
  "9.2.2 constructor": [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0],
  "9.2.3 reestablish": [3, 0, 0, 0, 4],
  "9.2.6 dispatch": [0, 0, 0, 0, 0, 0, 0, 0],
};

// What it does not number: algorithms of one step, productions of the grammar, and rules for lines and fields.
export const OTHERS = ["9.2.3 announce", "9.2.3 fail", "9.2.4", ...["stream", "event", "comment", "field",
  "end-of-line", "encoding"].map((name) => `9.2.5 ${name}`), ...["decode", "empty line", "line with a colon first",
  "line with a colon", "other line", "end"].map((name) => `9.2.6 ${name}`), ...["event", "data", "id",
  "retry"].map((name) => `9.2.6 field ${name}`), "9.2.6 other field"];
