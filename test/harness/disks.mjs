// SPDX-License-Identifier: Apache-2.0
//
// Disks of a hub's own in its current folder: what its shell does before it becomes the hub (`limits` of
// Hub.spawn).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rm, writeFile } from "node:fs/promises";
import path from "node:path";

const onItsOwn = (mount) => `exec unshare --map-root-user --mount /bin/sh -c '
    ${mount} && exec "$0" "$@"' "$0" "$@"`;

// A small one, most of which is taken by the file `ballast`.
export const SMALL_DISK = onItsOwn(
  'mount -t tmpfs -o size=8m none "$PWD" && cd "$PWD" && head -c 5000000 /dev/zero > ballast',
);

// Takes all the room that is left on the small disk of a hub in `folder`. Returns how it is made again.
export async function fillDisk(hub, folder) {
  const file = path.join(`/proc/${hub.pid}/root`, folder, "filling");
  await assert.rejects(writeFile(file, Buffer.alloc(8 << 20)), { code: "ENOSPC" });
  return () => rm(file);
}

// What there is, but nothing of it can be written. For root as well, whom no file's mode keeps from that.
export const READ_ONLY_DISK = onItsOwn(
  'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD"',
);

const canMount = spawnSync("unshare", ["--map-root-user", "--mount", "true"]).status === 0;

// For the options of a test that needs such a disk. Where CI is set it fails instead.
export const skipWithoutDisks = canMount || process.env.CI ? false : "this machine grants no mount of one's own";
