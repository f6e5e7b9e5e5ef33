// SPDX-License-Identifier: Apache-2.0
//
// Disks of a hub's own in its current folder: what its shell does before it becomes the hub (`limits` of
// Hub.spawn).

import { spawnSync } from "node:child_process";

const onItsOwn = (mount) => `exec unshare --map-root-user --mount /bin/sh -c '
    ${mount} && exec "$0" "$@"' "$0" "$@"`;

// A small one, most of which is taken by the file `ballast`.
export const SMALL_DISK = onItsOwn(
  'mount -t tmpfs -o size=8m none "$PWD" && cd "$PWD" && head -c 5000000 /dev/zero > ballast',
);

// What there is, but nothing of it can be written. For root as well, whom no file's mode keeps from that.
export const READ_ONLY_DISK = onItsOwn(
  'mount --bind "$PWD" "$PWD" && mount -o remount,bind,ro "$PWD" && cd "$PWD"',
);

const canMount = spawnSync("unshare", ["--map-root-user", "--mount", "true"]).status === 0;

// For the options of a test that needs such a disk.
export const skipWithoutDisks = canMount ? false : "this machine grants no mount of one's own";
