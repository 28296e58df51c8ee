// A Program for walks: what its names stand for, and what its texts mean, each read once however often a walk comes by.
import { type Address, type Prefix, parseAddress, parsePrefix, prefixContains } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import { FTP_PORT, mayBeFtpData } from '../ipvs/js/ftp.ts';
import type { TransportProtocol } from '../packet.ts';
import { type EstablishedProof, proofOf } from '../program/established.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Hook, Rule, Table } from '../program/ruleset.ts';
import type { NamedSet, VerdictMap } from '../program/sets.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import type { NftWords } from '../render/nft-rule-text.ts';
import { stepText } from '../render/step-text.ts';
import { namedChainsOf } from './named-chains.ts';
import type { Endpoint } from './packet.ts';
import { rememberBy } from './remember.ts';

/** A base chain and the table its names belong to. */
export interface BaseChain {
  readonly table: Table;
  readonly chain: Chain;
  readonly base: NonNullable<Chain['base']>;
}

/** The index of a Program, made once. */
export const indexOfProgram = rememberBy((program: Program) => new ProgramIndex(program));

export class ProgramIndex {
  readonly program: Program;
  readonly #sets: ReadonlyMap<string, NamedSet>;
  readonly #maps: ReadonlyMap<string, VerdictMap>;
  readonly #baseChains = new Map<Hook, readonly BaseChain[]>();
  readonly #prefixes = new Map<string, Prefix>();
  readonly #addresses = new Map<string, Address>();
  readonly #ruleTexts = new WeakMap<Rule, string>();
  readonly #words: NftWords;
  readonly #localAddresses: ReadonlySet<string>;
  readonly #localPrefixes: readonly Prefix[];
  readonly #virtualServices: ReadonlyMap<string, VirtualService>;
  #established: EstablishedProof | undefined;

  constructor(program: Program) {
    this.program = program;
    this.#sets = new Map(program.sets.map((set) => [set.name, set]));
    this.#maps = new Map(program.maps.map((map) => [map.name, map]));
    this.#words = { family: program.family, mapKey: (name) => this.map(name).key };
    const local = program.localAddresses.map((text) => this.prefix(text));
    this.#localAddresses = new Set(local.filter(isWhole).map(addressText));
    this.#localPrefixes = local.filter((prefix) => !isWhole(prefix));
    const keyed = program.virtualServices.map((service) => {
      const key = virtualServiceKey(service.protocol, addressText(this.prefix(service.address)), service.port);
      return [key, service] as const;
    });
    this.#virtualServices = new Map(keyed.reverse()); // of two with one address, the first is found
  }

  /** What rules do with packets of known connections, and whether some are asked before conntrack. */
  get established(): EstablishedProof {
    this.#established ??= proofOf(this.program);
    return this.#established;
  }

  /** The base chains of a hook in the order they run. */
  baseChains(hook: Hook): readonly BaseChain[] {
    const known = this.#baseChains.get(hook);
    if (known !== undefined) return known;
    const chains = this.program.tables
      .flatMap((table) =>
        namedChainsOf(table).bases.flatMap((chain) => (chain.base?.hook === hook ? { table, chain, base: chain.base } : [])),
      )
      .sort((a, b) => a.base.priority - b.base.priority);
    this.#baseChains.set(hook, chains);
    return chains;
  }

  chain(table: Table, name: string): Chain {
    return existing('chain', name, namedChainsOf(table).get(name));
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
    const known = this.#addresses.get(text);
    if (known !== undefined) return known;
    const address = parseAddress(text);
    if (address === undefined) throw new InvalidArgumentError('address', text, 'is not an IP address');
    this.#addresses.set(text, address);
    return address;
  }

  /** fib type local. */
  isLocal(address: Address): boolean {
    return this.#localAddresses.has(address.text) || this.#localPrefixes.some((prefix) => prefixContains(prefix, address));
  }

  ruleText(rule: Rule, table: Table, chainName: string): string {
    const text = this.#ruleTexts.get(rule) ?? stepText(rule, table, chainName, this.#words);
    this.#ruleTexts.set(rule, text);
    return text;
  }

  /** Of the very port, or the FTP service that has this data. */
  virtualService(protocol: TransportProtocol, { address, port }: Endpoint): VirtualService | undefined {
    const exact = this.#virtualServices.get(virtualServiceKey(protocol, address.text, port));
    if (exact !== undefined || !mayBeFtpData({ protocol, destinationPort: port })) return exact;
    const ftp = this.#virtualServices.get(virtualServiceKey(protocol, address.text, FTP_PORT));
    return ftp?.persistence === undefined ? undefined : ftp;
  }
}

function virtualServiceKey(protocol: TransportProtocol, address: string, port: number): string {
  return `${protocol} ${address} ${port}`;
}

const WORD_BITS = 32;

function isWhole({ words, length }: Prefix): boolean {
  return length === words.length * WORD_BITS;
}

function addressText({ text }: Prefix): string {
  return text.split('/')[0] ?? text;
}

function existing<Item>(what: string, name: string, item: Item | undefined): Item {
  if (item === undefined) throw new InvalidArgumentError(what, name, 'does not exist');
  return item;
}
