// The self-check of a family's tables: walks chains and sets from the root and says what does not hold. For tests,
// after every change.
import { addressTag, hashEnd, hashWord, nextSlot } from '../../../assembly/shared/hash.ts';
import {
  BASE_CHAIN,
  BASE_SIZE,
  CHAIN_ALIKE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_PAD,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_SIZE,
  CHAIN_WRITTEN,
  HOOK_COUNT,
  MATCH_A,
  MATCH_KIND,
  MATCH_SET,
  MATCH_SIZE,
  PORTS_NONE,
  ROOT_HOOKS,
  ROOT_LOCAL,
  ROOT_SIZE,
  ROOT_THRESHOLDS,
  RULE_A,
  RULE_B,
  RULE_C,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SIZE,
  RULE_TARGET,
  SET_KEY_WORDS,
  SET_SLOT_MASK,
  SET_SLOTS,
  SLOT_HASH,
  SLOT_KEY,
  SLOT_VALUE,
  TARGET_DNAT,
  TARGET_DRAW,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_RANDOM_CHAIN,
  TARGET_RANDOM_ENDPOINT,
  TARGET_SNAT,
  TARGET_VERDICT_MAP,
  VALUE_DROP,
} from '../../../assembly/shared/layout.ts';
import { CoreError } from '../../errors.ts';
import { oneInThreshold } from '../../program/chance.ts';
import type { ChainRecord } from './chain-records.ts';
import { endpointSize } from './choice-records.ts';
import type { Block } from './records.ts';
import type { TableRecords } from './tables.ts';

/** @throws CoreError that names the first invariant that does not hold. */
export function checkTables(tables: TableRecords): void {
  new TableCheck(tables).run();
}

class TableCheck {
  readonly #tables: TableRecords;
  readonly #words: Uint32Array;
  readonly #root: number;
  readonly #chainAt = new Set<number>();
  readonly #setAt = new Set<number>();

  constructor(tables: TableRecords) {
    this.#tables = tables;
    this.#words = tables.records.memory.words;
    this.#root = tables.records.root;
  }

  run(): void {
    const { chains, patterns, sets, records } = this.#tables;
    this.#checkBlocks();
    const numbers = [
      ...chains.map(({ number }) => number),
      ...sets.map(({ number }) => number),
      ...chains.flatMap(({ annexes }) => [...annexes.values()].flatMap(({ ownSets }) => ownSets.map(({ number }) => number))),
    ];
    expect(new Set(numbers).size === numbers.length, 'two records have the same number');
    expect(numbers.length === records.count, `${records.count} numbers are taken, ${numbers.length} records have one`);
    for (const { number, block } of chains) this.#expectRecord(number, block, this.#chainAt);
    for (const { number, block } of sets) this.#expectRecord(number, block, this.#setAt);
    for (const { annexes } of chains)
      for (const { ownSets } of annexes.values()) for (const { number, block } of ownSets) this.#expectRecord(number, block, this.#setAt);
    for (const record of chains) this.#checkChain(record, this.#field(ROOT_SIZE + record.number * 4));
    for (const record of patterns) this.#checkChain(record, record.block.address);
    for (const { name, number, isMap } of sets)
      this.#checkSet(name, this.#field(ROOT_SIZE + number * 4), isMap ? this.#chainAt : undefined);
    this.#checkSet('local addresses', this.#field(ROOT_LOCAL), undefined);
    for (let hook = 0; hook < HOOK_COUNT; hook++) this.#checkHook(hook);
  }

  /** No two blocks overlap, and together they are what the records count as used. */
  #checkBlocks(): void {
    const { chains, patterns, sets, rootBlocks, records } = this.#tables;
    const blocks = [
      ...[...chains, ...patterns].map(({ block }) => block),
      ...chains.flatMap(({ annexes }) =>
        [...annexes.values()].flatMap(({ block, ownSets }) => [block, ...ownSets.map((own) => own.block)]),
      ),
      ...sets.map(({ block }) => block),
      ...rootBlocks,
      records.rootBlock,
    ].filter(({ size }) => size > 0);
    const sorted = [...blocks].sort((a, b) => a.address - b.address);
    let end = 0;
    for (const { address, size } of sorted) {
      expect(address >= end, `the block at ${address} begins inside another one`);
      end = address + size;
    }
    const bytes = blocks.reduce((sum, { size }) => sum + size, 0);
    expect(bytes === records.usedBytes, `${records.usedBytes} bytes are counted as used, the records take ${bytes}`);
  }

  #checkChain(record: ChainRecord, at: number): void {
    const { chain, count, written, padded } = record;
    const { addressWords } = this.#tables;
    const name = `chain ${chain.name}`;
    expect(count === chain.rules.length, `${name} has ${chain.rules.length} rules, its record ${count}`);
    expect(this.#word(at + CHAIN_COUNT) === count && this.#word(at + CHAIN_PADDED) === padded, `${name}: its header has other counts`);
    expect(this.#word(at + CHAIN_WRITTEN) === written && written <= count, `${name}: its header has another count of written rules`);
    const columns = this.#word(at + CHAIN_COLUMNS);
    const columnSize = padded * 4;
    expect(columns === at + CHAIN_SIZE, `${name}: its columns are elsewhere`);
    const rules = this.#word(at + CHAIN_RULES);
    const tags = columns + (addressWords * 2 + 2) * columnSize;
    expect(rules === tags + (padded > 0 ? written - (written % CHAIN_PAD) : 0) * 2, `${name}: its rules are elsewhere`);
    for (let row = written; row < padded; row++) {
      expect(this.#word(columns + addressWords * 2 * columnSize + row * 4) === PORTS_NONE, `${name}: row ${row} past its end could match`);
    }
    for (let row = 0; row < written; row++) this.#checkRule(name, rules + row * RULE_SIZE);
    if (written < count) this.#checkChoice(record, rules + written * RULE_SIZE);
    const alike = this.#word(at + CHAIN_ALIKE);
    expect(alike <= written && alike % CHAIN_PAD === 0, `${name}: ${alike} of its ${written} rules are said to have one mask`);
    const lastMask = columns + (addressWords * 2 - 1) * columnSize;
    for (let row = 0; row < alike; row++)
      expect(this.#word(lastMask + row * 4) === this.#word(lastMask), `${name}: rule ${row} has another mask than the first one`);
    for (let row = 0; row < alike; row++) {
      const tag = (this.#word(tags + (row >> 1) * 4) >>> (16 * (row & 1))) & 0xffff;
      expect(
        tag === addressTag(this.#word(lastMask - addressWords * columnSize + row * 4)),
        `${name}: rule ${row} has the tag of another address`,
      );
    }
    expect(padded === 0 || written <= padded, `${name}: its columns are too short`);
  }

  /** A choice lies inside its chain, and what it refers to is there. */
  #checkChoice({ chain, block, pattern, written, count }: ChainRecord, rule: number): void {
    const { addressWords, patterns } = this.#tables;
    const name = `chain ${chain.name}`;
    const endpoints = this.#word(rule + RULE_C);
    const isDraw = this.#word(rule + RULE_TARGET) === TARGET_DRAW;
    expect(isDraw || this.#word(rule + RULE_TARGET) === TARGET_RANDOM_ENDPOINT, `${name} chooses in no known way`);
    expect(count - written === (isDraw ? endpoints : 1), `${name} has ${count - written} rules that choose among ${endpoints} endpoints`);
    expect(pattern !== undefined && patterns.includes(pattern), `${name}: the rules of its endpoints are not there`);
    expect(this.#word(rule + RULE_B) === pattern?.block.address, `${name}: its endpoints have other rules`);
    const size = endpointSize(addressWords);
    const first = this.#word(rule + RULE_A) + written * size;
    const isInside = first >= rule + RULE_SIZE && first + endpoints * size <= block.address + block.size;
    expect(isInside, `${name}: its endpoints are elsewhere`);
    if (!isDraw) return;
    const thresholds = this.#field(ROOT_THRESHOLDS);
    for (let left = 1; left <= endpoints; left++) {
      const threshold = this.#word(thresholds + left * 4);
      expect(threshold === oneInThreshold(left), `${name}: the threshold for ${left} endpoints is ${threshold}`);
    }
  }

  #checkRule(chain: string, rule: number): void {
    const a = this.#word(rule + RULE_A);
    switch (this.#word(rule + RULE_TARGET)) {
      case TARGET_JUMP:
      case TARGET_GOTO:
        this.#expectReference(a, this.#chainAt, `${chain}: a rule leads to`);
        break;
      case TARGET_VERDICT_MAP:
        this.#expectReference(a, this.#setAt, `${chain}: a rule asks`);
        break;
      case TARGET_RANDOM_CHAIN:
        for (let index = 0; index < this.#word(rule + RULE_B); index++)
          this.#expectReference(this.#word(a + index * 4), this.#chainAt, `${chain}: a random rule leads to`);
        break;
      case TARGET_DNAT:
      case TARGET_SNAT:
        expect(a !== 0, `${chain}: a translation has no address`);
        break;
    }
    const matches = this.#word(rule + RULE_MATCHES);
    for (let match = 0; match < this.#word(rule + RULE_MATCH_COUNT); match++) {
      const at = matches + match * MATCH_SIZE;
      if (this.#word(at + MATCH_KIND) === MATCH_SET) this.#expectReference(this.#word(at + MATCH_A), this.#setAt, `${chain}: a match asks`);
    }
  }

  /** Each key is found from its hash, and nothing else is there. Returns the number of elements. */
  #checkSet(name: string, at: number, values: ReadonlySet<number> | undefined): number {
    const slots = this.#word(at + SET_SLOTS);
    const slotCount = this.#word(at + SET_SLOT_MASK) + 1;
    const keyWords = this.#word(at + SET_KEY_WORDS);
    const slotSize = SLOT_KEY + keyWords * 4;
    let used = 0;
    for (let slot = 0; slot < slotCount; slot++) {
      const entry = slots + slot * slotSize;
      const hash = this.#word(entry + SLOT_HASH);
      if (hash === 0) continue;
      used++;
      let wanted = 0;
      for (let word = 0; word < keyWords; word++) wanted = hashWord(wanted, this.#word(entry + SLOT_KEY + word * 4));
      expect(hashEnd(wanted) === hash, `set ${name}: slot ${slot} has another hash than its key`);
      for (let probe = hash & (slotCount - 1); probe !== slot; probe = nextSlot(probe, slotCount))
        expect(this.#word(slots + probe * slotSize + SLOT_HASH) !== 0, `set ${name}: the element in slot ${slot} cannot be found`);
      const value = this.#word(entry + SLOT_VALUE);
      if (values !== undefined && value !== VALUE_DROP) this.#expectReference(value, values, `set ${name}: an element leads to`);
    }
    expect(used * 2 <= slotCount, `set ${name} is more than half full`);
    return used;
  }

  #checkHook(hook: number): void {
    const first = this.#field(ROOT_HOOKS + hook * 8);
    const count = this.#field(ROOT_HOOKS + hook * 8 + 4);
    for (let index = 0; index < count; index++)
      this.#expectReference(this.#word(first + index * BASE_SIZE + BASE_CHAIN), this.#chainAt, 'a hook leads to');
  }

  #expectRecord(number: number, block: Block, kind: Set<number>): void {
    const address = this.#field(ROOT_SIZE + number * 4);
    expect(
      address >= block.address && address < block.address + block.size,
      `number ${number} stands for ${address}, its record is elsewhere`,
    );
    kind.add(ROOT_SIZE + number * 4);
  }

  #expectReference(reference: number, kind: ReadonlySet<number>, what: string): void {
    expect(kind.has(reference), `${what} ${reference}, which is no such record`);
  }

  #field(offset: number): number {
    return this.#word(this.#root + offset);
  }

  #word(address: number): number {
    return this.#words[address / 4] ?? 0;
  }
}

function expect(holds: boolean, otherwise: string): void {
  if (!holds) throw new CoreError(`tables: ${otherwise}`);
}
