// SPDX-License-Identifier: Apache-2.0
//
// The page's part in when to connect: none where there is no page.

import type { WakeOptions } from "./options.js";

interface Page {
  document?: EventTarget & { readonly visibilityState: string; readonly baseURI: string };
  location?: Location;
  addEventListener?: EventTarget["addEventListener"];
}

/** The page, the worker or nothing. */
export const page = globalThis as unknown as Page;

export const isHidden = (): boolean => page.document?.visibilityState === "hidden";

/** Calls `wake` whenever there is a reason not to wait longer, and `hide` when the page is hidden; until the signal. */
export function watchPage(
  options: boolean | WakeOptions,
  wake: () => void,
  hide: () => void,
  signal: AbortSignal,
): void {
  const { online = options, visible = options, pauseHidden } = options as WakeOptions;
  const onVisibility = () => {
    if (!isHidden()) {
      wake();
    } else if (pauseHidden) {
      hide();
    }
  };
  if (online) {
    page.addEventListener?.("online", wake, { signal });
  }
  if (visible || pauseHidden) {
    page.document?.addEventListener("visibilitychange", onVisibility, { signal });
  }
}
