// SPDX-License-Identifier: Apache-2.0
//
// The events of a stream that come by more than one way: each once, and in order. It does no I/O.

import type { ParsedEvent } from "./parser.js";

/** An event, and the id after which it came. */
export interface Link {
  after: string;
  event: ParsedEvent;
  origin: string;
}

// What is kept at most: for others, and to know what was there already. The newest is kept in any case.
const LINKS_MAX = 1024;
const CHARACTERS_MAX = 256 * 1024;

const idOf = (link: Link): string => link.event.lastEventId;
const hasOwnId = (link: Link): boolean => idOf(link) !== link.after;

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
  #ahead: Link[] = []; // what came behind a hole
  #aheadCharacters = 0;

  /** `deliver` may close what uses the chain, and is called no less then. */
  constructor(cursor: string | undefined, deliver: (link: Link) => void) {
    this.cursor = cursor;
    this.#deliver = deliver;
  }

  /**
   * Delivers an event and what waited for it, or forgets it if it was there before. False means that it waits
   * itself, since something before it is missing.
   */
  take(link: Link): boolean {
    if (link.after === this.cursor) {
      this.#append(link);
      this.#drain();
    } else if (!this.has(idOf(link))) {
      this.#aheadCharacters = add(link, this.#ahead, this.#aheadCharacters);
      return false;
    }
    return true;
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
    this.cursor = idOf(link);
    this.#doneCharacters = add(link, this.#done, this.#doneCharacters);
    this.#deliver(link);
  }

  #drain(): void {
    while (this.#ahead.length > 0) {
      // What was delivered may wait as well, behind an event that did not come this way.
      this.#ahead = this.#ahead.filter((link) => !hasOwnId(link) || idOf(link) !== this.cursor);
      const next = this.#ahead.findIndex(({ after }) => after === this.cursor);
      if (next < 0) {
        return;
      }
      this.#append(...(this.#ahead.splice(next, 1) as [Link]));
    }
    this.#aheadCharacters = 0;
  }
}
