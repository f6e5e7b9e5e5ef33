// SPDX-License-Identifier: Apache-2.0

import { ask, type StreamOptions } from "./options.js";

// Adds a field to the query, in place of those of that name.
function setField(url: URL, name: string, value: string): void {
  const fields = url.search.slice(1).split("&").filter((field) => field && !new URLSearchParams(field).has(name));
  url.search = [...fields, [name, value].map(encodeURIComponent).join("=")].join("&");
}

// What it throws names the option, and tells nothing of its value.
function sendable<T>(option: keyof StreamOptions, make: () => T): T {
  try {
    return make();
  } catch {
    throw new TypeError(`${option} cannot be sent`);
  }
}

/** Asks for a ticket, and returns the URL of its stream. Rejects where what is given has none. */
export async function askTicket(url: URL, { ticket }: StreamOptions): Promise<URL> {
  const given: any = await ask<unknown>(ticket);
  return sendable("ticket", () => {
    const text: unknown = given.url || given.ticket || given;
    if (typeof text !== "string" || !text) {
      throw text;
    }
    const target = new URL(given.url ? text : "?", url);
    if (!given.url) {
      setField(target, "ticket", text); // which says what its stream is of: a selector beside it would be refused
    }
    return target;
  });
}

// For requests that are made to see whether they can be. (The native class may have a user and password in its URL.)
const ANY_URL = "http://a";

/** What a request is made of, as it was given. */
export type Parts = [
  url: URL,
  headers: HeadersInit | undefined,
  token: string | null | undefined,
  body: BodyInit | null | undefined,
];

const partsOf = ({ headers, token, body }: StreamOptions) => [headers, token, body];

/** Returns the parts that are there before anyone is asked. */
export const knownParts = (url: URL, options: StreamOptions) =>
  [url, ...partsOf(options).map((one) => (typeof one === "function" ? undefined : one))] as Parts;

/** Asks for all parts. `ticketUrl` is a ticket's that is there already. */
export const askParts = (url: URL, options: StreamOptions, ticketUrl?: URL) =>
  Promise.all([
    ticketUrl ?? (options.ticket === undefined ? url : askTicket(url, options)),
    ...partsOf(options).map(ask),
  ]) as Promise<Parts>;

/**
 * Returns the request. `lastEventId` has no proof. Throws for what cannot be sent.
 *
 * The bytes that percent-encoding stands for are by unescape(): it takes "%u0041" for more than that, but no URL and
 * no encodeURIComponent() has that in earnest.
 */
export function makeRequest(
  [url, headers, token, body]: Parts,
  {
    ticket,
    native,
    lastEventIdQueryParameterName,
    lastEventIdParam = lastEventIdQueryParameterName,
    withCredentials,
    credentials = withCredentials ? "include" : "same-origin",
    method = body == null ? "GET" : "POST",
  }: StreamOptions,
  lastEventId: string,
): { url: URL; init: RequestInit } {
  const hasTicket = ticket !== undefined;
  const target = new URL(url);
  // The native class sends no header.
  const param = lastEventIdParam ?? (hasTicket || native ? "last_event_id" : "");
  const fields = sendable("headers", () => new Headers(headers));
  if (lastEventId) {
    sendable("lastEventId", () => {
      if (param) {
        setField(target, param, lastEventId);
      } else {
        fields.set("last-event-id", unescape(encodeURIComponent(lastEventId)));
      }
    });
  }
  if (token && !hasTicket) {
    sendable("token", () => fields.set("authorization", `Bearer ${token}`));
  }
  if (!fields.has("accept")) {
    fields.set("accept", "text/event-stream");
  }
  const { username, password } = target;
  if (username + password && !native) {
    if (!hasTicket && !fields.has("authorization")) {
      fields.set("authorization", `Basic ${btoa(unescape(`${username}:${password}`))}`);
    }
    target.username = target.password = ""; // which fetch refuses
  }
  const init = {
    method,
    headers: Object.fromEntries(fields), // which a fetch of the page's may spread, unlike Headers
    body: body ?? null,
    cache: "no-store",
    credentials,
    duplex: "half", // for a body that is a stream
  } as const;
  sendable("method", () => new Request(ANY_URL, { method }));
  sendable("credentials", () => new Request(ANY_URL, { credentials }));
  sendable("body", () => new Request(ANY_URL, init));
  return { url: target, init };
}
