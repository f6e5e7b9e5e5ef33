// SPDX-License-Identifier: Apache-2.0

// The worker of a hub with a supervisor: the process that serves. What there is to know of it, the hub's log
// says.
export class Worker {
  #hub;

  constructor(hub) {
    this.#hub = hub;
  }

  // The process ids of all workers so far, and of the one that was started last.
  get pids() {
    const starts = this.#hub.errorText.matchAll(/ info supervisor: started worker ([0-9]+)\n/g);
    return [...starts].map((match) => Number(match[1]));
  }
  get pid() {
    return this.pids.at(-1);
  }

  // Waits until the `nth` worker serves. It and the supervisor write their lines independently.
  serves(nth) {
    const begun = () => [...this.#hub.errorText.matchAll(/ info started on /g)].length;
    const holds = () => this.pids.length >= nth && begun() >= nth;
    return this.#hub.until(holds, () => `worker ${nth} to serve; the hub wrote:\n${this.#hub.errorText}`);
  }

  // Kills it, and waits until the next one is started.
  async kill() {
    const { length } = this.pids;
    process.kill(this.pid, "SIGKILL");
    await this.#hub.until(() => this.pids.length > length, "the next worker");
  }
}
