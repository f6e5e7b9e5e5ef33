// SPDX-License-Identifier: Apache-2.0
//
// Prints the events of a URL: node node.mjs "https://hub.example/.well-known/mercure?match=news"

import { stream } from "vrelo";

const options = {
  token: process.env.VRELO_TOKEN,
  onFailure: ({ reason, status = "", willReconnect }) => console.error(reason, status, willReconnect ? "" : "for good"),
};
for await (const { type, data, lastEventId } of stream(process.argv[2], options)) {
  console.log(lastEventId, type, data);
}
