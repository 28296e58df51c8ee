// Writes a Program as the tables that the core reads: root, hooks, chains with their columns, rules, sets, virtual services.
import {
  ACTION_ACCEPT,
  ACTION_DROP,
  ADDRESS_V4,
  ADDRESS_V6,
  BASE_CHAIN,
  BASE_IS_NAT,
  BASE_PRIORITY,
  BASE_SIZE,
  CHAIN_COLUMNS,
  CHAIN_COUNT,
  CHAIN_END,
  CHAIN_PAD,
  CHAIN_PAD_SHORT,
  CHAIN_PADDED,
  CHAIN_RULES,
  CHAIN_SIZE,
  CLASSES_ANY,
  ESTABLISHED_RUN,
  HOOK_FORWARD,
  HOOK_INPUT,
  HOOK_OUTPUT,
  HOOK_POSTROUTING,
  HOOK_PREROUTING,
  PORT_KEEP,
  PORTS_ANY,
  PORTS_NONE,
  ROOT_ESTABLISHED,
  ROOT_HOOKS,
  ROOT_LOCAL,
  ROOT_MASQUERADE,
  ROOT_SIZE,
  ROOT_VIRTUAL_SERVICES,
  RULE_A,
  RULE_B,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SERVICE_PORT,
  RULE_SIZE,
  RULE_TARGET,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MARK,
  TARGET_MASQUERADE,
  TARGET_NONE,
  TARGET_RANDOM_CHAIN,
  TARGET_REJECT,
  TARGET_RETURN,
  TARGET_SNAT,
  TARGET_UPDATE_SIGHTING,
  TARGET_VERDICT_MAP,
  VALUE_DROP,
} from '../../../assembly/shared/layout.ts';
import { parsePrefix } from '../../address.ts';
import { UnsupportedError } from '../../errors.ts';
import { establishedPaths } from '../../program/established.ts';
import type { Program } from '../../program/program.ts';
import type { Chain, Hook, PortRange, Rule, Table, Target } from '../../program/ruleset.ts';
import type { KeyField } from '../../program/sets.ts';
import { type ColumnRow, type MatchTargets, splitMatches, writeMatches } from './match-records.ts';
import { keySelectors, type SlotContent, writeSet } from './set-records.ts';
import { TableImage } from './table-image.ts';
import { writeVirtualServices } from './virtual-service-records.ts';
import { addressWords, swapPort } from './wire.ts';

const HOOK_NUMBER: Readonly<Record<Hook, number>> = {
  PREROUTING: HOOK_PREROUTING,
  INPUT: HOOK_INPUT,
  FORWARD: HOOK_FORWARD,
  OUTPUT: HOOK_OUTPUT,
  POSTROUTING: HOOK_POSTROUTING,
};

/** What outlives a Program: numbers of names, lists of sources, the place of each round. */
export interface TableContext {
  servicePortId(name: string): number;
  recentList(name: string): number;
  /** The number of a dynamic set. */
  sightingSet(name: string, timeoutSeconds: number): number;
  /** The destination that a virtual service chose last, as `address:port`. */
  lastDestination(key: string): string | undefined;
}

/** The tables of one Program. Root and virtual services are at these offsets of the image. */
export interface Tables {
  readonly image: TableImage;
  readonly root: number;
  /** Offsets of the VS records by `protocol address:port`, for the rounds of the next Program. */
  readonly virtualServices: ReadonlyMap<string, { readonly offset: number; readonly destinations: readonly string[] }>;
}

/** @throws UnsupportedError for a reference to a chain, set or map that the Program does not have, or a scheduler that does not exist. */
export function buildTables(program: Program, context: TableContext): Tables {
  const image = new TableImage();
  const root = image.reserve(ROOT_SIZE);
  const virtualServices = writeVirtualServices(image, root + ROOT_VIRTUAL_SERVICES, program.virtualServices, context);
  new RulesetWriter(program, image, context).write(root);
  writeNode(image, root, program);
  return { image, root, virtualServices };
}

function writeNode(image: TableImage, root: number, program: Program): void {
  const local: SlotContent[] = program.localAddresses.map((text) => ({ key: [parsePrefix(text)?.text ?? text], servicePort: 0 }));
  image.point(root + ROOT_LOCAL, writeSet(image, 'local addresses', ['network'], local));
  if (program.masqueradeAddress !== undefined) {
    const address = image.reserve(16);
    writeWords(image, address, addressWords(program.masqueradeAddress));
    image.point(root + ROOT_MASQUERADE, address);
  }
  establishedPaths(program).forEach((rules, path) => {
    image.set(root + ROOT_ESTABLISHED + path * 4, rules === 'run' ? ESTABLISHED_RUN : rules);
  });
}

function writeWords(image: TableImage, at: number, words: readonly number[]): void {
  words.forEach((word, index) => {
    image.set(at + index * 4, word);
  });
}

/** Writes all chains of a Program. Chains are reserved first, so that jumps can point at them in any order. */
class RulesetWriter implements MatchTargets {
  readonly #program: Program;
  readonly #image: TableImage;
  readonly #context: TableContext;
  readonly #words: number;
  /** By table, then by name. */
  readonly #chains = new Map<Table, Map<string, number>>();
  readonly #sets = new Map<string, { readonly offset: number; readonly key: readonly KeyField[] }>();
  /** Timeouts of the sets that packets add to. */
  readonly #dynamicSets = new Map<string, number>();
  /** One copy of each translated address. */
  readonly #addresses = new Map<string, number>();

  constructor(program: Program, image: TableImage, context: TableContext) {
    this.#program = program;
    this.#image = image;
    this.#context = context;
    this.#words = (program.family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6) / 4;
  }

  write(root: number): void {
    for (const table of this.#program.tables) {
      this.#chains.set(table, new Map(table.chains.map((chain) => [chain.name, this.#image.reserve(CHAIN_SIZE)])));
    }
    for (const set of this.#program.sets) {
      if (set.timeoutSeconds !== undefined) {
        this.#dynamicSets.set(set.name, set.timeoutSeconds);
        continue;
      }
      const contents = set.elements.map((key) => ({ key, servicePort: 0 }));
      this.#sets.set(set.name, { offset: writeSet(this.#image, set.name, set.key, contents), key: set.key });
    }
    for (const table of this.#program.tables) {
      for (const map of this.#program.maps) this.#writeMap(table, map.name);
      for (const chain of table.chains) this.#writeChain(table, chain);
    }
    this.#writeHooks(root);
  }

  #writeHooks(root: number): void {
    const bases = this.#program.tables.flatMap((table) =>
      table.chains.flatMap((chain) => (chain.base === undefined ? [] : [{ table, chain, base: chain.base }])),
    );
    for (const [hook, number] of Object.entries(HOOK_NUMBER)) {
      const here = bases.filter(({ base }) => base.hook === hook).sort((a, b) => a.base.priority - b.base.priority);
      const records = this.#image.reserve(here.length * BASE_SIZE);
      here.forEach(({ table, chain, base }, index) => {
        const at = records + index * BASE_SIZE;
        this.#image.point(at + BASE_CHAIN, this.#chainOffset(table, chain.name));
        this.#image.set(at + BASE_IS_NAT, base.type === 'nat' ? 1 : 0);
        this.#image.set(at + BASE_PRIORITY, base.priority >>> 0);
      });
      this.#image.point(root + ROOT_HOOKS + number * 8, records);
      this.#image.set(root + ROOT_HOOKS + number * 8 + 4, here.length);
    }
  }

  /** Maps belong to the only table of nftables mode; their verdicts name its chains. */
  #writeMap(table: Table, name: string): void {
    const map = this.#program.maps.find((candidate) => candidate.name === name);
    if (map === undefined || this.#sets.has(name)) return;
    const contents = map.elements.map(({ key, verdict, servicePort }): SlotContent => {
      const owner = servicePort === undefined ? 0 : this.#context.servicePortId(servicePort);
      return verdict.kind === 'drop'
        ? { key, servicePort: owner, value: VALUE_DROP }
        : { key, servicePort: owner, target: this.#chainOffset(table, verdict.chain) };
    });
    this.#sets.set(name, { offset: writeSet(this.#image, name, map.key, contents), key: map.key });
  }

  #writeChain(table: Table, chain: Chain): void {
    const image = this.#image;
    const at = this.#chainOffset(table, chain.name);
    const count = chain.rules.length;
    const pad = count >= CHAIN_PAD ? CHAIN_PAD : CHAIN_PAD_SHORT;
    const padded = Math.ceil(count / pad) * pad;
    const columnSize = padded * 4;
    const columns = image.reserve((this.#words * 2 + 2) * columnSize);
    const rules = image.reserve(count * RULE_SIZE);
    image.set(at + CHAIN_COUNT, count);
    image.set(at + CHAIN_PADDED, padded);
    image.point(at + CHAIN_COLUMNS, columns);
    image.point(at + CHAIN_RULES, rules);
    image.set(at + CHAIN_END, chain.base?.policy === 'drop' ? ACTION_DROP : ACTION_ACCEPT);
    for (let index = 0; index < padded; index++) {
      const row: ColumnRow = { network: [], mask: [], ports: PORTS_ANY, classes: CLASSES_ANY };
      const rule = chain.rules[index];
      if (rule === undefined) row.ports = PORTS_NONE;
      else this.#writeRule(table, rules + index * RULE_SIZE, rule, row);
      const cell = columns + index * 4;
      for (let word = 0; word < row.network.length; word++) {
        image.set(cell + word * columnSize, row.network[word] ?? 0);
        image.set(cell + (this.#words + word) * columnSize, row.mask[word] ?? 0);
      }
      image.set(cell + this.#words * 2 * columnSize, row.ports);
      image.set(cell + (this.#words * 2 + 1) * columnSize, row.classes);
    }
  }

  #writeRule(table: Table, at: number, rule: Rule, row: ColumnRow): void {
    const image = this.#image;
    const matches = splitMatches(rule.matches, row);
    if (matches.length > 0) image.point(at + RULE_MATCHES, writeMatches(image, matches, this));
    image.set(at + RULE_MATCH_COUNT, matches.length);
    if (rule.servicePort !== undefined) image.set(at + RULE_SERVICE_PORT, this.#context.servicePortId(rule.servicePort));
    this.#writeTarget(table, at, rule.target);
  }

  #writeTarget(table: Table, at: number, target: Target): void {
    const { kind, a = 0, b = 0, record } = this.#targetWords(table, target);
    this.#image.set(at + RULE_TARGET, kind);
    this.#image.set(at + RULE_B, b);
    if (record === undefined) this.#image.set(at + RULE_A, a);
    else this.#image.point(at + RULE_A, record);
  }

  /** The words of a target; `record`: the offset of what its first argument is the address of. */
  #targetWords(
    table: Table,
    target: Target,
  ): { readonly kind: number; readonly a?: number; readonly b?: number; readonly record?: number } {
    switch (target.kind) {
      case 'none':
        return { kind: TARGET_NONE };
      case 'accept':
        return { kind: TARGET_ACCEPT };
      case 'drop':
        return { kind: TARGET_DROP };
      case 'return':
        return { kind: TARGET_RETURN };
      case 'reject':
        return { kind: TARGET_REJECT };
      case 'jump':
        return { kind: TARGET_JUMP, record: this.#chainOffset(table, target.chain) };
      case 'goto':
        return { kind: TARGET_GOTO, record: this.#chainOffset(table, target.chain) };
      case 'mark':
        return { kind: TARGET_MARK, a: target.value, b: target.mask };
      case 'dnat':
        return { kind: TARGET_DNAT, record: this.#addressOffset(target.address), b: portWord(target.port) };
      case 'snat':
        return { kind: TARGET_SNAT, record: this.#addressOffset(target.address), b: portWord(target.port) };
      case 'masquerade':
        return { kind: TARGET_MASQUERADE, a: target.randomFully ? 1 : 0 };
      case 'verdictMap':
        return { kind: TARGET_VERDICT_MAP, record: this.setOffset(target.map), b: this.setSelectors(target.map, ['dst', 'dst']) };
      case 'randomVerdictMap':
        return { kind: TARGET_RANDOM_CHAIN, record: this.#writeChainList(table, target.chains), b: target.chains.length };
      case 'updateSet':
        return this.#updateWords(target.set);
    }
  }

  #writeChainList(table: Table, chains: readonly string[]): number {
    const list = this.#image.reserve(chains.length * 4);
    chains.forEach((name, index) => {
      this.#image.point(list + index * 4, this.#chainOffset(table, name));
    });
    return list;
  }

  #addressOffset(text: string): number {
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const offset = this.#image.reserve(16);
    writeWords(this.#image, offset, addressWords(text));
    this.#addresses.set(text, offset);
    return offset;
  }

  #chainOffset(table: Table, name: string): number {
    const offset = this.#chains.get(table)?.get(name);
    if (offset === undefined) throw new UnsupportedError(`table ${table.name} has no chain ${name}, but a rule leads there`);
    return offset;
  }

  #updateWords(name: string): { readonly kind: number; readonly a: number; readonly b: number } {
    const seconds = this.#dynamicSets.get(name);
    if (seconds === undefined) throw new UnsupportedError(`the program has no dynamic set ${name}, but a rule updates it`);
    return { kind: TARGET_UPDATE_SIGHTING, a: this.#context.sightingSet(name, seconds), b: seconds };
  }

  sightingSet(name: string): number | undefined {
    const set = this.#dynamicSets.get(name);
    return set === undefined ? undefined : this.#context.sightingSet(name, set);
  }

  setOffset(name: string): number {
    return this.#set(name).offset;
  }

  setSelectors(name: string, sides: readonly ('src' | 'dst')[]): number {
    return keySelectors(this.#set(name).key, sides);
  }

  addressSet(prefixes: readonly string[]): number {
    const contents = prefixes.map((prefix) => ({ key: [prefix], servicePort: 0 }));
    return writeSet(this.#image, 'addresses of a rule', ['network'], contents);
  }

  portSet(ranges: readonly PortRange[]): number {
    const ports = ranges.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index));
    const contents = [...new Set(ports)].map((port) => ({ key: [port], servicePort: 0 }));
    return writeSet(this.#image, 'ports of a rule', ['port'], contents);
  }

  recentList(name: string): number {
    return this.#context.recentList(name);
  }

  #set(name: string): { readonly offset: number; readonly key: readonly KeyField[] } {
    const set = this.#sets.get(name);
    if (set === undefined) throw new UnsupportedError(`the program has no set or map ${name}, but a rule names it`);
    return set;
  }
}

function portWord(port: number | undefined): number {
  return port === undefined ? PORT_KEEP : swapPort(port);
}
