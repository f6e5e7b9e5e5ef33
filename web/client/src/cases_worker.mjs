// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases in a dedicated or shared worker, with the worker's own class or ours, for whoever sends {name,
// otherOrigin}.

import { EventSource as Ours } from "../dist/index.js";
import { runAll } from "./cases_testing.mjs";

function listen(port) {
  port.onmessage = async ({ data: { name, otherOrigin } }) => {
    const EventSource = name.startsWith("ours") ? Ours : globalThis.EventSource;
    port.postMessage(await runAll(name, { EventSource, origin: location.origin, otherOrigin, base: location.href }));
  };
}

if ("onconnect" in globalThis) {
  globalThis.onconnect = ({ ports: [port] }) => listen(port);
} else {
  listen(globalThis);
}
