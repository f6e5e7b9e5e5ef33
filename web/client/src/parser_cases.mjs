// SPDX-License-Identifier: Apache-2.0
//
// What the standard says about parsing (WHATWG HTML 9.2.5 and 9.2.6), as streams and what they mean. The
// same cases are for the parser alone and, in browsers, for the native class.
//
// `bytes` is text, or an array of texts and bytes. `events` are [type, data, last event id]. `others` has what
// browsers do otherwise, as in standard_cases.mjs.

export const CASES = [
  // 9.2.5: the stream
  { about: "one byte order mark at the beginning is skipped", bytes: "\ufeffdata: a\n\n",
    events: [["message", "a", ""]] },
  { about: "a second byte order mark is part of the field's name", bytes: "\ufeff\ufeffdata: a\n\ndata: b\n\n",
    events: [["message", "b", ""]] },
  { about: "a byte order mark elsewhere stays", bytes: "data: \ufeffa\n\n\ufeffdata: b\n\n",
    events: [["message", "\ufeffa", ""]] },
  { about: "LF ends a line", bytes: "data: a\ndata: b\n\n", events: [["message", "a\nb", ""]] },
  { about: "CR ends a line", bytes: "data: a\rdata: b\r\r", events: [["message", "a\nb", ""]] },
  { about: "CR LF ends one line", bytes: "data: a\r\ndata: b\r\n\r\n", events: [["message", "a\nb", ""]] },
  { about: "line ends may be mixed", bytes: "data: a\ndata: b\rdata: c\r\ndata: d\n\r\ndata: e\r\r\n",
    events: [["message", "a\nb\nc\nd", ""], ["message", "e", ""]] },
  { about: "LF CR are two line ends", bytes: "data: a\n\rdata: b\n\r",
    events: [["message", "a", ""], ["message", "b", ""]] },
  { about: "CR CR LF are two line ends", bytes: "data: a\r\r\ndata: b\r\r\n",
    events: [["message", "a", ""], ["message", "b", ""]] },
  { about: "characters of one to four bytes come whole", bytes: "data: aé漢🎈\n\n", events: [["message", "aé漢🎈", ""]] },
  { about: "names of types and ids are UTF-8 too", bytes: "event: é漢\nid: 🎈\ndata: a\n\n",
    events: [["é漢", "a", "🎈"]] },
  { about: "bytes that are no UTF-8 are replaced",
    bytes: ["data: ", [0xff, 0x61, 0xc3], "\ndata: ", [0xe6, 0xbc], "b\n\n"],
    events: [["message", "\ufffda\ufffd\n\ufffdb", ""]] },
  { about: "surrogates and overlong forms are replaced byte by byte",
    bytes: ["data: ", [0xed, 0xa0, 0x80, 0x20, 0xc0, 0xaf, 0x20, 0xf8, 0x88], "\n\n"],
    events: [["message", "\ufffd\ufffd\ufffd \ufffd\ufffd \ufffd\ufffd", ""]] },
  { about: "control characters are data", bytes: "data: \0\t\v\f\u0085\u2028\u2029\n\n",
    events: [["message", "\0\t\v\f\u0085\u2028\u2029", ""]],
    others: { "native Firefox": [[["message", "\t\v\f\u0085\u2028\u2029", ""]], "Firefox leaves out NUL"] } },

  // 9.2.6: lines
  { about: "a line that begins with a colon is a comment", bytes: ": data: no\ndata: a\n:data:b\n\n",
    events: [["message", "a", ""]], comments: [" data: no", "data:b"] },
  { about: "an empty comment is nothing", bytes: ":\n:\n\ndata: a\n\n:\n", events: [["message", "a", ""]],
    comments: ["", "", ""] },
  { about: "one space after the colon is skipped", bytes: "data:a\ndata: b\ndata:  c\n\n",
    events: [["message", "a\nb\n c", ""]] },
  { about: "a tab after the colon stays", bytes: "data:\ta\n\n", events: [["message", "\ta", ""]] },
  { about: "the first colon alone ends the name", bytes: "data: a:b: c\nid::1\nevent: x:y\n\n",
    events: [["x:y", "a:b: c", ":1"]] },
  { about: "a line without a colon is a field of that name with an empty value", bytes: "data\ndata\n\nid\ndata\n\n",
    events: [["message", "\n", ""], ["message", "", ""]] },
  { about: "names are compared as they are",
    bytes: "Data: a\n data: b\ndata : c\nDATA: d\ndatas: e\ndat: f\ndata: g\n\n", events: [["message", "g", ""]] },
  { about: "unknown fields are ignored", bytes: "data: a\nfoo: b\nid2: c\nretries: 1\nevents: d\n\n",
    events: [["message", "a", ""]] },

  // 9.2.6: fields
  { about: "event names the type of its block alone", bytes: "event: x\ndata: a\n\ndata: b\n\n",
    events: [["x", "a", ""], ["message", "b", ""]] },
  { about: "the last event field counts, and an empty one means message",
    bytes: "event: x\nevent: y\ndata: a\n\nevent: x\nevent\ndata: b\n\n",
    events: [["y", "a", ""], ["message", "b", ""]] },
  { about: "a type is forgotten with a block without data", bytes: "event: x\n\ndata: a\n\n",
    events: [["message", "a", ""]] },
  { about: "lines of data are joined by LF", bytes: "data: a\ndata:\ndata: \ndata\ndata: b\n\n",
    events: [["message", "a\n\n\n\nb", ""]] },
  { about: "one empty line of data is an event", bytes: "data:\n\ndata\n\n",
    events: [["message", "", ""], ["message", "", ""]] },
  { about: "a block without data is no event", bytes: "event: x\nid: 1\n\n\n\nretry: 5\n\n", events: [],
    lastEventId: "1", retries: [5] },
  { about: "an id holds until another one comes", bytes: "id: 1\ndata: a\n\ndata: b\n\nid: 2\ndata: c\n\n",
    events: [["message", "a", "1"], ["message", "b", "1"], ["message", "c", "2"]], lastEventId: "2" },
  { about: "an empty id forgets the last one", bytes: "id: 1\ndata: a\n\nid:\ndata: b\n\nid: 2\n\nid\ndata: c\n\n",
    events: [["message", "a", "1"], ["message", "b", ""], ["message", "c", ""]] },
  { about: "an id with NUL is ignored", bytes: "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\nid: \0\ndata: c\n\n",
    events: [["message", "a", "1"], ["message", "b", "1"], ["message", "c", "1"]],
    lastEventId: "1",
    others: { "native Firefox": [[["message", "a", "1"]], "Firefox tells no event after such an id"] } },
  { about: "an id without data moves the cursor", bytes: "id: 1\ndata: a\n\nid: 2\n\n",
    events: [["message", "a", "1"]], lastEventId: "2" },
  { about: "an id moves the cursor with the end of its block", bytes: "id: 1\ndata: a\n\nid: 2\ndata: b\n",
    events: [["message", "a", "1"]], lastEventId: "1" },
  { about: "an id may be of any characters", bytes: "id:  ~#\t☃ \ndata: a\n\n", events: [["message", "a", " ~#\t☃ "]],
    lastEventId: " ~#\t☃ " },
  { about: "retry is digits alone",
    bytes: "retry: 10\nretry:20\nretry: +1\nretry: -1\n" +
      "retry: 1.5\nretry: 1e3\nretry:  7\nretry: 0x1\nretry: 7 \nretry: ٣\nretry: 030\n",
    events: [], retries: [10, 20, 30] },
  { about: "an empty retry is ignored", bytes: "retry:\nretry\ndata: a\n\n", events: [["message", "a", ""]] },
  { about: "retry counts at once, without the end of its block", bytes: "retry: 5\n", events: [], retries: [5] },

  // 9.2.6: the end of the stream
  { about: "a block without its empty line is no event", bytes: "data: a\n\ndata: b\n",
    events: [["message", "a", ""]] },
  { about: "a line without its line end is none", bytes: "data: a\n\ndata: b\n\nid: 3\ndata: c\n:",
    events: [["message", "a", ""], ["message", "b", ""]] },
  { about: "an empty stream has no events", bytes: "", events: [] },
  { about: "a byte order mark alone has no events", bytes: "\ufeff", events: [] },
  { about: "fields may come in any order", bytes: "retry: 5\ndata: a\nid: 1\n: c\nevent: x\ndata: b\n\n",
    events: [["x", "a\nb", "1"]], retries: [5], comments: [" c"], lastEventId: "1" },
];

const encoder = new TextEncoder();

// Returns the bytes of a case.
export function bytesOf({ bytes }) {
  const parts = Array.isArray(bytes) ? bytes : [bytes];
  return Uint8Array.from(parts.flatMap((part) => [...(typeof part === "string" ? encoder.encode(part) : part)]));
}
