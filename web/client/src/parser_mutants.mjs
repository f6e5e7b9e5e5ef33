// SPDX-License-Identifier: Apache-2.0
//
// Bugs to plant in the parser as it is built, one at a time: the cases of parser_cases.mjs have to find each.

export const MUTANTS = [
  { about: "no byte order mark is skipped", from: "#skipped = BOM", to: "#skipped" },
  { about: "byte order marks are skipped by the decoder", from: 'this.#decoder.decode(bytes)',
    to: 'new TextDecoder("utf-8").decode(bytes)' },
  { about: "the LF of a cut CR LF ends a line of its own", from: "=== CR ? LF : void 0",
    to: "=== CR ? void 0 : void 0" },
  { about: "an LF at a cut is always skipped", from: "=== CR ? LF : void 0", to: "=== CR ? LF : LF" },
  { about: "CR ends no line", from: 'text.indexOf("\\r", begin)', to: "-1" },
  { about: "LF ends no line", from: 'text.indexOf("\\n", begin)', to: "-1" },
  { about: "the LF of CR LF ends a line of its own", from: "begin === lf && end === cr", to: "false" },
  { about: "a CR swallows the line behind it", from: "begin === lf && end === cr", to: "end === cr" },
  { about: "the begin of a cut character is lost", from: "this.#isStreaming || isCut", to: "this.#isStreaming" },
  { about: "the rest of a cut character is no part of it", from: "isCut || isWide", to: "isWide" },
  { about: "the space after data's colon stays", from: "=== SPACE ? 6 : 5", to: "=== SPACE ? 5 : 5" },
  { about: "a character after data's colon is skipped", from: "=== SPACE ? 6 : 5", to: "=== 58 ? 5 : 6" },
  { about: "the space after another colon stays", from: "colon + 2 : colon + 1", to: "colon + 1 : colon + 1" },
  { about: "the last colon ends the name", from: 'line.indexOf(":")', to: 'line.lastIndexOf(":")' },
  { about: "a field without colon is ignored", from: 'this.#setField(line, "")', to: "void 0" },
  { about: "an id with NUL is taken", from: '!value.includes("\\0")', to: "true" },
  { about: "retry takes what begins with digits", from: "/^\\d+$/", to: "/^\\d+/" },
  { about: "an id counts before its block ends", from: "this.#id = value;",
    to: "this.#id = this.lastEventId = value;" },
  { about: "a type holds for the next block", from: 'this.#type = "";', to: "" },
  { about: "a block without data is an event", from: "if (data !== void 0)", to: "if (true)" },
];
