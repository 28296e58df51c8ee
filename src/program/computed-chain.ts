// A chain that keeps no rules: they are made of what it stands for, each time somebody reads them. A large cluster has a chain for each
// Endpoint; their rules, kept, would be most of its Program. To whoever reads it, it is plain data like any other chain.
import type { Chain, Rule } from './ruleset.ts';

/** @param rulesFor makes the rules: the same ones each time. Few and cheap ones; chains of one source share the function. */
export function computedChain<Source>(name: string, source: Source, rulesFor: (source: Source, name: string) => readonly Rule[]): Chain {
  return new ComputedChain(name, source, rulesFor);
}

class ComputedChain<Source> implements Chain {
  readonly name: string;
  declare readonly rules: readonly Rule[];
  readonly #source: Source;
  readonly #rulesFor: (source: Source, name: string) => readonly Rule[];

  constructor(name: string, source: Source, rulesFor: (source: Source, name: string) => readonly Rule[]) {
    this.name = name;
    this.#source = source;
    this.#rulesFor = rulesFor;
    Object.defineProperty(this, 'rules', ComputedChain.#rules);
  }

  /** A property of each chain itself, as data has it; all of them share the getter. */
  static readonly #rules: PropertyDescriptor = {
    enumerable: true,
    get(this: ComputedChain<unknown>): readonly Rule[] {
      return this.#rulesFor(this.#source, this.name);
    },
  };
}
