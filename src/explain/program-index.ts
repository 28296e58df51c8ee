// A Program for walks: what its names stand for, and what its texts mean, each read once however often a walk comes by.
import { type Address, type Prefix, parseAddress, parsePrefix, prefixContains } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { TransportProtocol } from '../packet.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Hook, Rule, Table } from '../program/ruleset.ts';
import type { NamedSet, VerdictMap } from '../program/sets.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import type { NftWords } from '../render/nft-rule-text.ts';
import { stepText } from '../render/step-text.ts';
import type { Endpoint } from './packet.ts';

/** A base chain and the table its names belong to. */
export interface BaseChain {
  readonly table: Table;
  readonly chain: Chain;
  readonly base: NonNullable<Chain['base']>;
}

export class ProgramIndex {
  readonly program: Program;
  readonly #chains = new Map<Table, Map<string, Chain>>();
  readonly #sets: ReadonlyMap<string, NamedSet>;
  readonly #maps: ReadonlyMap<string, VerdictMap>;
  readonly #prefixes = new Map<string, Prefix>();
  readonly #ruleTexts = new Map<Rule, string>();
  readonly #words: NftWords;

  constructor(program: Program) {
    this.program = program;
    for (const table of program.tables) this.#chains.set(table, new Map(table.chains.map((chain) => [chain.name, chain])));
    this.#sets = new Map(program.sets.map((set) => [set.name, set]));
    this.#maps = new Map(program.maps.map((map) => [map.name, map]));
    this.#words = { family: program.family, mapKey: (name) => this.map(name).key };
  }

  /** The base chains of a hook in the order they run. */
  baseChains(hook: Hook): BaseChain[] {
    const all = this.program.tables.flatMap((table) =>
      table.chains.flatMap((chain) => (chain.base?.hook === hook ? { table, chain, base: chain.base } : [])),
    );
    return all.sort((a, b) => a.base.priority - b.base.priority);
  }

  chain(table: Table, name: string): Chain {
    return existing('chain', name, this.#chains.get(table)?.get(name));
  }

  set(name: string): NamedSet {
    return existing('set', name, this.#sets.get(name));
  }

  map(name: string): VerdictMap {
    return existing('map', name, this.#maps.get(name));
  }

  /** Reads a prefix, or an address as the prefix of its full length. */
  prefix(text: string): Prefix {
    const known = this.#prefixes.get(text);
    if (known !== undefined) return known;
    const prefix = parsePrefix(text);
    if (prefix === undefined) throw new InvalidArgumentError('prefix', text, 'is not an IP prefix');
    this.#prefixes.set(text, prefix);
    return prefix;
  }

  address(text: string): Address {
    const address = parseAddress(text);
    if (address === undefined) throw new InvalidArgumentError('address', text, 'is not an IP address');
    return address;
  }

  /** fib type local. */
  isLocal(address: Address): boolean {
    return this.program.localAddresses.some((text) => prefixContains(this.prefix(text), address));
  }

  ruleText(rule: Rule, table: Table, chainName: string): string {
    const text = this.#ruleTexts.get(rule) ?? stepText(rule, table, chainName, this.#words);
    this.#ruleTexts.set(rule, text);
    return text;
  }

  virtualService(protocol: TransportProtocol, { address, port }: Endpoint): VirtualService | undefined {
    return this.program.virtualServices.find(
      (service) => service.protocol === protocol && service.port === port && prefixContains(this.prefix(service.address), address),
    );
  }
}

function existing<Item>(what: string, name: string, item: Item | undefined): Item {
  if (item === undefined) throw new InvalidArgumentError(what, name, 'does not exist');
  return item;
}
