// Where the parts of a chain lie in its block: header, columns, tags and rules; and how rows come there.
import { addressTag } from '../../../assembly/shared/hash.ts';
import {
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
import type { Block, Records } from './records.ts';
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
  type RowImage,
} from './row-image.ts';

/** The block of a chain, and what is in it. */
export interface ChainRows {
  block: Block;
  /** Rules. */
  count: number;
  /** Those of them that are written each by itself. */
  written: number;
  /** As CHAIN_PADDED. */
  padded: number;
}

/** The memory of a family's chains. */
export interface ChainMemory {
  readonly records: Records;
  /** Words of an address: 1 or 4. */
  readonly addressWords: number;
}

/** Where the rows of a chain lie, in words. */
export interface Places {
  readonly columns: number;
  readonly padded: number;
  readonly tags: number;
  readonly rules: number;
  readonly columnCount: number;
}

/** What a chain takes. */
export interface Extent {
  /** Rules, and those of them that are written each by itself. */
  readonly count: number;
  readonly written: number;
  /** Rows of the columns; none, when they hold nothing. */
  readonly columns: number;
  /** Bytes behind the rules. */
  readonly room: number;
}

/** Takes a block for a chain, and writes all but the rules. `end`: ACTION_* of whoever comes to its end. */
export function layOut(
  chain: ChainRows,
  { count, written, columns, room }: Extent,
  end: number,
  { records, addressWords }: ChainMemory,
): Places {
  const pad = columns >= CHAIN_PAD ? CHAIN_PAD : CHAIN_PAD_SHORT;
  const padded = Math.ceil(columns / pad) * pad;
  const columnCount = addressWords * 2 + 2;
  const rules = count > written ? written + 1 : written;
  const block = records.allocate(CHAIN_SIZE + (columnCount * padded + tagWords(padded, written)) * 4 + rules * RULE_SIZE + room);
  chain.block = block;
  chain.count = count;
  chain.written = written;
  chain.padded = padded;
  const to = placesOf(chain, columnCount);
  const { words } = records.memory;
  words[(block.address + CHAIN_COUNT) / 4] = count;
  words[(block.address + CHAIN_WRITTEN) / 4] = written;
  words[(block.address + CHAIN_PADDED) / 4] = padded;
  words[(block.address + CHAIN_COLUMNS) / 4] = to.columns * 4;
  words[(block.address + CHAIN_RULES) / 4] = to.rules * 4;
  words[(block.address + CHAIN_END) / 4] = end;
  if (padded > 0) words.fill(PORTS_NONE, to.columns + (columnCount - 2) * padded + written, to.columns + (columnCount - 1) * padded);
  return to;
}

export function placesOf({ block, written, padded }: ChainRows, columnCount: number): Places {
  const columns = (block.address + CHAIN_SIZE) / 4;
  const tags = columns + columnCount * padded;
  return { columns, padded, tags, rules: tags + tagWords(padded, written), columnCount };
}

/** Words of the tags of a chain: two rules a word, in chains with columns that are long enough to have blocks of rules that are alike. */
function tagWords(padded: number, written: number): number {
  return padded < CHAIN_PAD ? 0 : (written - (written % CHAIN_PAD)) / 2;
}

/** What the columns of a long chain have in common, so that the core need not look at all of them. */
export function describeColumns(chain: ChainRows, { records, addressWords }: ChainMemory): void {
  if (chain.padded < CHAIN_PAD) return;
  const { words } = records.memory;
  const places = placesOf(chain, addressWords * 2 + 2);
  const alike = alikeRows(words, places, chain.written);
  words[(chain.block.address + CHAIN_ALIKE) / 4] = alike;
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

/** Rows of the chain as it was. */
export function copyRows(words: Uint32Array, from: Places, first: number, to: Places, row: number, count: number): void {
  for (let column = 0; column < to.columnCount; column++) {
    const start = from.columns + column * from.padded + first;
    words.copyWithin(to.columns + column * to.padded + row, start, start + count);
  }
  const start = from.rules + first * (RULE_SIZE / 4);
  words.copyWithin(to.rules + row * (RULE_SIZE / 4), start, start + count * (RULE_SIZE / 4));
}

/** A row of an image: what it asks, in the columns. @param image where it begins there. */
export function writeColumns(words: Uint32Array, to: Places, row: number, { words: from }: RowImage, image: number): void {
  const addressWords = (to.columnCount - 2) / 2;
  let cell = to.columns + row;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_NETWORK + word] ?? 0;
  for (let word = 0; word < addressWords; word++, cell += to.padded) words[cell] = from[image + ROW_MASK + word] ?? 0;
  words[cell] = from[image + ROW_PORTS] ?? 0;
  words[cell + to.padded] = from[image + ROW_CLASSES] ?? 0;
}

/** And the rule itself. */
export function writeRule(words: Uint32Array, to: Places, row: number, { words: from }: RowImage, image: number): void {
  const at = to.rules + row * (RULE_SIZE / 4);
  words[at + RULE_TARGET / 4] = from[image + ROW_TARGET] ?? 0;
  words[at + RULE_A / 4] = from[image + ROW_A] ?? 0;
  words[at + RULE_B / 4] = from[image + ROW_B] ?? 0;
  words[at + RULE_MATCHES / 4] = from[image + ROW_MATCHES] ?? 0;
  words[at + RULE_MATCH_COUNT / 4] = from[image + ROW_MATCH_COUNT] ?? 0;
  words[at + RULE_SERVICE_PORT / 4] = from[image + ROW_SERVICE_PORT] ?? 0;
}
