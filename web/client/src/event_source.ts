// SPDX-License-Identifier: Apache-2.0
//
// Source: WHATWG HTML 9.2.2, the interface EventSource. README.md lists what differs, and why.

import { GapEvent, StreamErrorEvent } from "./events.js";
import type { StreamOptions } from "./options.js";
import { Reader } from "./reader.js";
import { page } from "./waking.js";

/** A MessageEvent of text. (For some, as in Node, that type takes no other.) */
export interface TextEvent extends MessageEvent {
  readonly data: string;
}

export interface EventSourceEventMap {
  open: Event;
  message: TextEvent;
  /** Ours. What a server names so comes to the same listeners, as a MessageEvent. */
  error: StreamErrorEvent;
  "vrelo.gap": GapEvent;
}

type Handler<Name extends keyof EventSourceEventMap> =
  | ((this: EventSource, event: EventSourceEventMap[Name]) => unknown)
  | null;
// What is read is so loose that this class fits where the native one is asked for.
type AnyHandler = ((this: any, event: any) => unknown) | null;
type Added = Parameters<EventTarget["addEventListener"]>;
type Removed = Parameters<EventTarget["removeEventListener"]>;
type Listener<E> = ((this: EventSource, event: E) => unknown) | { handleEvent(event: E): unknown };

export interface EventSource {
  get onopen(): AnyHandler;
  set onopen(handler: Handler<"open">);
  get onmessage(): AnyHandler;
  set onmessage(handler: Handler<"message">);
  get onerror(): AnyHandler;
  set onerror(handler: Handler<"error">);
  addEventListener<Name extends keyof EventSourceEventMap>(
    type: Name,
    listener: Listener<EventSourceEventMap[Name]> | null,
    options?: Added[2],
  ): void;
  /** Events of a type that the server has named. */
  addEventListener(type: string, listener: Listener<TextEvent>, options?: Added[2]): void;
  addEventListener(type: string, listener: Added[1], options?: Added[2]): void;
  removeEventListener<Name extends keyof EventSourceEventMap>(
    type: Name,
    listener: Listener<EventSourceEventMap[Name]> | null,
    options?: Removed[2],
  ): void;
  removeEventListener(type: string, listener: Listener<TextEvent>, options?: Removed[2]): void;
  removeEventListener(type: string, listener: Removed[1], options?: Removed[2]): void;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
}

/** Returns `url` as the page, the worker or nobody completes it. */
export function resolveUrl(url: string | URL): URL {
  const text = `${url as string}`; // what cannot become text is a TypeError of its own
  try {
    return new URL(text, page.document?.baseURI ?? page.location?.href);
  } catch {
    throw new DOMException("no URL", "SyntaxError");
  }
}

export class EventSource extends EventTarget {
  declare static readonly CONNECTING: 0;
  declare static readonly OPEN: 1;
  declare static readonly CLOSED: 2;

  readonly #url: string;
  readonly #withCredentials: boolean;
  readonly #reader: Reader;

  // A handler keeps its place among the listeners while one function takes another's.
  readonly #handlers = new Map<string, { handler: object } & EventListenerObject>();

  // The second argument has a default, so that `length` is 1 as the standard has it.
  constructor(url: string | URL, options: StreamOptions = {}) {
    super();
    if (arguments.length === 0 || (Object(options) !== options && options !== null)) {
      throw new TypeError("no URL, or no options");
    }
    const resolved = resolveUrl(url);
    this.#url = resolved.href;
    this.#withCredentials = Boolean(options?.withCredentials);
    this.#reader = new Reader(resolved, { ...options }, {
      onOpen: () => this.dispatchEvent(new Event("open")),
      onEvent: (event, origin) => {
        const Class = event.type === "vrelo.gap" ? GapEvent : MessageEvent;
        this.dispatchEvent(new Class(event.type, { ...event, origin }));
      },
      onFailure: (failure) => this.dispatchEvent(new StreamErrorEvent(failure)),
    });
  }

  // The native class, where it carries the stream, tells of a type only if it is asked to.
  addEventListener(...args: [string, any]): void {
    super.addEventListener(...args);
    this.#reader.listen(`${args[0]}`);
  }

  get url(): string {
    return this.#url;
  }

  get withCredentials(): boolean {
    return this.#withCredentials;
  }

  get readyState(): 0 | 1 | 2 {
    return this.#reader.state;
  }

  close(): void {
    this.#reader.close();
  }

  static {
    for (const [index, name] of ["CONNECTING", "OPEN", "CLOSED"].entries()) {
      for (const target of [EventSource, EventSource.prototype]) {
        Object.defineProperty(target, name, { value: index, enumerable: true });
      }
    }
    for (const type of ["open", "message", "error"]) {
      Object.defineProperty(EventSource.prototype, `on${type}`, {
        get(this: EventSource) {
          return this.#handlers.get(type)?.handler ?? null;
        },
        set(this: EventSource, value: unknown) {
          this.#setHandler(type, value);
        },
        enumerable: true,
        configurable: true,
      });
    }
    for (const name of ["url", "withCredentials", "readyState", "close"]) {
      Object.defineProperty(EventSource.prototype, name, { enumerable: true });
    }
    Object.defineProperty(EventSource.prototype, Symbol.toStringTag, { value: "EventSource", configurable: true });
  }

  #setHandler(type: string, value: unknown): void {
    const old = this.#handlers.get(type);
    if (Object(value) !== value) {
      this.#handlers.delete(type);
      this.removeEventListener(type, old!); // or nothing
    } else if (old) {
      old.handler = value as object;
    } else {
      const entry = {
        handler: value as object,
        // An object that is no function may be set, and is never called.
        handleEvent: (event: Event) => {
          if (typeof entry.handler === "function") {
            entry.handler.call(this, event);
          }
        },
      };
      this.#handlers.set(type, entry);
      this.addEventListener(type, entry);
    }
  }
}
