// SPDX-License-Identifier: Apache-2.0

import type { RetryOptions } from "./options.js";

// The longest that a timer can wait.
export const TIMER_MAX_MS = 2 ** 31 - 1;

export const RETRY_MAX_MS = 60_000; // unless the options say otherwise

/** What a wait depends on, besides the options. */
export interface Waiting {
  /** How many attempts in a row have failed; 0 after a stream that was one. */
  failures: number;
  /** What the server has asked for by `retry:`. */
  serverMs?: number | undefined;
  /** What it has asked for by `Retry-After`. */
  retryAfterMs?: number;
}

/** Returns the longest back-off after so many attempts in a row that have failed. */
export function backoffMs({ minMs = 1000, maxMs = RETRY_MAX_MS, factor = 2 }: RetryOptions, failures: number): number {
  return Math.min(maxMs, minMs * factor ** Math.max(0, failures - 1));
}

/**
 * Returns how long to wait before the next attempt: what the server asks for, and on top of it a back-off
 * that is random, so that clients that were cut off together do not come back together. A good stream
 * that ends costs no back-off where the server has set a time.
 */
export function delayMs(retry: RetryOptions, waiting: Waiting, random: () => number = Math.random): number {
  const { failures, serverMs, retryAfterMs = 0 } = waiting;
  const backoff = failures === 0 && serverMs !== undefined ? 0 : backoffMs(retry, failures);
  const wait = (serverMs ?? 0) + backoff * (1 - (retry.jitter ?? 1) * random());
  return Math.round(Math.min(TIMER_MAX_MS, Math.max(wait, retryAfterMs)));
}

/** Returns the milliseconds that a Retry-After header asks for, 0 for what is none. */
export function retryAfterMs(header: string | null, now: number = Date.now()): number {
  const text = header?.trim() ?? "";
  const wait = /^[0-9]+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
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
