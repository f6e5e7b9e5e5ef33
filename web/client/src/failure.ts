// SPDX-License-Identifier: Apache-2.0

/**
 * Why there is no stream:
 *
 * - `network`: no answer, or the connection broke
 * - `http`: an answer other than 200
 * - `auth`: a 401 or 403, or a function that was to give headers, a token, a ticket or a body has failed, or what it
 *   gave cannot be sent
 * - `content-type`: an answer that is no event stream
 * - `too-large`: an event over `maxEventBytes`
 * - `idle`: no byte for too long
 * - `closed`: the server has ended the stream
 */
export type Reason = "network" | "http" | "auth" | "content-type" | "too-large" | "idle" | "closed";

/** An answer that was no stream, or one that broke off and has no ids, for `retryOn` to judge. */
export interface Refusal {
  readonly reason: Reason;
  readonly status: number;
  /** How many attempts in a row have failed, this one included; 0 after a stream that was one. */
  readonly attempt: number;
}

/**
 * What is told of a failure. It holds nothing of the request, since that may have secrets; what a function of
 * the page's has thrown is the page's own.
 */
export interface Failure {
  readonly reason: Reason;
  /** The answer's status, if there was an answer. */
  readonly status?: number;
  readonly willReconnect: boolean;
  /** How long until then; 0 where it does not. */
  readonly delayMs: number;
  /**
   * What a function of the page's has thrown, where that is why: one for headers, token, ticket or body, `fetch` (also
   * its answer's body) or `retryOn`. Or a TypeError that names the option of which the value cannot be sent.
   */
  readonly cause?: unknown;
}
