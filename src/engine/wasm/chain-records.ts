// Writes chains: header, columns and rules in one block, and behind them what the rules of a chain that no ServicePorts share point to. A
// changed chain gets a new block. In a shared one, what the rules of a part point to lies in an annex of its own: rows of unchanged parts
// are copied with their annexes left where they are.
import { tagOf } from '../../../assembly/shared/hash.ts';
import {
  ACTION_ACCEPT,
  ACTION_DROP,
  CHAIN_ALIKE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_END,
  CHAIN_KIND,
  CHAIN_KIND_ANY,
  CHAIN_KIND_CHANCE,
  CHAIN_KIND_PLAIN,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_SIZE,
  CHAIN_TAGS,
  CLASSES_ANY,
  MATCH_KIND,
  MATCH_NEGATED,
  MATCH_STATISTIC,
  PORTS_ANY,
  PORTS_NONE,
  RULE_A,
  RULE_B,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SERVICE_PORT,
  RULE_SIZE,
  RULE_TARGET,
} from '../../../assembly/shared/layout.ts';
import { type RowEdit, rowEdits } from '../../program/change.ts';
import { isJoined, rulesOf } from '../../program/joined.ts';
import type { Chain, Rule } from '../../program/ruleset.ts';
import { align } from './memory.ts';
import { type Block, NO_BLOCK, type Records } from './records.ts';
import {
  ROW_A,
  ROW_B,
  ROW_CLASSES,
  ROW_MASK,
  ROW_MATCH_COUNT,
  ROW_MATCHES,
  ROW_NETWORK,
  ROW_PORTS,
  ROW_SERVICE_PORT,
  ROW_TARGET,
  ROW_WORDS,
  RowImage,
} from './row-image.ts';
import { TableImage } from './table-image.ts';

/** What a part of a chain holds besides its rows: given back when the part goes. */
export interface Annex {
  readonly block: Block;
  /** Numbers of sets that only these rules ask. */
  readonly ownSets: readonly OwnSet[];
  /** xt_recent lists and dynamic sets that they name. */
  readonly lists: readonly string[];
}

export interface OwnSet {
  readonly block: Block;
  readonly number: number;
}

/** A chain as it lies in memory. */
export interface ChainRecord {
  readonly chain: Chain;
  readonly number: number;
  block: Block;
  count: number;
  padded: number;
  /** Its rules come from many parts: each has its annex. Otherwise what the rules point to lies in the block of the chain. */
  isShared: boolean;
  annexes: ReadonlyMap<readonly Rule[], Annex>;
}

/** Who encodes rules, and is told about annexes. */
export interface PartSource {
  readonly records: Records;
  /** Words of an address: 1 or 4. */
  readonly addressWords: number;
  /** The rules of a chain as they are encoded: of some, before its names are made. */
  rulesOf(chain: Chain): readonly Rule[];
  encode(part: readonly Rule[], rows: RowImage, annex: TableImage): void;
  /** Of the part that was encoded last; undefined: there is nothing to give back one day. */
  takeAnnex(block: Block): Annex | undefined;
  dropAnnex(annex: Annex): void;
}

const NO_ANNEXES: ChainRecord['annexes'] = new Map();
const rows = new RowImage();
const annex = new TableImage();

/** The record of a chain that will be written. */
export function newChainRecord(chain: Chain, number: number): ChainRecord {
  return { chain, number, block: NO_BLOCK, count: 0, padded: 0, isShared: false, annexes: NO_ANNEXES };
}

/** Writes the chain of a record. @param before the chain of that name as it is, for what can be copied. */
export function writeChain(record: ChainRecord, before: ChainRecord | undefined, source: PartSource): void {
  record.isShared = isJoined(record.chain) && rulesOf(record.chain).parts.length > 0;
  rows.clear();
  if (before?.isShared === true && record.isShared) {
    writeEdits(record, before, rowEdits(rulesOf(before.chain), rulesOf(record.chain)), source);
  } else {
    for (const annex of before?.annexes.values() ?? []) source.dropAnnex(annex);
    if (record.isShared) writeEdits(record, undefined, wholeChain(record.chain), source);
    else writeOwnRules(record, source);
  }
  describeColumns(record, source);
  if (before !== undefined) source.records.release(before.block);
}

/** Writes a chain with room behind it for copies of it, `copies` of them with itself: its block is for all. They begin on cache lines. */
export function writeAlikeChains(chain: Chain, copies: number, source: PartSource): ChainRecord {
  const record = newChainRecord(chain, 0);
  rows.clear();
  writeOwnRules(record, source, copies);
  describeColumns(record, source);
  return record;
}

/** Gives back all that a chain holds. */
export function dropChain(record: ChainRecord, source: PartSource): void {
  for (const annex of record.annexes.values()) source.dropAnnex(annex);
  source.records.release(record.block);
  source.records.giveNumber(record.number);
}

function writeOwnRules(record: ChainRecord, source: PartSource, copies = 1): void {
  const rules = source.rulesOf(record.chain);
  annex.clear();
  source.encode(rules, rows, annex);
  const { memory } = source.records;
  const to = layOut(record, rules.length, annex.size, source, copies);
  const end = to.rules * 4 + rules.length * RULE_SIZE;
  rows.settle(end);
  annex.place(memory.words, end);
  for (let row = 0; row < rules.length; row++) writeRow(memory.words, to, row, row * ROW_WORDS);
  const owned = source.takeAnnex(NO_BLOCK);
  if (owned !== undefined) record.annexes = new Map([[rules, owned]]);
}

function writeEdits(record: ChainRecord, before: ChainRecord | undefined, edits: readonly RowEdit[], source: PartSource): void {
  const annexes = new Map(before?.annexes);
  let count = before?.count ?? 0;
  for (const { removed, added } of edits) {
    for (const part of removed) dropPart(part, annexes, source);
    for (const part of added) encodePart(part, annexes, source);
    count += lengthOf(added) - lengthOf(removed);
  }
  const to = layOut(record, count, 0, source);
  record.annexes = annexes;
  const { words } = source.records.memory;
  const from = before === undefined ? undefined : placesOf(before, to.columnCount);
  let row = 0;
  let old = 0;
  let image = 0;
  const copyTo = (end: number): void => {
    if (from !== undefined && end > old) copyRows(words, from, old, to, row, end - old);
    row += end - old;
    old = end;
  };
  for (const { at, removed, added } of edits) {
    copyTo(at);
    for (const end = row + lengthOf(added); row < end; row++, image += ROW_WORDS) writeRow(words, to, row, image);
    old += lengthOf(removed);
  }
  copyTo(before?.count ?? 0);
}

function wholeChain(chain: Chain): RowEdit[] {
  const { head, parts, tail } = rulesOf(chain);
  return [{ at: 0, removed: [], added: [head, ...parts, tail] }];
}

function dropPart(part: readonly Rule[], annexes: Map<readonly Rule[], Annex>, source: PartSource): void {
  const dropped = annexes.get(part);
  if (dropped === undefined) return;
  annexes.delete(part);
  source.dropAnnex(dropped);
}

function encodePart(part: readonly Rule[], annexes: Map<readonly Rule[], Annex>, source: PartSource): void {
  annex.clear();
  source.encode(part, rows, annex);
  const block = source.records.place(annex);
  rows.settle(block.address);
  const owned = source.takeAnnex(block);
  if (owned !== undefined) annexes.set(part, owned);
}

function lengthOf(parts: readonly (readonly Rule[])[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** Where the rows of a chain lie, in words. */
interface Places {
  readonly columns: number;
  readonly padded: number;
  readonly tags: number;
  readonly rules: number;
  readonly columnCount: number;
}

/** Takes a block for a chain of that many rules, with room behind it, and writes all but the rules. */
function layOut(record: ChainRecord, count: number, room: number, { records, addressWords }: PartSource, copies = 1): Places {
  const pad = count >= CHAIN_PAD ? CHAIN_PAD : CHAIN_PAD_SHORT;
  const padded = Math.ceil(count / pad) * pad;
  const columnCount = addressWords * 2 + 2;
  const size = CHAIN_SIZE + (columnCount * padded + tagWords(count)) * 4 + count * RULE_SIZE + room;
  const block = records.allocate(copies === 1 ? size : align(size) * copies);
  record.block = block;
  record.count = count;
  record.padded = padded;
  const to = placesOf(record, columnCount);
  const { words } = records.memory;
  words[(block.address + CHAIN_COUNT) / 4] = count;
  words[(block.address + CHAIN_PADDED) / 4] = padded;
  words[(block.address + CHAIN_COLUMNS) / 4] = to.columns * 4;
  words[(block.address + CHAIN_TAGS) / 4] = to.tags * 4;
  words[(block.address + CHAIN_RULES) / 4] = to.rules * 4;
  words[(block.address + CHAIN_END) / 4] = record.chain.base?.policy === 'drop' ? ACTION_DROP : ACTION_ACCEPT;
  words.fill(PORTS_NONE, to.columns + (columnCount - 2) * padded + count, to.columns + (columnCount - 1) * padded);
  return to;
}

function placesOf({ block, count, padded }: ChainRecord, columnCount: number): Places {
  const columns = (block.address + CHAIN_SIZE) / 4;
  const tags = columns + columnCount * padded;
  return { columns, padded, tags, rules: tags + tagWords(count), columnCount };
}

/** Words of the tags of a chain: two rules a word, in chains long enough to have blocks of rules that are alike. */
function tagWords(count: number): number {
  return (count - (count % CHAIN_PAD)) / 2;
}

/** What the columns hold, so that the core need not look at those that hold nothing. */
function describeColumns(record: ChainRecord, { records, addressWords }: PartSource): void {
  const { words } = records.memory;
  const places = placesOf(record, addressWords * 2 + 2);
  const alike = record.count < CHAIN_PAD ? 0 : alikeRows(words, places, record.count);
  words[(record.block.address + CHAIN_ALIKE) / 4] = alike;
  writeTags(words, places, alike);
  words[(record.block.address + CHAIN_KIND) / 4] = chainKind(words, places, record.count);
}

/** Rows from the first on, in whole blocks of CHAIN_PAD, that have the mask of the first one, as far as its last word goes. */
function alikeRows(words: Uint32Array, { columns, padded, columnCount }: Places, count: number): number {
  const lastMask = columns + (columnCount - 3) * padded;
  let row = 0;
  while (row < count && words[lastMask + row] === words[lastMask]) row++;
  return row - (row % CHAIN_PAD);
}

function writeTags(words: Uint32Array, { columns, padded, tags, columnCount }: Places, alike: number): void {
  const lastWord = columns + (columnCount / 2 - 2) * padded;
  for (let row = 0; row < alike; row += 2) {
    words[tags + row / 2] = tagOf(words[lastWord + row] ?? 0) | (tagOf(words[lastWord + row + 1] ?? 0) << 16);
  }
}

function chainKind(words: Uint32Array, places: Places, count: number): number {
  if (!isPlain(words, places, count)) return CHAIN_KIND_ANY;
  for (let row = 0; row < count; row++) {
    const rule = places.rules + row * (RULE_SIZE / 4);
    const matchCount = words[rule + RULE_MATCH_COUNT / 4] ?? 0;
    if (matchCount === 0) continue;
    const match = (words[rule + RULE_MATCHES / 4] ?? 0) / 4;
    const isChance = words[match + MATCH_KIND / 4] === MATCH_STATISTIC && words[match + MATCH_NEGATED / 4] === 0;
    if (matchCount > 1 || !isChance) return CHAIN_KIND_PLAIN;
  }
  return CHAIN_KIND_CHANCE;
}

/** No row asks anything of a packet: neither its destination nor its ports or class. */
function isPlain(words: Uint32Array, { columns, padded, columnCount }: Places, count: number): boolean {
  const ports = columns + (columnCount - 2) * padded;
  for (let row = 0; row < count; row++) {
    if (words[ports + padded + row] !== CLASSES_ANY || words[ports + row] !== PORTS_ANY) return false;
    for (let mask = columnCount / 2 - 1; mask < columnCount - 2; mask++) if (words[columns + mask * padded + row] !== 0) return false;
  }
  return true;
}

function copyRows(words: Uint32Array, from: Places, first: number, to: Places, row: number, count: number): void {
  for (let column = 0; column < to.columnCount; column++) {
    const start = from.columns + column * from.padded + first;
    words.copyWithin(to.columns + column * to.padded + row, start, start + count);
  }
  const start = from.rules + first * (RULE_SIZE / 4);
  words.copyWithin(to.rules + row * (RULE_SIZE / 4), start, start + count * (RULE_SIZE / 4));
}

/** @param image where the row begins in the image of rows. */
function writeRow(words: Uint32Array, to: Places, row: number, image: number): void {
  const { words: from } = rows;
  const addressWords = (to.columnCount - 2) / 2;
  let cell = to.columns + row;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_NETWORK + word] ?? 0;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_MASK + word] ?? 0;
  words[cell] = from[image + ROW_PORTS] ?? 0;
  words[cell + to.padded] = from[image + ROW_CLASSES] ?? 0;
  const at = to.rules + row * (RULE_SIZE / 4);
  words[at + RULE_TARGET / 4] = from[image + ROW_TARGET] ?? 0;
  words[at + RULE_A / 4] = from[image + ROW_A] ?? 0;
  words[at + RULE_B / 4] = from[image + ROW_B] ?? 0;
  words[at + RULE_MATCHES / 4] = from[image + ROW_MATCHES] ?? 0;
  words[at + RULE_MATCH_COUNT / 4] = from[image + ROW_MATCH_COUNT] ?? 0;
  words[at + RULE_SERVICE_PORT / 4] = from[image + ROW_SERVICE_PORT] ?? 0;
}
