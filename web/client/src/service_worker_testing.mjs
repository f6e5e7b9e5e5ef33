// SPDX-License-Identifier: Apache-2.0
//
// Reads with our class in a service worker, for a page that sends {url, options}, which is told of each event, or of
// why it cannot. No module, since not all browsers have those as service workers.

importScripts("/dist/classic.js");

const read = ({ data: { url, options }, source: page }) => new Promise((resolve) => {
  let source;
  try {
    source = new vrelo.EventSource(url, options);
  } catch (error) {
    page.postMessage(error.message);
    resolve();
    return;
  }
  source.onopen = () => page.postMessage("open");
  source.onmessage = ({ data, lastEventId }) => {
    page.postMessage(lastEventId);
    if (data === "last") {
      source.close();
      resolve();
    }
  };
});

globalThis.oninstall = () => globalThis.skipWaiting();
// While it reads, the browser lets it live.
globalThis.onmessage = (event) => event.waitUntil(read(event));
