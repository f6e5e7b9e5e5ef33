// SPDX-License-Identifier: Apache-2.0

import type { RetryOptions } from "./options.js";

// The longest that a timer can wait.
export const TIMER_MAX_MS = 2 ** 31 - 1;

export const RETRY_MAX_MS = 60_000; // unless the options say otherwise

/** Returns the longest back-off after so many attempts in a row that have failed. */
export function backoffMs({ minMs = 1000, maxMs = RETRY_MAX_MS, factor = 2 }: RetryOptions, failures: number): number {
  return minMs && Math.min(maxMs, minMs * factor ** Math.max(0, failures - 1)); // which grows to Infinity
}

/**
 * Returns how long to wait before the next attempt: what the server asks for, and on top of it a back-off
 * that is random, so that clients that were cut off together do not come back together. A good stream
 * that ends costs no back-off where the server has set a time. `failures` are the attempts in a row that have failed,
 * 0 after a stream that was one; `serverMs` is what `retry:` says, and `retryAfterMs` what `Retry-After` says.
 */
export function delayMs(retry: RetryOptions, failures: number, serverMs?: number, retryAfterMs = 0): number {
  const backoff = failures || serverMs === undefined ? backoffMs(retry, failures) : 0;
  const wait = (serverMs ?? 0) + backoff * (1 - (retry.jitter ?? 1) * Math.random());
  return Math.round(Math.min(TIMER_MAX_MS, Math.max(wait, retryAfterMs)));
}

/** Returns the milliseconds that a Retry-After header asks for, 0 for what is none. */
export function retryAfterMs(header: string | null): number {
  const wait = 1000 * Number(header) || Date.parse(`${header}`) - Date.now();
  return wait > 0 ? wait : 0;
}

/** Waits so long, or until the signal aborts. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
