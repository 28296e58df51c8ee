// The tables of one family as they lie in linear memory, and how the next Program changes them: only chains, sets and maps that are
// other objects than before are written, beside those in force, and one store puts them all in force. Virtual services follow at once.
import {
  ADDRESS_V4,
  ADDRESS_V6,
  ESTABLISHED_RUN,
  PRIORITY_CONNTRACK,
  PRIORITY_FIRST,
  ROOT_ESTABLISHED,
  ROOT_FIRST_PRIORITY,
  ROOT_LOCAL,
  ROOT_MASQUERADE,
} from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { changeOf, type ProgramChange } from '../../program/change.ts';
import { type EstablishedProof, establishedProof } from '../../program/established.ts';
import { itemsOf, listsOf } from '../../program/joined.ts';
import { emptyProgram, type Program } from '../../program/program.ts';
import { ruleCountOf } from '../../program/rule-count.ts';
import type { ChainRecord } from './chain-records.ts';
import { ChainTables } from './chain-tables.ts';
import { writeHooks } from './hook-records.ts';
import type { LinearMemory } from './memory.ts';
import { type Block, NO_BLOCK, Records } from './records.ts';
import { editSet, isWorthEditing, member, type SetShape, type SlotContent, type WrittenSet, writeSet } from './set-records.ts';
import { SetTables } from './set-tables.ts';
import type { TableContext } from './table-context.ts';
import { TableImage } from './table-image.ts';
import { writeAddress } from './wire.ts';

/** All records that the tables know of. */
export interface TableRecords {
  readonly records: Records;
  readonly addressWords: number;
  readonly chains: readonly ChainRecord[];
  /** The rules of chains of Endpoints: chains without a number. */
  readonly patterns: readonly ChainRecord[];
  /** Of maps: their values are references to chains. */
  readonly sets: readonly { readonly name: string; readonly number: number; readonly block: Block; readonly isMap: boolean }[];
  readonly rootBlocks: readonly Block[];
}

/** Blocks that the root alone points to. */
interface RootBlocks {
  readonly hooks: Block;
  readonly local: WrittenSet | undefined;
  readonly masquerade: Block;
}

const LOCAL_ADDRESSES: SetShape = { name: 'local addresses', key: ['network'], isMap: false };

export class ProgramTables {
  readonly #records: Records;
  readonly #image = new TableImage();
  readonly #sets: SetTables;
  readonly #chains: ChainTables;
  readonly #context: TableContext;
  readonly #addressWords: number;
  #program: Program;
  #proof: EstablishedProof | undefined;
  #ruleCount: number | undefined;
  #blocks: RootBlocks = { hooks: NO_BLOCK, local: undefined, masquerade: NO_BLOCK };

  /** `publish` stores the address of the root in force. */
  constructor(family: Family, memory: LinearMemory, context: TableContext, publish: (root: number) => void) {
    this.#addressWords = (family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6) / 4;
    this.#context = context;
    this.#program = emptyProgram(family);
    this.#records = new Records(memory, publish);
    this.#sets = new SetTables(this.#records);
    this.#chains = new ChainTables(this.#records, this.#sets, context, this.#addressWords);
  }

  /** Puts a Program in force, all of it or, when it cannot be written, nothing. @throws InvalidArgumentError, UnsupportedError, CapacityError */
  load(program: Program, now: number): void {
    const change = changeOf(this.#program, program);
    const proof = establishedProof(this.#proof, program, change);
    const services = this.#context.ipvs.plan(program.family, change.virtualServices, () => program.virtualServices);
    this.#records.begin();
    let blocks: RootBlocks;
    try {
      this.#chains.number(change.tables);
      const retimed = this.#sets.write(change.sets, change.maps, {
        // Maps belong to the only table of nftables mode; their verdicts name its chains.
        chainReference: (name) => this.#chains.reference(program.tables[0]?.name ?? '', name),
        servicePortId: (name) => this.#context.servicePortId(name),
      });
      this.#chains.write(change.tables, new Set(retimed));
      blocks = this.#writeRoot(program, change, proof);
      if (proof !== this.#proof) this.#writeEstablished(proof);
    } catch (error) {
      this.#chains.abort();
      this.#sets.abort();
      this.#records.abort();
      throw error;
    }
    this.#records.commit();
    this.#chains.commit();
    this.#sets.commit();
    this.#context.ipvs.load(services, program.ipvs?.timeouts, now);
    this.#blocks = blocks;
    this.#program = program;
    this.#proof = proof;
    this.#ruleCount = undefined;
  }

  /** A Program was put in force. */
  get isLoaded(): boolean {
    return this.#blocks.local !== undefined;
  }

  /** Bytes of all tables. */
  get usedBytes(): number {
    return this.#records.usedBytes;
  }

  /** Counted when somebody asks. */
  get ruleCount(): number {
    this.#ruleCount ??= ruleCountOf(this.#program);
    return this.#ruleCount;
  }

  /** For the self-check. */
  parts(): TableRecords {
    return {
      records: this.#records,
      addressWords: this.#addressWords,
      chains: [...this.#chains.all()],
      patterns: [...this.#chains.patterns()],
      sets: [...this.#sets.all()],
      rootBlocks: [this.#blocks.hooks, this.#blocks.local?.block ?? NO_BLOCK, this.#blocks.masquerade, this.#chains.thresholds],
    };
  }

  #writeRoot(program: Program, change: ProgramChange, proof: EstablishedProof): RootBlocks {
    let { hooks, local, masquerade } = this.#blocks;
    if (proof !== this.#proof) {
      this.#records.release(hooks);
      hooks = writeHooks(proof, this.#records, this.#image, (table, chain) => this.#chains.reference(table, chain));
    }
    const { removed, added } = change.localAddresses;
    if (local === undefined || removed.length + added.length > 0) {
      const edit = (before: WrittenSet): WrittenSet | undefined => {
        if (!isWorthEditing(before, change.localAddresses)) return undefined;
        const elements = { removed: removed.map((text) => [text]), added: added.map((text) => member([text])) };
        return editSet(this.#records, LOCAL_ADDRESSES, before, elements);
      };
      const all = (): SlotContent[] => itemsOf(listsOf(program).localAddresses).map((text) => member([text]));
      const before = local;
      local = (before && edit(before)) ?? writeSet(this.#records, LOCAL_ADDRESSES, all());
      if (before !== undefined) this.#records.release(before.block);
      this.#records.setField(ROOT_LOCAL, local.block.address);
    }
    if (program.masqueradeAddress !== this.#program.masqueradeAddress) {
      this.#records.release(masquerade);
      masquerade = this.#writeAddress(program.masqueradeAddress);
      this.#records.setField(ROOT_MASQUERADE, masquerade.address);
    }
    return { hooks, local, masquerade };
  }

  #writeAddress(text: string | undefined): Block {
    this.#image.clear();
    if (text !== undefined) {
      const at = this.#image.reserve(16);
      writeAddress(this.#image.words, at / 4, text);
    }
    return this.#records.place(this.#image);
  }

  #writeEstablished({ paths, isAskedBeforeConntrack }: EstablishedProof): void {
    this.#records.setField(ROOT_FIRST_PRIORITY, (isAskedBeforeConntrack ? PRIORITY_CONNTRACK : PRIORITY_FIRST) >>> 0);
    for (const [path, rules] of paths.entries())
      this.#records.setField(ROOT_ESTABLISHED + path * 4, rules === 'run' ? ESTABLISHED_RUN : rules);
  }
}
