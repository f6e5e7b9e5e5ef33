// SPDX-License-Identifier: Apache-2.0

import { resolveUrl } from "./event_source.js";
import type { Failure } from "./failure.js";
import type { ReadOptions } from "./options.js";
import type { ParsedEvent } from "./parser.js";
import { Reader } from "./reader.js";

/** What the loop over stream() throws when the stream has failed for good. */
export class StreamError extends Error {
  constructor(readonly failure: Failure) {
    const { reason, status, cause } = failure;
    super(`the stream has failed: ${reason}${status ? ` (${status})` : ""}`, { cause });
    this.name = "StreamError";
  }
}

/**
 * The events of `url`, of all types, over as many connections as that takes. Nothing more is read while the
 * loop's body is at work. Leaving the loop closes the stream; `options.signal` ends it, and so does the server where
 * it is not asked again.
 */
export async function* stream(url: string | URL, options: ReadOptions = {}): AsyncGenerator<ParsedEvent, void, void> {
  const events: ParsedEvent[] = [];
  let isOver = false;
  let error: unknown; // why, if that was no good end
  let notify = () => {};
  let resume = () => {};
  const reader = new Reader(resolveUrl(url), options, {
    onOpen: () => {},
    onEvent: (event) => {
      events.push(event);
      notify();
    },
    onFailure: (failure) => {
      isOver = !failure.willReconnect;
      const isEnd = failure.reason === "closed" && (options.finite || !options.retry?.attempts);
      error = isOver && !isEnd ? new StreamError(failure) : undefined;
      try {
        options.onFailure?.(failure);
      } catch (thrown) {
        isOver = true;
        error = thrown;
      }
      notify();
    },
    ready: () => (events.length === 0 ? undefined : new Promise((resolve) => (resume = resolve))),
  });
  const onAbort = () => notify();
  options.signal?.addEventListener("abort", onAbort);
  try {
    for (;;) {
      while (events.length > 0) {
        // In batches, since shift() on a long array is slow.
        for (const event of events.splice(0)) {
          if (options.signal?.aborted) {
            return;
          }
          yield event;
        }
      }
      resume();
      if (error !== undefined) {
        throw error;
      }
      if (isOver || options.signal?.aborted) {
        return;
      }
      await new Promise<void>((resolve) => (notify = resolve));
    }
  } finally {
    options.signal?.removeEventListener("abort", onAbort);
    resume();
    reader.close();
  }
}
