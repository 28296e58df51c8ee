// The chains of all tables of a family: which record each has, what a change makes of them, and what their rules refer to.
import { UnsupportedError } from '../../errors.ts';
import type { TableChange } from '../../program/change.ts';
import type { PortRange, Rule } from '../../program/ruleset.ts';
import { type Annex, type ChainRecord, dropChain, type EncodedPart, type OwnSet, type PartSource, writeChain } from './chain-records.ts';
import { type Records, referenceTo } from './records.ts';
import { encodeRules, type RuleTargets } from './rule-records.ts';
import { writeSet } from './set-records.ts';
import type { SetTables } from './set-tables.ts';
import { TableImage } from './table-image.ts';
import type { TableContext } from './tables.ts';

/** A chain by table and name. */
interface Place {
  readonly table: string;
  readonly name: string;
}

/** A change being written: nothing of it counts before `commit`. */
interface Draft {
  /** Of chains that were not there before, by table and name. */
  readonly numbers: Map<string, Map<string, number>>;
  readonly written: { readonly table: string; readonly record: ChainRecord }[];
  readonly gone: Place[];
  readonly madeAnnexes: Annex[];
  readonly droppedAnnexes: Annex[];
}

export class ChainTables {
  readonly #records: Records;
  readonly #sets: SetTables;
  readonly #context: TableContext;
  readonly #addressWords: number;
  readonly #image = new TableImage();
  readonly #setImage = new TableImage();
  readonly #tables = new Map<string, Map<string, ChainRecord>>();
  /** How many annexes name an xt_recent list or dynamic set. */
  readonly #listUses = new Map<string, number>();
  #draft: Draft = emptyDraft();
  #ruleCount = 0;

  constructor(records: Records, sets: SetTables, context: TableContext, addressWords: number) {
    this.#records = records;
    this.#sets = sets;
    this.#context = context;
    this.#addressWords = addressWords;
  }

  /** The rules of all chains in force. */
  get ruleCount(): number {
    return this.#ruleCount;
  }

  /** Gives new chains their numbers, so that maps and rules can refer to them. */
  number(changes: readonly TableChange[]): void {
    for (const { name: table, added } of changes) {
      const known = this.#tables.get(table);
      const numbers = new Map<string, number>();
      for (const { name } of added) if (known?.has(name) !== true) numbers.set(name, this.#records.takeNumber());
      this.#draft.numbers.set(table, numbers);
    }
  }

  /** `retimed`: dynamic sets whose timeout changed; it stands in the words of rules that are otherwise the same. */
  write(changes: readonly TableChange[], retimed: ReadonlySet<string>): void {
    if (retimed.size > 0) this.#rewriteUsers(retimed, changes);
    for (const { name: table, removed, added } of changes) {
      const source = this.#partSource(table);
      const known = this.#tables.get(table);
      for (const chain of added) {
        const before = known?.get(chain.name);
        const number = before?.number ?? this.#draft.numbers.get(table)?.get(chain.name) ?? 0;
        const record = writeChain(chain, number, before, source);
        this.#records.setRecord(number, record.block.address);
        this.#draft.written.push({ table, record });
      }
      const kept = new Set(added.map(({ name }) => name));
      for (const { name } of removed) {
        const record = known?.get(name);
        if (record === undefined || kept.has(name)) continue;
        dropChain(record, source);
        this.#draft.gone.push({ table, name });
      }
    }
  }

  commit(): void {
    const { numbers, written, gone, madeAnnexes, droppedAnnexes } = this.#draft;
    for (const { table, name } of gone) {
      this.#ruleCount -= this.#tables.get(table)?.get(name)?.count ?? 0;
      this.#tables.get(table)?.delete(name);
    }
    for (const table of numbers.keys()) if (!this.#tables.has(table)) this.#tables.set(table, new Map());
    for (const { table, record } of written) {
      const chains = this.#tables.get(table);
      this.#ruleCount += record.count - (chains?.get(record.chain.name)?.count ?? 0);
      chains?.set(record.chain.name, record);
    }
    for (const { lists } of madeAnnexes) for (const list of lists) this.#listUses.set(list, (this.#listUses.get(list) ?? 0) + 1);
    for (const { lists } of droppedAnnexes) for (const list of lists) this.#listUses.set(list, (this.#listUses.get(list) ?? 0) - 1);
    this.#forgetUnused(droppedAnnexes);
    this.#draft = emptyDraft();
  }

  abort(): void {
    this.#forgetUnused(this.#draft.madeAnnexes);
    this.#draft = emptyDraft();
  }

  /** The reference to a chain, those of this change included. @throws UnsupportedError */
  reference(table: string, name: string): number {
    const number = this.#tables.get(table)?.get(name)?.number ?? this.#draft.numbers.get(table)?.get(name);
    if (number === undefined) throw new UnsupportedError(`table ${table} has no chain ${name}, but a rule leads there`);
    return referenceTo(number);
  }

  /** All chains in force, for checks and counters. */
  *all(): IterableIterator<{ readonly table: string; readonly record: ChainRecord }> {
    for (const [table, chains] of this.#tables) for (const record of chains.values()) yield { table, record };
  }

  #rewriteUsers(lists: ReadonlySet<string>, changes: readonly TableChange[]): void {
    const written = new Set(changes.flatMap(({ removed }) => removed));
    for (const { table, record } of this.all()) {
      if (written.has(record.chain)) continue;
      const annexes = [...record.annexes.values()];
      if (!annexes.some((annex) => annex.lists.some((list) => lists.has(list)))) continue;
      const source = this.#partSource(table);
      for (const annex of annexes) this.#dropAnnex(annex);
      this.#records.release(record.block);
      const rewritten = writeChain(record.chain, record.number, undefined, source);
      this.#records.setRecord(record.number, rewritten.block.address);
      this.#draft.written.push({ table, record: rewritten });
    }
  }

  #partSource(table: string): PartSource {
    return {
      records: this.#records,
      addressWords: this.#addressWords,
      encode: (part) => this.#encode(table, part),
      dropAnnex: (annex) => this.#dropAnnex(annex),
    };
  }

  #encode(table: string, part: readonly Rule[]): EncodedPart {
    const ownSets: OwnSet[] = [];
    const lists: string[] = [];
    const { rows, annex: block } = encodeRules(part, this.#ruleTargets(table, ownSets, lists), this.#image, this.#records);
    if (block.size === 0 && ownSets.length === 0 && lists.length === 0) return { rows, annex: undefined };
    const annex = { block, ownSets, lists };
    this.#draft.madeAnnexes.push(annex);
    return { rows, annex };
  }

  #dropAnnex(annex: Annex): void {
    this.#records.release(annex.block);
    for (const { block, number } of annex.ownSets) {
      this.#records.release(block);
      this.#records.giveNumber(number);
    }
    this.#draft.droppedAnnexes.push(annex);
  }

  #ruleTargets(table: string, ownSets: OwnSet[], lists: string[]): RuleTargets {
    const sets = this.#sets;
    const ownSet = (what: string, field: 'network' | 'port', keys: Iterable<string | number>): number => {
      this.#setImage.clear();
      const contents = Array.from(keys, (key) => ({ key: [key], servicePort: 0, value: 1 }));
      const at = writeSet(this.#setImage, what, [field], contents);
      const block = this.#records.place(this.#setImage);
      const number = this.#records.takeNumber();
      this.#records.setRecord(number, block.address + at);
      ownSets.push({ block, number });
      return referenceTo(number);
    };
    return {
      chainReference: (name) => this.reference(table, name),
      servicePortId: (name) => this.#context.servicePortId(name),
      setReference: (name) => sets.reference(name),
      setSelectors: (name, sides) => sets.selectors(name, sides),
      sightingSet: (name) => {
        const seconds = sets.timeoutOf(name);
        if (seconds === undefined) return undefined;
        lists.push(name);
        return { number: this.#context.sightingSet(name, seconds), seconds };
      },
      recentList: (name) => {
        lists.push(name);
        return this.#context.recentList(name);
      },
      addressSet: (prefixes) => ownSet('addresses of a rule', 'network', prefixes),
      portSet: (ranges) => ownSet('ports of a rule', 'port', portsIn(ranges)),
    };
  }

  #forgetUnused(annexes: readonly Annex[]): void {
    for (const { lists } of annexes) {
      for (const list of lists) {
        if ((this.#listUses.get(list) ?? 0) > 0) continue;
        this.#listUses.delete(list);
        this.#context.forgetList(list);
      }
    }
  }
}

function emptyDraft(): Draft {
  return { numbers: new Map(), written: [], gone: [], madeAnnexes: [], droppedAnnexes: [] };
}

function portsIn(ranges: readonly PortRange[]): Set<number> {
  return new Set(ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index)));
}
