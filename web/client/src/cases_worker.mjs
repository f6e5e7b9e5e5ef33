// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases with our class in a dedicated or shared worker, for whoever sends {name, otherOrigin}.

import { EventSource } from "../dist/index.js";
import { runAll } from "./cases_testing.mjs";

function listen(port) {
  port.onmessage = async ({ data: { name, otherOrigin } }) => {
    port.postMessage(await runAll(name, { EventSource, origin: location.origin, otherOrigin, base: location.href }));
  };
}

if ("onconnect" in globalThis) {
  globalThis.onconnect = ({ ports: [port] }) => listen(port);
} else {
  listen(globalThis);
}
