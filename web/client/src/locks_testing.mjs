// SPDX-License-Identifier: Apache-2.0
//
// Web Locks for Node, as far as the library uses them: exclusive ones, with `signal` and `steal`.

const aborted = () => new DOMException("the lock was taken away", "AbortError");

export class Locks {
  #holders = new Map(); // name to {reject}
  #waiters = new Map(); // name to requests, the first to come first

  request(name, options, callback) {
    return new Promise((resolve, reject) => {
      const request = { callback, resolve, reject };
      const waiters = this.#waiters.get(name) ?? [];
      this.#waiters.set(name, waiters);
      if (options.steal) {
        this.#holders.get(name)?.reject(aborted());
        this.#holders.delete(name);
        waiters.unshift(request);
      } else {
        waiters.push(request);
      }
      options.signal?.addEventListener("abort", () => {
        const index = waiters.indexOf(request);
        if (index >= 0) {
          waiters.splice(index, 1);
          reject(aborted());
        }
      });
      queueMicrotask(() => this.#grant(name));
    });
  }

  async #grant(name) {
    if (this.#holders.has(name)) {
      return;
    }
    const request = this.#waiters.get(name).shift();
    if (request === undefined) {
      return;
    }
    this.#holders.set(name, request);
    request.resolve(await request.callback());
    if (this.#holders.get(name) === request) {
      this.#holders.delete(name);
      this.#grant(name);
    }
  }
}
