// SPDX-License-Identifier: Apache-2.0
//
// What the standard says about an EventSource, but for parsing (parser_cases.mjs). Each case runs in
// browsers with the native class and with ours, on the same server, and in Node with ours; so this file is
// read by browsers too.
//
// `serve` answers the case's requests; it gets an Exchange (server_testing.mjs), and how many there were
// before. `run` returns what is compared with `expected`. Where one of them is otherwise, `others` has what
// it does and why: {NAME: [value, reason]}; a reason alone means that the case is not for it. Ours has the words of
// the README's row as well: [value, reason, row].
// NAME is "native Chromium", "native Firefox", "ours Chromium", "ours Firefox", "ours Node", or "ours".

// Firefox tells that a stream is open once it has a byte of it.
const stay = (text = ":\n", headers = {}) => (exchange) => exchange.open(text, headers);
// Ends each time, and asks to come back at once.
const once = (text, headers = {}) => (exchange) => {
  exchange.open(`retry: 1\n${text}`, headers);
  exchange.end();
};
const inTurn = (...answers) => (exchange, index) => (answers[index] ?? answers.at(-1))(exchange);
const CORS = { "access-control-allow-origin": "*" };

// Waits for the next event of one of the types.
function next(source, ...types) {
  return new Promise((resolve) => {
    for (const type of types) {
      source.addEventListener(type, resolve, { once: true });
    }
  });
}

// Notes all that happens, as texts, until `count` notes are there or it has given up.
function notes(source, count, types = []) {
  const seen = [];
  return new Promise((resolve) => {
    const note = (text) => {
      seen.push(text);
      if (seen.length === count || source.readyState === 2) {
        source.close();
        resolve(seen);
      }
    };
    source.addEventListener("open", () => note(`open ${source.readyState}`));
    source.addEventListener("error", () => note(`error ${source.readyState}`));
    for (const type of ["message", ...types]) {
      source.addEventListener(type, (event) => note(`${type} ${event.data} #${event.lastEventId}`));
    }
  });
}

// What a call throws, by name.
function thrown(call) {
  try {
    call();
    return "nothing";
  } catch (error) {
    return error.name;
  }
}

const closeAfter = (source, value) => {
  source.close();
  return value;
};

const INTERFACE = [
  { about: "9.2.2: the constants are on the class and on its instances, enumerable, and stay as they are",
    run: ({ EventSource }) => [EventSource, EventSource.prototype].map((target) =>
      ["CONNECTING", "OPEN", "CLOSED"].map((name) => Object.getOwnPropertyDescriptor(target, name))),
    expected: [0, 1].map(() => [0, 1, 2].map((value) => (
      { value, writable: false, enumerable: true, configurable: false }))) },
  { about: "9.2.2: its members are enumerable, on the prototype",
    run: ({ EventSource }) => Object.keys(EventSource.prototype).sort(),
    expected: ["CLOSED", "CONNECTING", "OPEN", "close", "onerror", "onmessage", "onopen", "readyState", "url",
      "withCredentials"] },
  { about: "9.2.2: it is an EventTarget that leaves addEventListener to it",
    run: ({ EventSource }) => EventSource.prototype.addEventListener === EventTarget.prototype.addEventListener,
    expected: true,
    others: { ours: [false, "with `native` the browser's class is asked for each type", "`addEventListener`"] } },
  { about: "9.2.2: it is an EventTarget with the name EventSource and one argument",
    run: ({ EventSource }) => [EventSource.name, EventSource.length, String(EventSource.prototype),
      Object.getPrototypeOf(EventSource) === EventTarget, EventSource.prototype instanceof EventTarget],
    expected: ["EventSource", 1, "[object EventSource]", true, true] },
  { about: "9.2.2: the attributes are read from instances alone, and not written",
    run: ({ EventSource }) => ["url", "readyState", "withCredentials"].map((name) => [
      thrown(() => EventSource.prototype[name]),
      typeof Object.getOwnPropertyDescriptor(EventSource.prototype, name).set]),
    expected: [0, 1, 2].map(() => ["TypeError", "undefined"]) },
  { about: "9.2.2: the constructor is one, and refuses what is no URL or no dictionary",
    run: ({ EventSource, url }) => [() => EventSource(url), () => new EventSource(),
      () => new EventSource("http://[::"), () => new EventSource("http://a:99999/"),
      () => new EventSource(Symbol("a")), () => new EventSource(url, 5),
      () => new EventSource(url, "text"), () => new EventSource(url, true)].map(thrown),
    expected: ["TypeError", "TypeError", "SyntaxError", "SyntaxError", "TypeError", "TypeError", "TypeError",
      "TypeError"] },
  { about: "9.2.2: withCredentials is false unless the dictionary has something true",
    run: ({ EventSource, url }) => [undefined, null, {}, { withCredentials: true }, { withCredentials: 1 },
      { withCredentials: "" }, { withCredentials: undefined }, { withCredentials: {} }, () => {}].map((init) => {
      const source = new EventSource(url, init);
      return closeAfter(source, source.withCredentials);
    }),
    expected: [false, false, false, true, true, false, false, true, false] },
  { about: "9.2.2 step 3: the URL is completed by that of the page or worker",
    run: ({ EventSource, base }) => ["a?b#c", "", "//h/é", "?x y"].map((text) => {
      const source = new EventSource(text);
      return closeAfter(source, source.url === new URL(text, base).href);
    }),
    expected: [true, true, true, true],
    others: { "ours Node": "there is no page" } },
  { about: "9.2.2: anything that becomes a URL by becoming a text is one",
    run: ({ EventSource, url }) => [new URL(url), { toString: () => url }, [url]].map((value) => {
      const source = new EventSource(value);
      return closeAfter(source, source.url === url);
    }),
    expected: [true, true, true] },
  { about: "9.2.2: handlers are null, functions or objects",
    run: ({ EventSource, url }) => {
      const source = new EventSource(url);
      const results = [null, undefined, 5, "text", Symbol.iterator, () => {}, {}].map((value) => {
        source.onmessage = value;
        return source.onmessage === value ? "kept" : source.onmessage;
      });
      return closeAfter(source, [source.onopen, source.onerror, ...results]);
    },
    expected: [null, null, "kept", null, null, null, null, "kept", "kept"] },
  { about: "9.2.2: a handler has the place among the listeners where it was first set",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const calls = [];
      source.onmessage = () => calls.push("first");
      source.addEventListener("message", () => calls.push("listener"));
      source.onmessage = () => calls.push("second");
      source.onopen = () => calls.push("never");
      source.onopen = null;
      source.addEventListener("open", () => calls.push("open listener"));
      source.onopen = () => calls.push("open");
      await next(source, "message");
      return closeAfter(source, calls);
    },
    expected: ["open listener", "open", "second", "listener"] },
  { about: "9.2.2: an object as handler is not called",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      let calls = 0;
      source.onmessage = { handleEvent: () => (calls += 1) };
      await next(source, "message");
      return closeAfter(source, calls);
    },
    expected: 0 },
  { about: "9.2.2: close() may be called twice, gives nothing, and nothing comes after it",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url, pause }) => {
      const source = new EventSource(url);
      const seen = [];
      source.onopen = source.onmessage = source.onerror = ({ type }) => seen.push(type);
      const results = [source.close(), source.readyState, source.close(), source.readyState];
      await pause();
      return [...results, ...seen];
    },
    expected: [undefined, 2, undefined, 2] },
  { about: "9.2.2: a class may extend it",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      class Mine extends EventSource {
        get doubled() {
          return this.readyState * 2;
        }
      }
      const source = new Mine(url);
      await next(source, "open");
      return closeAfter(source, [source.doubled, source instanceof EventSource, Mine.CLOSED]);
    },
    expected: [2, true, 2] },
];

const REDIRECTED = ["open 1", "message a #1", "error 0", "open 1", "message b #1"];

const CONNECTING = [
  { about: "9.2.2 steps 8 to 15: the request is a GET for an event stream, past all caches, without a cursor",
    serve: stay(),
    run: async ({ EventSource, url, requests }) => {
      const source = new EventSource(`${url}#fragment`);
      await next(source, "open");
      const [{ method, headers, target }] = await requests();
      return closeAfter(source, [method, headers.accept, headers["cache-control"], headers.pragma,
        headers["last-event-id"], target.includes("#")]);
    },
    expected: ["GET", "text/event-stream", "no-cache", "no-cache", undefined, false] },
  { about: "9.2.2: nothing is told before the caller can listen",
    serve: stay(),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const states = [source.readyState];
      await Promise.resolve();
      states.push(source.readyState);
      await next(source, "open");
      return closeAfter(source, [...states, source.readyState]);
    },
    expected: [0, 0, 1] },
  { about: "9.2.3 announce: open is a plain event that neither bubbles nor can be cancelled",
    serve: stay(),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const event = await next(source, "open");
      const { bubbles, cancelable, target } = event;
      return closeAfter(source, [event.constructor === Event, bubbles, cancelable, target === source]);
    },
    expected: [true, false, false, true] },
  ...[301, 302, 303, 307, 308].map((status) => ({
    about: `9.2.3: a redirect by ${status} is followed, and forgotten with the connection`,
    serve: inTurn((exchange) => exchange.end(status, { location: `${exchange.target}&there` }),
      once("id: 1\ndata: a\n\n"), stay("data: b\n\n")),
    run: async ({ EventSource, url, requests }) => {
      const source = new EventSource(url);
      const seen = await notes(source, 5);
      return [seen, source.url === url, (await requests()).map(({ target }) => target.endsWith("&there"))];
    },
    expected: [REDIRECTED, true, [false, true, false]],
    others: {
      "native Chromium": [[REDIRECTED, true, [false, true, true]], "Chromium comes back to where it was sent"],
      ...([301, 308].includes(status)
        ? { "native Firefox": [[REDIRECTED, true, [false, true, true]], "Firefox keeps to a permanent redirect"] }
        : {}),
    },
  })),
  { about: "9.2.6: an event's origin is that of the last redirect",
    serve: (exchange, index) => (index === 0
      ? exchange.end(302, { location: new URL(exchange.target, exchange.otherOrigin).href, ...CORS })
      : exchange.open("data: a\n\n", CORS)),
    run: async ({ EventSource, url, other }) => {
      const source = new EventSource(url);
      const event = await next(source, "message", "error");
      return closeAfter(source, [event.data, event.origin === new URL(other).origin, source.url === url]);
    },
    expected: ["a", true, true] },
  ...[204, 205, 201, 210, 299, 304, 400, 401, 404, 410, 500, 502, 503].map((status) => ({
    about: `9.2.3: a ${status} fails for good`,
    serve: (exchange) => exchange.end(status, { "content-type": "text/event-stream" }),
    run: async ({ EventSource, url, requests, pause }) => {
      const source = new EventSource(url);
      const event = await next(source, "open", "error");
      const state = source.readyState;
      await pause();
      return closeAfter(source, [event.type, state, (await requests()).length]);
    },
    expected: ["error", 2, 1],
  })),
  ...["text/event-stream", "TEXT/Event-Stream", "text/event-stream;charset=utf-8",
    "text/event-stream; charset=windows-1252",
    "text/event-stream ; a=b", "text/event-stream;"].map((type) => ({
    about: `9.2.3: the type "${type}" is one of event streams, in UTF-8`,
    serve: stay("data: é\n\n", { "content-type": type }),
    run: ({ EventSource, url }) => notes(new EventSource(url), 2),
    expected: ["open 1", "message é #"],
    others: type.includes("windows")
      ? { "native Chromium": [["error 2"], "Chromium refuses other charsets, which the standard ignores"] }
      : {},
  })),
  ...[[["text/html", "text/event-stream"]], [["text/html, text/event-stream"]], [["text/event-stream; a=b", "*/*"]],
    [["text/event-stream", "none"]], [['text/event-stream; a="b, c/d"']], [['text/event-stream; a="b\\", c/d']],
    [["text/event-stream", "text/html"], ["error 2"]], [["text/event-stream; a=b, text/html"], ["error 2"]],
  ].map(([types, expected = ["open 1"]]) => ({
    about: `9.2.3: of types in several fields or parts the last one counts: ${types.join(" and ")}`,
    serve: once("data: a\n\n", { "content-type": types }),
    run: ({ EventSource, url }) => notes(new EventSource(url), 1), expected })),
  ...["text/plain", "text/event-streams", "text/x-event-stream", "application/event-stream", "",
    "event-stream"].map((type) => ({
    about: `9.2.3: the type "${type}" fails for good`,
    serve: (exchange) => {
      exchange.open("data: a\n\n", { "content-type": type });
      exchange.end(); // Chromium reads more to see whether the type is right
    },
    run: ({ EventSource, url }) => notes(new EventSource(url), 1),
    expected: ["error 2"],
  })),
  { about: "9.2.3: error is an event that neither bubbles nor can be cancelled",
    serve: (exchange) => exchange.end(404),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const event = await next(source, "error");
      return closeAfter(source, [event instanceof Event, event.bubbles, event.cancelable, event.target === source]);
    },
    expected: [true, false, false, true] },
  { about: "9.2.2 step 8: a stream of another origin needs its permission, and says its origin",
    serve: stay("data: a\n\n", CORS),
    run: async ({ EventSource, other, requests, base }) => {
      const source = new EventSource(other);
      const event = await next(source, "message", "error");
      const [{ headers }] = await requests();
      const [from, to] = [base, other].map((text) => new URL(text).origin);
      return closeAfter(source, [event.data, event.origin === to, headers.origin === from, headers.cookie]);
    },
    expected: ["a", true, true, undefined],
    others: { "ours Node": "there are no origins" } },
  { about: "9.2.2 step 8: a stream of another origin that gives no permission is none",
    serve: stay("data: a\n\n"),
    run: ({ EventSource, other }) => notes(new EventSource(other), 1),
    expected: ["error 2"],
    others: {
      ours: [["error 0"], "fetch tells a refusal of CORS from no other failure of the network, so it tries again",
        "no permission by CORS"],
      "ours Node": "there are no origins",
    } },
  { about: "9.2.2 step 15.2: an endless redirect gives no permission to go on",
    serve: (exchange) => exchange.end(302, { location: exchange.target }),
    run: ({ EventSource, url }) => notes(new EventSource(url), 1),
    expected: ["error 2"],
    others: {
      ours: [["error 0"], "fetch tells it from no other failure of the network", "a redirect loop"],
      "native Chromium": [["error 0"], "Chromium tries again as well"],
    } },
  { about: "9.2.2 step 15.2: a scheme that has no streams gives no permission either",
    run: ({ EventSource }) => notes(new EventSource("mailto:a@hub.example"), 1),
    expected: ["error 2"],
    others: {
      ours: [["error 0"], "fetch tells it from no other failure of the network", "a scheme without streams"],
    } },
  { about: "9.2.3: an error of a proxy in front of another origin",
    serve: (exchange) => exchange.end(502),
    run: ({ EventSource, other }) => notes(new EventSource(other), 1),
    expected: ["error 2"],
    others: {
      ours: [["error 0"], "it has no headers of CORS, so that fetch does not tell its status; it tries again",
        "an error page without it"],
      "ours Node": "there are no origins",
    } },
  { about: "9.2.2 step 15.2: where nobody listens",
    run: ({ EventSource, nobody }) => notes(new EventSource(nobody), 1),
    expected: ["error 0"],
    others: { "native Firefox": [["error 2"], "Firefox takes it for good"] } },
  { about: "9.2.2 step 12: the initiator type, by which the browser's tools tell it from others",
    serve: once("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const told = new Promise((resolve) => {
        const observer = new PerformanceObserver((list) => list.getEntriesByName(url).forEach(resolve));
        observer.observe({ type: "resource" });
      });
      await next(source, "error");
      source.close();
      return (await told).initiatorType;
    },
    expected: "other",
    others: {
      ours: ["fetch", "it is fetch that reads", "the initiator type"],
      "native Firefox": "in its workers it notes no event source",
    } },
  ...[true, false].map((withCredentials) => ({
    about: `9.2.2 step 8: cookies go to the own origin, ${withCredentials ? "and" : "not"} to another one`,
    serve: (exchange) => exchange.open("data: a\n\n", {
      "access-control-allow-origin": exchange.headers.origin ?? "*",
      "access-control-allow-credentials": "true",
    }),
    run: async ({ EventSource, url, other, requests }) => {
      await fetch("/cookie");
      for (const target of [url, other]) {
        const source = new EventSource(target, { withCredentials });
        await next(source, "open", "error");
        source.close();
      }
      return (await requests()).map(({ headers }) => headers.cookie?.includes("kind=test") ?? false);
    },
    expected: [true, withCredentials],
    others: { "ours Node": "there are no cookies" },
  })),
  { about: "9.2.2: close() while it connects ends the request, and nothing is told",
    serve: () => {},
    run: async ({ EventSource, url, requests }) => {
      const source = new EventSource(url);
      const seen = [];
      source.onopen = source.onmessage = source.onerror = ({ type }) => seen.push(type);
      await requests(1);
      source.close();
      const [{ closed }] = await requests(1, "closed");
      return [source.readyState, closed, seen];
    },
    expected: [2, true, []] },
];

const RECONNECTING = [
  { about: "9.2.3 reestablish: it comes back with the last id, in UTF-8",
    serve: inTurn(once("id: a é漢\ndata: a\n\n"), stay("data: b\n\n")),
    run: async ({ EventSource, url, requests }) => [await notes(new EventSource(url), 5),
      (await requests()).map(({ headers }) => headers["last-event-id"])],
    // As Node shows bytes.
    expected: [["open 1", "message a #a é漢", "error 0", "open 1", "message b #a é漢"],
      [undefined, "a Ã©æ¼¢"]] },
  { about: "9.2.3 reestablish: a cursor for another origin needs no preflight",
    serve: inTurn(once("id: 1\ndata: a\n\n", CORS), stay("data: b\n\n", CORS)),
    run: async ({ EventSource, other, requests }) => [await notes(new EventSource(other), 5),
      (await requests()).map(({ headers, preflight }) => [headers["last-event-id"], preflight])],
    expected: [["open 1", "message a #1", "error 0", "open 1", "message b #1"],
      [[undefined, false], ["1", false]]],
    others: {
      ours: [[["open 1", "message a #1", "error 0", "open 1", "message b #1"], [[undefined, false], ["1", true]]],
        "only the browser's own class may leave it out", "a cursor for another origin"],
      "ours Node": "there are no origins",
    } },
  { about: "9.2.3 reestablish: an id of control characters is sent as it is",
    serve: inTurn(once("id: a\x01b\ndata: a\n\n"), stay("data: b\n\n")),
    run: async ({ EventSource, url, requests }) => [await notes(new EventSource(url), 4),
      (await requests()).map(({ headers }) => headers["last-event-id"])],
    expected: [["open 1", "message a #a\x01b", "error 0", "open 1"], [undefined, "a\x01b"]],
    others: {
      "ours Node": [[["open 1", "message a #a\x01b", "error 0", "error 0"], [undefined]],
        "Node's fetch refuses them", "ids with control characters"],
    } },
  { about: "9.2.3 reestablish: it comes back without an id where there is none, or no longer",
    serve: inTurn(once("data: a\n\n"), once("id: 1\ndata: b\n\nid\ndata: c\n\n"), stay("data: d\n\n")),
    run: async ({ EventSource, url, requests }) => {
      await notes(new EventSource(url), 9);
      return (await requests()).map(({ headers }) => headers["last-event-id"]);
    },
    expected: [undefined, undefined, undefined] },
  { about: "9.2.3 reestablish: it waits for the time that the server sets, and not for one that is none",
    serve: inTurn((exchange) => {
      exchange.open("retry: 6000\nretry: 1x\ndata: a\n\n"); // longer than any browser waits by itself
      exchange.end();
    }, stay()),
    run: async ({ EventSource, url, requests }) => {
      const source = new EventSource(url);
      return closeAfter(source, (await requests(2))[1].waitedMs > 5900);
    },
    expected: true },
  { about: "9.2.6: an id without data is a cursor too",
    serve: inTurn(once("id: 1\ndata: a\n\nid: 2\n\n"), stay("data: b\n\n")),
    run: async ({ EventSource, url, requests }) => {
      await notes(new EventSource(url), 5);
      return (await requests())[1].headers["last-event-id"];
    },
    expected: "2",
    others: { "native Firefox": ["1", "Firefox takes ids from events alone"] } },
  { about: "9.2.6: what was cut off is no event and no cursor",
    serve: inTurn(once("id: 1\ndata: a\n\nid: 2\ndata: b\n"), stay("data: c\n\n")),
    run: async ({ EventSource, url, requests }) => [await notes(new EventSource(url), 5),
      (await requests())[1].headers["last-event-id"]],
    expected: [["open 1", "message a #1", "error 0", "open 1", "message c #1"], "1"] },
  { about: "9.2.3 reestablish: a 204 is how a server stops it",
    serve: inTurn(once("data: a\n\n"), (exchange) => exchange.end(204)),
    run: ({ EventSource, url }) => notes(new EventSource(url), 4),
    expected: ["open 1", "message a #", "error 0", "error 2"] },
  { about: "9.2.3 reestablish: a break of the connection is as good as its end",
    serve: inTurn(stay("retry: 1\ndata: a\n\n"), stay("data: b\n\n")),
    run: ({ EventSource, url, cut }) => {
      const source = new EventSource(url);
      source.addEventListener("message", cut, { once: true });
      return notes(source, 5);
    },
    expected: ["open 1", "message a #", "error 0", "open 1", "message b #"] },
  { about: "9.2.3 reestablish: closing it in the handler of the error is the end",
    serve: once("data: a\n\n"),
    run: async ({ EventSource, url, requests, pause }) => {
      const source = new EventSource(url);
      source.onerror = () => source.close();
      await next(source, "error");
      await pause();
      return [source.readyState, (await requests()).length];
    },
    expected: [2, 1] },
];

const EVENTS = [
  { about: "9.2.6: a message is a MessageEvent with origin, id and data",
    serve: stay("id: 1\ndata: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const event = await next(source, "message");
      const { type, data, lastEventId, source: from, ports, bubbles, cancelable, defaultPrevented } = event;
      return closeAfter(source, [event.constructor === MessageEvent, type, data, lastEventId, from, [...ports], bubbles,
        cancelable, defaultPrevented, event.origin === new URL(url).origin, event.target === source]);
    },
    expected: [true, "message", "a", "1", null, [], false, false, false, true, true] },
  { about: "9.2.6: an event is one of the browser's, not of a script",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      return closeAfter(source, (await next(source, "message")).isTrusted);
    },
    expected: true,
    others: { ours: [false, "a script cannot make events that are trusted", "`isTrusted`"] } },
  { about: "9.2.6: a type leads to its listeners alone",
    serve: stay("event: x\ndata: a\n\nevent: y\ndata: b\n\nevent: message\ndata: c\n\n"),
    run: ({ EventSource, url }) => notes(new EventSource(url), 3, ["x"]),
    expected: ["open 1", "x a #", "message c #"] },
  { about: "9.2.6: a server may name its events open and error",
    serve: stay("event: open\ndata: a\n\nevent: error\ndata: b\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const seen = [];
      source.onopen = ({ data }) => seen.push(`open ${data}`);
      await new Promise((resolve) => {
        source.onerror = ({ data }) => resolve(seen.push(`error ${data} ${source.readyState}`));
      });
      return closeAfter(source, seen);
    },
    expected: ["open undefined", "open a", "error b 1"] },
  { about: "events: this is the source, to handlers and listeners; an object's method has the object",
    serve: stay("data: a\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const seen = [];
      const object = { handleEvent() { seen.push(this === object); } };
      source.onmessage = function onmessage(event) { seen.push(this === source && event.currentTarget === source); };
      source.addEventListener("message", function listener() { seen.push(this === source); });
      source.addEventListener("message", object);
      await next(source, "message");
      return closeAfter(source, seen);
    },
    expected: [true, true, true] },
  { about: "events: a handler that throws is reported, and keeps no other from being called",
    serve: stay("data: a\n\ndata: b\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const seen = [];
      const onError = (event) => {
        seen.push(event.message.includes("of the test"));
        event.preventDefault();
      };
      addEventListener("error", onError);
      source.onmessage = () => { throw new Error("of the test"); };
      await new Promise((resolve) => {
        source.addEventListener("message", ({ data }) => {
          seen.push(data);
          if (data === "b") resolve();
        });
      });
      removeEventListener("error", onError);
      return closeAfter(source, seen);
    },
    expected: [true, "a", true, "b"],
    others: { "ours Node": "Node ends the process, as with any EventTarget" } },
  { about: "events: after close() in a handler the other listeners are called, and no further event comes",
    serve: stay("data: a\n\ndata: b\n\ndata: c\n\n"),
    run: async ({ EventSource, url, pause }) => {
      const source = new EventSource(url);
      const seen = [];
      source.onmessage = ({ data }) => {
        seen.push(`handler ${data}`);
        source.close();
      };
      source.addEventListener("message", ({ data }) => seen.push(`listener ${data} ${source.readyState}`));
      source.onerror = () => seen.push("error");
      await next(source, "message");
      await pause();
      return seen;
    },
    expected: ["handler a", "listener a 2"] },
  { about: "events: listeners may be for once, be removed, and stop the others",
    serve: stay("data: a\n\ndata: b\n\ndata: c\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const seen = [];
      const removed = () => seen.push("removed");
      source.addEventListener("message", removed);
      source.removeEventListener("message", removed);
      source.addEventListener("message", ({ data }) => seen.push(`once ${data}`), { once: true });
      source.addEventListener("message", (event) => event.data === "b" && event.stopImmediatePropagation());
      await new Promise((resolve) => {
        source.addEventListener("message", ({ data }) => {
          seen.push(data);
          if (data === "c") resolve();
        });
      });
      return closeAfter(source, seen);
    },
    expected: ["once a", "a", "c"] },
  { about: "events: a page may dispatch its own, open or closed",
    serve: stay(),
    run: ({ EventSource, url }) => {
      const source = new EventSource(url);
      source.close();
      const seen = [];
      source.onmessage = ({ data }) => seen.push(data);
      source.dispatchEvent(new MessageEvent("message", { data: "own" }));
      return seen;
    },
    expected: ["own"] },
  { about: "9.2.6: each event is a task, so that promises are settled before the next one",
    serve: stay("data: a\n\ndata: b\n\ndata: c\n\n"),
    run: async ({ EventSource, url }) => {
      const source = new EventSource(url);
      const seen = [];
      await new Promise((resolve) => {
        source.onmessage = ({ data }) => {
          seen.push(data);
          Promise.resolve().then(() => seen.push(`after ${data}`) === 6 && resolve());
        };
      });
      return closeAfter(source, seen);
    },
    expected: ["a", "after a", "b", "after b", "c", "after c"],
    others: { ours: [["a", "b", "c", "after a", "after b", "after c"],
      "a task for each event would make many events slow; those of one chunk share one",
      "promises in handlers"] } },
];

export const STANDARD_CASES = [...INTERFACE, ...CONNECTING, ...RECONNECTING, ...EVENTS];
