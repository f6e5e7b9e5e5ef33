// SPDX-License-Identifier: Apache-2.0
//
// The parser of event streams alone: bytes in, events out. It does no I/O and knows no DOM.
//
// Source: WHATWG HTML 9.2.5 and 9.2.6, but for this: the last event ID buffer begins with the last id of
// the connection before it, as in browsers. The standard's text would begin with an empty one, and would
// so forget the cursor at the first event without an id.

const LF = 10;
const CR = 13;
const SPACE = 32;
const COLON = 58;
const BOM = 0xfeff;

// Decoding is fast into strings that fit an engine's ordinary heap pages.
const PIECE_BYTES = 65_536;
const PIECES_MAX = 1024;
const WIDE_BYTES_MIN = 1024;

/** An event as the stream has it. */
export interface ParsedEvent {
  /** "message" where the stream names no type. */
  type: string;
  /** The lines of data, joined by LF. */
  data: string;
  /** The last id that the stream has named so far, in this event or before; "" if none. */
  lastEventId: string;
}

export interface ParserOptions {
  /** Called for each event, during feed(), in the order of the stream. */
  onEvent: (event: ParsedEvent) => void;
  /** Called when the stream sets the time to wait before the next connection. */
  onRetry?: (milliseconds: number) => void;
  /** Called for each comment, with what follows its colon. */
  onComment?: (text: string) => void;
  /** The last id of the connection before this one. */
  lastEventId?: string;
  /** What the data of an event so far and its current line may add up to, in bytes of UTF-8. */
  maxEventBytes?: number;
}

/** What feed() throws for an event that is larger than the parser's limit. */
export class EventTooLargeError extends RangeError {
  constructor(readonly maxEventBytes: number) {
    super(`an event over ${maxEventBytes} bytes`);
    this.name = "EventTooLargeError";
  }
}

function utf8Length(text: string): number {
  return new TextEncoder().encode(text).length;
}

/**
 * Makes events of one response's body. Bytes may come in any pieces: an event is told as soon as the line
 * end of its empty line has come, and what has no such line at the end of the stream is no event.
 *
 * After feed() has thrown, because of the limit or because a callback threw, the parser is of no more use.
 */
export class Parser {
  /** The cursor: the last id of a block that has ended, also of one without data. */
  lastEventId: string;

  readonly #options: ParserOptions;
  readonly #maxBytes: number;
  // Node 20 decodes pieces much faster than streams where most is ASCII, and slower where most is not.
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  // It has the bytes of a character that has not come whole, and none after an ASCII character.
  readonly #streamDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #isStreaming = false; // whether that is for the next piece

  // The character that is no text where it comes next: a byte order mark at first, an LF after a CR. The CR has ended
  // the line at once: to wait and see whether LF follows would hold the event back until the next one comes.
  #skipped: number | undefined = BOM;
  #line = ""; // the line that is not complete
  #pieces = 0; // see #countPiece()

  // The block's buffers. Data without a line yet is no data, data of one empty line is an event.
  #data: string | undefined;
  #dataBytes: number | undefined; // counted where the limit may be near
  #type = "";
  #id: string;

  constructor(options: ParserOptions) {
    this.#options = options;
    this.#maxBytes = options.maxEventBytes ?? Infinity;
    this.lastEventId = this.#id = options.lastEventId ?? "";
  }

  /**
   * Takes the next bytes of the stream, and calls the callbacks for what they complete. Keeps no reference
   * to `bytes`.
   */
  feed(bytes: Uint8Array): void {
    for (let begin = 0; begin < bytes.length; begin += PIECE_BYTES) {
      this.#feedPiece(bytes.length <= PIECE_BYTES ? bytes : bytes.subarray(begin, begin + PIECE_BYTES));
    }
  }

  #feedPiece(bytes: Uint8Array): void {
    const isCut = bytes[bytes.length - 1]! >= 0x80; // perhaps inside a character
    const text = this.#isStreaming || isCut ? this.#streamDecoder.decode(bytes, { stream: true })
      : this.#decoder.decode(bytes);
    const isWide = bytes.length >= WIDE_BYTES_MIN && text.length < 0.9 * bytes.length;
    this.#isStreaming = isCut || isWide;
    if (text !== "") {
      this.#readText(text);
    }
  }

  #readText(text: string): void {
    const length = text.length;
    let begin = text.charCodeAt(0) === this.#skipped ? 1 : 0;
    this.#skipped = text.charCodeAt(length - 1) === CR ? LF : undefined;

    // Each is looked for again only once it was passed: a text without CR is searched for it once.
    let lf = -1;
    let cr = -1;
    while (begin < length) {
      if (lf < begin) {
        lf = text.indexOf("\n", begin);
        lf = lf < 0 ? length : lf;
      }
      if (cr < begin) {
        cr = text.indexOf("\r", begin);
        cr = cr < 0 ? length : cr;
      }
      const end = lf < cr ? lf : cr;
      if (end === length) {
        this.#addToLine(text.slice(begin));
        return;
      }
      if (this.#line !== "") {
        const line = this.#line + text.slice(begin, end);
        this.#line = "";
        this.#readLine(line, 0, line.length);
      } else if (begin === end) {
        this.#endBlock();
      } else {
        this.#readLine(text, begin, end);
      }
      begin = end + 1;
      if (begin === lf && end === cr) {
        begin += 1;
      }
    }
  }

  #addToLine(text: string): void {
    this.#line += text;
    this.#countPiece();
    // Each unit is at least one byte; the exact number is found once the line is complete.
    if (this.#line.length + (this.#data?.length ?? 0) > this.#maxBytes) {
      throw new EventTooLargeError(this.#maxBytes);
    }
  }

  // The line is text[begin, end), and not empty.
  #readLine(text: string, begin: number, end: number): void {
    if (this.#maxBytes !== Infinity) {
      this.#checkSize(text, begin, end);
    }
    // "data:" first, since most lines begin so. What was found equal is no line end, so it is before `end`.
    // (startsWith() takes a tenth of the speed.)
    if (
      text.charCodeAt(begin) === 100 &&
      text.charCodeAt(begin + 1) === 97 &&
      text.charCodeAt(begin + 2) === 116 &&
      text.charCodeAt(begin + 3) === 97 &&
      text.charCodeAt(begin + 4) === COLON
    ) {
      const value = begin + (text.charCodeAt(begin + 5) === SPACE ? 6 : 5);
      this.#addData(text.slice(value, end));
      return;
    }
    const line = text.slice(begin, end);
    const colon = line.indexOf(":");
    if (colon < 0) {
      this.#setField(line, "");
    } else if (colon > 0) {
      this.#setField(line.slice(0, colon), line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1));
    } else {
      this.#options.onComment?.(line.slice(1));
    }
  }

  #setField(name: string, value: string): void {
    if (name === "data") {
      this.#addData(value);
    } else if (name === "event") {
      this.#type = value;
    } else if (name === "id") {
      if (!value.includes("\0")) {
        this.#id = value;
      }
    } else if (name === "retry" && /^\d+$/.test(value)) {
      this.#options.onRetry?.(Number(value));
    }
  }

  #addData(value: string): void {
    if (this.#data === undefined) {
      this.#data = value;
    } else {
      this.#data += `\n${value}`;
      if (this.#data.length > PIECE_BYTES) {
        this.#countPiece();
      }
    }
    if (this.#dataBytes !== undefined) {
      this.#dataBytes += utf8Length(value) + 1;
    }
  }

  // Engines keep what is added to a string as a piece of its own until someone reads it, which takes many
  // times the memory where pieces are tiny. Looking at a character puts them together. As this is done the
  // more rarely the more there is, it costs a constant factor.
  #countPiece(): void {
    this.#pieces += 1;
    const data = this.#data ?? "";
    if (this.#pieces > PIECES_MAX + (this.#line.length + data.length) / 64) {
      this.#pieces = 0;
      this.#line.charCodeAt(0);
      data.charCodeAt(0);
    }
  }

  // Counts bytes only where the limit may be near: a UTF-16 unit is at most three.
  #checkSize(text: string, begin: number, end: number): void {
    const data = this.#data ?? "";
    if (3 * (data.length + end - begin) <= this.#maxBytes) {
      return;
    }
    this.#dataBytes ??= utf8Length(data);
    if (this.#dataBytes + utf8Length(text.slice(begin, end)) > this.#maxBytes) {
      throw new EventTooLargeError(this.#maxBytes);
    }
  }

  #endBlock(): void {
    this.lastEventId = this.#id;
    const data = this.#data;
    const type = this.#type;
    this.#type = "";
    if (data !== undefined) {
      this.#data = undefined;
      this.#dataBytes = undefined;
      this.#options.onEvent({ type: type || "message", data, lastEventId: this.#id });
    }
  }
}
