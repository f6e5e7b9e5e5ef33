// SPDX-License-Identifier: Apache-2.0

import type { Failure, Reason } from "./failure.js";

/** An `error` event that says what happened, and what happens next. */
export class StreamErrorEvent extends Event implements Failure {
  declare readonly reason: Reason;
  declare readonly status?: number;
  declare readonly willReconnect: boolean;
  declare readonly delayMs: number;
  declare readonly cause?: unknown;

  constructor(failure: Failure) {
    super("error");
    Object.assign(this, failure);
  }
}

/** The hub says that events are gone: those after `after`, before `until`. The stream goes on. */
export class GapEvent extends MessageEvent<string> {
  /** `retention`, `epoch` (the log was replaced) or `unknown` (no event has that id); "" if it was not told. */
  readonly reason: string = this.#text("reason");
  /** The cursor that the stream could not go on from. */
  readonly after: string = this.#text("after");
  /** Where the stream goes on. */
  readonly until: string = this.#text("until");

  #text(name: string): string {
    try {
      return `${JSON.parse(this.data)[name] ?? ""}`;
    } catch {
      return "";
    }
  }
}
