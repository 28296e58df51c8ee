// xt_recent lists and nftables' dynamic sets: when each source was last seen.
import { RECENT_LIST_MAX } from '../../../assembly/shared/layout.ts';
import { type AddressWords, addressKey } from './addresses.ts';

const MS = 1000;

/** One list, in the order of last sightings: a full list forgets the source seen longest ago. */
export class RecentList {
  readonly #lastSeen = new Map<string, number>();

  /** Puts the source on the list, or makes its sighting now. */
  see(source: AddressWords, now: number): void {
    const key = addressKey(source);
    if (!this.#lastSeen.delete(key) && this.#lastSeen.size === RECENT_LIST_MAX) {
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

  /** Forgets sightings older than `seconds`. */
  reap(now: number, seconds: number): void {
    for (const [key, seen] of this.#lastSeen) {
      if (now - seen <= seconds * MS) return;
      this.#lastSeen.delete(key);
    }
  }
}

/** The lists of one Program by name. Those that its predecessor had too keep their sightings; others are forgotten with their last rule. */
export class RecentLists {
  readonly #lists = new Map<string, RecentList>();
  readonly #before: ReadonlyMap<string, RecentList>;

  constructor(before?: RecentLists) {
    // Its lists and not `before` itself, which holds those of its own predecessor.
    this.#before = before === undefined ? new Map() : before.#lists;
  }

  /** The list that a rule being loaded names. */
  use(name: string): RecentList {
    const list = this.#lists.get(name) ?? this.#before.get(name) ?? new RecentList();
    this.#lists.set(name, list);
    return list;
  }

  find(name: string): RecentList | undefined {
    return this.#lists.get(name);
  }
}
