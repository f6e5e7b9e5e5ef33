// SPDX-License-Identifier: Apache-2.0

// Reads the text format of Prometheus, strictly. Returns a map from a sample's name and labels, as they
// are written ('vrelo_refusals_total{reason="too many connections"}'), to its value.
export function parseMetrics(text) {
  const values = new Map();
  const typed = new Set();
  for (const line of text.split("\n")) {
    const comment = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.*)$/.exec(line);
    const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)((?:\{[^}]*\})?) (\S+)$/.exec(line);
    if (comment !== null) {
      typed.add(comment[2]);
    } else if (sample !== null) {
      const family = sample[1].replace(/_(bucket|sum|count)$/, "");
      if (!typed.has(sample[1]) && !typed.has(family)) {
        throw new Error(`a sample without its type: ${line}`);
      }
      values.set(sample[1] + sample[2], sample[3] === "+Inf" ? Infinity : Number(sample[3]));
    } else if (line !== "") {
      throw new Error(`neither a comment nor a sample: ${line}`);
    }
  }
  return values;
}

// Returns the sum over all labels of the samples of `name`.
export function sum(metrics, name) {
  let total = 0;
  for (const [key, value] of metrics) {
    total += key === name || key.startsWith(`${name}{`) ? value : 0;
  }
  return total;
}
