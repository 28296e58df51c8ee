// Writes chains: header, columns and rules in one block, and behind them what the rules of a chain that no ServicePorts share point to. A
// changed chain gets a new block. In a shared one, what the rules of a part point to lies in an annex of its own: rows of unchanged parts
// are copied with their annexes left where they are. A chain that chooses among Endpoints has them behind all that.
import { addressTag } from '../../../assembly/shared/hash.ts';
import {
  ACTION_ACCEPT,
  ACTION_DROP,
  CHAIN_ALIKE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_END,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_SIZE,
  CHAIN_WRITTEN,
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
import { ChoiceChain } from '../../program/endpoint-chains.ts';
import { isJoined, rulesOf } from '../../program/joined.ts';
import type { Chain, Rule } from '../../program/ruleset.ts';
import { endpointsSize, writeChoice } from './choice-records.ts';
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
  /** Those of them that are written each by itself. */
  written: number;
  padded: number;
  /** Its rules come from many parts: each has its annex. Otherwise what the rules point to lies in the block of the chain. */
  isShared: boolean;
  annexes: ReadonlyMap<readonly Rule[], Annex>;
  /** A chain that chooses among Endpoints: the rules that it leads to. */
  pattern: ChainRecord | undefined;
}

/** Who encodes rules, and is told about annexes. */
export interface PartSource {
  readonly records: Records;
  /** Words of an address: 1 or 4. */
  readonly addressWords: number;
  /** The rules of the chains to choose from. */
  usePattern(choice: ChoiceChain): ChainRecord;
  dropPattern(choice: ChoiceChain): void;
  servicePortId(name: string): number;
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
  return { chain, number, block: NO_BLOCK, count: 0, written: 0, padded: 0, isShared: false, annexes: NO_ANNEXES, pattern: undefined };
}

/** Writes the chain of a record. @param before the chain of that name as it is, for what can be copied. */
export function writeChain(record: ChainRecord, before: ChainRecord | undefined, source: PartSource): void {
  const { chain } = record;
  record.isShared = isJoined(chain) && rulesOf(chain).parts.length > 0;
  if (chain instanceof ChoiceChain) record.pattern = source.usePattern(chain);
  rows.clear();
  if (before?.isShared === true && record.isShared) {
    writeEdits(record, before, rowEdits(rulesOf(before.chain), rulesOf(chain)), source);
  } else {
    for (const annex of before?.annexes.values() ?? []) source.dropAnnex(annex);
    if (record.isShared) writeEdits(record, undefined, wholeChain(chain), source);
    else writeOwnRules(record, source);
  }
  describeColumns(record, source);
  if (before !== undefined) dropBlock(before, source);
}

/** Gives back all that a chain holds. */
export function dropChain(record: ChainRecord, source: PartSource): void {
  dropRules(record, source);
  source.records.giveNumber(record.number);
}

/** All but its number. */
export function dropRules(record: ChainRecord, source: PartSource): void {
  for (const annex of record.annexes.values()) source.dropAnnex(annex);
  dropBlock(record, source);
}

function dropBlock({ chain, block }: ChainRecord, source: PartSource): void {
  if (chain instanceof ChoiceChain) source.dropPattern(chain);
  source.records.release(block);
}

function writeOwnRules(record: ChainRecord, source: PartSource): void {
  const { chain, pattern } = record;
  const choice = chain instanceof ChoiceChain ? chain : undefined;
  const rules = choice === undefined ? chain.rules : choice.first;
  annex.clear();
  source.encode(rules, rows, annex);
  const written = rows.count;
  const columns = rows.arePlain(written) ? 0 : written;
  const { addressWords } = source;
  const room = annex.size + (choice === undefined ? 0 : endpointsSize(choice, addressWords));
  const to = layOut(record, { count: choice?.ruleCount ?? written, written, columns, room }, source);
  const { words } = source.records.memory;
  const choiceRule = to.rules * 4 + written * RULE_SIZE;
  const end = choice === undefined ? choiceRule : choiceRule + RULE_SIZE;
  rows.settle(end);
  annex.place(words, end);
  for (let row = 0; row < written; row++) {
    if (row < columns) writeColumns(words, to, row, row * ROW_WORDS);
    writeRule(words, to, row, row * ROW_WORDS);
  }
  if (choice !== undefined && pattern !== undefined) {
    const servicePort = source.servicePortId(choice.among.servicePort);
    const place = { rule: choiceRule, endpoints: end + annex.size, written, pattern: pattern.block.address, servicePort, addressWords };
    writeChoice(words, choice, place);
  }
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
  const to = layOut(record, { count, written: count, columns: count, room: 0 }, source);
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
    for (const end = row + lengthOf(added); row < end; row++, image += ROW_WORDS) {
      writeColumns(words, to, row, image);
      writeRule(words, to, row, image);
    }
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

/** What a chain takes. */
interface Extent {
  /** Rules, and those of them that are written each by itself. */
  readonly count: number;
  readonly written: number;
  /** Rows of the columns; none, when they hold nothing. */
  readonly columns: number;
  /** Bytes behind the rules. */
  readonly room: number;
}

/** Takes a block for a chain, and writes all but the rules. */
function layOut(record: ChainRecord, { count, written, columns, room }: Extent, { records, addressWords }: PartSource): Places {
  const pad = columns >= CHAIN_PAD ? CHAIN_PAD : CHAIN_PAD_SHORT;
  const padded = Math.ceil(columns / pad) * pad;
  const columnCount = addressWords * 2 + 2;
  const rules = count > written ? written + 1 : written;
  const block = records.allocate(CHAIN_SIZE + (columnCount * padded + tagWords(padded, written)) * 4 + rules * RULE_SIZE + room);
  record.block = block;
  record.count = count;
  record.written = written;
  record.padded = padded;
  const to = placesOf(record, columnCount);
  const { words } = records.memory;
  words[(block.address + CHAIN_COUNT) / 4] = count;
  words[(block.address + CHAIN_WRITTEN) / 4] = written;
  words[(block.address + CHAIN_PADDED) / 4] = padded;
  words[(block.address + CHAIN_COLUMNS) / 4] = to.columns * 4;
  words[(block.address + CHAIN_RULES) / 4] = to.rules * 4;
  words[(block.address + CHAIN_END) / 4] = record.chain.base?.policy === 'drop' ? ACTION_DROP : ACTION_ACCEPT;
  if (padded > 0) words.fill(PORTS_NONE, to.columns + (columnCount - 2) * padded + written, to.columns + (columnCount - 1) * padded);
  return to;
}

function placesOf({ block, written, padded }: ChainRecord, columnCount: number): Places {
  const columns = (block.address + CHAIN_SIZE) / 4;
  const tags = columns + columnCount * padded;
  return { columns, padded, tags, rules: tags + tagWords(padded, written), columnCount };
}

/** Words of the tags of a chain: two rules a word, in chains with columns that are long enough to have blocks of rules that are alike. */
function tagWords(padded: number, written: number): number {
  return padded < CHAIN_PAD ? 0 : (written - (written % CHAIN_PAD)) / 2;
}

/** What the columns of a long chain have in common, so that the core need not look at all of them. */
function describeColumns(record: ChainRecord, { records, addressWords }: PartSource): void {
  const { words } = records.memory;
  const places = placesOf(record, addressWords * 2 + 2);
  const alike = record.padded < CHAIN_PAD ? 0 : alikeRows(words, places, record.written);
  words[(record.block.address + CHAIN_ALIKE) / 4] = alike;
  writeTags(words, places, alike);
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
    words[tags + row / 2] = addressTag(words[lastWord + row] ?? 0) | (addressTag(words[lastWord + row + 1] ?? 0) << 16);
  }
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
function writeColumns(words: Uint32Array, to: Places, row: number, image: number): void {
  const { words: from } = rows;
  const addressWords = (to.columnCount - 2) / 2;
  let cell = to.columns + row;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_NETWORK + word] ?? 0;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_MASK + word] ?? 0;
  words[cell] = from[image + ROW_PORTS] ?? 0;
  words[cell + to.padded] = from[image + ROW_CLASSES] ?? 0;
}

function writeRule(words: Uint32Array, to: Places, row: number, image: number): void {
  const { words: from } = rows;
  const at = to.rules + row * (RULE_SIZE / 4);
  words[at + RULE_TARGET / 4] = from[image + ROW_TARGET] ?? 0;
  words[at + RULE_A / 4] = from[image + ROW_A] ?? 0;
  words[at + RULE_B / 4] = from[image + ROW_B] ?? 0;
  words[at + RULE_MATCHES / 4] = from[image + ROW_MATCHES] ?? 0;
  words[at + RULE_MATCH_COUNT / 4] = from[image + ROW_MATCH_COUNT] ?? 0;
  words[at + RULE_SERVICE_PORT / 4] = from[image + ROW_SERVICE_PORT] ?? 0;
}
