// SPDX-License-Identifier: Apache-2.0

// Returns a function that returns numbers from 0 to 1, the same for the same seed.
//
// Source: Numerical Recipes, an LCG of 32 bits.
export function chance(seed) {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}
