// SPDX-License-Identifier: Apache-2.0
//
// Source: WHATWG HTML 9.2.2, the interface EventSource. README.md lists what differs, and why.

import { GapEvent, StreamErrorEvent } from "./events.js";
import type { StreamOptions } from "./options.js";
import { Reader } from "./reader.js";

export interface EventSourceEventMap {
  open: Event;
  message: MessageEvent<string>;
  /** Ours. What a server names so comes to the same listeners, as a MessageEvent. */
  error: StreamErrorEvent;
  "vrelo.gap": GapEvent;
}

type Handler<Name extends keyof EventSourceEventMap> =
  | ((this: EventSource, event: EventSourceEventMap[Name]) => unknown)
  | null;
// What is read is so loose that this class fits where the native one is asked for.
type AnyHandler = ((this: any, event: any) => unknown) | null;
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
    options?: boolean | AddEventListenerOptions,
  ): void;
  /** Events of a type that the server has named. */
  addEventListener(
    type: string,
    listener: Listener<MessageEvent<string>> | EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
  removeEventListener<Name extends keyof EventSourceEventMap>(
    type: Name,
    listener: Listener<EventSourceEventMap[Name]> | null,
    options?: boolean | EventListenerOptions,
  ): void;
  removeEventListener(
    type: string,
    listener: Listener<MessageEvent<string>> | EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions,
  ): void;
  readonly CONNECTING: 0;
  readonly OPEN: 1;
  readonly CLOSED: 2;
}

/** Returns `url` as the page, the worker or nobody completes it. */
export function resolveUrl(url: string | URL): URL {
  const { document, location } = globalThis as { document?: Document; location?: Location };
  const text = `${url as string}`; // what cannot become text is a TypeError of its own
  try {
    return new URL(text, document?.baseURI ?? location?.href);
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
  readonly #handlers = new Map<string, { handler: object; listener: (event: Event) => void }>();

  // The second argument has a default, so that `length` is 1 as the standard has it.
  constructor(url: string | URL, options: StreamOptions = {}) {
    if (arguments.length === 0) {
      throw new TypeError("no URL");
    }
    super();
    if (Object(options) !== options && options !== null) {
      throw new TypeError("no options");
    }
    const resolved = resolveUrl(url);
    const init = { ...(options as StreamOptions | null), withCredentials: Boolean(options?.withCredentials) };
    this.#url = resolved.href;
    this.#withCredentials = init.withCredentials;
    this.#reader = new Reader(resolved, init, {
      onOpen: () => this.dispatchEvent(new Event("open")),
      onEvent: ({ type, data, lastEventId }, origin) => {
        const Class = type === "vrelo.gap" ? GapEvent : MessageEvent;
        this.dispatchEvent(new Class(type, { data, lastEventId, origin }));
      },
      onFailure: (failure) => this.dispatchEvent(new StreamErrorEvent(failure)),
    });
    if (init.native) {
      // The native class tells of a type only if it is asked to.
      this.addEventListener = (type: string, ...rest: [any, any?]) => {
        super.addEventListener(type, ...rest);
        this.#reader.listen(`${type}`);
      };
    }
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
      if (old !== undefined) {
        this.removeEventListener(type, old.listener);
      }
    } else if (old !== undefined) {
      old.handler = value as object;
    } else {
      const entry = {
        handler: value as object,
        // An object that is no function may be set, and is never called.
        listener: (event: Event) => {
          if (typeof entry.handler === "function") {
            entry.handler.call(this, event);
          }
        },
      };
      this.#handlers.set(type, entry);
      this.addEventListener(type, entry.listener);
    }
  }
}
