// The twin's connection table: open addressing with linear probing over typed arrays, one cache line an entry (two with IPv6).
// Sized once for the flows of the workload; both tuples of a connection stand in the index.
import type { Tuples } from './tuples.ts';

//   Entry, 16 words (IPv6: 32):
//   0       1        2              4                          6           7         8                11 (17)
//   | state | isDnat | expires (f64) | packets (original, reply) | next free | service | original tuple | reply tuple |
export const ENTRY_STATE = 0; // 0: free
export const ENTRY_IS_DNAT = 1;
export const ENTRY_EXPIRES_AT = 1; // in units of an f64
export const ENTRY_PACKETS = 4;
const ENTRY_NEXT_FREE = 6;
export const ENTRY_SERVICE = 7;
/** The reply tuple follows. */
export const ENTRY_TUPLES = 8;

/** Slots a tuple: the index is at most half full. */
const SLOTS_PER_TUPLE = 2;
const TUPLES_PER_FLOW = 2;

export class TwinConnections {
  readonly tuples: Tuples;
  readonly words: Int32Array;
  readonly expiresAt: Float64Array;
  readonly entryWords: number;
  /** Pairs: hash (0: free), entry << 1 | is reply. */
  readonly #slots: Int32Array;
  readonly #slotMask: number;
  readonly #shift: number;
  #highWater = 0;
  #firstFree = -1;
  count = 0;

  constructor(tuples: Tuples, flowCount: number) {
    this.tuples = tuples;
    this.entryWords = tuples.entryWords;
    const bits = Math.max(4, Math.ceil(Math.log2(flowCount * TUPLES_PER_FLOW * SLOTS_PER_TUPLE)));
    this.#slotMask = 2 ** bits - 1;
    this.#shift = 32 - bits;
    this.#slots = new Int32Array(2 * 2 ** bits);
    this.words = new Int32Array(flowCount * this.entryWords);
    this.expiresAt = new Float64Array(this.words.buffer);
  }

  /** entry << 1 | is reply of the tuple at these words, or -1. */
  find(tuple: Int32Array, at: number): number {
    return this.findHashed(this.tuples.hash(tuple, at), tuple, at);
  }

  /** The first slot of a search: reading it brings its line in. */
  touchSlot(hash: number): number {
    return this.#slots[2 * (hash >>> this.#shift)] ?? 0;
  }

  /** The entry that the first slot of a search names, whatever it is: reading it brings its line in. */
  touchEntry(hash: number): number {
    const slot = hash >>> this.#shift;
    return this.#slots[2 * slot] === hash ? (this.words[((this.#slots[2 * slot + 1] ?? 0) >>> 1) * this.entryWords] ?? 0) : 0;
  }

  findHashed(hash: number, tuple: Int32Array, at: number): number {
    const slots = this.#slots;
    const mask = this.#slotMask;
    const words = this.words;
    let slot = hash >>> this.#shift;
    while (true) {
      const found = slots[2 * slot];
      if (found === 0) return -1;
      if (found === hash) {
        const reference = slots[2 * slot + 1] ?? 0;
        if (this.tuples.isSame(words, this.#tupleAt(reference), tuple, at)) return reference;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The first word of a new entry, its tuples written and indexed. The caller has made sure that neither tuple stands. */
  insert(original: Int32Array, originalAt: number, reply: Int32Array): number {
    const words = this.words;
    let entry = this.#firstFree;
    if (entry < 0) entry = this.#highWater++;
    else this.#firstFree = (words[entry * this.entryWords + ENTRY_NEXT_FREE] ?? 0) - 1;
    const at = entry * this.entryWords;
    words[at + ENTRY_PACKETS] = 1;
    words[at + ENTRY_PACKETS + 1] = 0;
    const tupleWords = this.tuples.words;
    for (let word = 0; word < tupleWords; word++) {
      words[at + ENTRY_TUPLES + word] = original[originalAt + word] ?? 0;
      words[at + ENTRY_TUPLES + tupleWords + word] = reply[word] ?? 0;
    }
    this.#index(this.tuples.hash(original, originalAt), entry << 1);
    this.#index(this.tuples.hash(reply, 0), (entry << 1) | 1);
    this.count++;
    return at;
  }

  remove(entry: number): void {
    const words = this.words;
    const at = entry * this.entryWords;
    this.#unindex(entry << 1);
    this.#unindex((entry << 1) | 1);
    words[at + ENTRY_STATE] = 0;
    words[at + ENTRY_NEXT_FREE] = this.#firstFree + 1;
    this.#firstFree = entry;
    this.count--;
  }

  #index(hash: number, reference: number): void {
    const slots = this.#slots;
    let slot = hash >>> this.#shift;
    while (slots[2 * slot] !== 0) slot = (slot + 1) & this.#slotMask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = reference;
  }

  /** Closes the gap by moving back what was pushed past it, so that there are no tombstones. */
  #unindex(reference: number): void {
    const slots = this.#slots;
    const mask = this.#slotMask;
    const hash = this.tuples.hash(this.words, this.#tupleAt(reference));
    let gap = hash >>> this.#shift;
    while (slots[2 * gap] !== hash || slots[2 * gap + 1] !== reference) gap = (gap + 1) & mask;
    let slot = gap;
    while (true) {
      slot = (slot + 1) & mask;
      const moved = slots[2 * slot] ?? 0;
      if (moved === 0) break;
      const home = moved >>> this.#shift;
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[2 * gap] = moved;
      slots[2 * gap + 1] = slots[2 * slot + 1] ?? 0;
      gap = slot;
    }
    slots[2 * gap] = 0;
  }

  /** The word where the tuple of a reference begins. */
  #tupleAt(reference: number): number {
    return (reference >>> 1) * this.entryWords + ENTRY_TUPLES + (reference & 1) * this.tuples.words;
  }
}
