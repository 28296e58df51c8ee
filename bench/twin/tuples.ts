// The tuples of both families as words in a row: source, destination, ports; the same in packet records, frames and the twin's entries.

export interface Tuples {
  readonly addressWords: 1 | 4;
  /** Of a tuple, and of an entry with two of them. */
  readonly words: 3 | 9;
  readonly entryWords: 16 | 32;
  /** Never 0. The workloads send TCP alone: the protocol is not part of the tuple. */
  hash(words: Int32Array, at: number): number;
  isSame(words: Int32Array, at: number, others: Int32Array, otherAt: number): boolean;
}

export const TUPLES_V4: Tuples = {
  addressWords: 1,
  words: 3,
  entryWords: 16,
  hash: (words, at) => mixed(words[at] ?? 0, words[at + 1] ?? 0, words[at + 2] ?? 0),
  isSame: (words, at, others, otherAt) =>
    words[at + 2] === others[otherAt + 2] && words[at] === others[otherAt] && words[at + 1] === others[otherAt + 1],
};

export const TUPLES_V6: Tuples = {
  addressWords: 4,
  words: 9,
  entryWords: 32,
  hash: (words, at) => mixed(folded(words, at), folded(words, at + 4), words[at + 8] ?? 0),
  isSame: (words, at, others, otherAt) =>
    words[at + 8] === others[otherAt + 8] &&
    words[at + 3] === others[otherAt + 3] &&
    words[at + 7] === others[otherAt + 7] &&
    words[at + 2] === others[otherAt + 2] &&
    words[at + 6] === others[otherAt + 6] &&
    words[at + 1] === others[otherAt + 1] &&
    words[at + 5] === others[otherAt + 5] &&
    words[at] === others[otherAt] &&
    words[at + 4] === others[otherAt + 4],
};

/** Word after word, each mixed into all before it: tuples of one client or one backend differ in few bits. */
function mixed(source: number, destination: number, ports: number): number {
  let hash = Math.imul(source, 0x9e3779b1);
  hash = Math.imul((hash ^ (hash >>> 15)) + destination, 0x85ebca6b);
  hash = Math.imul((hash ^ (hash >>> 13)) + ports, 0xc2b2ae35);
  hash = Math.imul(hash ^ (hash >>> 16), 0x2c1b3c6d);
  return (hash ^ (hash >>> 15)) | 1;
}

/** Four words as one. */
function folded(words: Int32Array, at: number): number {
  const low = Math.imul(words[at + 3] ?? 0, 0x27d4eb2f) + Math.imul(words[at + 2] ?? 0, 0x165667b1);
  return (low + Math.imul(words[at + 1] ?? 0, 0x2c1b3c6d) + Math.imul(words[at] ?? 0, 0x85ebca77)) | 0;
}
