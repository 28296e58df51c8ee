// The elements of dynamic sets from outside: room for them before a batch, and one looked up for trace.
import {
  SIGHTING_ADDRESS,
  SIGHTING_EXPIRES_AT,
  SIGHTING_SET,
  SIGHTING_SIZE,
  SIGHTINGS_SLOT_MASK,
  SIGHTINGS_SLOTS,
  SIGHTINGS_USED,
} from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import type { Core } from './core.ts';
import type { LinearMemory } from './memory.ts';
import { addressWords } from './wire.ts';

const SLOTS_AT_FIRST = 64;

/** The sightings of one family. Sets are numbered from 1; one that the next Program has too keeps its number. */
export class Sightings {
  readonly #core: Core;
  readonly #memory: LinearMemory;
  readonly #family: Family;
  readonly #table: number;
  readonly #sets = new Map<string, { readonly number: number; seconds: number }>();
  #lastNumber = 0;

  constructor(core: Core, memory: LinearMemory, family: Family) {
    this.#core = core;
    this.#memory = memory;
    this.#family = family;
    this.#table = core.sightingsAddress(family);
    this.#core.moveSightings(family, memory.allocate(SLOTS_AT_FIRST * SIGHTING_SIZE), SLOTS_AT_FIRST);
  }

  setNumber(name: string, seconds: number): number {
    const known = this.#sets.get(name);
    if (known !== undefined) {
      known.seconds = seconds;
      return known.number;
    }
    const number = ++this.#lastNumber;
    this.#sets.set(name, { number, seconds });
    return number;
  }

  /** A set that is made again after it was gone is another one: it gets a new number, and the old sightings expire unseen. */
  forgetSet(name: string): void {
    this.#sets.delete(name);
  }

  /** Makes room for one more sighting a packet; the core itself never grows anything. */
  reserve(packets: number): void {
    if (this.#sets.size === 0) return;
    const slots = this.#get(SIGHTINGS_SLOT_MASK) + 1;
    const needed = (this.#get(SIGHTINGS_USED) + packets) * 2;
    if (needed <= slots) return;
    const before = this.#get(SIGHTINGS_SLOTS);
    const grown = 2 ** Math.ceil(Math.log2(needed));
    this.#core.moveSightings(this.#family, this.#memory.allocate(grown * SIGHTING_SIZE), grown);
    this.#memory.release(before, slots * SIGHTING_SIZE);
  }

  /** When the source was last seen on that set, in milliseconds; undefined: never, or no such set. */
  lastSeen(name: string, source: string): number | undefined {
    const set = this.#sets.get(name);
    if (set === undefined) return undefined;
    const wanted = addressWords(source);
    const { data } = this.#memory;
    for (let number = 0; number <= this.#get(SIGHTINGS_SLOT_MASK); number++) {
      const slot = this.#get(SIGHTINGS_SLOTS) + number * SIGHTING_SIZE;
      if (data.getUint32(slot + SIGHTING_SET, true) !== set.number) continue;
      const isSame = wanted.every((word, part) => data.getUint32(slot + SIGHTING_ADDRESS + part * 4, true) === word);
      if (isSame) return data.getFloat64(slot + SIGHTING_EXPIRES_AT, true) - set.seconds * 1000;
    }
    return undefined;
  }

  #get(field: number): number {
    return this.#memory.words[(this.#table + field) / 4] ?? 0;
  }
}
