// Writes sets and maps, whole or as a copy of what they were in which single elements come and go.
import {
  MASK_IS_ALONE,
  MASK_LENGTH,
  MASK_NETWORK,
  MASK_SIZE,
  SET_KEY_WORDS,
  SET_MASK_COUNT,
  SET_MASKS,
  SET_SIZE,
  SET_SLOT_MASK,
  SET_SLOTS,
  SLOT_VALUE,
} from '../../../assembly/shared/layout.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { Change } from '../../program/change.ts';
import { sameData } from '../../program/same-data.ts';
import type { ElementKey, KeyField } from '../../program/sets.ts';
import type { Block, Records } from './records.ts';
import { KEY, readKey } from './set-keys.ts';
import { emptySlot, fillSlot, findSlot, isUsed, type Slots, slotWords } from './set-slots.ts';
import { networkWords } from './wire.ts';

/** An element with what its slot says. */
export interface SlotContent {
  readonly key: ElementKey;
  readonly servicePort: number;
  readonly value: number;
}

/** What a set is. Parts of the Program may bring an element of a set more than once; of a map, the first one of a key stands. */
export interface SetShape {
  readonly name: string;
  readonly key: readonly KeyField[];
  readonly isMap: boolean;
}

const MEMBER = 1;

/** An element of a set, whose value counts how often it is brought. */
export function member(key: ElementKey): SlotContent {
  return { key, servicePort: 0, value: MEMBER };
}

/** A set as it lies in memory: its SET record is the beginning of the block, slots and masks follow. */
export interface WrittenSet {
  readonly block: Block;
  readonly keyWords: number;
  readonly slotCount: number;
  /** All that were brought. */
  readonly elementCount: number;
  /** Elements of a map of which another one has the key. */
  readonly hiddenCount: number;
  /** Of networks, by prefix length. */
  readonly lengths: ReadonlyMap<number, NetworksOfLength>;
}

interface NetworksOfLength {
  readonly mask: readonly number[];
  readonly elementCount: number;
  /** One of them: the only one, when there is one. */
  readonly network: readonly number[];
}

/** Elements that went and came: one that several parts of the Program bring is there once for each. */
export interface ElementChange {
  readonly removed: readonly ElementKey[];
  readonly added: readonly SlotContent[];
}

/** Writes a set of all its elements. @throws InvalidArgumentError, UnsupportedError, CapacityError */
export function writeSet(records: Records, shape: SetShape, contents: readonly SlotContent[]): WrittenSet {
  const [first] = contents;
  const keyWords = first === undefined ? 1 : readKey(shape.name, shape.key, first.key);
  const slotCount = slotCountFor(contents.length);
  const lengths = countLengths(shape, NO_LENGTHS, { removed: [], added: contents });
  const maskCount = shape.key.includes('network') ? Math.max(1, lengths.size) : 0;
  const slotBytes = slotCount * slotWords(keyWords) * 4;
  const block = records.allocate(SET_SIZE + slotBytes + maskCount * MASK_SIZE);
  const { words } = records.memory;
  writeHead(words, block.address, keyWords, slotCount);
  if (maskCount > 0) writeMasks(words, block.address, block.address + SET_SIZE + slotBytes, lengths, shape);
  const slots = slotsOf(words, block.address, keyWords, slotCount);
  let hiddenCount = 0;
  for (const content of contents) if (!addElement(slots, shape, content)) hiddenCount++;
  return { block, keyWords, slotCount, elementCount: contents.length, hiddenCount, lengths };
}

/** False: so much of the set changes that it is quicker to write it whole. */
export function isWorthEditing({ elementCount }: WrittenSet, { removed, added }: Change<unknown>): boolean {
  return removed.length + added.length <= elementCount / 2;
}

/**
 * Writes a copy of a set in which some elements went and others came. Undefined: it is to be written whole, because it needs more or fewer
 * slots, or other masks, or elements of a map have the same key. @throws InvalidArgumentError, UnsupportedError
 */
export function editSet(records: Records, shape: SetShape, before: WrittenSet, change: ElementChange): WrittenSet | undefined {
  const { block, keyWords, slotCount, hiddenCount } = before;
  const elementCount = before.elementCount + change.added.length - change.removed.length;
  const lengths = countLengths(shape, before.lengths, change);
  if (before.elementCount === 0 || slotCountFor(elementCount) !== slotCount || hiddenCount > 0) return undefined;
  if (!haveSameMasks(lengths, before.lengths)) return undefined;
  const copy = records.allocate(block.size);
  const { words } = records.memory;
  words.copyWithin(copy.address / 4, block.address / 4, (block.address + block.size) / 4);
  for (const field of [SET_SLOTS, SET_MASKS]) {
    const at = (copy.address + field) / 4;
    if (words[at] !== 0) words[at] = (words[at] ?? 0) - block.address + copy.address;
  }
  const slots = slotsOf(words, copy.address, keyWords, slotCount);
  const isDone =
    change.removed.every((key) => removeElement(slots, shape, key)) && change.added.every((content) => addElement(slots, shape, content));
  if (isDone) return { block: copy, keyWords, slotCount, elementCount, hiddenCount, lengths };
  records.release(copy);
  return undefined;
}

/** At most half of them are used. */
function slotCountFor(elementCount: number): number {
  return 2 ** Math.max(1, Math.ceil(Math.log2(Math.max(elementCount, 1) * 2)));
}

function slotsOf(words: Uint32Array, set: number, keyWords: number, count: number): Slots {
  return { words, first: (set + SET_SIZE) / 4, count, size: slotWords(keyWords) };
}

/** False: the element of a map does not stand, another one has its key. */
function addElement(slots: Slots, shape: SetShape, { key, value, servicePort }: SlotContent): boolean {
  readSlotKey(slots, shape, key);
  const slot = findSlot(slots, KEY);
  if (!isUsed(slots, slot)) fillSlot(slots, slot, KEY, value, servicePort);
  else if (shape.isMap) return false;
  else countUse(slots, slot, MEMBER);
  return true;
}

/** False: there is no such element. */
function removeElement(slots: Slots, shape: SetShape, key: ElementKey): boolean {
  readSlotKey(slots, shape, key);
  const slot = findSlot(slots, KEY);
  if (!isUsed(slots, slot)) return false;
  if (shape.isMap || countUse(slots, slot, -MEMBER) === 0) emptySlot(slots, slot);
  return true;
}

function countUse({ words }: Slots, slot: number, more: number): number {
  const uses = (words[slot + SLOT_VALUE / 4] ?? 0) + more;
  words[slot + SLOT_VALUE / 4] = uses;
  return uses;
}

function readSlotKey({ size }: Slots, { name, key: fields }: SetShape, key: ElementKey): void {
  if (slotWords(readKey(name, fields, key)) !== size)
    throw new InvalidArgumentError(`set ${name}`, key.join(','), 'is of another family than the others');
}

const NO_LENGTHS: WrittenSet['lengths'] = new Map();

function countLengths({ key: fields }: SetShape, before: WrittenSet['lengths'], { removed, added }: ElementChange): WrittenSet['lengths'] {
  const at = fields.indexOf('network');
  if (at < 0) return NO_LENGTHS;
  const lengths = new Map(before);
  const count = (text: string, more: number): void => {
    const { length, mask, network } = networkWords(text);
    const elementCount = (lengths.get(length)?.elementCount ?? 0) + more;
    if (elementCount > 0) lengths.set(length, { mask, network, elementCount });
    else lengths.delete(length);
  };
  for (const key of removed) count(String(key[at]), -1);
  // Most are plain addresses, all of one family: reading one of them is enough.
  let plain = '';
  let plainCount = 0;
  for (const { key } of added) {
    const text = String(key[at]);
    if (text.includes('/')) count(text, 1);
    else {
      plain = text;
      plainCount++;
    }
  }
  if (plainCount > 0) count(plain, plainCount);
  return lengths;
}

/** The MASK records of both say the same. */
function haveSameMasks(one: WrittenSet['lengths'], other: WrittenSet['lengths']): boolean {
  return one.size === other.size && [...one].every(([length, networks]) => haveSameMask(networks, other.get(length)));
}

function haveSameMask(one: NetworksOfLength, other: NetworksOfLength | undefined): boolean {
  if (other === undefined) return false;
  if (one.elementCount > 1 && other.elementCount > 1) return true;
  return one.elementCount === other.elementCount && sameData(one.network, other.network);
}

function writeHead(words: Uint32Array, set: number, keyWords: number, slotCount: number): void {
  words[(set + SET_SLOTS) / 4] = set + SET_SIZE;
  words[(set + SET_SLOT_MASK) / 4] = slotCount - 1;
  words[(set + SET_KEY_WORDS) / 4] = keyWords;
}

/** The masks of all lengths, longest first. A set without elements still has one, so that the core keeps to the path of networks. */
function writeMasks(words: Uint32Array, set: number, masks: number, lengths: WrittenSet['lengths'], { key }: SetShape): void {
  const longestFirst = [...lengths].sort(([a], [b]) => b - a);
  for (const [index, [length, { mask, network, elementCount }]] of longestFirst.entries()) {
    const record = masks + index * MASK_SIZE;
    words.set(mask, record / 4);
    words[(record + MASK_LENGTH) / 4] = length;
    words[(record + MASK_IS_ALONE) / 4] = key.length === 1 && elementCount === 1 ? 1 : 0;
    words.set(network, (record + MASK_NETWORK) / 4);
  }
  words[(set + SET_MASK_COUNT) / 4] = Math.max(1, longestFirst.length);
  words[(set + SET_MASKS) / 4] = masks;
}
