// Encodes the rules of one table, part by part: finds what they refer to, and keeps book of what a part alone owns.
import { UnsupportedError } from '../../errors.ts';
import type { ChoiceChain } from '../../program/endpoint-chains.ts';
import type { PortRange, Rule } from '../../program/ruleset.ts';
import type { Annex, ChainRecord, OwnSet, PartSource } from './chain-records.ts';
import type { EndpointPatterns } from './endpoint-patterns.ts';
import { type Block, type Records, referenceTo } from './records.ts';
import type { RowImage } from './row-image.ts';
import { encodeRules, type RuleTargets } from './rule-records.ts';
import { member, writeSet } from './set-records.ts';
import type { SetTables } from './set-tables.ts';
import type { TableContext } from './table-context.ts';
import type { TableImage } from './table-image.ts';

/** What tables of one family have in common. */
export interface EncoderContext {
  readonly records: Records;
  readonly sets: SetTables;
  readonly context: TableContext;
  readonly addressWords: number;
  /** Of the chains of Endpoints of the table. */
  readonly patterns: EndpointPatterns;
  noteMade(annex: Annex): void;
  noteDropped(annex: Annex): void;
}

export class PartEncoder implements PartSource, RuleTargets {
  readonly table: string;
  readonly records: Records;
  readonly addressWords: number;
  readonly addressSize: number;
  readonly #chains: ReadonlyMap<string, ChainRecord>;
  readonly #shared: EncoderContext;
  // Of the part at hand.
  #ownSets: OwnSet[] = [];
  #lists: string[] = [];
  // Rules that follow each other name the same ServicePort, mostly, and lead to the chains that are written next.
  #lastServicePort = { name: '', id: 0 };
  #expected: readonly ChainRecord[] = [];
  #next = 0;

  /** @param chains of the table, by name. */
  constructor(table: string, chains: ReadonlyMap<string, ChainRecord>, shared: EncoderContext) {
    this.table = table;
    this.records = shared.records;
    this.addressWords = shared.addressWords;
    this.addressSize = shared.addressWords * 4;
    this.#chains = chains;
    this.#shared = shared;
  }

  usePattern(choice: ChoiceChain): ChainRecord {
    return this.#shared.patterns.use(choice, this);
  }

  dropPattern(choice: ChoiceChain): void {
    this.#shared.patterns.drop(choice);
  }

  encode(part: readonly Rule[], rows: RowImage, annex: TableImage): void {
    encodeRules(part, rows, annex, this);
  }

  takeAnnex(block: Block): Annex | undefined {
    if (block.size === 0 && this.#ownSets.length === 0 && this.#lists.length === 0) return undefined;
    const annex = { block, ownSets: this.#ownSets, lists: this.#lists };
    this.#ownSets = [];
    this.#lists = [];
    this.#shared.noteMade(annex);
    return annex;
  }

  dropAnnex(annex: Annex): void {
    this.records.release(annex.block);
    for (const { block, number } of annex.ownSets) {
      this.records.release(block);
      this.records.giveNumber(number);
    }
    this.#shared.noteDropped(annex);
  }

  /** Rules to come lead to these chains, in this order: a guess that saves looking for them by name. */
  expect(chains: readonly ChainRecord[], first: number): void {
    this.#expected = chains;
    this.#next = first;
  }

  chainReference(name: string): number {
    const guess = this.#expected[this.#next];
    if (guess?.chain.name !== name) return chainReference(this.table, this.#chains, name);
    this.#next++;
    return referenceTo(guess.number);
  }

  servicePortId(name: string): number {
    if (this.#lastServicePort.name !== name) this.#lastServicePort = { name, id: this.#shared.context.servicePortId(name) };
    return this.#lastServicePort.id;
  }

  setReference(name: string): number {
    return this.#shared.sets.reference(name);
  }

  setSelectors(name: string, sides: readonly ('src' | 'dst')[]): number {
    return this.#shared.sets.selectors(name, sides);
  }

  sightingSet(name: string): { readonly number: number; readonly seconds: number } | undefined {
    const seconds = this.#shared.sets.timeoutOf(name);
    if (seconds === undefined) return undefined;
    this.#lists.push(name);
    return { number: this.#shared.context.sightingSet(name, seconds), seconds };
  }

  recentList(name: string): number {
    this.#lists.push(name);
    return this.#shared.context.recentList(name);
  }

  addressSet(prefixes: readonly string[]): number {
    return this.#ownSet('addresses of a rule', 'network', prefixes);
  }

  portSet(ranges: readonly PortRange[]): number {
    return this.#ownSet('ports of a rule', 'port', portsIn(ranges));
  }

  #ownSet(name: string, field: 'network' | 'port', keys: Iterable<string | number>): number {
    const contents = Array.from(keys, (key) => member([key]));
    const { block } = writeSet(this.records, { name, key: [field], isMap: false }, contents);
    const number = this.records.takeNumber();
    this.records.setRecord(number, block.address);
    this.#ownSets.push({ block, number });
    return referenceTo(number);
  }
}

/** The reference to a chain of a table. @throws UnsupportedError */
export function chainReference(table: string, chains: ReadonlyMap<string, ChainRecord>, name: string): number {
  const record = chains.get(name);
  if (record === undefined) throw new UnsupportedError(`table ${table} has no chain ${name}, but a rule leads there`);
  return referenceTo(record.number);
}

function portsIn(ranges: readonly PortRange[]): Set<number> {
  return new Set(ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index)));
}
