// A Program made ready to run: names resolved, texts read. It is built whole before it replaces its predecessor,
// so a Program that makes no sense changes nothing.
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { type EstablishedPaths, establishedPaths } from '../../program/established.ts';
import type { Program } from '../../program/program.ts';
import type { Hook, Rule, Table, Target } from '../../program/ruleset.ts';
import type { VerdictMap } from '../../program/sets.ts';
import { type AddressWords, LocalAddresses, loadAddress } from './addresses.ts';
import { VirtualServices } from './ipvs.ts';
import { findSet, type LoadedSet, loadMatches, type MatchTables } from './matches.ts';
import type { NameTable } from './names.ts';
import { RecentLists } from './recent.ts';
import type { LoadedBaseChain, LoadedChain, LoadedElement, LoadedTarget } from './ruleset.ts';
import { KeyTable, resolveSides } from './sets.ts';
import type { EngineState } from './state.ts';

export interface LoadedProgram {
  readonly family: Family;
  /** Base chains in the order they run. */
  readonly hooks: Readonly<Record<Hook, readonly LoadedBaseChain[]>>;
  readonly localAddresses: LocalAddresses;
  readonly masqueradeAddress: AddressWords | undefined;
  readonly virtualServices: VirtualServices;
  readonly recents: RecentLists;
  /** Rules of known connections, by PATH_*. */
  readonly established: EstablishedPaths;
}

/** What the rules of one table refer to. */
interface Scope {
  readonly tables: MatchTables;
  readonly chains: ReadonlyMap<string, LoadedChain>;
  readonly maps: ReadonlyMap<string, VerdictMap>;
  readonly servicePorts: NameTable;
}

/** Sightings and rounds of `before` go on. @throws InvalidArgumentError, UnsupportedError */
export function loadProgram(program: Program, state: EngineState, servicePorts: NameTable, before?: LoadedProgram): LoadedProgram {
  const { family } = program;
  numberServicePorts(program, servicePorts);
  const localAddresses = new LocalAddresses(program.localAddresses, family);
  const recents = new RecentLists(before?.recents);
  const tables: MatchTables = { family, state, localAddresses, recents, sets: loadSets(program, recents) };
  const maps = new Map(program.maps.map((map) => [map.name, map]));
  const hooks: Record<Hook, LoadedBaseChain[]> = { PREROUTING: [], INPUT: [], FORWARD: [], OUTPUT: [], POSTROUTING: [] };
  for (const table of program.tables) loadTable(table, { tables, maps, servicePorts }, hooks);
  // Array.sort is stable: chains of equal priority keep the order of the Program.
  for (const chains of Object.values(hooks)) chains.sort((a, b) => a.priority - b.priority);
  return {
    family,
    hooks,
    localAddresses,
    masqueradeAddress:
      program.masqueradeAddress === undefined ? undefined : loadAddress(program.masqueradeAddress, family, 'program.masqueradeAddress'),
    virtualServices: new VirtualServices(program.virtualServices, family, (name) => servicePorts.id(name), before?.virtualServices),
    recents,
    established: establishedPaths(program),
  };
}

/** Both engines number ServicePorts in this order. */
function numberServicePorts(program: Program, servicePorts: NameTable): void {
  const rules = program.tables.flatMap((table) => table.chains).flatMap((chain) => chain.rules);
  const elements = program.maps.flatMap((map) => map.elements);
  for (const { servicePort } of [...rules, ...elements, ...program.virtualServices]) {
    if (servicePort !== undefined) servicePorts.id(servicePort);
  }
}

function loadSets(program: Program, recents: RecentLists): Map<string, LoadedSet> {
  const sets = new Map<string, LoadedSet>();
  for (const { name, key, elements, timeoutSeconds } of program.sets) {
    const members = elements.map((element) => [element, true] as const);
    sets.set(name, {
      key,
      elements: new KeyTable(key, members, program.family, `set ${name}`),
      ...(timeoutSeconds === undefined ? {} : { sightings: { list: recents.useSet(name), seconds: timeoutSeconds } }),
    });
  }
  return sets;
}

function loadTable(table: Table, around: Omit<Scope, 'chains'>, hooks: Record<Hook, LoadedBaseChain[]>): void {
  const chains = new Map<string, LoadedChain>(table.chains.map(({ name }) => [name, { name, rules: [] }]));
  const scope: Scope = { ...around, chains };
  for (const { name, rules, base } of table.chains) {
    const chain = findChain(name, scope, `table ${table.name}`);
    for (const [index, rule] of rules.entries()) {
      const where = `table ${table.name}, chain ${name}, rule ${index + 1}`;
      chain.rules.push({
        tests: loadMatches(rule.matches, scope.tables, where),
        target: loadTarget(rule.target, scope, where),
        servicePort: servicePortOf(rule, scope),
      });
    }
    if (base === undefined) continue;
    hooks[base.hook].push({ chain, isNat: base.type === 'nat', priority: base.priority, policy: base.policy });
  }
  refuseEndlessGotos(chains.values(), table.name);
}

function loadTarget(target: Target, scope: Scope, where: string): LoadedTarget {
  const { family } = scope.tables;
  switch (target.kind) {
    case 'accept':
    case 'drop':
    case 'return':
    case 'none':
    case 'mark':
      return target;
    case 'reject':
      return { kind: 'reject' };
    case 'jump':
    case 'goto':
      return { kind: target.kind, chain: findChain(target.chain, scope, where) };
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
      return loadVerdictMap(target.map, scope, where);
    case 'randomVerdictMap':
      if (target.chains.length === 0) throw new InvalidArgumentError(`${where}: chains`, target.chains, 'is empty');
      return { kind: 'randomVerdictMap', chains: target.chains.map((name) => findChain(name, scope, where)) };
    case 'updateSet': {
      const { sightings } = findSet(target.set, scope.tables, where);
      if (sightings === undefined) throw new InvalidArgumentError(`${where}: set`, target.set, 'has no timeout, it cannot be updated');
      return { kind: 'updateSet', sightings };
    }
  }
}

/** A map's chains are those of the table that uses it. */
function loadVerdictMap(name: string, scope: Scope, where: string): LoadedTarget {
  const map = scope.maps.get(name);
  if (map === undefined) throw new InvalidArgumentError(`${where}: map`, name, 'does not exist');
  const elements = map.elements.map((element) => {
    const { key, verdict } = element;
    const chain = verdict.kind === 'goto' ? findChain(verdict.chain, scope, `map ${name}`) : undefined;
    const loaded: LoadedElement = { chain, servicePort: servicePortOf(element, scope) };
    return [key, loaded] as const;
  });
  const everyDestination = map.key.map(() => 'dst' as const);
  return {
    kind: 'verdictMap',
    elements: new KeyTable(map.key, elements, scope.tables.family, `map ${name}`),
    sides: resolveSides(map.key, everyDestination, `map ${name}`),
  };
}

function findChain(name: string, scope: Scope, where: string): LoadedChain {
  const chain = scope.chains.get(name);
  if (chain === undefined) throw new InvalidArgumentError(`${where}: chain`, name, 'does not exist');
  return chain;
}

function servicePortOf(owner: Pick<Rule, 'servicePort'>, scope: Scope): number {
  return owner.servicePort === undefined ? 0 : scope.servicePorts.id(owner.servicePort);
}

/** A loop of jumps ends at CHAIN_DEPTH_MAX; one of gotos alone would never end. The kernel refuses both. */
function refuseEndlessGotos(chains: Iterable<LoadedChain>, table: string): void {
  const finished = new Set<LoadedChain>();
  const open = new Set<LoadedChain>();
  const visit = (chain: LoadedChain): void => {
    if (finished.has(chain)) return;
    if (open.has(chain)) throw new InvalidArgumentError(`table ${table}: chain`, chain.name, 'goes to itself in a loop');
    open.add(chain);
    for (const next of chain.rules.flatMap(({ target }) => gotoTargets(target))) visit(next);
    open.delete(chain);
    finished.add(chain);
  };
  for (const chain of chains) visit(chain);
}

function gotoTargets(target: LoadedTarget): readonly LoadedChain[] {
  if (target.kind === 'goto') return [target.chain];
  if (target.kind === 'randomVerdictMap') return target.chains;
  if (target.kind !== 'verdictMap') return [];
  return [...target.elements.values()].flatMap(({ chain }) => chain ?? []);
}
