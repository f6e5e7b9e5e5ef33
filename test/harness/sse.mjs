// SPDX-License-Identifier: Apache-2.0
//
// A reader of the event stream format, written for the tests alone, so that the hub's own decoder never
// checks the hub's own encoder. Source: WHATWG HTML 9.2.6.

import { StringDecoder } from "node:string_decoder";

// Takes the bytes of a stream and tells what is in it:
//
//   onEvent({type, data, id, lines})   what a browser would dispatch; `lines` are the block's, as they came
//   onComment(text)                    without its colon
//   onBlock(lines)                     each block, also one that dispatches nothing
//
// `lastEventId` and `retry` are what the stream has set so far.
export class SseParser {
  lastEventId = "";
  retry = undefined;

  #decoder = new StringDecoder("utf8");
  #text = ""; // the line that is not complete
  #seen = 0; // there is no line end in it before here
  #isFirst = true;
  #lines = [];
  #data = [];
  #type = "";
  #id;
  #on;

  constructor(on) {
    this.#on = on;
  }

  push(bytes) {
    this.#text += this.#decoder.write(bytes);
    if (this.#isFirst && this.#text !== "") {
      this.#isFirst = false;
      this.#text = this.#text.replace(/^\uFEFF/, "");
    }
    const lineEnd = /\r\n|\n|\r(?=[^])/g; // a CR at the very end may be half of a CR LF
    lineEnd.lastIndex = this.#seen;
    let begin = 0;
    for (let end; (end = lineEnd.exec(this.#text)) !== null; begin = lineEnd.lastIndex) {
      this.#line(this.#text.slice(begin, end.index));
    }
    this.#text = this.#text.slice(begin);
    this.#seen = Math.max(0, this.#text.length - 1);
  }

  // Whether what came so far ends between two blocks or comments.
  get isBetweenBlocks() {
    return this.#text === "" && this.#lines.length === 0;
  }

  #line(line) {
    if (line === "") {
      this.#dispatch();
    } else if (line.startsWith(":")) {
      this.#on.onComment?.(line.slice(1));
    } else {
      this.#lines.push(line);
      const [, name, value] = /^([^:]*)(?:: ?([^]*))?$/.exec(line);
      this.#field(name, value ?? "");
    }
  }

  #field(name, value) {
    if (name === "data") {
      this.#data.push(value);
    } else if (name === "event") {
      this.#type = value;
    } else if (name === "id" && !value.includes("\0")) {
      this.#id = value;
    } else if (name === "retry" && /^[0-9]+$/.test(value)) {
      this.retry = Number(value);
    }
  }

  #dispatch() {
    const lines = this.#lines;
    const data = this.#data;
    const type = this.#type || "message";
    this.lastEventId = this.#id ?? this.lastEventId;
    this.#lines = [];
    this.#data = [];
    this.#type = "";
    this.#id = undefined;
    if (lines.length > 0) {
      this.#on.onBlock?.(lines);
    }
    if (data.length > 0) {
      this.#on.onEvent?.({ type, data: data.join("\n"), id: this.lastEventId, lines });
    }
  }
}
