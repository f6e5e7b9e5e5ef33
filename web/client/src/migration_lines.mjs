// SPDX-License-Identifier: Apache-2.0
//
// The lines of the README's table of other libraries: what a program does there and here, which has to come to
// the same. Runs in a page; test/e2e/migration.mjs is its server.
//
// `answers` are what the server does to each request: a number is a status, a text a stream, which stays open if
// the text begins so. `there` and `here` return what they have seen. `rows` are texts in the table's rows of which
// this is an example.

import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSourcePolyfill } from "event-source-polyfill";
import { EventSource as FetchedEventSource } from "eventsource";
import ReconnectingEventSource from "reconnecting-eventsource";
import { SSE } from "sse.js";

import { EventSource } from "../dist/index.js";

const QUICK = { minMs: 1, maxMs: 20 };

// Collects the data of `count` messages, and closes the source.
function messages(source, count, onFirst = () => {}) {
  const seen = [];
  return new Promise((resolve) => {
    source.addEventListener("message", ({ data }) => {
      seen.push(data);
      if (seen.length === count) {
        source.close();
        resolve(seen);
      } else if (seen.length === 1) {
        onFirst();
      }
    });
  });
}

// The same with fetchEventSource(), which gives a promise.
function fetched(url, count, options, onFirst = () => {}) {
  const seen = [];
  const controller = new AbortController();
  return new Promise((resolve) => {
    const onmessage = ({ data }) => {
      // It tells of blocks without data, too.
      if (data === "") {
        return;
      }
      seen.push(data);
      if (seen.length === count) {
        controller.abort();
        resolve(seen);
      } else if (seen.length === 1) {
        onFirst();
      }
    };
    fetchEventSource(url, { signal: controller.signal, onmessage, ...options })
      .catch((error) => resolve([...seen, error.message]));
  });
}

// What our class gives up to its end: data, and what was told in the end.
function toTheEnd(source) {
  const seen = [];
  source.onmessage = ({ data }) => seen.push(data);
  return new Promise((resolve) => {
    source.onerror = ({ willReconnect }) => willReconnect || resolve(seen);
  });
}

// The same with SSE, which says nothing when it has given up.
function sseToTheEnd(source) {
  const seen = [];
  source.addEventListener("message", ({ data }) => seen.push(data));
  return new Promise((resolve) => {
    const look = () => setTimeout(() => source.autoReconnect || resolve(seen));
    source.addEventListener("readystatechange", ({ readyState }) => readyState === SSE.CLOSED && look());
  });
}

// What a page sees of itself while it is hidden.
function show(state) {
  for (const [name, value] of [["visibilityState", state], ["hidden", state === "hidden"]]) {
    Object.defineProperty(document, name, { value, configurable: true });
  }
  document.dispatchEvent(new Event("visibilitychange"));
}

// Hides the page until its stream at `path` is closed.
async function hide(path) {
  show("hidden");
  await globalThis.untilClosed(path);
  show("visible");
}

const TWICE = ["retry: 10\nid: 1\ndata: a\n\n", "data: b\n\n"];
const YAFFLE = { headers: { "X-Test": "1" }, lastEventIdQueryParameterName: "after", withCredentials: true };
const POST = { method: "POST", headers: { "Content-Type": "text/plain", "X-Test": "1" } };
const FETCH = (target, init) => fetch(target, { ...init, headers: { ...init.headers, "X-Test": "1" } });

export const LINES = [
  { about: "event-source-polyfill: headers, lastEventIdQueryParameterName and withCredentials",
    rows: ["`lastEventIdQueryParameterName`"],
    answers: TWICE,
    there: (url) => messages(new EventSourcePolyfill(url, YAFFLE), 2),
    here: (url) => messages(new EventSource(url, YAFFLE), 2) },
  { about: "event-source-polyfill: heartbeatTimeout",
    rows: ["`heartbeatTimeout`"],
    answers: ["open retry: 10\nid: 1\ndata: a\n\n", "data: b\n\n"],
    there: (url) => messages(new EventSourcePolyfill(url, { heartbeatTimeout: 1000 }), 2),
    here: (url) => messages(new EventSource(url, { heartbeatTimeout: 1000 }), 2) },
  { about: "event-source-polyfill: it comes back without end",
    rows: ["without end"],
    answers: ["retry: 10\nid: 1\ndata: a\n\n", ": no\n\n", ": no\n\n", "data: b\n\n"],
    there: (url) => messages(new EventSourcePolyfill(url), 2),
    here: (url) => messages(new EventSource(url, { retry: QUICK }), 2) },
  { about: "fetch-event-source: a stream opened by POST, with headers, body, fetch and onclose",
    rows: ["`fetchEventSource(", "`onclose` throws"],
    answers: TWICE,
    there: (url) => fetched(url, 2, {
      ...POST,
      body: "hello",
      fetch: (...request) => fetch(...request),
      onclose: () => { throw new Error("to come back"); },
    }),
    here: (url) => messages(
      new EventSource(url, { ...POST, body: "hello", fetch: (...request) => fetch(...request) }), 2) },
  { about: "fetch-event-source: the server's end is the end",
    rows: ["ends at the end"],
    answers: [...TWICE, "data: c\n\n"],
    there: async (url) => {
      const seen = [];
      await fetchEventSource(url, { onmessage: ({ data }) => data && seen.push(data) });
      return seen;
    },
    here: (url) => toTheEnd(new EventSource(url, { finite: true, retry: QUICK })) },
  { about: "fetch-event-source: what is no stream is refused",
    rows: ["`onopen` throws"],
    answers: [404],
    there: (url) => fetched(url, 1, { onerror: (error) => { throw error; } }).then(() => "given up"),
    here: (url) => new Promise((resolve) => {
      new EventSource(url).onerror = ({ willReconnect }) => resolve(willReconnect ? "again" : "given up");
    }) },
  { about: "fetch-event-source: onopen throws, and onerror says when to come back",
    rows: ["`onopen` throws"],
    answers: [500, "data: a\n\n"],
    there: (url) => fetched(url, 1, {
      onopen: async ({ ok }) => {
        if (!ok) throw new Error("no stream");
      },
      onerror: () => 10,
    }),
    here: (url) => messages(new EventSource(url, { retryOn: () => true, retry: QUICK }), 1) },
  { about: "fetch-event-source: openWhenHidden",
    rows: ["`openWhenHidden"],
    answers: ["open id: 1\ndata: a\n\n", "open data: b\n\n"],
    there: (url) => fetched(url, 2, {}, () => hide(url)),
    here: (url) => messages(new EventSource(url, { wake: { pauseHidden: true } }), 2, () => hide(url)) },
  { about: "eventsource: a fetch that adds headers",
    rows: ["`fetch: (url, init)"],
    answers: TWICE,
    there: (url) => messages(new FetchedEventSource(url, { fetch: FETCH }), 2),
    here: (url) => messages(new EventSource(url, { fetch: FETCH }), 2) },
  { about: "eventsource: the same without a fetch",
    rows: ["`fetch: (url, init)"],
    answers: TWICE,
    there: (url) => messages(new FetchedEventSource(url, { fetch: FETCH }), 2),
    here: (url) => messages(new EventSource(url, { headers: { "X-Test": "1" } }), 2) },
  { about: "eventsource: an error says the status",
    rows: ["`code`"],
    answers: [404],
    there: (url) => new Promise((resolve) => {
      new FetchedEventSource(url).onerror = ({ code }) => resolve(code);
    }),
    here: (url) => new Promise((resolve) => {
      new EventSource(url).onerror = ({ status }) => resolve(status);
    }) },
  { about: "sse.js: headers, payload and method",
    rows: ["`new SSE("],
    answers: ["data: a\n\n"],
    there: (url) => messages(new SSE(url, { ...POST, payload: "hello" }), 1),
    here: (url) => messages(new EventSource(url, { ...POST, body: "hello" }), 1) },
  { about: "sse.js: one connection",
    rows: ["one connection by default"],
    answers: TWICE,
    there: (url) => sseToTheEnd(new SSE(url)),
    here: (url) => toTheEnd(new EventSource(url, { retry: { attempts: 0 } })) },
  { about: "sse.js: maxRetries, all of which fail",
    rows: ["`autoReconnect`"],
    answers: [500],
    there: (url) => sseToTheEnd(new SSE(url, { autoReconnect: true, reconnectDelay: 10, maxRetries: 3 })),
    here: (url) => toTheEnd(new EventSource(url, { retryOn: () => true, retry: { ...QUICK, attempts: 3 + 1 } })) },
  { about: "sse.js: autoReconnect and reconnectDelay, over a 500",
    rows: ["`autoReconnect`"],
    answers: ["id: 1\ndata: a\n\n", 500, "data: b\n\n"],
    there: (url) => messages(new SSE(url, { autoReconnect: true, reconnectDelay: 10, maxRetries: 5 }), 2),
    here: (url) => messages(new EventSource(url, { retryOn: () => true, retry: { ...QUICK, attempts: 5 + 1 } }), 2) },
  { about: "reconnecting-eventsource: max_retry_time, and coming back after every status",
    rows: ["`max_retry_time`", "every status"],
    answers: [500, "data: a\n\n"],
    there: (url) => messages(new ReconnectingEventSource(url, { max_retry_time: 20 }), 1),
    here: (url) => messages(new EventSource(url, { retryOn: () => true, retry: QUICK }), 1) },
  { about: "the native class: withCredentials",
    rows: ["`new EventSource(url, {withCredentials})`"],
    answers: TWICE,
    there: (url) => messages(new window.EventSource(url, { withCredentials: true }), 2),
    here: (url) => messages(new EventSource(url, { withCredentials: true }), 2) },
];
