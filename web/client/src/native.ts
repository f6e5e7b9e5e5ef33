// SPDX-License-Identifier: Apache-2.0
//
// The browser's own class as what carries a stream. It comes back by itself after a break; it tells of no type
// that it was not asked for, and not why there is no stream.

import { NativeEventSource, type StreamOptions } from "./options.js";
import type { ParsedEvent } from "./parser.js";

/** Receives what the native class tells, until the signal aborts. */
export interface NativeSink {
  onOpen(): void;
  onEvent(event: ParsedEvent, origin: string): void;
  /** The connection broke, and the browser makes the next one unless the signal aborts. */
  onBreak(): void;
}

/** The types that there are listeners for; listen() says that there is one more. */
export interface Types {
  readonly types: Set<string>;
  listen: (type: string) => void;
}

// What says where the stream is and when its ticket ends, too.
const OWN_TYPES = ["message", "vrelo.hello", "vrelo.position", "vrelo.gap", "vrelo.renew", "vrelo.end"];

/** Reads `url` until the browser gives it up. Rejects when the signal aborts. */
export function readNative(
  url: URL,
  options: StreamOptions,
  wanted: Types,
  sink: NativeSink,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const source = new NativeEventSource!(url, { withCredentials: Boolean(options.withCredentials) });
    const close = () => {
      source.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", close);
    const onEvent = (event: Event) => {
      // A server may name its events "open" and "error".
      if (event instanceof MessageEvent) {
        const { type, data, lastEventId, origin } = event as MessageEvent<string>;
        sink.onEvent({ type, data, lastEventId }, origin);
      } else if (event.type === "open") {
        sink.onOpen();
      } else if (source.readyState === source.CLOSED) {
        resolve();
      } else {
        sink.onBreak();
      }
    };
    // The same listener counts once for a type.
    wanted.listen = (type) => {
      wanted.types.add(type);
      source.addEventListener(type, onEvent);
    };
    ["open", "error", ...OWN_TYPES, ...wanted.types].forEach(wanted.listen);
    if (signal.aborted) {
      close();
    }
  });
}
