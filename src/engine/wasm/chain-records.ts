// Writes chains, each in one block: its rows, behind them what the rules of a chain that no ServicePorts share point to, and the Endpoints
// of a chain that chooses. A changed chain gets a new block. In a shared one, what the rules of a part point to lies in an annex of its own:
// rows of unchanged parts are copied with their annexes left where they are.
import { ACTION_ACCEPT, ACTION_DROP, RULE_SIZE } from '../../../assembly/shared/layout.ts';
import { type RowEdit, rowEdits } from '../../program/change.ts';
import { ChoiceChain } from '../../program/endpoint-chains.ts';
import { isJoined, rulesOf } from '../../program/joined.ts';
import type { Chain, Rule } from '../../program/ruleset.ts';
import { type ChainMemory, type ChainRows, copyRows, describeColumns, layOut, placesOf, writeColumns, writeRule } from './chain-rows.ts';
import { endpointsSize, writeChoice } from './choice-records.ts';
import { type Block, NO_BLOCK } from './records.ts';
import { ROW_WORDS, RowImage } from './row-image.ts';
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
export interface ChainRecord extends ChainRows {
  readonly chain: Chain;
  readonly number: number;
  /** Its rules come from many parts: each has its annex. Otherwise what the rules point to lies in the block of the chain. */
  isShared: boolean;
  annexes: ReadonlyMap<readonly Rule[], Annex>;
  /** A chain that chooses among Endpoints: the rules that it leads to. */
  pattern: ChainRecord | undefined;
}

/** Who encodes rules, and is told about annexes. */
export interface PartSource extends ChainMemory {
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
  const to = layOut(record, { count: choice?.ruleCount ?? written, written, columns, room }, endOf(chain), source);
  const { words } = source.records.memory;
  const choiceRule = to.rules * 4 + written * RULE_SIZE;
  const end = choice === undefined ? choiceRule : choiceRule + RULE_SIZE;
  rows.settle(end);
  annex.place(words, end);
  for (let row = 0; row < written; row++) {
    if (row < columns) writeColumns(words, to, row, rows, row * ROW_WORDS);
    writeRule(words, to, row, rows, row * ROW_WORDS);
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
  const to = layOut(record, { count, written: count, columns: count, room: 0 }, endOf(record.chain), source);
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
      writeColumns(words, to, row, rows, image);
      writeRule(words, to, row, rows, image);
    }
    old += lengthOf(removed);
  }
  copyTo(before?.count ?? 0);
}

/** What becomes of a packet at the end of a base chain: its policy. */
function endOf({ base }: Chain): number {
  return base?.policy === 'drop' ? ACTION_DROP : ACTION_ACCEPT;
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
