// The xt_recent lists of one family from outside: made at their first use, given back, and looked into for trace.
import {
  ADDRESS_V4,
  ADDRESS_V6,
  RECENT_ADDRESS,
  RECENT_COUNT,
  RECENT_ENTRIES,
  RECENT_LAST_SEEN,
  RECENT_LIST_MAX,
} from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import type { LinearMemory } from './memory.ts';
import { addressWords } from './wire.ts';

export class RecentLists {
  readonly #memory: LinearMemory;
  readonly #entrySize: number;
  readonly #lists = new Map<string, number>();

  constructor(memory: LinearMemory, family: Family) {
    this.#memory = memory;
    this.#entrySize = RECENT_ADDRESS + Math.max(8, family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6);
  }

  /** The address of a list. */
  at(name: string): number {
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const address = this.#memory.allocate(this.#listSize);
    this.#lists.set(name, address);
    return address;
  }

  /** The kernel drops a list with the last rule that names it. */
  forget(name: string): void {
    const list = this.#lists.get(name);
    if (list === undefined) return;
    this.#lists.delete(name);
    this.#memory.release(list, this.#listSize);
  }

  lastSeen(name: string, source: string): number | undefined {
    const list = this.#lists.get(name);
    if (list === undefined) return undefined;
    const wanted = addressWords(source);
    const { data } = this.#memory;
    const count = data.getUint32(list + RECENT_COUNT, true);
    for (let index = 0; index < count; index++) {
      const entry = list + RECENT_ENTRIES + index * this.#entrySize;
      const isSame = wanted.every((word, part) => data.getUint32(entry + RECENT_ADDRESS + part * 4, true) === word);
      if (isSame) return data.getFloat64(entry + RECENT_LAST_SEEN, true);
    }
    return undefined;
  }

  get #listSize(): number {
    return RECENT_ENTRIES + RECENT_LIST_MAX * this.#entrySize;
  }
}
