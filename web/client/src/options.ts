// SPDX-License-Identifier: Apache-2.0

import { TIMER_MAX_MS } from "./backoff.js";
import type { Failure, Refusal } from "./failure.js";

/** A value, or a function that is asked for it before every attempt to connect. */
export type Asked<T> = T | (() => T | Promise<T>);

/** How long to wait between attempts. All are optional. */
export interface RetryOptions {
  /** The first wait of the back-off, in milliseconds; 1,000 by default. */
  minMs?: number;
  /** The longest wait of the back-off; 60,000 by default. */
  maxMs?: number;
  /** By how much the wait grows with each attempt in a row that failed; 2 by default. */
  factor?: number;
  /** Which part of the wait is random, from 0 to 1; 1 by default. */
  jitter?: number;
  /** How many attempts in a row may fail before it gives up; without end by default. 0: there is one connection. */
  attempts?: number;
}

/** When to connect again without waiting. */
export interface WakeOptions {
  /** When the machine is online again; true by default. */
  online?: boolean;
  /** When the page becomes visible; true by default. */
  visible?: boolean;
  /** Whether to have no connection while the page is hidden; false by default. */
  pauseHidden?: boolean;
}

/** A one-time ticket: its text, or the hub's answer when it gave it. */
export type Ticket = string | { ticket: string } | { url: string };

/** What a request for a stream is made of, and how it is repeated. */
export interface StreamOptions {
  /** As the native class has it: sends cookies to other origins. */
  withCredentials?: boolean;
  /** Takes the place of what `withCredentials` says. */
  credentials?: RequestInit["credentials"];
  headers?: Asked<RequestInit["headers"]>;
  /** Becomes `Authorization: Bearer`. */
  token?: Asked<string | null | undefined>;
  /** Takes the place of the URL's query, or of the whole URL. One ticket opens one stream: give a function. */
  ticket?: Asked<Ticket>;
  /** GET by default, or POST if there is a body. */
  method?: string;
  body?: Asked<RequestInit["body"]>;
  fetch?: typeof fetch;
  /** Closes the stream when it aborts. */
  signal?: AbortSignal;

  /** Where to begin. */
  lastEventId?: string;
  /** Sends the cursor in the query by this name, and not as a header, which needs a CORS preflight. */
  lastEventIdParam?: string;

  retry?: RetryOptions;
  /**
   * Whether to try again after an answer that was no stream, or after a stream without ids that a body or another
   * method than GET had opened; no by default. Not asked after a 204. If it throws, the stream has failed for good.
   */
  retryOn?: (refusal: Refusal) => boolean;
  /** The stream has an end: when the server ends it, that is all. False by default, as with the native class. */
  finite?: boolean;
  /**
   * Connects again when no byte came for so long. By default three heartbeats where the stream announces
   * them, else off; 0 turns it off.
   */
  idleTimeoutMs?: number;
  /** All of it, or none. */
  wake?: boolean | WakeOptions;
  /** An event over it closes the stream, in bytes of UTF-8; 64 MiB by default. */
  maxEventBytes?: number;

  /** Another name of `idleTimeoutMs`, as event-source-polyfill has it. */
  heartbeatTimeout?: number;
  /** Another name of `lastEventIdParam`, as event-source-polyfill has it. */
  lastEventIdQueryParameterName?: string;

  /** Ways to carry the stream. There is "eventsource" alone so far. */
  transports?: readonly ("eventsource" | "long-poll" | "websocket")[];
  /**
   * One connection for all tabs of an origin with the same URL. What else the request is made of, is asked of one
   * of them; a text keeps apart those that may not see the same.
   */
  shared?: boolean | string;
  /** The browser's own class carries the stream: with a ticket, since it sends no headers. */
  native?: boolean;
}

/** The options of stream(). */
export interface ReadOptions extends Omit<StreamOptions, "shared" | "native"> {
  /** Told of each failure, also of those after which it connects again. */
  onFailure?: (failure: Failure) => void;
}

/** The browser's own class, also where ours has taken its name since. */
export const NativeEventSource = (globalThis as { EventSource?: typeof EventSource }).EventSource;

// What the native class has nothing for; the first two are not for `shared` either, which gives one answer to all.
const NOT_NATIVE = ["method", "body", "credentials", "headers", "token", "fetch", "retryOn", "finite",
  "idleTimeoutMs", "heartbeatTimeout", "maxEventBytes", "shared"] as const;

/** Returns whether there is to be no connection in a hidden page. */
export const pausesHidden = ({ wake }: StreamOptions) => (wake as WakeOptions | undefined)?.pauseHidden;

// Returns what of `options` cannot be had, or nothing.
function missing(options: StreamOptions, isPulled: unknown): string | boolean | undefined {
  const { transports = "eventsource", shared, native } = options;
  if (`${transports}` !== "eventsource") {
    return `transports: ${transports}`;
  }
  const way = native ? "native" : shared && "shared";
  const other = NOT_NATIVE.slice(0, native ? undefined : 2).find((name) => options[name]) ??
    (!native && pausesHidden(options) && "pauseHidden");
  // A page has locks if it came by https; newer versions of Node have some among the threads of a process.
  const means = native ? NativeEventSource : (globalThis.navigator as Navigator | undefined)?.locks;
  const isHere = means && !isPulled && !("ServiceWorkerGlobalScope" in globalThis); // which imports nothing later
  return way && (other ? `${way} with ${other}` : !isHere && `${way} here`);
}

// What the numbers may be at most, where that is not Infinity.
const MOST: Record<string, number> = { minMs: TIMER_MAX_MS, factor: TIMER_MAX_MS, jitter: 1 };

/** Throws for options that cannot be had, so that none is ignored in silence. `isPulled`: by stream(). */
export function checkOptions(options: StreamOptions, isPulled: unknown): void {
  const what = missing(options, isPulled);
  if (what) {
    throw new DOMException(`vrelo does not have ${what}`, "NotSupportedError");
  }
  const { retry, idleTimeoutMs, heartbeatTimeout, maxEventBytes } = options;
  for (const [name, value] of Object.entries({ ...retry, idleTimeoutMs, heartbeatTimeout, maxEventBytes })) {
    if (value !== undefined && (typeof value !== "number" || !(value >= 0) || value > MOST[name]!)) {
      throw new RangeError(`${name} cannot be ${value}`);
    }
  }
}

/** Returns what `asked` is, or gives. */
export const ask = async <T>(asked: Asked<T>): Promise<T> =>
  typeof asked === "function" ? (asked as () => T | Promise<T>)() : asked;
