// SPDX-License-Identifier: Apache-2.0
//
// The browser's own class as what carries a stream. It comes back by itself after a break; it tells of no type
// that it was not asked for, and not why there is no stream.

import { NativeEventSource, type StreamOptions } from "./options.js";
import type { Reader } from "./reader.js";

// What says where the stream is and when its ticket ends, too.
const OWN_TYPES = ["message", "vrelo.hello", "vrelo.position", "vrelo.gap", "vrelo.renew", "vrelo.end"];

/** Reads `url`, which begins at `cursor`, until the browser gives it up. Rejects when the signal aborts. */
export function readNative(
  url: URL,
  options: StreamOptions,
  cursor: string,
  reader: Reader,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const source = new NativeEventSource!(url, { withCredentials: Boolean(options.withCredentials) });
    let hasId = false;
    const close = () => {
      source.close();
      reject(signal.reason);
    };
    signal.addEventListener("abort", close);
    const onEvent = (event: Event) => {
      // A server may name its events "open" and "error".
      if (event instanceof MessageEvent) {
        const { type, data, lastEventId, origin } = event as MessageEvent<string>;
        // It knows of no cursor in the URL. An empty id counts once there was another.
        hasId ||= lastEventId !== "";
        reader.onEvent({ type, data, lastEventId: hasId ? lastEventId : cursor }, origin, signal);
      } else if (event.type === "open") {
        reader.onOpen();
      } else if (source.readyState === source.CLOSED) {
        resolve();
      } else {
        reader.onBreak();
      }
    };
    // The same listener counts once for a type.
    reader.listen = (type) => {
      reader.types.add(type);
      source.addEventListener(type, onEvent);
    };
    ["open", "error", ...OWN_TYPES, ...reader.types].forEach(reader.listen);
    if (signal.aborted) {
      close();
    }
  });
}
