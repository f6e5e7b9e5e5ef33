// SPDX-License-Identifier: Apache-2.0
//
// Reads the events of one URL, over as many connections as that takes.

import { backoffMs, delayMs, pause, RETRY_MAX_MS, retryAfterMs, TIMER_MAX_MS } from "./backoff.js";
import type { Failure, Reason } from "./failure.js";
import type { NativeSink, Types } from "./native.js";
import { checkOptions, pausesHidden, type RetryOptions, type StreamOptions } from "./options.js";
import { EventTooLargeError, type ParsedEvent, Parser } from "./parser.js";
import { askTicket, makeRequest } from "./request.js";
import { isHidden, watchPage } from "./waking.js";

const EVENT_BYTES_MAX = 64 * 1024 * 1024;
// What ends each id of a ticket's stream: a proof, which is for the header alone and is not shown.
const PROOF = /~[A-Za-z0-9_-]{22}$/;
const HEARTBEATS_MISSED_MS = 3000; // three, by the second
const HEARTBEAT = /^ ?vrelo heartbeat=([0-9]{1,6}(?:\.[0-9]+)?)$/;

/**
 * Receives what a Reader finds. onOpen() and onEvent() are called while the stream is open, onFailure()
 * when it no longer is; none after close(). They must not throw.
 */
export interface ReaderSink {
  onOpen(): void;
  onEvent(event: ParsedEvent, origin: string): void;
  onFailure(failure: Failure): void;
  /** Waited for before more is read. */
  ready?(): Promise<void> | undefined;
}

// How a connection ended. What the reader ended by itself has no reason.
interface End {
  reason?: Reason;
  status?: number;
  retryAfterMs?: number;
  cause?: unknown;
}

const idleOption = (options: StreamOptions) => options.idleTimeoutMs ?? options.heartbeatTimeout;

export type ReaderState = 0 | 1 | 2; // as EventSource.readyState has them

export class Reader implements Types {
  state: ReaderState = 0;
  readonly types = new Set<string>();
  listen = (type: string): void => void this.types.add(type);

  readonly #url: URL;
  readonly #options: StreamOptions;
  readonly #sink: ReaderSink;
  readonly #closing = new AbortController(); // ends the watch on the page and on the signal

  #lastEventId: string; // without a proof
  #serverMs: number | undefined;
  #failures = 0;
  #openedAt = Infinity; // that is, not yet
  #wasGood = false; // the last stream gave an event of a publisher's
  #renewals = 0; // without a stream between them that held
  #renewing: AbortSignal | undefined; // of the connection for which it is at work
  #nextUrl: URL | undefined; // of a new ticket

  #abort = new AbortController(); // of the connection
  #endedBy: End = {}; // why it was aborted
  #wake: () => void = () => {}; // ends the wait

  // The watch on a silent stream.
  #idleMs: number;
  #isHeld = false; // what came is not taken yet, so that nothing more is read
  #lastByteAt = 0;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** Begins at once, but calls nobody before its caller has returned. Throws for options that are not there yet. */
  constructor(url: URL, options: StreamOptions, sink: ReaderSink) {
    checkOptions(options, sink.ready !== undefined);
    this.#url = url;
    this.#options = options;
    this.#sink = sink;
    this.#lastEventId = options.lastEventId ?? "";
    this.#idleMs = idleOption(options) ?? 0;
    const { wake = true } = options;
    const { signal } = this.#closing;
    if (wake) {
      watchPage(wake, () => this.#wake(), () => this.#abort.abort(), signal);
    }
    options.signal?.addEventListener("abort", this.close, { signal });
    if (options.signal?.aborted) {
      this.close();
    }
    void this.#run();
  }

  // A field, so that it can be a listener.
  readonly close = (): void => {
    if (this.state !== 2) {
      this.state = 2;
      this.#closing.abort();
      this.#abort.abort();
      this.#wake();
    }
  };

  get #isClosed(): boolean {
    return this.state === 2;
  }

  async #run(): Promise<void> {
    await undefined; // the caller has listeners to add
    while (!this.#isClosed) {
      if (pausesHidden(this.#options) && isHidden()) {
        this.state = 0;
        await this.#wait(TIMER_MAX_MS); // or until the page is shown
        continue;
      }
      const end = await this.#connect();
      this.#countEnd(end.reason ? 1 : 0);
      if (end.reason && !this.#isClosed) {
        await this.#fail(end.reason, end);
      }
    }
  }

  get #retry(): RetryOptions {
    return this.#options.retry ?? {};
  }

  // Counts one more end, or none. A stream was no failure if it gave an event, or held longer than the wait would be.
  #countEnd(failures: number): void {
    const held = performance.now() - this.#openedAt > backoffMs(this.#retry, this.#failures + 1);
    this.#failures = this.#wasGood || held ? 0 : this.#failures + failures;
    this.#wasGood = false;
    this.#openedAt = Infinity;
  }

  get #mayGoOn(): boolean {
    return this.#failures < (this.#retry.attempts ?? Infinity);
  }

  async #fail(reason: Reason, { status, retryAfterMs = 0, cause }: End): Promise<void> {
    let willReconnect = false;
    try {
      willReconnect = this.#mayReconnect(reason, status);
    } catch (error) {
      cause = error; // of retryOn()
    }
    if (this.#isClosed) {
      return; // by retryOn()
    }
    const delay = delayMs(this.#retry, {
      failures: this.#failures,
      serverMs: this.#serverMs,
      retryAfterMs,
    });
    const failure: Failure = {
      reason,
      ...(status && { status }),
      willReconnect,
      delayMs: willReconnect ? delay : 0,
      ...(cause !== undefined && { cause }),
    };
    if (willReconnect) {
      this.state = 0;
    } else {
      this.close();
    }
    this.#sink.onFailure(failure);
    if (!this.#isClosed) {
      await this.#wait(delay, Math.min(delay, retryAfterMs));
    }
  }

  #mayReconnect(reason: Reason, status: number | undefined): boolean {
    const { retryOn, ticket, native, finite } = this.#options;
    if (reason === "too-large" || status === 204 || (finite && reason === "closed") || !this.#mayGoOn) {
      return false;
    }
    if (native) {
      return typeof ticket === "function"; // it gives up as the native class has done, unless a ticket may help
    }
    if (status === undefined) {
      return true;
    }
    if (retryOn) {
      return retryOn({ reason, status, attempt: this.#failures });
    }
    // A new ticket may open what the last one could not. Otherwise it is as with the native class.
    return typeof ticket === "function" && /^(40[138]|42[59]|5..)$/.test(`${status}`);
  }

  // Waits so long, or until something wakes it, which nothing but the end does before `leastMs`.
  #wait(milliseconds: number, leastMs = 0): Promise<void> {
    const begunAt = performance.now();
    return new Promise((resolve) => {
      const ringAfter = (wait: number) => setTimeout(resolve, begunAt + wait - performance.now());
      let timer = ringAfter(milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        timer = ringAfter(this.#isClosed ? 0 : leastMs);
      };
    });
  }

  // Ends the connection from this side.
  #cut(end: End): void {
    this.#endedBy = end;
    this.#abort.abort();
  }

  // Opens one connection and reads it to its end.
  async #connect(): Promise<End> {
    const { shared, native } = this.#options;
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    // A function or a fetch may hang, and not every fetch knows of signals.
    const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", reject));
    aborted.catch(() => {});
    this.#endedBy = {};
    let reason: Reason = "network";
    try {
      if (shared) {
        const { share } = await import("./shared.js");
        await share(this.#url, this.#options, this.#sink, this, signal);
        return {};
      }
      reason = "auth";
      const ticketUrl = this.#nextUrl;
      this.#nextUrl = undefined;
      const made = makeRequest(this.#url, this.#options, this.#lastEventId, ticketUrl);
      const { url, init } = await Promise.race([made, aborted]);
      reason = "network";
      if (native) {
        const { readNative } = await import("./native.js");
        await readNative(url, this.#options, this, this.#nativeSink(signal), signal);
        return { reason };
      }
      this.#watchIdle();
      const send = this.#options.fetch ?? fetch;
      const sent = Promise.resolve(send(url.href, { ...init, signal }));
      // What a fetch that knows no signal brings too late is closed.
      sent.then((response): unknown => signal.aborted && this.#read(response, signal)).catch(() => {});
      return await this.#read(await Promise.race([sent, aborted]), signal);
    } catch (error) {
      if (error instanceof EventTooLargeError) {
        return { reason: "too-large" };
      }
      return signal.aborted ? this.#endedBy : { reason, ...(reason === "auth" && { cause: error }) };
    } finally {
      clearTimeout(this.#idleTimer);
      abort.abort();
    }
  }

  async #read(response: Response, signal: AbortSignal): Promise<End> {
    const { status, headers } = response;
    const body = response.body?.getReader();
    const cancel = () => body?.cancel().catch(() => {});
    signal.addEventListener("abort", cancel);
    if (signal.aborted) {
      void cancel();
      return this.#endedBy;
    }
    if (status !== 200) {
      const reason = status === 401 || status === 403 ? "auth" : "http";
      return { reason, status, retryAfterMs: retryAfterMs(headers.get("retry-after")) };
    }
    if (!/^[\t ]*text\/event-stream[\t ]*(;|$)/i.test(headers.get("content-type") ?? "")) {
      return { reason: "content-type", status };
    }
    this.#open();
    const parser = this.#parser(new URL(response.url || this.#url).origin, signal);
    try {
      while (body && !signal.aborted) {
        const { value, done } = await body.read();
        if (done) {
          break;
        }
        this.#isHeld = true;
        parser.feed(value);
        await this.#sink.ready?.();
        this.#isHeld = false;
        this.#lastByteAt = performance.now();
      }
    } finally {
      this.#isHeld = false;
      this.#lastEventId = this.#shown(parser.lastEventId);
    }
    return signal.aborted ? this.#endedBy : { reason: "closed" };
  }

  #parser(origin: string, signal: AbortSignal): Parser {
    return new Parser({
      lastEventId: this.#lastEventId,
      maxEventBytes: this.#options.maxEventBytes ?? EVENT_BYTES_MAX,
      onRetry: (milliseconds) => (this.#serverMs = Math.min(milliseconds, TIMER_MAX_MS)),
      onComment: (text) => this.#onComment(text),
      onEvent: (event) => this.#take(event, origin, signal),
    });
  }

  #nativeSink(signal: AbortSignal): NativeSink {
    return {
      onOpen: () => this.#open(),
      onEvent: (event, origin) => {
        this.#lastEventId = this.#shown(event.lastEventId);
        this.#take(event, origin, signal);
      },
      onBreak: () => {
        this.#countEnd(1);
        if (!this.#mayGoOn) {
          this.#cut({ reason: "network" });
          return;
        }
        this.state = 0;
        this.#sink.onFailure({ reason: "network", willReconnect: true, delayMs: 0 });
      },
    };
  }

  #open(): void {
    this.#openedAt = performance.now();
    if (this.state === 0) {
      this.state = 1;
      this.#sink.onOpen();
    }
  }

  // An id as scripts see it. The one that is known has no proof, and may itself end as if it had.
  #shown(id: string): string {
    return this.#options.ticket === undefined || id === this.#lastEventId ? id : id.replace(PROOF, "");
  }

  #take(event: ParsedEvent, origin: string, signal: AbortSignal): void {
    // The rest of a chunk is nobody's after a handler has closed the stream.
    if (signal.aborted) {
      return;
    }
    this.#wasGood ||= !event.type.startsWith("vrelo."); // the hub's own come even before a refusal
    if (event.type === "vrelo.renew") {
      void this.#renew(signal);
    }
    event.lastEventId = this.#shown(event.lastEventId);
    this.#sink.onEvent(event, origin);
  }

  #onComment(text: string): void {
    const seconds = HEARTBEAT.exec(text)?.[1];
    if (seconds && idleOption(this.#options) === undefined) {
      this.#idleMs = HEARTBEATS_MISSED_MS * Number(seconds);
      this.#watchIdle();
    }
  }

  // The ticket's session ends soon: goes on with a new ticket, which is there before the old stream ends.
  // Nothing is lost between them, since the new one begins at the cursor. The waits grow, since the next session
  // may end as soon.
  async #renew(signal: AbortSignal): Promise<void> {
    if (typeof this.#options.ticket !== "function" || this.#renewing === signal) {
      return;
    }
    this.#renewing = signal;
    if (performance.now() - this.#openedAt > (this.#retry.maxMs ?? RETRY_MAX_MS)) {
      this.#renewals = 0;
    }
    for (;;) {
      this.#renewals += 1;
      await pause(delayMs(this.#retry, { failures: this.#renewals }), signal);
      if (signal.aborted) {
        return;
      }
      try {
        const next = await askTicket(this.#url, this.#options);
        if (!signal.aborted) {
          this.#nextUrl = next;
          this.#cut({});
        }
        return;
      } catch {
        // The stream goes on meanwhile. If there is no ticket at its end, that is told.
      }
    }
  }

  // Looks at the clock rarely, instead of setting a timer for each byte.
  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    this.#lastByteAt = performance.now();
    const watch = (milliseconds: number) => {
      this.#idleTimer = setTimeout(() => {
        const left = this.#lastByteAt + this.#idleMs - performance.now();
        if (left > 0 || this.#isHeld) {
          watch(left > 0 ? left : this.#idleMs);
        } else {
          this.#cut({ reason: "idle" });
        }
      }, Math.min(milliseconds, TIMER_MAX_MS));
    };
    if (this.#idleMs > 0) {
      watch(this.#idleMs);
    }
  }
}
