// The chains of one ServicePort's Endpoints, and those that choose among them. A large cluster has hundreds of thousands of them, alike but for
// their Endpoints, and most of them nobody ever reads: their names, which are hashes, and their rules are made for whoever does.
import { computedChain } from './computed-chain.ts';
import type { Chain, Rule } from './ruleset.ts';
import { keepSame, sameData } from './same-data.ts';

export interface ChainEndpoint {
  readonly address: string;
  readonly port: number;
  /** Unlike that of any other Endpoint of the ServicePort. */
  readonly text: string;
}

/** How a proxy mode writes such chains. `Source`: what they are made of beside the Endpoint, as plain data. Same input, same words. */
export interface EndpointChainWriter<Source> {
  name(source: Source, endpoint: ChainEndpoint): string;
  /** The ServicePort that all rules name. */
  servicePort(source: Source): string;
  rules(source: Source, endpoint: ChainEndpoint, name: string): readonly Rule[];
  /**
   * What the rules are like. Those of the same likeness differ in the ServicePort and in the Endpoint alone: its address as source, its address
   * and port as destination. undefined: rules name what is of one Endpoint alone.
   */
  likeness(source: Source): string | undefined;
  /** The rules that choose. `chains`: the names of the chains to choose from. Of chains that are alike, as `isDrawnInTurn` says. */
  choice(source: Source, endpoints: readonly ChainEndpoint[], chains: readonly string[]): readonly Rule[];
  /** One of several chains that are alike is drawn by a rule for each, which takes one in as many as are left (chance.ts); otherwise by one rule. */
  readonly isDrawnInTurn: boolean;
}

/** The chains of all Endpoints of a ServicePort: one item of a table, which stands for as many chains. */
export class EndpointChains<Source = unknown> {
  /** No others of the table have it. */
  readonly key: string;
  /** Sorted by text. */
  readonly endpoints: readonly ChainEndpoint[];
  readonly #source: Source;
  readonly #writer: EndpointChainWriter<Source>;
  #names: readonly string[] | undefined;
  #chains: readonly Chain[] | undefined;

  constructor(key: string, endpoints: readonly ChainEndpoint[], source: Source, writer: EndpointChainWriter<Source>) {
    this.key = key;
    this.endpoints = endpoints;
    this.#source = source;
    this.#writer = writer;
  }

  /** In the order of the Endpoints. */
  get names(): readonly string[] {
    this.#names ??= this.#chains?.map(({ name }) => name) ?? this.endpoints.map((endpoint) => this.#nameFor(endpoint));
    return this.#names;
  }

  get chains(): readonly Chain[] {
    this.#chains ??= this.#make(new Map());
    return this.#chains;
  }

  /** Where somebody has read the chains as they were before, those that say the same stay the same objects. */
  keepRead(before: readonly ChainItem[]): void {
    const same = before.find((item): item is EndpointChains => item instanceof EndpointChains && item.isWrittenAs(this));
    if (same === undefined || same.#chains === undefined) return;
    this.#chains = this.#make(new Map(same.#chains.map((chain, index) => [same.endpoints[index]?.text ?? '', chain])));
  }

  /** @param known by the texts of their Endpoints. */
  #make(known: ReadonlyMap<string, Chain>): readonly Chain[] {
    const rules = (endpoint: ChainEndpoint, name: string): readonly Rule[] => this.rules(endpoint, name);
    return this.endpoints.map((endpoint, index) => {
      return known.get(endpoint.text) ?? computedChain(this.#names?.[index] ?? this.#nameFor(endpoint), endpoint, rules);
    });
  }

  #nameFor(endpoint: ChainEndpoint): string {
    return this.#writer.name(this.#source, endpoint);
  }

  /** The chains as far as somebody has read them. */
  get chainsRead(): readonly Chain[] {
    return this.#chains ?? [];
  }

  /** These chains as items of a table: one for all of them when they are alike. */
  get items(): readonly ChainItem[] {
    if (this.likeness === undefined) return this.chains;
    return this.endpoints.length === 0 ? [] : [this];
  }

  /** A chain that chooses among those of some of the Endpoints. @param first its rules before the choice. */
  chooser(name: string, endpoints: readonly ChainEndpoint[], first: readonly Rule[]): Chain {
    const chain = new ChoiceChain(name, this, endpoints, first);
    return this.likeness === undefined || endpoints.length === 0 ? { name, rules: chain.rules } : chain;
  }

  /** The ServicePort that the rules name. */
  get servicePort(): string {
    return this.#writer.servicePort(this.#source);
  }

  /** As the writer has it. */
  get likeness(): string | undefined {
    return this.#writer.likeness(this.#source);
  }

  /** As the writer has it. */
  get isDrawnInTurn(): boolean {
    return this.#writer.isDrawnInTurn;
  }

  rules(endpoint: ChainEndpoint, name: string): readonly Rule[] {
    return this.#writer.rules(this.#source, endpoint, name);
  }

  choice(endpoints: readonly ChainEndpoint[], chains: readonly string[]): readonly Rule[] {
    return this.#writer.choice(this.#source, endpoints, chains);
  }

  /** The names of the chains of some of the Endpoints. */
  namesOf(some: readonly ChainEndpoint[]): readonly string[] {
    if (some === this.endpoints) return this.names;
    const byText = new Map(this.endpoints.map(({ text }, index) => [text, this.names[index] ?? '']));
    return some.map(({ text }) => byText.get(text) ?? '');
  }

  isWrittenAs(other: EndpointChains): boolean {
    return this.key === other.key && this.#writer === other.#writer && sameData(this.#source, other.#source);
  }
}

/** A chain that chooses among the chains of some of a ServicePort's Endpoints. To whoever reads it, it is plain data like any other chain. */
export class ChoiceChain implements Chain {
  readonly name: string;
  declare readonly rules: readonly Rule[];
  readonly #among: EndpointChains;
  readonly #endpoints: readonly ChainEndpoint[];
  readonly #first: readonly Rule[];
  #read: readonly Rule[] | undefined;

  /** @param first rules before the choice. */
  constructor(name: string, among: EndpointChains, endpoints: readonly ChainEndpoint[], first: readonly Rule[]) {
    this.name = name;
    this.#among = among;
    this.#endpoints = endpoints;
    this.#first = first;
    Object.defineProperty(this, 'rules', ChoiceChain.#rules);
  }

  /** A property of each chain itself, as data has it; all of them share the getter. */
  static readonly #rules: PropertyDescriptor = {
    enumerable: true,
    get(this: ChoiceChain): readonly Rule[] {
      this.#read ??= [...this.#first, ...this.#among.choice(this.#endpoints, this.#among.namesOf(this.#endpoints))];
      return this.#read;
    },
  };

  /** The chains of all Endpoints of the ServicePort. */
  get among(): EndpointChains {
    return this.#among;
  }

  get endpoints(): readonly ChainEndpoint[] {
    return this.#endpoints;
  }

  /** Its rules before the choice. */
  get first(): readonly Rule[] {
    return this.#first;
  }

  /** How many rules it has. */
  get ruleCount(): number {
    return this.#first.length + (this.#among.isDrawnInTurn ? this.#endpoints.length : 1);
  }

  isSame(other: ChoiceChain): boolean {
    return (
      this.name === other.name &&
      this.#among.isWrittenAs(other.#among) &&
      sameEndpoints(this.#endpoints, other.#endpoints) &&
      sameData(this.#first, other.#first)
    );
  }
}

/** What a table is made of. */
export type ChainItem = Chain | EndpointChains;

/** All chains that the items stand for. */
export function chainsIn(items: readonly ChainItem[]): readonly Chain[] {
  return items.flatMap((item) => (item instanceof EndpointChains ? item.chains : item));
}

/** As keepSame: what says the same as before stays the same object, of chains that stand together each by itself. Names need not be made for it. */
export function keepSameChains(before: readonly ChainItem[], after: readonly ChainItem[]): readonly ChainItem[] {
  const kept = keepSame(before, after, isSameItem);
  for (const item of kept) if (item instanceof EndpointChains && !before.includes(item)) item.keepRead(before);
  return kept;
}

function isSameItem(one: ChainItem, other: ChainItem): boolean {
  if (one instanceof EndpointChains && other instanceof EndpointChains)
    return one.isWrittenAs(other) && sameEndpoints(one.endpoints, other.endpoints);
  if (one instanceof ChoiceChain && other instanceof ChoiceChain) return one.isSame(other);
  return !(one instanceof ChoiceChain) && !(other instanceof ChoiceChain) && sameData(one, other);
}

function sameEndpoints(one: readonly ChainEndpoint[], other: readonly ChainEndpoint[]): boolean {
  return one.length === other.length && one.every(({ text }, index) => text === other[index]?.text);
}
