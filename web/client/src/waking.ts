// SPDX-License-Identifier: Apache-2.0
//
// The page's part in when to connect: none where there is no page.

import type { WakeOptions } from "./options.js";

interface Page {
  document?: EventTarget & { readonly visibilityState: string };
  addEventListener?: EventTarget["addEventListener"];
  removeEventListener?: EventTarget["removeEventListener"];
}

const page = globalThis as unknown as Page;

export const isHidden = (): boolean => page.document?.visibilityState === "hidden";

/** Calls `wake` whenever there is a reason not to wait longer, and `hide` when the page is hidden. */
export function watchPage(options: WakeOptions, wake: () => void, hide: () => void): () => void {
  const { online = true, visible = true, pauseHidden = false } = options;
  const onVisibility = () => {
    if (!isHidden()) {
      wake();
    } else if (pauseHidden) {
      hide();
    }
  };
  const { document } = page;
  if (online) {
    page.addEventListener?.("online", wake);
  }
  if (visible || pauseHidden) {
    document?.addEventListener("visibilitychange", onVisibility);
  }
  return () => {
    page.removeEventListener?.("online", wake);
    document?.removeEventListener("visibilitychange", onVisibility);
  };
}
