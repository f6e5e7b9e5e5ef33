// SPDX-License-Identifier: Apache-2.0
//
// Waiting for something to happen. A test waits for an event, never for a time to pass; the deadline only
// turns what would hang into a failure that names what was missing, and is generous because the machine
// may be busy with other things.

import { setTimeout as delay } from "node:timers/promises";

const DEADLINE_MS = 60_000;

// How long a program that a test starts may live. Longer than any wait, shorter than the limit of any file
// of tests: what a test that hangs has left is gone before the test is.
export const LIFETIME_MS = 100_000;

// Makes a program that was started live no longer than that, and returns it; 0: as long as it likes. (Of the
// timer that spawn() has for this, a test that has ended would wait for the end.)
export function mortal(child, lifetimeMs = LIFETIME_MS) {
  if (lifetimeMs > 0) {
    const timer = setTimeout(() => child.kill("SIGKILL"), lifetimeMs).unref();
    child.once("exit", () => clearTimeout(timer));
  }
  return child;
}

// Returns what `promise` gives. Fails, naming `what`, if it gives nothing before the deadline.
export async function within(promise, what, deadlineMs = DEADLINE_MS) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      const text = typeof what === "function" ? what() : what;
      reject(new Error(`still waiting after ${deadlineMs / 1000} s: ${text}`));
    }, deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// Asks again and again until `condition` returns something true, and returns that. For what cannot be
// waited for because nobody announces it.
export async function until(condition, what, deadlineMs = DEADLINE_MS) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) {
      return value;
    }
    if (Date.now() > deadline) {
      throw new Error(`still waiting after ${deadlineMs / 1000} s: ${what}`);
    }
    await delay(5);
  }
}

// Something that happens again and again: each wait() ends with the next notify().
export class Signal {
  #waiters = [];

  notify() {
    for (const wake of this.#waiters.splice(0)) {
      wake();
    }
  }

  wait() {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  // Waits until `condition` holds; it is looked at now and after each notify().
  async until(condition, what, deadlineMs) {
    const reached = async () => {
      while (!condition()) {
        await this.wait();
      }
    };
    await within(reached(), what, deadlineMs);
  }
}
