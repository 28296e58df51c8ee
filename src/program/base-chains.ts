// The chains of a Program that netfilter calls, and those of their tables by name. For proofs at load time; nothing asks at packet time.
import { type ChainItem, EndpointChains } from './endpoint-chains.ts';
import { chainsOf } from './joined.ts';
import type { Program } from './program.ts';
import type { Chain, Hook, Table } from './ruleset.ts';

export interface Base {
  readonly table: string;
  readonly chain: Chain;
  readonly hook: Hook;
  readonly isNat: boolean;
  readonly priority: number;
  readonly policy: 'accept' | 'drop';
}

export function isBase(item: ChainItem): boolean {
  return !(item instanceof EndpointChains) && item.base !== undefined;
}

export function basesOf(program: Program): Base[] {
  const bases: Base[] = [];
  for (const table of program.tables) {
    const { head, parts, tail } = chainsOf(table);
    for (const chains of [head, ...parts, tail]) {
      for (const chain of chains) {
        if (chain instanceof EndpointChains || chain.base === undefined) continue;
        const { hook, type, priority, policy } = chain.base;
        bases.push({ table: table.name, chain, hook, isNat: type === 'nat', priority, policy });
      }
    }
  }
  return bases;
}

/** The chains of a table by name, indexed as far as somebody asked: the first ones are those that packets of known connections meet. */
export class ChainIndex {
  readonly #known = new Map<string, Chain>();
  readonly #rest: Iterator<Chain>;

  constructor(table: Table) {
    this.#rest = eachChain(table);
  }

  get(name: string): Chain | undefined {
    let found = this.#known.get(name);
    while (found === undefined) {
      const next = this.#rest.next();
      if (next.done === true) return undefined;
      this.#known.set(next.value.name, next.value);
      if (next.value.name === name) found = next.value;
    }
    return found;
  }
}

function* eachChain(table: Table): Generator<Chain, undefined> {
  const { head, parts, tail } = chainsOf(table);
  for (const items of [head, ...parts, tail]) for (const item of items) yield* item instanceof EndpointChains ? item.chains : [item];
  return undefined;
}
