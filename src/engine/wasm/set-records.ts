// Writes sets and maps: open hash tables over keys of words, at most half full. assembly/sets.ts reads them.

import { hashEnd, hashWord, nextSlot } from '../../../assembly/shared/hash.ts';
import {
  KEY_WORDS_MAX,
  MASK_IS_ALONE,
  MASK_LENGTH,
  MASK_NETWORK,
  MASK_SIZE,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SELECT_DESTINATION_PORT_ONLY,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT,
  SELECT_SOURCE_PORT_ONLY,
  SET_KEY_WORDS,
  SET_MASK_COUNT,
  SET_MASKS,
  SET_SIZE,
  SET_SLOT_MASK,
  SET_SLOTS,
  SLOT_HASH,
  SLOT_KEY,
  SLOT_SERVICE_PORT,
  SLOT_VALUE,
} from '../../../assembly/shared/layout.ts';
import { CapacityError, UnsupportedError } from '../../errors.ts';
import type { ElementKey, KeyField } from '../../program/sets.ts';
import type { TableImage } from './table-image.ts';
import { addressWords, networkWords, protocolClass, readPrefix } from './wire.ts';

/** An element with what its slot says. */
export interface SlotContent {
  readonly key: ElementKey;
  readonly servicePort: number;
  readonly value: number;
}

/** Writes a set and returns its offset. */
export function writeSet(image: TableImage, name: string, fields: readonly KeyField[], contents: readonly SlotContent[]): number {
  const keys = contents.map(({ key }) => keyWords(name, fields, key));
  const words = keys[0]?.length ?? 1;
  if (words > KEY_WORDS_MAX) throw new CapacityError(`words in a key of set ${name}`, KEY_WORDS_MAX, words);
  const slotCount = 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(contents.length, 1) * 2)));
  const set = image.reserve(SET_SIZE);
  const slotSize = SLOT_KEY + words * 4;
  const slots = image.reserve(slotCount * slotSize);
  image.point(set + SET_SLOTS, slots);
  image.set(set + SET_SLOT_MASK, slotCount - 1);
  image.set(set + SET_KEY_WORDS, words);
  writeMasks(image, set, fields, contents);
  contents.forEach((content, index) => {
    writeSlot(image, { slots, slotCount, slotSize }, keys[index] ?? [], content);
  });
  return set;
}

function writeMasks(image: TableImage, set: number, fields: readonly KeyField[], contents: readonly SlotContent[]): void {
  const at = fields.indexOf('network');
  if (at < 0) return;
  const lengths = new Map<number, { readonly mask: readonly number[]; readonly network: readonly number[]; readonly isAlone: boolean }>();
  for (const { key } of contents) {
    const text = String(key[at]);
    const { length } = readPrefix(text);
    lengths.set(length, { ...networkWords(text), isAlone: fields.length === 1 && !lengths.has(length) });
  }
  const longestFirst = [...lengths].sort(([a], [b]) => b - a);
  // A set without elements still has one mask, so that the core keeps to the path of networks.
  if (longestFirst.length === 0) longestFirst.push([0, { mask: [], network: [], isAlone: false }]);
  const masks = image.reserve(longestFirst.length * MASK_SIZE);
  for (const [index, [length, { mask, network, isAlone }]] of longestFirst.entries()) {
    const record = masks + index * MASK_SIZE;
    for (const [part, word] of mask.entries()) image.set(record + part * 4, word);
    image.set(record + MASK_LENGTH, length);
    image.set(record + MASK_IS_ALONE, isAlone ? 1 : 0);
    for (const [part, word] of network.entries()) image.set(record + MASK_NETWORK + part * 4, word);
  }
  image.set(set + SET_MASK_COUNT, longestFirst.length);
  image.point(set + SET_MASKS, masks);
}

function writeSlot(
  image: TableImage,
  table: { readonly slots: number; readonly slotCount: number; readonly slotSize: number },
  key: readonly number[],
  content: SlotContent,
): void {
  const hash = hashEnd(key.reduce((running, word) => hashWord(running, word), 0));
  let number = hash & (table.slotCount - 1);
  while (image.get(table.slots + number * table.slotSize + SLOT_HASH) !== 0) number = nextSlot(number, table.slotCount);
  const slot = table.slots + number * table.slotSize;
  image.set(slot + SLOT_HASH, hash);
  image.set(slot + SLOT_VALUE, content.value);
  image.set(slot + SLOT_SERVICE_PORT, content.servicePort);
  key.forEach((word, index) => {
    image.set(slot + SLOT_KEY + index * 4, word);
  });
}

/** The words of a key: addresses as wire words; networks with their length behind; a protocol and its port share one word. */
function keyWords(name: string, fields: readonly KeyField[], key: ElementKey): number[] {
  const words: number[] = [];
  let protocol = 0;
  fields.forEach((field, index) => {
    const part = key[index];
    if (part === undefined) throw new UnsupportedError(`set ${name}: an element has ${key.length} parts, its key ${fields.length}`);
    if (field === 'address') words.push(...addressWords(String(part)));
    else if (field === 'network') words.push(...networkWords(String(part)).network, readPrefix(String(part)).length);
    else if (field === 'protocol') protocol = protocolClass(String(part));
    else words.push(protocol * 0x10000 + Number(part));
  });
  return words;
}

/** Which parts of a packet make the key: `sides[i]` for field i, a protocol and its port counting as one side. */
export function keySelectors(fields: readonly KeyField[], sides: readonly ('src' | 'dst')[]): number {
  let selectors = 0;
  let shift = 0;
  let side = 0;
  let hasProtocol = false;
  for (const field of fields) {
    if (field === 'protocol') {
      hasProtocol = true;
      continue;
    }
    const isSource = sides[side] === 'src';
    side++;
    selectors |= selectorOf(field, isSource, hasProtocol) << shift;
    shift += 4;
  }
  return selectors >>> 0;
}

function selectorOf(field: KeyField, isSource: boolean, hasProtocol: boolean): number {
  if (field !== 'port') return isSource ? SELECT_SOURCE : SELECT_DESTINATION;
  if (hasProtocol) return isSource ? SELECT_SOURCE_PORT : SELECT_DESTINATION_PORT;
  return isSource ? SELECT_SOURCE_PORT_ONLY : SELECT_DESTINATION_PORT_ONLY;
}
