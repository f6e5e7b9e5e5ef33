// SPDX-License-Identifier: Apache-2.0

import type { Failure, Reason } from "./failure.js";

/** An `error` event that says what happened, and what happens next. */
export class StreamErrorEvent extends Event implements Failure {
  readonly reason: Reason;
  readonly status?: number;
  readonly willReconnect: boolean;
  readonly delayMs: number;

  constructor(failure: Failure) {
    super("error");
    this.reason = failure.reason;
    if (failure.status !== undefined) {
      this.status = failure.status;
    }
    this.willReconnect = failure.willReconnect;
    this.delayMs = failure.delayMs;
  }
}

/** The hub says that events are gone: those after `after`, before `until`. The stream goes on. */
export class GapEvent extends MessageEvent<string> {
  /** `retention`, `epoch` (the log was replaced) or `unknown` (no event has that id); "" if it was not told. */
  readonly reason: string;
  /** The cursor that the stream could not go on from. */
  readonly after: string;
  /** Where the stream goes on. */
  readonly until: string;

  constructor(type: string, init: MessageEventInit<string>) {
    super(type, init);
    const { reason, after, until } = gapOf(init.data ?? "");
    this.reason = textOf(reason);
    this.after = textOf(after);
    this.until = textOf(until);
  }
}

function gapOf(data: string): { reason?: unknown; after?: unknown; until?: unknown } {
  try {
    return Object(JSON.parse(data)) as object;
  } catch {
    return {};
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
