// SPDX-License-Identifier: Apache-2.0

import { resolveUrl } from "./event_source.js";
import type { Failure } from "./failure.js";
import type { ReadOptions } from "./options.js";
import type { ParsedEvent } from "./parser.js";
import { Reader } from "./reader.js";

/** What the loop over stream() throws when the stream has failed for good. */
export class StreamError extends Error {
  constructor(readonly failure: Failure) {
    super(`the stream has failed: ${failure.reason}${failure.status ? ` (${failure.status})` : ""}`);
    this.name = "StreamError";
  }
}

/**
 * The events of `url`, of all types, over as many connections as that takes. Nothing more is read while the
 * loop's body is at work. Leaving the loop closes the stream; `options.signal` ends it.
 */
export async function* stream(url: string | URL, options: ReadOptions = {}): AsyncGenerator<ParsedEvent, void, void> {
  const events: ParsedEvent[] = [];
  let end: unknown;
  let notify = () => {};
  let resume = () => {};
  const reader = new Reader(resolveUrl(url), options, {
    onOpen: () => {},
    onEvent: (event) => {
      events.push(event);
      notify();
    },
    onFailure: (failure) => {
      end = failure.willReconnect ? undefined : new StreamError(failure);
      try {
        options.onFailure?.(failure);
      } catch (error) {
        end = error;
      }
      notify();
    },
    ready: () => (events.length === 0 ? undefined : new Promise((resolve) => (resume = resolve))),
  });
  const onAbort = () => notify();
  options.signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      while (events.length > 0 && !options.signal?.aborted) {
        // In batches, since shift() on a long array is slow.
        for (const event of events.splice(0)) {
          yield event;
        }
      }
      resume();
      if (options.signal?.aborted) {
        return;
      }
      if (end !== undefined) {
        throw end;
      }
      await new Promise<void>((resolve) => (notify = resolve));
    }
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    resume();
    reader.close();
  }
}
