// SPDX-License-Identifier: Apache-2.0
//
// Runs the cases in a dedicated or shared worker, with the worker's own class or ours, for whoever sends {name,
// otherOrigin, nobody}.

import { EventSource as Ours } from "../dist/index.js";
import { runAll } from "./cases_testing.mjs";

function listen(port) {
  port.onmessage = async ({ data: { name, ...places } }) => {
    const EventSource = name.startsWith("ours") ? Ours : globalThis.EventSource;
    const { origin, href: base } = location;
    port.postMessage(await runAll(name, { EventSource, origin, base, ...places }));
  };
}

if ("onconnect" in globalThis) {
  globalThis.onconnect = ({ ports: [port] }) => listen(port);
} else {
  listen(globalThis);
}
