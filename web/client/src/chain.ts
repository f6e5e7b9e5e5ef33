// SPDX-License-Identifier: Apache-2.0
//
// The events of a stream that come by more than one way: each once, and in order. It does no I/O.

import type { ParsedEvent } from "./parser.js";

/** An event, and the id after which it came. `by` has read it, as its event number `number`. */
export interface Link {
  after: string;
  event: ParsedEvent;
  origin: string;
  by: string;
  number: number;
}

// What is kept at most: for others, and to know what was there already. The newest is kept in any case.
const LINKS_MAX = 1024;
const CHARACTERS_MAX = 256 * 1024;

const idOf = (link: Link): string => link.event.lastEventId;

/** Returns whether the event has an id, and not that of the one before it. */
export const hasOwnId = (link: Link): boolean => idOf(link) !== link.after;

// Adds `link` to `links`, and returns how many characters there are then.
function add(link: Link, links: Link[], characters: number): number {
  links.push(link);
  let rest = characters + link.event.data.length;
  if (links.length > LINKS_MAX || rest > CHARACTERS_MAX) {
    // Half of it at once, since the others move.
    let gone = 0;
    while (gone < links.length - 1 && (links.length - gone > LINKS_MAX / 2 || rest > CHARACTERS_MAX / 2)) {
      rest -= links[gone]!.event.data.length;
      gone += 1;
    }
    links.splice(0, gone);
  }
  return rest;
}

export class Chain {
  /** The id of the last event that was delivered; undefined until it is known where to begin. */
  cursor: string | undefined;

  readonly #deliver: (link: Link) => void;
  readonly #done: Link[] = []; // delivered, the newest last
  #doneCharacters = 0;
  readonly #withoutId = new Map<string, number>(); // of each reader, its last event since the cursor's
  #ahead: Link[] = []; // what came behind a hole
  #aheadCharacters = 0;

  /** `deliver` may close what uses the chain, and is called no less then. */
  constructor(cursor: string | undefined, deliver: (link: Link) => void) {
    this.cursor = cursor;
    this.#deliver = deliver;
  }

  /**
   * Delivers events, in this order before what waited for them, and forgets those that were there before. False
   * means that one waits itself, since something before it is missing.
   */
  take(...links: Link[]): boolean {
    let isWhole = true;
    for (const link of links) {
      if (link.after !== this.cursor) {
        if (!this.has(idOf(link))) {
          this.#aheadCharacters = add(link, this.#ahead, this.#aheadCharacters);
          isWhole = false;
        }
      } else if (!this.#isOver(link)) {
        this.#append(link);
      }
    }
    this.#drain();
    return isWhole;
  }

  /** Returns whether the event with this id was delivered, as far as it is remembered. */
  has(id: string): boolean {
    return id === this.cursor || this.#done.some((link) => idOf(link) === id);
  }

  /** Returns what was delivered after the event with this id, or undefined where that is not remembered. */
  since(id: string): Link[] | undefined {
    if (id === this.cursor) {
      return [];
    }
    for (let i = this.#done.length; i > 0; --i) {
      if (idOf(this.#done[i - 1]!) === id) {
        return this.#done.slice(i);
      }
    }
    const first = this.#done.findIndex(({ after }) => after === id);
    return first < 0 ? undefined : this.#done.slice(first);
  }

  /** Forgets what waits. */
  forgetAhead(): void {
    this.#ahead = [];
    this.#aheadCharacters = 0;
  }

  #append(link: Link): void {
    if (hasOwnId(link)) {
      this.cursor = idOf(link);
      this.#withoutId.clear();
    } else {
      this.#withoutId.set(link.by, link.number);
    }
    this.#doneCharacters = add(link, this.#done, this.#doneCharacters);
    this.#deliver(link);
  }

  // Whether this is the cursor's event, or one without an id that came after it and was delivered.
  #isOver(link: Link): boolean {
    return hasOwnId(link) ? idOf(link) === this.cursor : link.number <= (this.#withoutId.get(link.by) ?? -1);
  }

  #drain(): void {
    while (this.#ahead.length > 0) {
      // What was delivered may wait as well, behind an event that did not come this way.
      this.#ahead = this.#ahead.filter((link) => !this.#isOver(link));
      const next = this.#ahead.findIndex(({ after }) => after === this.cursor);
      if (next < 0) {
        return;
      }
      this.#append(...(this.#ahead.splice(next, 1) as [Link]));
    }
    this.#aheadCharacters = 0;
  }
}
