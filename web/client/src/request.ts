// SPDX-License-Identifier: Apache-2.0

import { ask, bytesOf, headersOf, type StreamOptions } from "./options.js";

// Returns `url` with one more field in its query, in place of those of that name.
function withField(url: URL, name: string, value: string): URL {
  const nameOf = (field: string) => new URLSearchParams(field).keys().next().value;
  const fields = url.search.slice(1).split("&").filter((field) => field !== "" && nameOf(field) !== name);
  const changed = new URL(url);
  changed.search = [...fields, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`].join("&");
  return changed;
}

/** Asks for a ticket, and returns the URL of its stream. Rejects where what is given has none. */
export async function askTicket(url: URL, { ticket }: StreamOptions): Promise<URL> {
  const given: any = await ask<unknown>(ticket);
  const text: unknown = given?.url || given?.ticket || given;
  try {
    if (text && typeof text === "string") {
      // A ticket says what its stream is of: a selector beside it would be refused.
      return given.url ? new URL(text, url) : withField(new URL("?", url), "ticket", text);
    }
  } catch {
    // What was thrown has the ticket in it.
  }
  throw new TypeError("no ticket");
}

// Returns what the user and password of a URL, in percent-encoding, mean as a header.
function basic({ username, password }: URL): string {
  return `Basic ${btoa(bytesOf(`${username}:${password}`))}`;
}

/**
 * Asks for what the request needs, and returns it. `lastEventId` has no proof; `ticketUrl` is a ticket's that is there
 * already.
 */
export async function makeRequest(
  url: URL,
  options: StreamOptions,
  lastEventId: string,
  ticketUrl?: URL,
): Promise<{ url: URL; init: RequestInit }> {
  const hasTicket = options.ticket !== undefined;
  const [headers, token, body, streamUrl] = await Promise.all([
    ask(options.headers),
    ask(options.token),
    ask(options.body),
    ticketUrl ?? (hasTicket ? askTicket(url, options) : url),
  ]);
  let target = new URL(streamUrl);
  // The native class sends no header.
  const paramByDefault = hasTicket || options.native ? "last_event_id" : undefined;
  const param = options.lastEventIdParam ?? options.lastEventIdQueryParameterName ?? paramByDefault;
  if (lastEventId && param) {
    target = withField(target, param, lastEventId);
    lastEventId = "";
  }
  const fields = headersOf(headers, hasTicket ? "" : token, lastEventId);
  if (!fields.has("accept")) {
    fields.set("accept", "text/event-stream");
  }
  if ((target.username || target.password) && !options.native) {
    if (!hasTicket && !fields.has("authorization")) {
      fields.set("authorization", basic(target));
    }
    target.username = target.password = ""; // which fetch refuses
  }
  return {
    url: target,
    init: {
      method: options.method ?? (body == null ? "GET" : "POST"),
      headers: Object.fromEntries(fields), // which a fetch of the page's may spread, unlike Headers
      body: body ?? null,
      cache: "no-store",
      credentials: options.credentials ?? (options.withCredentials ? "include" : "same-origin"),
    },
  };
}
