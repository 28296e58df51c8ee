// The slots of a set in memory: an open hash table with linear probing over keys of words. assembly/sets.ts reads it.
import { hashEnd, hashWord, nextSlot } from '../../../assembly/shared/hash.ts';
import { SLOT_HASH, SLOT_KEY, SLOT_SERVICE_PORT, SLOT_VALUE } from '../../../assembly/shared/layout.ts';

/** Where slots lie. Each of them has `size` words; `first` is the index of the first one's first word. */
export interface Slots {
  readonly words: Uint32Array;
  readonly first: number;
  readonly count: number;
  readonly size: number;
}

/** Words of a slot whose key has that many. */
export function slotWords(keyWords: number): number {
  return SLOT_KEY / 4 + keyWords;
}

/** The index of the slot that holds the key, or of the empty one where it would be. */
export function findSlot({ words, first, count, size }: Slots, key: Uint32Array): number {
  const keyWords = size - SLOT_KEY / 4;
  const hash = hashOf(key, keyWords);
  let number = hash & (count - 1);
  while (true) {
    const slot = first + number * size;
    const held = words[slot + SLOT_HASH / 4];
    if (held === 0 || (held === hash && isKey(words, slot + SLOT_KEY / 4, key, keyWords))) return slot;
    number = nextSlot(number, count);
  }
}

export function isUsed({ words }: Slots, slot: number): boolean {
  return words[slot + SLOT_HASH / 4] !== 0;
}

/** Puts a key into the empty slot that findSlot gave for it. */
export function fillSlot({ words, size }: Slots, slot: number, key: Uint32Array, value: number, servicePort: number): void {
  const keyWords = size - SLOT_KEY / 4;
  words[slot + SLOT_HASH / 4] = hashOf(key, keyWords);
  words[slot + SLOT_VALUE / 4] = value;
  words[slot + SLOT_SERVICE_PORT / 4] = servicePort;
  for (let word = 0; word < keyWords; word++) words[slot + SLOT_KEY / 4 + word] = key[word] ?? 0;
}

/** Empties a slot, and moves those behind it that could not be found any more. */
export function emptySlot({ words, first, count, size }: Slots, slot: number): void {
  let hole = (slot - first) / size;
  for (let number = nextSlot(hole, count); ; number = nextSlot(number, count)) {
    const at = first + number * size;
    const hash = words[at + SLOT_HASH / 4] ?? 0;
    if (hash === 0) break;
    const home = hash & (count - 1);
    // It may move when its way from home leads over the hole.
    if (((number - home) & (count - 1)) < ((number - hole) & (count - 1))) continue;
    words.copyWithin(first + hole * size, at, at + size);
    hole = number;
  }
  words.fill(0, first + hole * size, first + (hole + 1) * size);
}

function hashOf(key: Uint32Array, keyWords: number): number {
  let hash = 0;
  for (let word = 0; word < keyWords; word++) hash = hashWord(hash, key[word] ?? 0);
  return hashEnd(hash);
}

function isKey(words: Uint32Array, at: number, key: Uint32Array, keyWords: number): boolean {
  for (let word = 0; word < keyWords; word++) if (words[at + word] !== key[word]) return false;
  return true;
}
