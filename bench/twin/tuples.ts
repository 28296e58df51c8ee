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
  hash: (words, at) =>
    finish(Math.imul(words[at] ?? 0, 0x9e3779b1) ^ Math.imul(words[at + 1] ?? 0, 0x85ebca6b) ^ Math.imul(words[at + 2] ?? 0, 0xc2b2ae35)),
  isSame: (words, at, others, otherAt) =>
    words[at + 2] === others[otherAt + 2] && words[at] === others[otherAt] && words[at + 1] === others[otherAt + 1],
};

export const TUPLES_V6: Tuples = {
  addressWords: 4,
  words: 9,
  entryWords: 32,
  hash: (words, at) => {
    const source = Math.imul((words[at + 3] ?? 0) ^ Math.imul(words[at + 2] ?? 0, 0x27d4eb2f), 0x9e3779b1);
    const sourceNetwork = Math.imul((words[at + 1] ?? 0) ^ Math.imul(words[at] ?? 0, 0x165667b1), 0x85ebca77);
    const destination = Math.imul((words[at + 7] ?? 0) ^ Math.imul(words[at + 6] ?? 0, 0x27d4eb2f), 0x85ebca6b);
    const destinationNetwork = Math.imul((words[at + 5] ?? 0) ^ Math.imul(words[at + 4] ?? 0, 0x165667b1), 0x2c1b3c6d);
    return finish(source ^ sourceNetwork ^ destination ^ destinationNetwork ^ Math.imul(words[at + 8] ?? 0, 0xc2b2ae35));
  },
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

function finish(mixed: number): number {
  let hash = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0x297a2d39);
  return hash | 1;
}
