// xt_recent lists and nftables' dynamic sets: when each source was last seen.
import { RECENT_LIST_MAX } from '../../../assembly/shared/layout.ts';
import { addressKey } from '../../address.ts';
import type { AddressWords } from './addresses.ts';

const MS = 1000;

/** One list, in the order of last sightings: a full list forgets the source seen longest ago. */
export class RecentList {
  readonly #limit: number;
  readonly #lastSeen = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Puts the source on the list, or makes its sighting now. */
  see(source: AddressWords, now: number): void {
    const key = addressKey(source);
    if (!this.#lastSeen.delete(key) && this.#lastSeen.size === this.#limit) {
      for (const oldest of this.#lastSeen.keys()) {
        this.#lastSeen.delete(oldest);
        break;
      }
    }
    this.#lastSeen.set(key, now);
  }

  lastSeen(source: AddressWords): number | undefined {
    return this.#lastSeen.get(addressKey(source));
  }

  /** Seen in the last `seconds`; without them, ever. */
  wasSeen(source: AddressWords, now: number, seconds: number | undefined): boolean {
    const seen = this.lastSeen(source);
    return seen !== undefined && (seconds === undefined || now - seen <= seconds * MS);
  }

  /** The source is an element of a dynamic set whose elements live for `seconds`: unlike xt_recent, not at the very end. */
  isElement(source: AddressWords, now: number, seconds: number): boolean {
    const seen = this.lastSeen(source);
    return seen !== undefined && now - seen < seconds * MS;
  }

  /** Forgets sightings older than `seconds`. */
  reap(now: number, seconds: number): void {
    for (const [key, seen] of this.#lastSeen) {
      if (now - seen <= seconds * MS) return;
      this.#lastSeen.delete(key);
    }
  }
}

/** What a dynamic set holds: sources, each for that long after it was last seen. */
export interface Sightings {
  readonly list: RecentList;
  seconds: number;
}

/** The lists of the Program in force by name: each is there from the first rule that names it to the last one. */
export class RecentLists {
  readonly #lists = new Map<string, RecentList>();

  /** The xt_recent list that a rule being loaded names. */
  useList(name: string): RecentList {
    return this.#use(name, RECENT_LIST_MAX);
  }

  /** The sightings behind a dynamic set, as many as there are sources. */
  useSet(name: string): RecentList {
    return this.#use(name, Number.POSITIVE_INFINITY);
  }

  find(name: string): RecentList | undefined {
    return this.#lists.get(name);
  }

  forget(name: string): void {
    this.#lists.delete(name);
  }

  #use(name: string, limit: number): RecentList {
    const list = this.#lists.get(name) ?? new RecentList(limit);
    this.#lists.set(name, list);
    return list;
  }
}
