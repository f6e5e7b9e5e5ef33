// SPDX-License-Identifier: Apache-2.0
//
// One connection for all tabs of an origin that read the same URL with the option `shared`.
//
// Each tab asks for the same Web Lock. Who has it leads: it reads the stream, and tells the others by a
// BroadcastChannel. When its page is closed, killed or put to sleep, the browser gives the lock to the next tab,
// which reads on from its own cursor. From a leader that stands still without notice, the lock is taken.
//
// Each event names the one before it, so every tab knows what it had before and what it lacks, whoever leads and
// however late a message is (see Chain). What it lacks, it asks the leader for; what the leader does not remember,
// it reads by a connection of its own, until it has met the others.

import { Chain, hasOwnId, type Link } from "./chain.js";
import type { Failure } from "./failure.js";
import type { StreamOptions, WakeOptions } from "./options.js";
import { Reader, type ReaderSink } from "./reader.js";
import { watchPage } from "./waking.js";

type Message = { from: string } & (
  // Who leads? And what came after `cursor`?
  | { kind: "ask"; cursor: string | undefined }
  // I do. `links` is for `to` alone; null: that is not remembered. `term`: since when.
  | { kind: "lead"; term: number; cursor: string; isOpen: boolean; to?: string; links?: Link[] | null }
  | { kind: "event"; link: Link }
  | { kind: "open" }
  | { kind: "failure"; failure: Failure }
  // Wait no longer: somebody looks.
  | { kind: "wake" }
);
interface LinkSink extends Omit<ReaderSink, "onEvent"> {
  onLink(link: Link): void;
}
type Body<T = Message> = T extends Message ? Omit<T, "from"> : never;

// A tab asks in each of these in which it heard nothing, and takes the lock after so many of them. (In a tab that
// nobody sees they may be longer. They are no matter of the clock, so a machine that slept takes no lock.)
const SILENCE_MS = 3000;
const SILENCES_MAX = 3;

// For so long, who leads keeps the lock when the stream has failed for good, so that the others hear of it before
// one of them tries again.
const LAST_WORDS_MS = 1000;

// Another protocol has another name.
const nameOf = (url: URL, { shared, withCredentials }: StreamOptions) =>
  `vrelo 1 ${Boolean(withCredentials)} ${url.href} ${shared === true ? "" : shared}`;

/** Reads the stream with the other tabs until `signal` aborts. `outer` is the reader that is asked for its state. */
export function share(
  url: URL,
  options: StreamOptions,
  sink: ReaderSink,
  outer: Reader,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const member = new Member(url, options, sink, outer);
    const page = globalThis as unknown as EventTarget & { document?: EventTarget };
    const events: [EventTarget | undefined, string, () => void][] = [
      // A page that is left may be kept, asleep, and be shown again.
      [page, "pagehide", member.leave],
      [page, "pageshow", member.join],
      [page.document, "freeze", member.leave],
      [page.document, "resume", member.join],
    ];
    for (const [target, type, act] of events) {
      target?.addEventListener?.(type, act);
    }
    // That the machine is online, each tab hears by itself.
    const { wake } = options;
    watchPage(wake !== false && { ...(wake as WakeOptions), online: false }, member.wake, () => {}, signal);
    signal.addEventListener("abort", () => {
      for (const [target, type, act] of events) {
        target?.removeEventListener?.(type, act);
      }
      member.leave();
      resolve();
    });
    member.join();
  });
}

class Member {
  readonly #id = crypto.randomUUID();
  readonly #name: string;
  readonly #url: URL;
  readonly #options: StreamOptions;
  readonly #sink: ReaderSink;
  readonly #outer: Reader;
  readonly #chain: Chain;

  #channel: BroadcastChannel | undefined; // none while it is no member
  #leader: string | undefined;
  #term = 0; // the leader's
  #count = 0; // of events that it has read
  #head = ""; // the last id that is known of the common stream
  #unlock = () => {}; // gives up the lock, or the wish for it
  #reader: Reader | undefined; // while it leads
  #ownWay: Reader | undefined; // while it reads what it lacks
  #isAsking = false;
  #hasFailed = false; // for good
  #lastWords: Failure | undefined; // the leader's, while something before them is missing
  #silences = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(url: URL, options: StreamOptions, sink: ReaderSink, outer: Reader) {
    // The tab's own signal closes the tab's own source.
    const { shared: _, signal: __, ...rest } = options;
    this.#url = url;
    this.#options = { ...rest };
    this.#sink = sink;
    this.#outer = outer;
    this.#name = nameOf(url, options);
    this.#chain = new Chain(options.lastEventId || undefined, ({ event, origin }) => {
      if (outer.state !== 2) {
        sink.onEvent(event, origin);
      }
    });
  }

  readonly join = (): void => {
    if (this.#channel !== undefined) {
      return;
    }
    this.#channel = new BroadcastChannel(this.#name);
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => this.#hear(data);
    this.#timer = setInterval(() => this.#onSilence(), SILENCE_MS);
    this.#seekLock(false);
    this.#ask();
  };

  readonly leave = (): void => {
    const hasLastWords = this.#hasFailed && this.#reader !== undefined;
    clearInterval(this.#timer);
    this.#stopReading();
    this.#channel?.close();
    this.#channel = undefined;
    this.#leader = undefined;
    if (hasLastWords) {
      setTimeout(this.#unlock, LAST_WORDS_MS);
    } else {
      this.#unlock();
    }
  };

  // Who leads may not be seen itself.
  readonly wake = (): void => this.#tell({ kind: "wake" });

  #tell(body: Body): void {
    this.#channel?.postMessage({ ...body, from: this.#id });
  }

  #ask(): void {
    this.#isAsking = true;
    this.#tell({ kind: "ask", cursor: this.#chain.cursor });
  }

  #stopReading(): void {
    this.#reader?.close();
    this.#reader = undefined;
    this.#ownWay?.close();
    this.#ownWay = undefined;
    this.#lastWords = undefined;
    this.#chain.forgetAhead();
  }

  #seekLock(steal: boolean): void {
    const wish = new AbortController();
    let isOver = false;
    let release = () => {};
    this.#unlock = () => {
      isOver = true;
      wish.abort();
      release();
    };
    const lead = () =>
      new Promise<void>((resolve) => {
        release = resolve;
        if (isOver) {
          resolve();
        } else {
          this.#lead();
        }
      });
    navigator.locks.request(this.#name, steal ? { steal } : { signal: wish.signal }, lead).catch((error: Error) => {
      if (isOver) {
        return;
      }
      if (error.name === "AbortError") {
        this.#follow(); // another has taken it
      } else {
        this.#onFailure({ reason: "network", willReconnect: false, delayMs: 0 }); // a page that may not have one
      }
    });
  }

  #lead(): void {
    this.#stopReading();
    this.#leader = this.#id;
    this.#term = performance.timeOrigin + performance.now();
    const cursor = (this.#head = this.#chain.cursor ??= "");
    this.#reader = this.#read(cursor, {
      onOpen: () => {
        this.#tell({ kind: "open" });
        this.#onOpen();
      },
      onLink: (link) => {
        this.#head = link.event.lastEventId;
        this.#tell({ kind: "event", link });
        this.#chain.take(link);
      },
      onFailure: (failure) => {
        const { cause: _, ...told } = failure; // what was thrown may not be fit to be sent
        this.#tell({ kind: "failure", failure: told });
        this.#onFailure(failure);
      },
    });
    this.#tell({ kind: "lead", term: this.#term, cursor, isOpen: false });
  }

  #read(cursor: string, { onLink, ...sink }: LinkSink): Reader {
    let after = cursor;
    return new Reader(this.#url, { ...this.#options, lastEventId: cursor }, {
      ...sink,
      onEvent: (event, origin) => {
        // The hub greets each connection anew. It is of the stream only where that begins.
        if (event.type === "vrelo.hello" && after !== "") {
          return;
        }
        const link = { after, event, origin, by: this.#id, number: this.#count++ };
        after = event.lastEventId;
        onLink(link);
      },
    });
  }

  // Leads no longer.
  #follow(): void {
    this.#unlock();
    this.#stopReading();
    this.#leader = undefined;
    this.#silences = 0;
    this.#chain.cursor ||= undefined; // it has not begun
    this.#seekLock(false);
    this.#ask();
  }

  #onSilence(): void {
    if (this.#reader !== undefined) {
      return;
    }
    this.#silences += 1;
    this.#term = 0; // clocks are set back
    if (this.#silences < SILENCES_MAX) {
      this.#ask();
    } else {
      this.#silences = 0;
      this.#unlock();
      this.#seekLock(true);
    }
  }

  #hear(message: Message): void {
    if (this.#channel === undefined) {
      return; // some tell what came before the channel was closed
    }
    const { kind, from } = message;
    if (this.#reader !== undefined) {
      // Who leads hears of no other: when the lock is taken away, the browser says so.
      if (kind === "ask") {
        this.#answer(from, message.cursor);
      } else if (kind === "wake") {
        this.#reader.wake();
      }
      return;
    }
    if (kind === "lead" && message.term >= this.#term) {
      this.#leader = from;
      this.#term = message.term;
      this.#hearLeader(message);
    }
    // Who no longer leads may not know it yet.
    if (from !== this.#leader) {
      return;
    }
    this.#silences = 0;
    if (this.#chain.cursor === undefined) {
      return; // it begins with the answer to what it has asked
    }
    if (kind === "event") {
      this.#head = message.link.event.lastEventId;
      this.#take(message.link);
    } else if (kind === "open") {
      this.#onOpen();
    } else if (kind === "failure") {
      if (message.failure.willReconnect || this.#chain.has(this.#head)) {
        this.#onFailure(message.failure);
      } else {
        this.#lastWords = message.failure;
      }
    }
  }

  #answer(to: string, cursor: string | undefined): void {
    const links = cursor === undefined ? [] : (this.#chain.since(cursor) ?? null);
    const isOpen = this.#reader?.state === 1;
    this.#tell({ kind: "lead", term: this.#term, to, cursor: this.#head, isOpen, links });
  }

  #hearLeader({ to, cursor, isOpen, links }: Message & { kind: "lead" }): void {
    if (to !== undefined && to !== this.#id) {
      return;
    }
    this.#head = cursor;
    if (links === undefined) {
      this.#ask();
      return;
    }
    this.#isAsking = false;
    if (links === null) {
      this.#chain.cursor ||= cursor; // where there is no id to begin at, it begins here
    } else {
      this.#chain.cursor ??= cursor;
    }
    if (isOpen) {
      this.#onOpen();
    }
    if (links === null && !this.#chain.has(cursor)) {
      this.#readOwnWay();
    }
    this.#take(...(links ?? []));
  }

  #take(...links: Link[]): void {
    if (!this.#chain.take(...links) && !this.#isAsking && this.#ownWay === undefined) {
      this.#ask();
    }
    this.#endOwnWay();
  }

  // Reads what the leader does not remember. Events without an id may come by the leader as well, where nothing
  // tells that they are the same, so they are left to that.
  #readOwnWay(): void {
    this.#ownWay ??= this.#read(this.#chain.cursor!, {
      onOpen: () => {},
      onLink: (link) => hasOwnId(link) && this.#take(link),
      onFailure: (failure) => {
        if (!failure.willReconnect) {
          this.#onFailure(failure);
        }
      },
    });
  }

  #endOwnWay(): void {
    if (this.#ownWay !== undefined && this.#chain.has(this.#head)) {
      this.#ownWay.close();
      this.#ownWay = undefined;
      this.#chain.forgetAhead();
      if (this.#lastWords !== undefined) {
        this.#onFailure(this.#lastWords);
      }
    }
  }

  #onOpen(): void {
    if (this.#outer.state === 0) {
      this.#outer.state = 1;
      this.#sink.onOpen();
    }
  }

  #onFailure(failure: Failure): void {
    if (this.#outer.state === 2) {
      return;
    }
    if (failure.willReconnect) {
      this.#outer.state = 0;
    } else {
      this.#hasFailed = true;
      this.#outer.close();
    }
    this.#sink.onFailure(failure);
  }
}
