// The chains of all tables of a family: which record each has, what a change makes of them, and what their rules refer to.
import type { TableChange } from '../../program/change.ts';
import { ChoiceChain, EndpointChains } from '../../program/endpoint-chains.ts';
import { type Annex, type ChainRecord, dropChain, newChainRecord, writeChain } from './chain-records.ts';
import { DrawThresholds } from './draw-thresholds.ts';
import { EndpointPatterns } from './endpoint-patterns.ts';
import { chainReference, PartEncoder } from './part-encoder.ts';
import type { Block, Records } from './records.ts';
import type { SetTables } from './set-tables.ts';
import type { TableContext } from './table-context.ts';

/** A chain by table and name. */
interface Place {
  readonly table: string;
  readonly name: string;
}

/** A change being written: nothing of it counts before `commit`. */
interface Draft {
  /** Chains to write, by table. One that was not there before is in its table already, so that others can refer to it. */
  readonly written: Map<string, ChainRecord[]>;
  /** What those that were there were. */
  readonly before: Map<ChainRecord, ChainRecord>;
  readonly gone: Place[];
  readonly madeAnnexes: Annex[];
  readonly droppedAnnexes: Annex[];
}

export class ChainTables {
  readonly #records: Records;
  readonly #sets: SetTables;
  readonly #context: TableContext;
  readonly #addressWords: number;
  readonly #tables = new Map<string, Map<string, ChainRecord>>();
  /** By table. */
  readonly #patterns = new Map<string, EndpointPatterns>();
  readonly #thresholds: DrawThresholds;
  /** How many annexes name an xt_recent list or dynamic set. */
  readonly #listUses = new Map<string, number>();
  #draft: Draft = emptyDraft();

  constructor(records: Records, sets: SetTables, context: TableContext, addressWords: number) {
    this.#records = records;
    this.#sets = sets;
    this.#context = context;
    this.#addressWords = addressWords;
    this.#thresholds = new DrawThresholds(records);
  }

  /** Gives new chains their numbers, so that maps and rules can refer to them. */
  number(changes: readonly TableChange[]): void {
    for (const { name: table, added } of changes) {
      const chains = this.#chainsOf(table);
      const written: ChainRecord[] = [];
      this.#draft.written.set(table, written);
      for (const chain of added) {
        // They are where chains choose among them.
        if (chain instanceof EndpointChains) continue;
        if (chain instanceof ChoiceChain && chain.among.isDrawnInTurn) this.#thresholds.reach(chain.endpoints.length);
        const before = chains.get(chain.name);
        const record = newChainRecord(chain, before?.number ?? this.#records.takeNumber());
        written.push(record);
        if (before === undefined) chains.set(chain.name, record);
        else this.#draft.before.set(record, before);
      }
    }
  }

  /** Writes numbered chains. `retimed`: dynamic sets whose timeout changed; it stands in the words of rules that are otherwise the same. */
  write(changes: readonly TableChange[], retimed: ReadonlySet<string>): void {
    if (retimed.size > 0) this.#numberUsers(retimed, changes);
    const { written, before } = this.#draft;
    for (const { name } of changes) this.#patternsOf(name).begin();
    for (const [table, records] of written) {
      const source = this.#encoder(table);
      for (const [index, record] of records.entries()) {
        source.expect(records, index + 1);
        writeChain(record, before.get(record), source);
        this.#records.setRecord(record.number, record.block.address);
      }
    }
    for (const { name: table, removed, added } of changes) {
      this.#dropRemoved(table, removed, added);
      this.#patternsOf(table).dropUnused(this.#encoder(table));
    }
  }

  commit(): void {
    const { written, before, gone, madeAnnexes, droppedAnnexes } = this.#draft;
    for (const { table, name } of gone) this.#chainsOf(table).delete(name);
    for (const [table, records] of written) {
      for (const record of records) if (before.has(record)) this.#chainsOf(table).set(record.chain.name, record);
    }
    for (const patterns of this.#patterns.values()) patterns.commit();
    this.#thresholds.commit();
    for (const { lists } of madeAnnexes) for (const list of lists) this.#listUses.set(list, (this.#listUses.get(list) ?? 0) + 1);
    for (const { lists } of droppedAnnexes) for (const list of lists) this.#listUses.set(list, (this.#listUses.get(list) ?? 0) - 1);
    this.#forgetUnused(droppedAnnexes);
    this.#draft = emptyDraft();
  }

  abort(): void {
    const { written, before } = this.#draft;
    for (const [table, records] of written) {
      for (const record of records) if (!before.has(record)) this.#chainsOf(table).delete(record.chain.name);
    }
    for (const patterns of this.#patterns.values()) patterns.abort();
    this.#thresholds.abort();
    this.#forgetUnused(this.#draft.madeAnnexes);
    this.#draft = emptyDraft();
  }

  /** The reference to a chain, those of this change included. @throws UnsupportedError */
  reference(table: string, name: string): number {
    return chainReference(table, this.#chainsOf(table), name);
  }

  /** All chains in force but those of Endpoints, for checks; so are the others. */
  *all(): IterableIterator<ChainRecord> {
    for (const chains of this.#tables.values()) yield* chains.values();
  }

  *patterns(): IterableIterator<ChainRecord> {
    for (const patterns of this.#patterns.values()) yield* patterns.all();
  }

  get thresholds(): Block {
    return this.#thresholds.block;
  }

  #chainsOf(table: string): Map<string, ChainRecord> {
    const chains = this.#tables.get(table) ?? new Map<string, ChainRecord>();
    this.#tables.set(table, chains);
    return chains;
  }

  #patternsOf(table: string): EndpointPatterns {
    const patterns = this.#patterns.get(table) ?? new EndpointPatterns();
    this.#patterns.set(table, patterns);
    return patterns;
  }

  #dropRemoved(table: string, removed: TableChange['removed'], added: TableChange['added']): void {
    if (removed.length === 0) return;
    const gone = new Set(namesIn(removed));
    for (const name of namesIn(added)) gone.delete(name);
    for (const name of gone) {
      const record = this.#chainsOf(table).get(name);
      if (record === undefined) continue;
      dropChain(record, this.#encoder(table));
      this.#draft.gone.push({ table, name });
    }
  }

  /** Chains that name one of the lists are written again, whole, unless they change or go anyway. */
  #numberUsers(lists: ReadonlySet<string>, changes: readonly TableChange[]): void {
    const { written, before } = this.#draft;
    const changed = new Set(changes.flatMap(({ removed }) => removed));
    const inForce = Array.from(this.#tables, ([table, chains]) => Array.from(chains.values(), (record) => ({ table, record })));
    for (const { table, record } of inForce.flat()) {
      if (changed.has(record.chain)) continue;
      const isUser = [...record.annexes.values()].some((annex) => annex.lists.some((list) => lists.has(list)));
      if (!isUser) continue;
      const rewritten = newChainRecord(record.chain, record.number);
      const records = written.get(table) ?? [];
      written.set(table, records);
      records.push(rewritten);
      before.set(rewritten, { ...record, isShared: false });
    }
  }

  #encoder(table: string): PartEncoder {
    const draft = this.#draft;
    return new PartEncoder(table, this.#chainsOf(table), {
      records: this.#records,
      sets: this.#sets,
      context: this.#context,
      addressWords: this.#addressWords,
      patterns: this.#patternsOf(table),
      noteMade: (annex) => draft.madeAnnexes.push(annex),
      noteDropped: (annex) => draft.droppedAnnexes.push(annex),
    });
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

function namesIn(items: TableChange['removed']): string[] {
  return items.flatMap((item) => (item instanceof EndpointChains ? [] : item.name));
}

function emptyDraft(): Draft {
  return { written: new Map(), before: new Map(), gone: [], madeAnnexes: [], droppedAnnexes: [] };
}
