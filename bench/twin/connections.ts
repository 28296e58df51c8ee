// The twin's connection table: open addressing with linear probing over typed arrays, one cache line an entry.
// Sized once for the flows of the workload; both tuples of a connection stand in the index.

//   Entry, 16 words:
//   0       1       2              4         6       7       8       9       10      11      12
//   | state | isDnat | expires (f64) | packets (original, reply) | source dest. ports | source dest. ports | next free |
export const ENTRY_WORDS = 16;
export const ENTRY_STATE = 0; // 0: free
export const ENTRY_IS_DNAT = 1;
export const ENTRY_EXPIRES_AT = 1; // in units of an f64
export const ENTRY_PACKETS = 4;
export const ENTRY_ORIGINAL = 6;
export const ENTRY_REPLY = 9;
const ENTRY_NEXT_FREE = 12;
export const ENTRY_SERVICE = 13;

/** Slots a tuple: the index is at most half full. */
const SLOTS_PER_TUPLE = 2;
const TUPLES_PER_FLOW = 2;

export class TwinConnections {
  readonly words: Int32Array;
  readonly expiresAt: Float64Array;
  /** Pairs: hash (0: free), entry << 1 | is reply. */
  readonly #slots: Int32Array;
  readonly #slotMask: number;
  readonly #shift: number;
  #highWater = 0;
  #firstFree = -1;
  count = 0;

  constructor(flowCount: number) {
    const bits = Math.max(4, Math.ceil(Math.log2(flowCount * TUPLES_PER_FLOW * SLOTS_PER_TUPLE)));
    this.#slotMask = 2 ** bits - 1;
    this.#shift = 32 - bits;
    this.#slots = new Int32Array(2 * 2 ** bits);
    this.words = new Int32Array(flowCount * ENTRY_WORDS);
    this.expiresAt = new Float64Array(this.words.buffer);
  }

  /** entry << 1 | is reply, or -1. */
  find(source: number, destination: number, ports: number): number {
    return this.findHashed(hashTuple(source, destination, ports), source, destination, ports);
  }

  /** The first slot of a search: reading it brings its line in. */
  touchSlot(hash: number): number {
    return this.#slots[2 * (hash >>> this.#shift)] ?? 0;
  }

  /** The entry that the first slot of a search names, whatever it is: reading it brings its line in. */
  touchEntry(hash: number): number {
    const slot = hash >>> this.#shift;
    return this.#slots[2 * slot] === hash ? (this.words[((this.#slots[2 * slot + 1] ?? 0) >>> 1) * ENTRY_WORDS] ?? 0) : 0;
  }

  findHashed(hash: number, source: number, destination: number, ports: number): number {
    const slots = this.#slots;
    const mask = this.#slotMask;
    const words = this.words;
    let slot = hash >>> this.#shift;
    while (true) {
      const found = slots[2 * slot];
      if (found === 0) return -1;
      if (found === hash) {
        const reference = slots[2 * slot + 1] ?? 0;
        const at = tupleAt(reference);
        if (words[at + 2] === ports && words[at] === source && words[at + 1] === destination) return reference;
      }
      slot = (slot + 1) & mask;
    }
  }

  /** The first word of a new entry, its tuples written and indexed. The caller has made sure that neither tuple stands. */
  insert(source: number, destination: number, ports: number, backend: number, replyPorts: number): number {
    const words = this.words;
    let entry = this.#firstFree;
    if (entry < 0) entry = this.#highWater++;
    else this.#firstFree = (words[entry * ENTRY_WORDS + ENTRY_NEXT_FREE] ?? 0) - 1;
    const at = entry * ENTRY_WORDS;
    words[at + ENTRY_PACKETS] = 1;
    words[at + ENTRY_PACKETS + 1] = 0;
    words[at + ENTRY_ORIGINAL] = source;
    words[at + ENTRY_ORIGINAL + 1] = destination;
    words[at + ENTRY_ORIGINAL + 2] = ports;
    words[at + ENTRY_REPLY] = backend;
    words[at + ENTRY_REPLY + 1] = source;
    words[at + ENTRY_REPLY + 2] = replyPorts;
    this.#index(hashTuple(source, destination, ports), entry << 1);
    this.#index(hashTuple(backend, source, replyPorts), (entry << 1) | 1);
    this.count++;
    return at;
  }

  remove(entry: number): void {
    const words = this.words;
    const at = entry * ENTRY_WORDS;
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
    const words = this.words;
    const tuple = tupleAt(reference);
    const hash = hashTuple(words[tuple] ?? 0, words[tuple + 1] ?? 0, words[tuple + 2] ?? 0);
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
}

/** The word where the tuple of a reference begins. */
function tupleAt(reference: number): number {
  return (reference >>> 1) * ENTRY_WORDS + ((reference & 1) === 0 ? ENTRY_ORIGINAL : ENTRY_REPLY);
}

/** Never 0. The workloads send TCP alone: the protocol is not part of the tuple. */
export function hashTuple(source: number, destination: number, ports: number): number {
  let hash = Math.imul(source, 0x9e3779b1) ^ Math.imul(destination, 0x85ebca6b) ^ Math.imul(ports, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x297a2d39);
  return hash | 1;
}
