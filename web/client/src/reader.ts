// SPDX-License-Identifier: Apache-2.0
//
// Reads the events of one URL, over as many connections as that takes.

import { backoffMs, delayMs, pause, RETRY_MAX_MS, retryAfterMs, TIMER_MAX_MS } from "./backoff.js";
import type { Failure, Reason } from "./failure.js";
import { isEventStream } from "./mime_type.js";
import { checkOptions, pausesHidden, type RetryOptions, type StreamOptions } from "./options.js";
import { EventTooLargeError, type ParsedEvent, Parser } from "./parser.js";
import { askParts, askTicket, knownParts, makeRequest } from "./request.js";
import { isHidden, watchPage } from "./waking.js";

const EVENT_BYTES_MAX = 2 ** 26; // 64 MiB
// What ends each id of a ticket's stream: a proof, which is for the header alone and is not shown.
const PROOF = /~[\w-]{22}$/;
const HEARTBEATS_MISSED_MS = 3000; // three, by the second
const HEARTBEAT = /^ ?vrelo heartbeat=([1-9][\d.]*)$/;

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
interface End extends Partial<Pick<Failure, "reason" | "status">> {
  cause?: unknown;
  retryAfterMs?: number;
  isFinal?: boolean | undefined; // to try again would be of no use
}

export type ReaderState = 0 | 1 | 2; // as EventSource.readyState has them

export class Reader {
  state: ReaderState = 0;
  /** The types that there are listeners for; listen() says that there is one more. */
  readonly types = new Set<string>();
  listen = (type: string): void => void this.types.add(type);

  readonly #url: URL;
  readonly #options: StreamOptions;
  readonly #retry: RetryOptions;
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
  #answer: number | undefined; // the status of one that may have cost something, as that to a body

  #abort = new AbortController(); // of the connection
  #endedBy: End | undefined; // why it was aborted
  /** Ends the wait for the next attempt. */
  wake: () => void = () => {};

  // The watch on a silent stream.
  #announcedMs: number | undefined; // by the stream's first comment, or NaN
  #lastByteAt = 0; // Infinity while what came is not taken yet, so that nothing more is read
  #idleTimer: ReturnType<typeof setTimeout> | undefined;

  /** Begins at once, but calls nobody before its caller has returned. Throws for options that cannot be had or sent. */
  constructor(url: URL, options: StreamOptions, sink: ReaderSink) {
    checkOptions(options, sink.ready);
    this.#url = url;
    this.#options = options;
    this.#retry = options.retry ?? {};
    this.#sink = sink;
    this.#lastEventId = options.lastEventId ?? "";
    makeRequest(knownParts(url, options), options, this.#lastEventId);
    const { signal } = this.#closing;
    watchPage(options.wake ?? true, () => this.wake(), () => this.#cut({}), signal);
    options.signal?.addEventListener("abort", this.close, { signal });
    if (options.signal?.aborted) {
      this.close();
    }
    void this.#run();
  }

  // A field, so that it can be a listener.
  readonly close = (): void => {
    this.state = 2;
    this.#closing.abort();
    this.#abort.abort();
    this.wake();
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
      this.#endedBy = this.#answer = undefined;
      const ended = await this.#connect();
      await this.#end(this.#endedBy ?? ended);
    }
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

  async #end({ reason, retryAfterMs = 0, isFinal, ...told }: End): Promise<void> {
    this.#countEnd(reason ? 1 : 0);
    if (!reason || this.#isClosed) {
      return;
    }
    let willReconnect = false;
    try {
      willReconnect = !isFinal && this.#mayGoOn && this.#mayReconnect(reason, told.status);
    } catch (error) {
      told.cause = error; // of retryOn()
    }
    if (this.#isClosed) {
      return; // by retryOn()
    }
    const delay = delayMs(this.#retry, this.#failures, this.#serverMs, retryAfterMs);
    if (willReconnect) {
      this.state = 0;
    } else {
      this.close();
    }
    this.#sink.onFailure({ reason, ...told, willReconnect, delayMs: willReconnect ? delay : 0 });
    if (!this.#isClosed) {
      await this.#wait(delay, Math.min(delay, retryAfterMs));
    }
  }

  #mayReconnect(reason: Reason, status: number | undefined): boolean {
    const { retryOn, ticket, native } = this.#options;
    if (native) {
      return typeof ticket === "function"; // it gives up as the native class has done, unless a ticket may help
    }
    // Without an id to go on from, all would come again.
    status ??= this.#lastEventId ? undefined : this.#answer;
    if (status === undefined) {
      return true;
    }
    if (retryOn) {
      return retryOn({ reason, status, attempt: this.#failures });
    }
    // A new ticket may open what the last one could not. Otherwise it is as with the native class.
    return typeof ticket === "function" && /40[138]|42[59]|5../.test(`${status}`);
  }

  // Waits so long, or until something wakes it, which nothing but the end does before `leastMs`.
  #wait(milliseconds: number, leastMs = 0): Promise<void> {
    const begunAt = performance.now();
    return new Promise((resolve) => {
      const ringAfter = (wait: number) => setTimeout(resolve, Math.max(0, begunAt + wait - performance.now()));
      let timer = ringAfter(milliseconds);
      this.wake = () => {
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
    const { shared, native, fetch: own } = this.#options;
    const abort = (this.#abort = new AbortController());
    const { signal } = abort;
    // A function or a fetch may hang, and not every fetch knows of signals.
    const aborted = new Promise<never>((_, reject) => signal.addEventListener("abort", reject));
    aborted.catch(() => {});
    let reason: Reason = "network";
    let isOwn: any; // what may be thrown is the page's
    let isFinal = false;
    try {
      if (shared) {
        const { share } = await import("./shared.js");
        await share(this.#url, this.#options, this.#sink, this, signal);
        return {};
      }
      reason = "auth";
      isOwn = true;
      const asked = askParts(this.#url, this.#options, this.#nextUrl);
      this.#nextUrl = undefined;
      const parts = await Promise.race([asked, aborted]);
      isFinal = true;
      const { url, init } = makeRequest(parts, this.#options, this.#lastEventId);
      isFinal = false;
      isOwn = own;
      reason = "network";
      if (native) {
        const { readNative } = await import("./native.js");
        await readNative(url, this.#options, this.#lastEventId, this, signal);
        return { reason };
      }
      this.#lastByteAt = performance.now();
      this.#watchIdle();
      const sent = Promise.resolve((own ?? fetch)(url.href, { ...init, signal }));
      // What a fetch that knows no signal brings too late is closed.
      sent.then((response): unknown => signal.aborted && this.#read(response, signal)).catch(() => {});
      const response = await Promise.race([sent, aborted]);
      this.#answer = /^get$/i.test(init.method!) ? undefined : response.status;
      return await this.#read(response, signal);
    } catch (error) {
      if (error instanceof EventTooLargeError) {
        return { reason: "too-large", isFinal: true };
      }
      return { reason, isFinal, ...(isOwn && { cause: error }) };
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
      return {};
    }
    if (status !== 200) {
      const reason = /40[13]/.test(`${status}`) ? "auth" : "http";
      return { reason, status, retryAfterMs: retryAfterMs(headers.get("retry-after")), isFinal: status === 204 };
    }
    if (!isEventStream(headers.get("content-type"))) {
      return { reason: "content-type", status };
    }
    this.#announcedMs = undefined;
    this.onOpen();
    const { origin } = new URL(response.url || this.#url);
    const parser = new Parser({
      lastEventId: this.#lastEventId,
      maxEventBytes: this.#options.maxEventBytes ?? EVENT_BYTES_MAX,
      onRetry: (milliseconds) => (this.#serverMs = milliseconds),
      onComment: (text) => {
        if (this.#announcedMs === undefined) {
          this.#announcedMs = HEARTBEATS_MISSED_MS * Number(HEARTBEAT.exec(text)?.[1]); // or NaN
          this.#watchIdle();
        }
      },
      onEvent: (event) => this.onEvent(event, origin, signal),
    });
    while (body) {
      const { value, done } = await body.read();
      if (done) {
        break;
      }
      this.#lastByteAt = Infinity;
      parser.feed(value);
      this.#lastEventId = this.#shown(parser.lastEventId);
      await this.#sink.ready?.();
      this.#lastByteAt = performance.now();
    }
    return { reason: "closed", isFinal: this.#options.finite };
  }

  // The connection of the native class broke, and the browser makes the next one unless the signal aborts.
  onBreak(): void {
    this.#countEnd(1);
    if (this.#mayGoOn) {
      this.state = 0;
      this.#sink.onFailure({ reason: "network", willReconnect: true, delayMs: 0 });
    } else {
      this.#cut({ reason: "network" });
    }
  }

  onOpen(): void {
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

  onEvent(event: ParsedEvent, origin: string, signal: AbortSignal): void {
    // The rest of a chunk is nobody's after a handler has closed the stream.
    if (signal.aborted) {
      return;
    }
    this.#wasGood ||= !event.type.startsWith("vrelo."); // the hub's own come even before a refusal
    if (event.type === "vrelo.renew") {
      void this.#renew(signal);
    }
    this.#lastEventId = event.lastEventId = this.#shown(event.lastEventId);
    this.#sink.onEvent(event, origin);
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
    while (!signal.aborted) {
      await pause(delayMs(this.#retry, ++this.#renewals), signal);
      // While there is none the stream goes on. If there is none at its end, that is told.
      const next = signal.aborted ? undefined : await askTicket(this.#url, this.#options).catch(() => undefined);
      if (next && !signal.aborted) {
        this.#nextUrl = next;
        this.#cut({});
      }
    }
  }

  // Looks at the clock rarely, instead of setting a timer for each byte.
  #watchIdle(): void {
    clearTimeout(this.#idleTimer);
    const idleMs = this.#options.idleTimeoutMs ?? this.#options.heartbeatTimeout ?? this.#announcedMs;
    const left = this.#lastByteAt + idleMs! - performance.now();
    if (idleMs && left > 0) {
      this.#idleTimer = setTimeout(() => this.#watchIdle(), Math.min(left, idleMs, TIMER_MAX_MS));
    } else if (idleMs) {
      this.#cut({ reason: "idle" });
    }
  }
}
