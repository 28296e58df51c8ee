// A Program made ready to run: names resolved, texts read. The next Program changes it where it differs. What is new is worked out
// whole before any of it replaces what was there, so a Program that makes no sense changes nothing.
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { type Change, changeOf, itemEdits, type ProgramChange, rowEdits } from '../../program/change.ts';
import { chainsIn } from '../../program/endpoint-chains.ts';
import { type EstablishedPaths, type EstablishedProof, establishedProof } from '../../program/established.ts';
import { elementsOf, itemsOf, type MapElement, mapElementsOf, rulesOf } from '../../program/joined.ts';
import { emptyProgram, type Program } from '../../program/program.ts';
import type { Chain, Hook } from '../../program/ruleset.ts';
import { sameData } from '../../program/same-data.ts';
import type { ElementKey, NamedSet, VerdictMap } from '../../program/sets.ts';
import { type AddressWords, LocalAddresses, loadAddress } from './addresses.ts';
import { refuseEndlessGotos } from './goto-loops.ts';
import { loadedHooks } from './hooks.ts';
import type { NodeIpvs } from './ipvs.ts';
import { ListUses, listsNamedBy } from './list-uses.ts';
import type { LoadedSet } from './matches.ts';
import type { NameTable } from './names.ts';
import { RecentLists } from './recent.ts';
import { RuleLoader } from './rule-loader.ts';
import type { LoadedBaseChain, LoadedChain, LoadedElement, LoadedRule } from './ruleset.ts';
import { KeyTable } from './sets.ts';
import type { EngineState } from './state.ts';

type Chains = Map<string, LoadedChain>;
type LoadedMap = KeyTable<LoadedElement>;

/** The chains of one table that went and that came. */
interface ChainChange extends Change<Chain> {
  readonly name: string;
}

/** What a change makes, found before what is there; and what puts it in force, which cannot fail. */
interface Draft {
  /** New chains: in their table already, so that others can refer to them. */
  readonly made: { readonly chains: Chains; readonly name: string }[];
  /** The new rules of chains that were there before. */
  readonly rules: Map<LoadedChain, readonly LoadedRule[]>;
  readonly sets: Map<string, LoadedSet>;
  readonly maps: Map<string, LoadedMap>;
  /** What maps will hold that were there before. */
  readonly elements: Map<LoadedMap, () => Iterable<LoadedElement>>;
  /** Where a loop of gotos could begin. */
  readonly starts: LoadedChain[];
  /** xt_recent lists, once for each new rule that names them. */
  readonly lists: string[];
  readonly commits: (() => void)[];
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
  readonly #sets = new Map<string, { readonly set: LoadedSet; source: NamedSet }>();
  readonly #maps = new Map<string, { readonly map: LoadedMap; source: VerdictMap }>();
  readonly #listUses = new ListUses(this.recents);
  #program: Program;
  #proof: EstablishedProof | undefined;

  constructor(family: Family, state: EngineState, servicePorts: NameTable, ipvs: NodeIpvs) {
    this.family = family;
    this.#state = state;
    this.#servicePorts = servicePorts;
    this.#ipvs = ipvs;
    this.localAddresses = new LocalAddresses(family);
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
    const draft = emptyDraft();
    try {
      this.#draft(program, change, draft, now);
    } catch (error) {
      for (const { chains, name } of draft.made) chains.delete(name);
      throw error;
    }
    for (const commit of draft.commits) commit();
    if (proof !== this.#proof) this.hooks = loadedHooks(proof.bases, (table, chain) => this.#chains.get(table)?.get(chain));
    this.#listUses.forgetUnused();
    this.#program = program;
    this.#proof = proof;
  }

  #draft(program: Program, change: ProgramChange, draft: Draft, now: number): void {
    const tables = change.tables.map(
      ({ name, removed, added }): ChainChange => ({ name, removed: chainsIn(removed), added: chainsIn(added) }),
    );
    for (const table of tables) this.#makeChains(table, draft);
    this.#loadSets(change, draft);
    this.#loadMaps(change, program, draft);
    for (const table of tables) this.#loadChains(table, draft);
    refuseEndlessGotos(draft.starts, {
      rulesOf: (chain) => draft.rules.get(chain) ?? chain.rules,
      elementsOf: (map) => draft.elements.get(map)?.() ?? map.values(),
    });
    const services = this.#ipvs.plan(this.family, change.virtualServices, () => program.virtualServices);
    const { masqueradeAddress: masquerade } = program;
    const masqueradeAddress = masquerade === undefined ? undefined : loadAddress(masquerade, this.family, 'program.masqueradeAddress');
    draft.commits.push(this.localAddresses.prepare(change.localAddresses), () => {
      this.#ipvs.load(services, program.ipvs?.timeouts, now);
      this.#listUses.add(draft.lists);
      this.masqueradeAddress = masqueradeAddress;
    });
  }

  #makeChains({ name: table, removed, added }: ChainChange, { made, commits }: Draft): void {
    const chains = this.#chains.get(table) ?? new Map<string, LoadedChain>();
    this.#chains.set(table, chains);
    for (const { name } of added) {
      if (chains.has(name)) continue;
      chains.set(name, { name, rules: [], source: undefined });
      made.push({ chains, name });
    }
    if (removed.length === 0) return;
    const kept = new Set(added.map(({ name }) => name));
    commits.push(() => {
      for (const { name, rules } of removed) {
        if (kept.has(name)) continue;
        chains.delete(name);
        for (const rule of rules) this.#listUses.remove(listsNamedBy(rule));
      }
    });
  }

  #loadSets({ sets: { removed, added } }: ProgramChange, draft: Draft): void {
    for (const source of added) {
      const known = this.#sets.get(source.name);
      const set = known?.set ?? this.#loadSet(source);
      if (known === undefined) draft.sets.set(source.name, set);
      else draft.commits.push(this.#changeSet(known.set, known.source, source));
      draft.commits.push(() => this.#sets.set(source.name, { set, source }));
    }
    const kept = new Set(added.map(({ name }) => name));
    draft.commits.push(() => {
      for (const { name } of removed) {
        if (kept.has(name)) continue;
        this.#sets.delete(name);
        this.recents.forget(name);
      }
    });
  }

  #loadSet(source: NamedSet): LoadedSet {
    const { name, key, timeoutSeconds } = source;
    // As often as parts bring them: each of those can go by itself.
    const members = itemsOf(elementsOf(source)).map(member);
    return {
      key,
      elements: new KeyTable({ key, family: this.family, where: `set ${name}`, isMap: false }, members),
      ...(timeoutSeconds === undefined ? {} : { sightings: { list: this.recents.useSet(name), seconds: timeoutSeconds } }),
    };
  }

  /** Rules hold on to the set they ask: it stays the same one with other elements. */
  #changeSet(set: LoadedSet, before: NamedSet, after: NamedSet): () => void {
    const { removed, added } = itemEdits(elementsOf(before), elementsOf(after));
    const edit = sameData(before.key, after.key) ? set.elements.prepare({ removed, added: added.map(member) }) : undefined;
    const whole = edit ?? this.#loadSet(after);
    return () => {
      if ('apply' in whole) whole.apply();
      else set.elements.become(whole.elements);
      if (set.sightings !== undefined && after.timeoutSeconds !== undefined) set.sightings.seconds = after.timeoutSeconds;
    };
  }

  /** Maps belong to the only table of nftables mode; their verdicts name its chains. */
  #loadMaps({ maps: { removed, added } }: ProgramChange, program: Program, draft: Draft): void {
    const chains = this.#chains.get(program.tables[0]?.name ?? '');
    const load = (map: VerdictMap, elements: readonly MapElement[]): [ElementKey, LoadedElement][] =>
      elements.map((element) => [element.key, this.#loadElement(element, chains, `map ${map.name}`)]);
    for (const source of added) {
      const known = this.#maps.get(source.name);
      if (known === undefined) {
        const map = this.#newMap(source, load(source, source.elements));
        draft.maps.set(source.name, map);
        draft.commits.push(() => this.#maps.set(source.name, { map, source }));
      } else {
        const { map } = known;
        const change = itemEdits(mapElementsOf(known.source), mapElementsOf(source));
        const coming = load(source, change.added);
        const edit = map.prepare({ removed: change.removed.map(({ key }) => key), added: coming });
        const whole = edit ?? this.#newMap(source, load(source, source.elements));
        draft.elements.set(map, () => whole.values());
        for (const [, { chain }] of coming) if (chain !== undefined) draft.starts.push(chain);
        draft.commits.push(
          () => ('apply' in whole ? whole.apply() : map.become(whole)),
          () => this.#maps.set(source.name, { map, source }),
        );
      }
    }
    const kept = new Set(added.map(({ name }) => name));
    draft.commits.push(() => {
      for (const { name } of removed) if (!kept.has(name)) this.#maps.delete(name);
    });
  }

  #newMap({ name, key }: VerdictMap, elements: Iterable<readonly [ElementKey, LoadedElement]>): LoadedMap {
    return new KeyTable({ key, family: this.family, where: `map ${name}`, isMap: true }, elements);
  }

  #loadElement({ verdict, servicePort }: MapElement, chains: Chains | undefined, where: string): LoadedElement {
    const chain = verdict.kind === 'goto' ? chains?.get(verdict.chain) : undefined;
    if (verdict.kind === 'goto' && chain === undefined) throw new InvalidArgumentError(`${where}: chain`, verdict.chain, 'does not exist');
    return { chain, servicePort: servicePort === undefined ? 0 : this.#servicePorts.id(servicePort) };
  }

  #loadChains({ name: table, added }: ChainChange, draft: Draft): void {
    const chains = this.#chains.get(table);
    const { family, localAddresses, recents } = this;
    const sets = { get: (name: string) => draft.sets.get(name) ?? this.#sets.get(name)?.set };
    const loader = new RuleLoader(table, {
      tables: { family, state: this.#state, localAddresses, recents, sets },
      findChain: (name) => chains?.get(name),
      findMap: (name) => draft.maps.get(name) ?? this.#maps.get(name)?.map,
      servicePortId: (name) => this.#servicePorts.id(name),
      noteList: (list) => draft.lists.push(list),
    });
    for (const source of added) {
      const chain = chains?.get(source.name);
      if (chain === undefined) continue;
      draft.starts.push(chain);
      if (chain.source === undefined) {
        // Nobody has seen it yet.
        chain.rules = source.rules.map((rule, index) => loader.load(rule, source.name, index + 1));
        chain.source = source;
      } else {
        this.#changeChain(chain, chain.source, source, loader, draft);
      }
    }
  }

  #changeChain(chain: LoadedChain, before: Chain, source: Chain, loader: RuleLoader, draft: Draft): void {
    const edits = rowEdits(rulesOf(before), rulesOf(source));
    const rules: LoadedRule[] = [];
    let old = 0;
    const keepTo = (end: number): void => {
      for (; old < end; old++) {
        const rule = chain.rules[old];
        if (rule !== undefined) rules.push(rule);
      }
    };
    for (const { at, removed, added } of edits) {
      keepTo(at);
      for (const rule of added.flat()) rules.push(loader.load(rule, source.name, rules.length + 1));
      old += removed.reduce((sum, part) => sum + part.length, 0);
    }
    keepTo(chain.rules.length);
    draft.rules.set(chain, rules);
    draft.commits.push(() => {
      chain.rules = rules;
      chain.source = source;
      for (const { removed } of edits) for (const rule of removed.flat()) this.#listUses.remove(listsNamedBy(rule));
    });
  }
}

function member(key: ElementKey): [ElementKey, true] {
  return [key, true];
}

function emptyDraft(): Draft {
  return { made: [], rules: new Map(), sets: new Map(), maps: new Map(), elements: new Map(), starts: [], lists: [], commits: [] };
}
