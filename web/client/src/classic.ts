// SPDX-License-Identifier: Apache-2.0
//
// The library for a page without modules: all of it is in `vrelo`. With the attribute `data-replace`, the
// script puts its EventSource in place of the page's own as well.

import * as vrelo from "./index.js";

Object.assign(globalThis, { vrelo });

const script = (globalThis as { document?: Document }).document?.currentScript;
if (script?.hasAttribute("data-replace")) {
  Object.assign(globalThis, { EventSource: vrelo.EventSource });
}
