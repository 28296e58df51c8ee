// Writes chains: header, columns and rules in one block, what the rules point to in an annex for each part of the chain. A changed chain
// gets a new block; rows of unchanged parts are copied into it with their annexes left where they are.
import {
  ACTION_ACCEPT,
  ACTION_DROP,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_END,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_SIZE,
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
import { rulesOf } from '../../program/joined.ts';
import type { Chain, Rule } from '../../program/ruleset.ts';
import type { Block, Records } from './records.ts';
import type { Row } from './rule-records.ts';

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

export interface EncodedPart {
  readonly rows: readonly Row[];
  readonly annex: Annex | undefined;
}

/** A chain as it lies in memory. */
export interface ChainRecord {
  readonly chain: Chain;
  readonly number: number;
  readonly block: Block;
  readonly count: number;
  readonly padded: number;
  readonly annexes: ReadonlyMap<readonly Rule[], Annex>;
}

/** Where the writer gets parts from, and whom it tells about annexes. */
export interface PartSource {
  readonly records: Records;
  /** Words of an address: 1 or 4. */
  readonly addressWords: number;
  encode(part: readonly Rule[]): EncodedPart;
  dropAnnex(annex: Annex): void;
}

/** @param before the chain of that name as it is, for what can be copied. */
export function writeChain(chain: Chain, number: number, before: ChainRecord | undefined, source: PartSource): ChainRecord {
  const edits = before === undefined ? [wholeChain(chain)] : rowEdits(rulesOf(before.chain), rulesOf(chain));
  const annexes = new Map(before?.annexes);
  const encoded = edits.map((edit) => ({ ...edit, rows: encodeParts(edit, annexes, source) }));
  const oldCount = before?.count ?? 0;
  const count = encoded.reduce((sum, { removed, rows }) => sum + rows.length - lengthOf(removed), oldCount);
  const pad = count >= CHAIN_PAD ? CHAIN_PAD : CHAIN_PAD_SHORT;
  const padded = Math.ceil(count / pad) * pad;
  const columnCount = source.addressWords * 2 + 2;
  const block = source.records.allocate(CHAIN_SIZE + columnCount * padded * 4 + count * RULE_SIZE);
  const { words } = source.records.memory;
  const columns = block.address + CHAIN_SIZE;
  const rules = columns + columnCount * padded * 4;
  words[(block.address + CHAIN_COUNT) / 4] = count;
  words[(block.address + CHAIN_PADDED) / 4] = padded;
  words[(block.address + CHAIN_COLUMNS) / 4] = columns;
  words[(block.address + CHAIN_RULES) / 4] = rules;
  words[(block.address + CHAIN_END) / 4] = chain.base?.policy === 'drop' ? ACTION_DROP : ACTION_ACCEPT;
  const to: Rows = { columns: columns / 4, padded, rules: rules / 4, columnCount };
  const from: Rows | undefined = before === undefined ? undefined : rowsOf(before, columnCount);
  let row = 0;
  let old = 0;
  const copyTo = (end: number): void => {
    if (from !== undefined && end > old) copyRows(words, from, old, to, row, end - old);
    row += end - old;
    old = end;
  };
  for (const { at, removed, rows } of encoded) {
    copyTo(at);
    for (const one of rows) writeRow(words, to, row++, one, source.addressWords);
    old += lengthOf(removed);
  }
  copyTo(oldCount);
  for (let index = count; index < padded; index++) words[to.columns + (columnCount - 2) * padded + index] = PORTS_NONE;
  if (before !== undefined) source.records.release(before.block);
  return { chain, number, block, count, padded, annexes };
}

/** Gives back all that a chain holds. */
export function dropChain(record: ChainRecord, source: PartSource): void {
  for (const annex of record.annexes.values()) source.dropAnnex(annex);
  source.records.release(record.block);
  source.records.giveNumber(record.number);
}

function wholeChain(chain: Chain): RowEdit {
  const { head, parts, tail } = rulesOf(chain);
  return { at: 0, removed: [], added: [head, ...parts, tail] };
}

function encodeParts({ removed, added }: RowEdit, annexes: Map<readonly Rule[], Annex>, source: PartSource): Row[] {
  const rows: Row[] = [];
  for (const part of removed) {
    const annex = annexes.get(part);
    if (annex === undefined) continue;
    annexes.delete(part);
    source.dropAnnex(annex);
  }
  for (const part of added) {
    if (part.length === 0) continue;
    const encoded = source.encode(part);
    if (encoded.annex !== undefined) annexes.set(part, encoded.annex);
    for (const row of encoded.rows) rows.push(row);
  }
  return rows;
}

function lengthOf(parts: readonly (readonly Rule[])[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}

/** Where the rows of a chain lie, in words. */
interface Rows {
  readonly columns: number;
  readonly padded: number;
  readonly rules: number;
  readonly columnCount: number;
}

function rowsOf({ block, padded }: ChainRecord, columnCount: number): Rows {
  const columns = (block.address + CHAIN_SIZE) / 4;
  return { columns, padded, rules: columns + columnCount * padded, columnCount };
}

function copyRows(words: Uint32Array, from: Rows, first: number, to: Rows, row: number, count: number): void {
  for (let column = 0; column < to.columnCount; column++) {
    const start = from.columns + column * from.padded + first;
    words.copyWithin(to.columns + column * to.padded + row, start, start + count);
  }
  const start = from.rules + first * (RULE_SIZE / 4);
  words.copyWithin(to.rules + row * (RULE_SIZE / 4), start, start + count * (RULE_SIZE / 4));
}

function writeRow(words: Uint32Array, to: Rows, row: number, { network, mask, ...rule }: Row, addressWords: number): void {
  const cell = to.columns + row;
  for (let word = 0; word < network.length; word++) {
    words[cell + word * to.padded] = network[word] ?? 0;
    words[cell + (addressWords + word) * to.padded] = mask[word] ?? 0;
  }
  words[cell + addressWords * 2 * to.padded] = rule.ports;
  words[cell + (addressWords * 2 + 1) * to.padded] = rule.classes;
  const at = to.rules + row * (RULE_SIZE / 4);
  words[at + RULE_TARGET / 4] = rule.target;
  words[at + RULE_A / 4] = rule.a;
  words[at + RULE_B / 4] = rule.b;
  words[at + RULE_MATCHES / 4] = rule.matches;
  words[at + RULE_MATCH_COUNT / 4] = rule.matchCount;
  words[at + RULE_SERVICE_PORT / 4] = rule.servicePort;
}
