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
  DRAW_CHAIN,
  DRAW_SIZE,
  DRAW_THRESHOLD,
  ENDPOINT_BIT,
  ENDPOINT_PATTERN,
  HOOK_COUNT,
  MATCH_A,
  MATCH_KIND,
  MATCH_SET,
  MATCH_SIZE,
  PORTS_NONE,
  ROOT_HOOKS,
  ROOT_LOCAL,
  ROOT_SIZE,
  RULE_A,
  RULE_B,
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
  TARGET_SNAT,
  TARGET_VERDICT_MAP,
  VALUE_DROP,
} from '../../../assembly/shared/layout.ts';
import { CoreError } from '../../errors.ts';
import type { ChainRecord } from './chain-records.ts';
import { type EndpointsRecord, endpointSize } from './endpoint-records.ts';
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
    const { chains, patterns, endpoints, sets, records } = this.#tables;
    this.#checkBlocks();
    const numbers = [
      ...chains.map(({ number }) => number),
      ...endpoints.flatMap((record) => record.numbers),
      ...sets.map(({ number }) => number),
      ...chains.flatMap(({ annexes }) => [...annexes.values()].flatMap(({ ownSets }) => ownSets.map(({ number }) => number))),
    ];
    expect(new Set(numbers).size === numbers.length, 'two records have the same number');
    expect(numbers.length === records.count, `${records.count} numbers are taken, ${numbers.length} records have one`);
    for (const { number, block } of chains) this.#expectRecord(number, block, this.#chainAt);
    for (const { number, block } of sets) this.#expectRecord(number, block, this.#setAt);
    for (const { annexes } of chains)
      for (const { ownSets } of annexes.values()) for (const { number, block } of ownSets) this.#expectRecord(number, block, this.#setAt);
    for (const record of endpoints) this.#checkEndpoints(record);
    for (const record of chains) this.#checkChain(record, this.#field(ROOT_SIZE + record.number * 4));
    for (const record of patterns) this.#checkChain(record, record.block.address);
    for (const { name, number, isMap } of sets)
      this.#checkSet(name, this.#field(ROOT_SIZE + number * 4), isMap ? this.#chainAt : undefined);
    this.#checkSet('local addresses', this.#field(ROOT_LOCAL), undefined);
    for (let hook = 0; hook < HOOK_COUNT; hook++) this.#checkHook(hook);
  }

  /** No two blocks overlap, and together they are what the records count as used. */
  #checkBlocks(): void {
    const { chains, patterns, endpoints, sets, rootBlocks, records } = this.#tables;
    const blocks = [
      ...[...chains, ...patterns, ...endpoints].map(({ block }) => block),
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

  /** Each number leads to the record of its Endpoint, and that to the rules. */
  #checkEndpoints({ chains, numbers, block, pattern }: EndpointsRecord): void {
    const name = `endpoints of ${chains.key}`;
    expect(numbers.length === chains.endpoints.length, `${name}: ${numbers.length} numbers are for ${chains.endpoints.length} of them`);
    expect(this.#tables.patterns.includes(pattern), `${name}: their rules are not there`);
    for (const [index, number] of numbers.entries()) {
      const at = block.address + index * endpointSize(this.#tables.addressWords);
      expect(this.#field(ROOT_SIZE + number * 4) === at + ENDPOINT_BIT, `${name}: number ${number} stands for another one`);
      expect(this.#word(at + ENDPOINT_PATTERN) === pattern.block.address, `${name}: one has other rules`);
      this.#chainAt.add(ROOT_SIZE + number * 4);
    }
  }

  #checkChain({ chain, count, written, padded }: ChainRecord, at: number): void {
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
    if (written < count) this.#checkDraws(name, rules + written * RULE_SIZE, written, count);
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

  #checkDraws(chain: string, rule: number, written: number, count: number): void {
    expect(this.#word(rule + RULE_TARGET) === TARGET_DRAW, `${chain}: its draws have no record`);
    for (let row = written; row < count; row++) {
      const draw = this.#word(rule + RULE_A) + row * DRAW_SIZE;
      this.#expectReference(this.#word(draw + DRAW_CHAIN), this.#chainAt, `${chain}: a draw leads to`);
      const isLast = this.#word(draw + DRAW_THRESHOLD) === 0x80000000;
      expect(isLast === (row === count - 1), `${chain}: draw ${row} of ${count} has the threshold of another one`);
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
