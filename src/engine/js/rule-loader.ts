// Makes the rules of one table ready to run: names resolved, texts read.
import { InvalidArgumentError } from '../../errors.ts';
import type { Rule, Target } from '../../program/ruleset.ts';
import { loadAddress } from './addresses.ts';
import { findSet, loadMatches, type MatchTables } from './matches.ts';
import type { LoadedChain, LoadedElement, LoadedRule, LoadedTarget } from './ruleset.ts';
import { type KeyTable, resolveSides } from './sets.ts';

/** What rules refer to by name. */
export interface RuleNames {
  readonly tables: MatchTables;
  /** Of the same table. */
  findChain(name: string): LoadedChain | undefined;
  findMap(name: string): KeyTable<LoadedElement> | undefined;
  servicePortId(name: string): number;
  /** A rule names that xt_recent list. */
  noteList(name: string): void;
}

/** A rule, as errors name it. */
class RulePlace {
  readonly #table: string;
  chain = '';
  number = 0;

  constructor(table: string) {
    this.#table = table;
  }

  toString(): string {
    return `table ${this.#table}, chain ${this.chain}, rule ${this.number}`;
  }
}

export class RuleLoader {
  readonly #names: RuleNames;
  readonly #place: RulePlace;
  // Rules that follow each other serve the same one, and jump to the same chain, mostly.
  #lastServicePort = { name: '', id: 0 };
  #lastJump: (LoadedTarget & { readonly kind: 'jump' }) | undefined;

  constructor(table: string, names: RuleNames) {
    this.#names = names;
    this.#place = new RulePlace(table);
  }

  /** `chain` and `number` say where it stands. @throws InvalidArgumentError */
  load(rule: Rule, chain: string, number: number): LoadedRule {
    this.#place.chain = chain;
    this.#place.number = number;
    for (const match of rule.matches) if (match.kind === 'recent') this.#names.noteList(match.list);
    return {
      tests: loadMatches(rule.matches, this.#names.tables, this.#place),
      target: this.#loadTarget(rule.target),
      servicePort: rule.servicePort === undefined ? 0 : this.#servicePortId(rule.servicePort),
    };
  }

  #servicePortId(name: string): number {
    if (this.#lastServicePort.name !== name) this.#lastServicePort = { name, id: this.#names.servicePortId(name) };
    return this.#lastServicePort.id;
  }

  #loadTarget(target: Target): LoadedTarget {
    const { family } = this.#names.tables;
    switch (target.kind) {
      case 'accept':
      case 'drop':
      case 'return':
      case 'none':
      case 'mark':
      case 'notrack':
      case 'tproxy':
        return target;
      case 'reject':
        return { kind: 'reject' };
      case 'jump':
        if (this.#lastJump?.chain.name !== target.chain) this.#lastJump = { kind: 'jump', chain: this.#chain(target.chain) };
        return this.#lastJump;
      case 'goto':
        return { kind: 'goto', chain: this.#chain(target.chain) };
      case 'dnat':
        return { kind: 'dnat', address: loadAddress(target.address, family, this.#place, 'dnat'), port: target.port };
      case 'snat': {
        const address = loadAddress(target.address, family, this.#place, 'snat');
        const port = target.port === undefined ? {} : { port: target.port };
        return { kind: 'translateSource', translation: { kind: 'snat', address, ...port } };
      }
      case 'masquerade':
        return { kind: 'translateSource', translation: target };
      case 'verdictMap':
        return this.#verdictMap(target.map);
      case 'randomVerdictMap':
        if (target.chains.length === 0) throw new InvalidArgumentError(`${this.#place}: chains`, target.chains, 'is empty');
        return { kind: 'randomVerdictMap', chains: target.chains.map((name) => this.#chain(name)) };
      case 'updateSet': {
        const { sightings } = findSet(target.set, this.#names.tables, this.#place);
        if (sightings === undefined)
          throw new InvalidArgumentError(`${this.#place}: set`, target.set, 'has no timeout, it cannot be updated');
        return { kind: 'updateSet', sightings };
      }
    }
  }

  #chain(name: string): LoadedChain {
    const chain = this.#names.findChain(name);
    if (chain === undefined) throw new InvalidArgumentError(`${this.#place}: chain`, name, 'does not exist');
    return chain;
  }

  #verdictMap(name: string): LoadedTarget {
    const elements = this.#names.findMap(name);
    if (elements === undefined) throw new InvalidArgumentError(`${this.#place}: map`, name, 'does not exist');
    const { key } = elements.shape;
    const everyDestination = key.map(() => 'dst' as const);
    return { kind: 'verdictMap', elements, sides: resolveSides(key, everyDestination, `map ${name}`) };
  }
}
