// The chains of a table by name, for walks. Those of Endpoints are looked up by way of the chain that chooses among them: nothing else leads there,
// and their names are hashes, of which a large cluster has hundreds of thousands.
import { type ChainItem, ChoiceChain, EndpointChains } from '../program/endpoint-chains.ts';
import { chainsOf } from '../program/joined.ts';
import type { Chain, Table } from '../program/ruleset.ts';
import { rememberBy } from './remember.ts';

/** Made once for each table. */
export const namedChainsOf = rememberBy((table: Table) => new NamedChains(table));

export class NamedChains {
  /** Those that netfilter calls. */
  readonly bases: readonly Chain[];
  readonly #byName = new Map<string, Chain>();
  /** Of Endpoints, by key: those that nobody came to yet. */
  readonly #endpoints = new Map<string, EndpointChains>();

  constructor(table: Table) {
    const bases: Chain[] = [];
    const { head, parts, tail } = chainsOf(table);
    for (const items of [head, ...parts, tail]) for (const item of items) this.#add(item, bases);
    this.bases = bases;
  }

  get(name: string): Chain | undefined {
    const chain = this.#byName.get(name);
    if (!(chain instanceof ChoiceChain)) return chain;
    const endpoints = this.#endpoints.get(chain.among.key);
    this.#endpoints.delete(chain.among.key);
    for (const choice of endpoints?.chains ?? []) this.#byName.set(choice.name, choice);
    return chain;
  }

  #add(item: ChainItem, bases: Chain[]): void {
    if (item instanceof EndpointChains) {
      this.#endpoints.set(item.key, item);
      return;
    }
    this.#byName.set(item.name, item);
    if (item.base !== undefined) bases.push(item);
  }
}
