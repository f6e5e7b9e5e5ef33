// SPDX-License-Identifier: Apache-2.0

export { EventSource, type EventSourceEventMap, type TextEvent } from "./event_source.js";
export { GapEvent, StreamErrorEvent } from "./events.js";
export type { Failure, Reason, Refusal } from "./failure.js";
export type { Asked, ReadOptions, RetryOptions, StreamOptions, Ticket, WakeOptions } from "./options.js";
export type { ParsedEvent } from "./parser.js";
export { stream, StreamError } from "./stream.js";
