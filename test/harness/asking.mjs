// SPDX-License-Identifier: Apache-2.0
//
// Whether a hub with a supervisor is always there, for one who connects.

import { setTimeout as delay } from "node:timers/promises";

import { askAt } from "./hub.mjs";

// Asks until `work` is done, each time on a new connection and whether the ones before were answered or not:
// {asked, cut, longestMs}. Fails if a connect is refused, and if one is not answered, unless a worker has died
// since: it had taken the connection. One that waited for the next worker is answered by that.
export async function askDuring(hub, work, everyMs = 1) {
  const seen = { asked: 0, cut: 0, longestMs: 0 };
  const deaths = () => [...hub.errorText.matchAll(/ supervisor: worker [0-9]+ (died|ended): SIGKILL/g)].length;
  const ask = async () => {
    const before = deaths();
    const begin = performance.now();
    try {
      await askAt(hub, "/healthz");
    } catch (error) {
      if (error.code === "ECONNREFUSED") {
        throw error;
      }
      await hub.until(() => deaths() > before, `the death of the worker that did not answer (${error.message})`);
      seen.cut += 1;
    }
    seen.longestMs = Math.max(seen.longestMs, performance.now() - begin);
  };
  let isDone = false;
  let failure;
  const asking = async () => {
    const all = [];
    for (; !isDone && !failure; seen.asked += 1) {
      all.push(ask().catch((error) => (failure = error)));
      await delay(everyMs);
    }
    await Promise.all(all);
    if (failure) {
      throw failure;
    }
  };
  await Promise.all([asking(), work.finally(() => (isDone = true))]);
  return seen;
}
