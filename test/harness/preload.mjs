// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

// A library that programs started with `env` load before the C library. It does what the number says that is set here.
class Preload {
  #fd;

  // Builds `${name}.c`, which finds the number in the file that the environment's variable `variable` names.
  static async make(t, name, variable) {
    const made = new this();
    const folder = await t.folder();
    const library = path.join(folder, `${name}.so`);
    const number = path.join(folder, "number");
    const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
    execFileSync("cc", ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", library, source, "-ldl"]);
    made.#fd = openSync(number, "w");
    t.atEnd(() => closeSync(made.#fd));
    made.set(0);
    made.env = { LD_PRELOAD: library, [variable]: number };
    return made;
  }

  set(number) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(number));
    writeSync(this.#fd, bytes, 0, bytes.length, 0);
  }
}

// The time of day: so many seconds after the machine's.
export class TimeOfDay extends Preload {
  static make(t) {
    return super.make(t, "time_of_day", "TIME_OF_DAY_OFFSET");
  }
}

// The disk of databases: each time that so many calls were made for them, one fails with EIO; with 0, none does.
export class FailingDisk extends Preload {
  static make(t) {
    return super.make(t, "failing_disk", "FAILING_DISK_ONE_IN");
  }
}
