// SPDX-License-Identifier: Apache-2.0
//
// The lines of the README's table of other libraries: what a program does there and here, which has to come to
// the same. Runs in a page; test/e2e/migration.mjs is its server.
//
// `answers` are what the server does to each request: a number is a status, a text a stream, which stays open if
// the text begins so. `there` and `here` return what they have seen. `rows` are texts in the table's rows of which
// this is an example. `here` may be told of an option to leave out: without each of `options` it comes to something
// else. (Without another it never ends.) `far`: the server is of another origin.

import { fetchEventSource } from "@microsoft/fetch-event-source";
import { EventSourcePolyfill } from "event-source-polyfill";
import { EventSource as FetchedEventSource } from "eventsource";
import ReconnectingEventSource from "reconnecting-eventsource";
import { SSE } from "sse.js";

import { EventSource, stream } from "../dist/index.js";

const QUICK = { minMs: 1, maxMs: 20 };
const LONG_MS = 400;

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

// What `read` gives, and the waits that it would have had, each by a random number in the middle: they take no time.
// (Each length once, since SSE sets two timers for some failures.)
async function withWaits(read) {
  const { setTimeout: original } = globalThis;
  const { random } = Math;
  const waits = [];
  Math.random = () => 0.5;
  globalThis.setTimeout = (action, milliseconds, ...rest) => {
    if (milliseconds >= LONG_MS) {
      waits.push(10 * Math.round(milliseconds / 10));
    }
    return original(action, milliseconds >= LONG_MS ? 0 : milliseconds, ...rest);
  };
  try {
    return { seen: await read(), waits: [...new Set(waits)] };
  } finally {
    globalThis.setTimeout = original;
    Math.random = random;
  }
}

async function longestWait(read) {
  const { seen, waits } = await withWaits(read);
  return { seen, longest: Math.max(...waits) };
}

// Reads until the signal, which aborts after `count` messages.
async function streamed(url, count, options) {
  const seen = [];
  const controller = new AbortController();
  for await (const { data } of stream(url, { ...options, signal: controller.signal })) {
    seen.push(data);
    if (seen.length === count) {
      controller.abort();
    }
  }
  return seen;
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

// The options without one of them.
const but = ({ ...options }, left) => {
  delete options[left];
  return options;
};

// What an error of `eventsource` tells of is in its text alone.
const kindOf = (message) => (/status/.test(message) ? "http" : /content type/.test(message) ? "content-type" : message);
const firstError = (source) => new Promise((resolve) => (source.onerror = resolve));

const TWICE = ["retry: 10\nid: 1\ndata: a\n\n", "data: b\n\n"];
const YAFFLE = { headers: { "X-Test": "1" }, lastEventIdQueryParameterName: "after", withCredentials: true };
const PUT = { method: "PUT", headers: { "Content-Type": "text/plain", "X-Test": "1" } };
const FETCH = (target, init) => fetch(target, { ...init, headers: { ...init.headers, "X-Fetch": "1" } });
const PUT_BODY = { ...PUT, body: "hello", fetch: FETCH };
const RETRY_SSE = { minMs: 5000, factor: 1, jitter: 0 };

export const LINES = [
  { about: "event-source-polyfill: headers, lastEventIdQueryParameterName and withCredentials",
    rows: ["`lastEventIdQueryParameterName`"],
    far: true,
    answers: TWICE,
    options: Object.keys(YAFFLE),
    there: (url) => messages(new EventSourcePolyfill(url, YAFFLE), 2),
    here: (url, left) => messages(new EventSource(url, but(YAFFLE, left)), 2) },
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
  { about: "fetch-event-source: a stream opened by another method, with headers, body, fetch and onclose",
    rows: ["`fetchEventSource(", "`onclose` throws"],
    answers: TWICE,
    options: Object.keys(PUT_BODY),
    there: (url) => fetched(url, 2, { ...PUT_BODY, onclose: () => { throw new Error("to come back"); } }),
    here: (url, left) => messages(new EventSource(url, but(PUT_BODY, left)), 2) },
  { about: "fetch-event-source: the same by stream()",
    rows: ["or `stream()`"],
    answers: TWICE,
    options: Object.keys(PUT_BODY),
    there: (url) => fetched(url, 2, { ...PUT_BODY, onclose: () => { throw new Error("to come back"); } }),
    here: (url, left) => streamed(url, 2, but(PUT_BODY, left)) },
  { about: "fetch-event-source: a signal ends it",
    rows: ["`fetchEventSource("],
    answers: ["open data: a\n\n"],
    there: async (url) => {
      const controller = new AbortController();
      await fetchEventSource(url, { signal: controller.signal, onmessage: () => controller.abort() });
      return globalThis.untilClosed(url);
    },
    here: async (url) => {
      const controller = new AbortController();
      const source = new EventSource(url, { signal: controller.signal });
      await new Promise((resolve) => (source.onmessage = resolve));
      controller.abort();
      return globalThis.untilClosed(url);
    } },
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
    here: async (url) => ((await firstError(new EventSource(url))).willReconnect ? "again" : "given up") },
  { about: "fetch-event-source: onopen throws, and onerror says when to come back",
    rows: ["`onopen` throws"],
    answers: [500, "data: a\n\n"],
    options: ["retry"],
    there: (url) => withWaits(() => fetched(url, 1, {
      onopen: async ({ ok }) => {
        if (!ok) throw new Error("no stream");
      },
      onerror: () => 7000,
    })),
    here: (url, left) => withWaits(() =>
      messages(new EventSource(url, but({ retryOn: () => true, retry: { minMs: 7000, jitter: 0 } }, left)), 1)) },
  { about: "fetch-event-source: onerror throws after a failure that would be tried again",
    rows: ["`onerror` throws"],
    answers: ["data: a\n\n"],
    options: ["close"],
    there: (url) => withWaits(() => {
      const again = () => { throw new Error("closed"); };
      return fetched(url, 2, { onclose: again, onerror: (error) => { throw error; } });
    }),
    here: (url, left) => withWaits(() => {
      const seen = [];
      const source = new EventSource(url, { retry: { minMs: 7000, jitter: 0 } });
      source.onmessage = ({ data }) => seen.push(data);
      return new Promise((resolve) => {
        source.onerror = ({ reason }) => {
          seen.push(reason);
          if (left !== "close") {
            source.close();
          }
          setTimeout(() => {
            source.close();
            resolve(seen);
          });
        };
      });
    }) },
  { about: "fetch-event-source: openWhenHidden",
    rows: ["`openWhenHidden"],
    answers: ["open id: 1\ndata: a\n\n", "open data: b\n\n"],
    there: (url) => fetched(url, 2, {}, () => hide(url)),
    here: (url) => messages(new EventSource(url, { wake: { pauseHidden: true } }), 2, () => hide(url)) },
  { about: "eventsource: a fetch that adds headers",
    rows: ["`fetch: (url, init)"],
    answers: TWICE,
    options: ["fetch"],
    there: (url) => messages(new FetchedEventSource(url, { fetch: FETCH }), 2),
    here: (url, left) => messages(new EventSource(url, but({ fetch: FETCH }, left)), 2) },
  { about: "eventsource: the same without a fetch",
    rows: ["`fetch: (url, init)"],
    answers: TWICE,
    options: ["headers"],
    there: (url) => messages(new FetchedEventSource(url, { fetch: FETCH }), 2),
    here: (url, left) => messages(new EventSource(url, but({ headers: { "X-Fetch": "1" } }, left)), 2) },
  ...[404, 200].map((status) => ({
    about: `eventsource: an error says the status, and why there is no stream: ${status}`,
    rows: ["`code`"],
    answers: [status],
    there: async (url) => {
      const { code, message } = await firstError(new FetchedEventSource(url));
      return [code, kindOf(message)];
    },
    here: async (url) => {
      const { status: code, reason } = await firstError(new EventSource(url));
      return [code, reason];
    } })),
  { about: "sse.js: headers, payload and method, and stream()",
    rows: ["`new SSE("],
    answers: ["data: a\n\n"],
    options: ["headers", "method", "body"],
    there: (url) => {
      const source = new SSE(url, { ...PUT, payload: "hello", start: false });
      const seen = messages(source, 1);
      source.stream();
      return seen;
    },
    here: (url, left) => messages(new EventSource(url, but({ ...PUT, body: "hello" }, left)), 1) },
  { about: "sse.js: one connection",
    rows: ["one connection by default"],
    answers: TWICE,
    there: (url) => sseToTheEnd(new SSE(url)),
    here: (url) => toTheEnd(new EventSource(url, { retry: { attempts: 0 } })) },
  { about: "sse.js: reconnectDelay and maxRetries, all of which fail",
    rows: ["`autoReconnect`"],
    answers: [500],
    options: ["retryOn"],
    there: (url) => withWaits(() =>
      sseToTheEnd(new SSE(url, { autoReconnect: true, reconnectDelay: 5000, maxRetries: 3 }))),
    here: (url, left) => withWaits(() =>
      toTheEnd(new EventSource(url, but({ retryOn: () => true, retry: { ...RETRY_SSE, attempts: 3 + 1 } }, left)))) },
  { about: "sse.js: autoReconnect and reconnectDelay, over a 500",
    rows: ["`autoReconnect`"],
    answers: ["id: 1\ndata: a\n\n", 500, "data: b\n\n"],
    options: ["retry"],
    there: (url) => withWaits(() =>
      messages(new SSE(url, { autoReconnect: true, reconnectDelay: 5000, maxRetries: 5 }), 2)),
    here: (url, left) => withWaits(() => {
      const options = { retryOn: () => true, retry: { ...RETRY_SSE, attempts: 5 + 1 } };
      return messages(new EventSource(url, but(options, left)), 2);
    }) },
  { about: "reconnecting-eventsource: max_retry_time is the longest wait, and it comes back after every status",
    rows: ["`max_retry_time`", "every status"],
    answers: [500, 500, 500, 500, "data: a\n\n"],
    options: ["retry"],
    there: (url) => longestWait(() => messages(new ReconnectingEventSource(url, { max_retry_time: 3000 }), 1)),
    here: (url, left) => longestWait(() =>
      messages(new EventSource(url, but({ retryOn: () => true, retry: { maxMs: 3000 } }, left)), 1)) },
  { about: "the native class: withCredentials",
    rows: ["`new EventSource(url, {withCredentials})`"],
    far: true,
    answers: TWICE,
    options: ["withCredentials"],
    there: (url) => messages(new window.EventSource(url, { withCredentials: true }), 2),
    here: (url, left) => messages(new EventSource(url, but({ withCredentials: true }, left)), 2) },
];
