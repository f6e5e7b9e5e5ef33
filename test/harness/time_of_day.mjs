// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("time_of_day.c", import.meta.url));

// The time of day of programs that are started with `env`: the machine's, until it is set.
export class TimeOfDay {
  #fd;

  static async make(t) {
    const time = new TimeOfDay();
    const folder = await t.folder();
    const library = path.join(folder, "time_of_day.so");
    const offset = path.join(folder, "offset");
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, SOURCE]);
    time.#fd = openSync(offset, "w");
    t.atEnd(() => closeSync(time.#fd));
    time.set(0);
    time.env = { LD_PRELOAD: library, TIME_OF_DAY_OFFSET: offset };
    return time;
  }

  // Sets it to so many seconds after the machine's.
  set(seconds) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
  }
}
