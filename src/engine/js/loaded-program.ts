// A Program made ready to run: names resolved, texts read. The next Program changes it where it differs. What is new is worked out
// whole before any of it replaces what was there, so a Program that makes no sense changes nothing.
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { changeOf, type ProgramChange, rowEdits, type TableChange } from '../../program/change.ts';
import { type EstablishedPaths, type EstablishedProof, establishedProof } from '../../program/established.ts';
import { rulesOf } from '../../program/joined.ts';
import { emptyProgram, type Program } from '../../program/program.ts';
import type { Chain, Hook, Rule, Target } from '../../program/ruleset.ts';
import type { NamedSet, VerdictMap } from '../../program/sets.ts';
import { type AddressWords, LocalAddresses, loadAddress } from './addresses.ts';
import { loadedHooks } from './hooks.ts';
import type { NodeIpvs } from './ipvs.ts';
import { ListUses, listsNamedBy } from './list-uses.ts';
import { findSet, type LoadedSet, loadMatches, type MatchTables } from './matches.ts';
import type { NameTable } from './names.ts';
import { RecentLists } from './recent.ts';
import type { LoadedBaseChain, LoadedChain, LoadedElement, LoadedRule, LoadedTarget } from './ruleset.ts';
import { KeyTable, resolveSides } from './sets.ts';
import type { EngineState } from './state.ts';

type Chains = Map<string, LoadedChain>;
type LoadedMap = KeyTable<LoadedElement>;

/** What a change makes, found before what is there; and what puts it in force, which cannot fail. */
interface Draft {
  readonly chains: Map<string, Chains>;
  readonly sets: Map<string, LoadedSet>;
  readonly maps: Map<string, LoadedMap>;
  /** The new rules of chains, and the new elements of maps that were there before. */
  readonly rules: Map<LoadedChain, readonly LoadedRule[]>;
  readonly elements: Map<LoadedMap, LoadedMap>;
  readonly commits: (() => void)[];
}

/** What the rules of one table refer to. */
interface Scope {
  readonly table: string;
  readonly tables: MatchTables;
  readonly draft: Draft;
}

export class LoadedProgram {
  readonly family: Family;
  readonly localAddresses: LocalAddresses;
  readonly recents = new RecentLists();
  /** Base chains in the order they run. */
  hooks: Readonly<Record<Hook, readonly LoadedBaseChain[]>> = { PREROUTING: [], INPUT: [], FORWARD: [], OUTPUT: [], POSTROUTING: [] };
  masqueradeAddress: AddressWords | undefined;
  readonly #state: EngineState;
  readonly #servicePorts: NameTable;
  readonly #ipvs: NodeIpvs;
  readonly #chains = new Map<string, Chains>();
  readonly #sources = new Map<LoadedChain, Chain>();
  readonly #sets = new Map<string, LoadedSet>();
  readonly #maps = new Map<string, LoadedMap>();
  readonly #listUses = new ListUses(this.recents);
  #program: Program;
  #proof: EstablishedProof | undefined;

  constructor(family: Family, state: EngineState, servicePorts: NameTable, ipvs: NodeIpvs) {
    this.family = family;
    this.#state = state;
    this.#servicePorts = servicePorts;
    this.#ipvs = ipvs;
    this.localAddresses = new LocalAddresses([], family);
    this.#program = emptyProgram(family);
  }

  /** Rules of known connections, by PATH_*. */
  get established(): EstablishedPaths {
    return this.#proof?.paths ?? [];
  }

  /** Chains before conntrack are asked before connections are looked up. */
  get isAskedBeforeConntrack(): boolean {
    return this.#proof?.isAskedBeforeConntrack ?? false;
  }

  /** Sightings and IPVS's connections go on. @throws InvalidArgumentError, UnsupportedError */
  load(program: Program, now: number): void {
    const change = changeOf(this.#program, program);
    const proof = establishedProof(this.#proof, program, change);
    const draft: Draft = { chains: new Map(), sets: new Map(), maps: new Map(), rules: new Map(), elements: new Map(), commits: [] };
    for (const table of change.tables) this.#makeChains(table, draft);
    this.#loadSets(change, draft);
    this.#loadMaps(change, program, draft);
    for (const table of change.tables) this.#loadChains(table, draft);
    refuseEndlessGotos(draft);
    const services = this.#ipvs.plan(this.family, change.virtualServices, () => program.virtualServices);
    draft.commits.push(() => this.#ipvs.load(services, program.ipvs?.timeouts, now));
    if (change.localAddresses.removed.length + change.localAddresses.added.length > 0) {
      const local = new LocalAddresses(program.localAddresses, this.family);
      draft.commits.push(() => this.localAddresses.become(local));
    }
    const { masqueradeAddress } = program;
    const masquerade =
      masqueradeAddress === undefined ? undefined : loadAddress(masqueradeAddress, this.family, 'program.masqueradeAddress');
    for (const commit of draft.commits) commit();
    if (change.tables.some(({ removed, added }) => [...removed, ...added].some(({ base }) => base !== undefined))) {
      this.hooks = loadedHooks(program, (table, chain) => this.#chains.get(table)?.get(chain));
    }
    this.#listUses.forgetUnused();
    this.masqueradeAddress = masquerade;
    this.#program = program;
    this.#proof = proof;
  }

  #makeChains({ name: table, removed, added }: TableChange, { chains, commits }: Draft): void {
    const known = this.#chains.get(table) ?? new Map<string, LoadedChain>();
    const made: Chains = new Map();
    for (const { name } of added) if (!known.has(name)) made.set(name, { name, rules: [] });
    chains.set(table, made);
    const kept = new Set(added.map(({ name }) => name));
    const gone = removed.filter(({ name }) => !kept.has(name));
    commits.push(() => {
      this.#chains.set(table, known);
      for (const { name, rules } of gone) {
        const chain = known.get(name);
        known.delete(name);
        if (chain !== undefined) this.#sources.delete(chain);
        for (const rule of rules) this.#listUses.remove(listsNamedBy(rule));
      }
      for (const [name, chain] of made) known.set(name, chain);
    });
  }

  #loadSets({ sets: { removed, added } }: ProgramChange, { sets, commits }: Draft): void {
    for (const set of added) {
      const loaded = this.#loadSet(set);
      const known = this.#sets.get(set.name);
      if (known === undefined) sets.set(set.name, loaded);
      commits.push(() => {
        if (known === undefined) this.#sets.set(set.name, loaded);
        else becomeSet(known, loaded);
      });
    }
    const kept = new Set(added.map(({ name }) => name));
    const gone = removed.filter(({ name }) => !kept.has(name));
    commits.push(() => {
      for (const { name } of gone) {
        this.#sets.delete(name);
        this.recents.forget(name);
      }
    });
  }

  #loadSet({ name, key, elements, timeoutSeconds }: NamedSet): LoadedSet {
    const members = elements.map((element) => [element, true] as const);
    return {
      key,
      elements: new KeyTable(key, members, this.family, `set ${name}`),
      ...(timeoutSeconds === undefined ? {} : { sightings: { list: this.recents.useSet(name), seconds: timeoutSeconds } }),
    };
  }

  /** Maps belong to the only table of nftables mode; their verdicts name its chains. */
  #loadMaps({ maps: { removed, added } }: ProgramChange, program: Program, draft: Draft): void {
    const table = program.tables[0]?.name ?? '';
    for (const map of added) {
      const loaded = this.#loadMap(map, table, draft);
      const known = this.#maps.get(map.name);
      if (known === undefined) draft.maps.set(map.name, loaded);
      else draft.elements.set(known, loaded);
      draft.commits.push(() => {
        if (known === undefined) this.#maps.set(map.name, loaded);
        else known.become(loaded);
      });
    }
    const kept = new Set(added.map(({ name }) => name));
    const gone = removed.filter(({ name }) => !kept.has(name));
    draft.commits.push(() => {
      for (const { name } of gone) this.#maps.delete(name);
    });
  }

  #loadMap({ name, key, elements }: VerdictMap, table: string, draft: Draft): LoadedMap {
    const loaded = elements.map((element) => {
      const { verdict } = element;
      const chain = verdict.kind === 'goto' ? this.#findChain(verdict.chain, table, draft, `map ${name}`) : undefined;
      const value: LoadedElement = { chain, servicePort: this.#servicePortOf(element) };
      return [element.key, value] as const;
    });
    return new KeyTable(key, loaded, this.family, `map ${name}`);
  }

  #loadChains({ name: table, added }: TableChange, draft: Draft): void {
    const sets: MatchTables['sets'] = { get: (name) => draft.sets.get(name) ?? this.#sets.get(name) };
    const { family, localAddresses, recents } = this;
    const scope: Scope = { table, draft, tables: { family, state: this.#state, localAddresses, recents, sets } };
    for (const source of added) {
      const chain = this.#findChain(source.name, table, draft, `table ${table}`);
      const before = this.#sources.get(chain);
      const { head, parts, tail } = rulesOf(source);
      const edits =
        before === undefined ? [{ at: 0, removed: [], added: [head, ...parts, tail] }] : rowEdits(rulesOf(before), rulesOf(source));
      const rules: LoadedRule[] = [];
      let old = 0;
      const keepTo = (end: number): void => {
        for (const rule of chain.rules.slice(old, end)) rules.push(rule);
        old = end;
      };
      for (const { at, removed, added: parts } of edits) {
        keepTo(at);
        for (const rule of parts.flat()) rules.push(this.#loadRule(rule, scope, `chain ${source.name}, rule ${rules.length + 1}`));
        old += removed.reduce((sum, part) => sum + part.length, 0);
      }
      keepTo(chain.rules.length);
      draft.rules.set(chain, rules);
      draft.commits.push(() => {
        chain.rules = rules;
        this.#sources.set(chain, source);
        for (const edit of edits) {
          for (const rule of edit.added.flat()) this.#listUses.add(listsNamedBy(rule));
          for (const rule of edit.removed.flat()) this.#listUses.remove(listsNamedBy(rule));
        }
      });
    }
  }

  #loadRule(rule: Rule, scope: Scope, place: string): LoadedRule {
    const where = `table ${scope.table}, ${place}`;
    return {
      tests: loadMatches(rule.matches, scope.tables, where),
      target: this.#loadTarget(rule.target, scope, where),
      servicePort: this.#servicePortOf(rule),
    };
  }

  #loadTarget(target: Target, scope: Scope, where: string): LoadedTarget {
    const { family } = scope.tables;
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
      case 'goto':
        return { kind: target.kind, chain: this.#findChain(target.chain, scope.table, scope.draft, where) };
      case 'dnat':
        return { kind: 'dnat', address: loadAddress(target.address, family, `${where}: dnat`), port: target.port };
      case 'snat': {
        const address = loadAddress(target.address, family, `${where}: snat`);
        const port = target.port === undefined ? {} : { port: target.port };
        return { kind: 'translateSource', translation: { kind: 'snat', address, ...port } };
      }
      case 'masquerade':
        return { kind: 'translateSource', translation: target };
      case 'verdictMap':
        return this.#verdictMap(target.map, scope, where);
      case 'randomVerdictMap':
        if (target.chains.length === 0) throw new InvalidArgumentError(`${where}: chains`, target.chains, 'is empty');
        return { kind: 'randomVerdictMap', chains: target.chains.map((name) => this.#findChain(name, scope.table, scope.draft, where)) };
      case 'updateSet': {
        const { sightings } = findSet(target.set, scope.tables, where);
        if (sightings === undefined) throw new InvalidArgumentError(`${where}: set`, target.set, 'has no timeout, it cannot be updated');
        return { kind: 'updateSet', sightings };
      }
    }
  }

  #verdictMap(name: string, { draft }: Scope, where: string): LoadedTarget {
    const elements = draft.maps.get(name) ?? this.#maps.get(name);
    if (elements === undefined) throw new InvalidArgumentError(`${where}: map`, name, 'does not exist');
    const everyDestination = elements.key.map(() => 'dst' as const);
    return { kind: 'verdictMap', elements, sides: resolveSides(elements.key, everyDestination, `map ${name}`) };
  }

  #findChain(name: string, table: string, draft: Draft, where: string): LoadedChain {
    const chain = draft.chains.get(table)?.get(name) ?? this.#chains.get(table)?.get(name);
    if (chain === undefined) throw new InvalidArgumentError(`${where}: chain`, name, 'does not exist');
    return chain;
  }

  #servicePortOf(owner: Pick<Rule, 'servicePort'>): number {
    return owner.servicePort === undefined ? 0 : this.#servicePorts.id(owner.servicePort);
  }
}

/** Rules hold on to the set they ask: it stays the same one with other elements. */
function becomeSet(set: LoadedSet, next: LoadedSet): void {
  set.elements.become(next.elements);
  if (set.sightings !== undefined && next.sightings !== undefined) set.sightings.seconds = next.sightings.seconds;
}

/** A loop of jumps ends at CHAIN_DEPTH_MAX; one of gotos alone would never end. The kernel refuses both. A new loop has a new rule. */
function refuseEndlessGotos({ rules, elements }: Draft): void {
  const finished = new Set<LoadedChain>();
  const open = new Set<LoadedChain>();
  const visit = (chain: LoadedChain): void => {
    if (finished.has(chain)) return;
    if (open.has(chain)) throw new InvalidArgumentError('chain', chain.name, 'goes to itself in a loop');
    open.add(chain);
    for (const { target } of rules.get(chain) ?? chain.rules) for (const next of gotoTargets(target, elements)) visit(next);
    open.delete(chain);
    finished.add(chain);
  };
  for (const chain of rules.keys()) visit(chain);
  for (const map of elements.values()) for (const { chain } of map.values()) if (chain !== undefined) visit(chain);
}

function gotoTargets(target: LoadedTarget, elements: Draft['elements']): readonly LoadedChain[] {
  if (target.kind === 'goto') return [target.chain];
  if (target.kind === 'randomVerdictMap') return target.chains;
  if (target.kind !== 'verdictMap') return [];
  return [...(elements.get(target.elements) ?? target.elements).values()].flatMap(({ chain }) => chain ?? []);
}
