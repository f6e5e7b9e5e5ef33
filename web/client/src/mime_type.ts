// SPDX-License-Identifier: Apache-2.0

/**
 * Returns whether fields of Content-Type, joined by commas, are of an event stream: the last that has a type counts.
 *
 * Source: Fetch, "extract a MIME type".
 */
export function isEventStream(contentType: string | null): boolean {
  // Commas in quotes part nothing.
  const types = `${contentType}`.replace(/"(\\.|[^"\\])*"?/g, '"').split(",").filter((field) =>
    /^[\t ]*(?!\*\/\*)[\w!#-'*+.^`|~-]+\/[\w!#-'*+.^`|~-]+[\t ]*(;|$)/.test(field));
  return /^[\t ]*text\/event-stream[\t ]*(;|$)/i.test(`${types.pop()}`);
}
