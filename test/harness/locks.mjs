// SPDX-License-Identifier: Apache-2.0
//
// Locks on a hub's database, as another program may hold them.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import { mortal, within } from "./waiting.mjs";

// Runs Python that takes a lock. It is held until the function that this returns is called, or the test ends.
async function hold(t, lines, file) {
  const script = [...lines, "print('locked', flush=True)", "sys.stdin.read()"].join("\n");
  const child = mortal(spawn("python3", ["-c", script, file], { stdio: ["pipe", "pipe", "inherit"] }));
  const closed = new Promise((resolve) => child.once("close", resolve));
  const unlock = () => {
    child.stdin.end();
    return within(closed, "the lock's owner to end");
  };
  t.atEnd(unlock);
  const locked = new Promise((resolve) => createInterface({ input: child.stdout }).once("line", resolve));
  assert.equal(await within(locked, "the lock"), "locked");
  return unlock;
}

// Keeps the hub from writing, as a program does that is writing itself.
export const lockDatabase = (t, file) =>
  hold(
    t,
    [
      "import sqlite3, sys",
      "connection = sqlite3.connect(sys.argv[1], isolation_level=None)",
      "connection.execute('BEGIN IMMEDIATE')",
    ],
    file,
  );

// Makes everyone wait who begins to read.
// Source: SQLite's WAL file format, 2.3.1: bytes 123 to 127 of the file FILE-shm are the read locks.
export const lockReaders = (t, file) =>
  hold(
    t,
    [
      "import fcntl, sys",
      "shared = open(sys.argv[1] + '-shm', 'r+b')",
      "fcntl.lockf(shared, fcntl.LOCK_EX, 5, 123)",
    ],
    file,
  );
