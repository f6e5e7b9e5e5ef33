// SPDX-License-Identifier: Apache-2.0
//
// A command of the terminal, as a person or a script gives it.

import { spawn } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";

import { binary, cleanEnvironment } from "./hub.mjs";
import { mortal, Signal } from "./waiting.mjs";

const TERMINAL = fileURLToPath(new URL("terminal.py", import.meta.url));

export class Command {
  output = ""; // standard output; in a terminal, all that is on the screen
  errors = ""; // standard error
  status = undefined; // once it has ended: what a shell has in $?

  #child;
  #changed = new Signal();

  // Starts a program with arguments. `terminal: true` gives it one, whose lines end with "\n" here. In
  // `input` is all that it can read; without, write() and endInput() are there.
  static start(argv, { env = {}, cwd, terminal = false, input, lifetimeMs } = {}) {
    const command = new Command();
    const [file, ...args] = terminal ? ["python3", TERMINAL, ...argv] : argv;
    const child = mortal(spawn(file, args, { cwd, env: cleanEnvironment({ TERM: "xterm", ...env }) }), lifetimeMs);
    command.#child = child;
    child.stdin.on("error", () => {}); // a command may end without reading what is there
    for (const [stream, name] of [[child.stdout, "output"], [child.stderr, "errors"]]) {
      stream.setEncoding("utf8").on("data", (text) => {
        const soFar = command[name] + text; // a line's end may come in two pieces
        command[name] = terminal ? soFar.replaceAll("\r\n", "\n") : soFar;
        command.#changed.notify();
      });
    }
    child.on("error", (error) => (command.errors += `${error}\n`));
    child.on("close", (code, signal) => {
      command.status = signal === null ? code : 128 + os.constants.signals[signal];
      command.#changed.notify();
    });
    if (input !== undefined) {
      command.endInput(input);
    }
    return command;
  }

  // `vrelo ARGUMENTS`.
  static vrelo(args, options) {
    return Command.start([binary(), ...args], options);
  }

  get pid() {
    return this.#child.pid;
  }

  // Resolves when the kernel has it.
  write(text) {
    return new Promise((resolve) => this.#child.stdin.write(text, () => resolve()));
  }

  endInput(text = "") {
    this.#child.stdin.end(text);
  }

  // Stops reading what it writes: its next write fails.
  abandonOutput() {
    this.#child.stdout.destroy();
  }

  signal(name) {
    if (this.status === undefined) {
      this.#child.kill(name);
    }
  }

  // Waits until `condition` holds; it is looked at when something is written and at the end.
  until(condition, what) {
    return this.#changed.until(condition, () => `${what} of a command; ${this.#soFar()}`);
  }

  // Waits for `pattern` in the output, or in the errors.
  printed(pattern) {
    return this.until(() => pattern.test(this.output), `the output ${pattern}`);
  }
  said(pattern) {
    return this.until(() => pattern.test(this.errors), `the words ${pattern}`);
  }

  async ended() {
    await this.until(() => this.status !== undefined, "the end");
    return this;
  }

  // The lines of the output that are complete.
  get lines() {
    return this.output.split("\n").slice(0, -1);
  }

  #soFar() {
    return `output: ${JSON.stringify(this.output)}; errors: ${JSON.stringify(this.errors)}; status: ${this.status}`;
  }
}
