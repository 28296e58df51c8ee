// Changes that must change nothing: the objects of every kind of kube-proxy case told another way come to the same Program, in each mode and
// family, whatever it is that the case expects of one of them.
import { describe, expect, test } from 'vitest';
import type { Family } from '../../src/address.ts';
import { keyOf, refOf } from '../../src/api/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import type { Program } from '../../src/program/program.ts';
import type { Rule } from '../../src/program/ruleset.ts';
import { type CaseConfig, type CaseNode, type CaseState, startCase } from './compiled.ts';
import { loadConformance } from './data.ts';
import { inManySlices, type Pick, TELLINGS, type Telling } from './retold.ts';
import { holds } from './retold-runs.ts';
import { objectsOf, SELECTIONS } from './selection-cases.ts';

interface Step {
  readonly apply?: readonly KubernetesObject[];
  readonly delete?: readonly ObjectRef[];
}

interface ProgramCase {
  readonly id: string;
  readonly node?: Partial<CaseNode>;
  readonly config?: CaseConfig;
  readonly steps: readonly Step[];
}

type Cases = readonly ProgramCase[];
const maps = loadConformance<Readonly<Record<'endpointsMap' | 'serviceMap' | 'noLocalEndpoints', Cases>>>('kube-proxy-maps.json');
const CASES: Cases = [
  ...loadConformance<{ readonly cases: Cases }>('kube-proxy-rules.json').cases,
  ...loadConformance<{ readonly cases: Cases }>('kube-proxy-nft-facts.json').cases,
  ...loadConformance<{ readonly cases: Cases }>('kube-proxy-flows.json').cases,
  ...maps.endpointsMap,
  ...maps.serviceMap,
  ...maps.noLocalEndpoints,
  ...SELECTIONS.map((given) => ({ id: given.id, node: { name: given.node.name }, steps: [{ apply: objectsOf(given) }] })),
];
const MODES: readonly ProxyMode[] = ['iptables', 'nftables', 'ipvs'];
const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const NODE: CaseNode = { name: 'test-node', ips: ['192.168.0.2', '192.168.99.11', '2001:db8::1'] };

/** A case as a node of one mode sees it, in one family. */
interface View {
  readonly given: ProgramCase;
  readonly mode: ProxyMode;
  readonly family: Family;
}

function viewOf(cases: Cases, pick: Pick): View {
  return {
    given: cases[pick(cases.length)] as ProgramCase,
    mode: MODES[pick(MODES.length)] as ProxyMode,
    family: FAMILIES[pick(FAMILIES.length)] as Family,
  };
}

function start({ given, mode, family }: View): CaseState {
  return startCase(mode, { ...NODE, ...given.node }, { ...given.config, ipFamily: family });
}

/** The Program after each step. */
function programs(view: View, tell: (state: CaseState, objects: readonly KubernetesObject[]) => void): unknown[] {
  const state = start(view);
  return view.given.steps.map((step) => {
    tell(state, step.apply ?? []);
    state.change([], step.delete);
    return inOrder(state.program());
  });
}

const plainly = (state: CaseState, objects: readonly KubernetesObject[]): void => state.change(objects);

/** As plain data. What stands beside each other says nothing by its order: objects may name addresses and source ranges in any. */
function inOrder(program: Program): unknown {
  const sorted = (items: readonly unknown[]): string[] => items.map((item) => JSON.stringify(item)).sort();
  const unordered = (rule: Rule): Rule => ({
    ...rule,
    matches: rule.matches.map((match) => ('prefixes' in match ? { ...match, prefixes: [...match.prefixes].sort() } : match)),
  });
  return {
    ...program,
    tables: program.tables.map((table) => ({
      ...table,
      chains: sorted(table.chains.map((chain) => ({ ...chain, rules: sorted(chain.rules.map(unordered)) }))),
    })),
    sets: sorted(program.sets.map((set) => ({ ...set, elements: sorted(set.elements) }))),
    maps: program.maps.map((map) => ({ ...map, elements: sorted(map.elements) })),
    virtualServices: sorted(program.virtualServices),
    localAddresses: sorted(program.localAddresses),
  };
}

function wordsOf({ given, mode, family }: View): string {
  return `${given.id}, ${mode}, ${family}`;
}

describe('Programs', () => {
  test.each(Object.entries(TELLINGS))('come to the same %s', (_words, telling: Telling) =>
    holds((pick) => {
      const view = viewOf(CASES, pick);
      const retold = (state: CaseState, objects: readonly KubernetesObject[]): void =>
        telling({ apply: (told) => state.change(told), delete: (refs) => state.change([], refs) }, objects, pick);
      expect(programs(view, retold), wordsOf(view)).toEqual(programs(view, plainly));
    }),
  );

  test('come to the same with every endpoint in slices of its own', () => {
    const unchanged = CASES.filter(({ steps }) => steps.length === 1);
    return holds((pick) => {
      const view = viewOf(unchanged, pick);
      const split = (state: CaseState, objects: readonly KubernetesObject[]): void => state.change(inManySlices(objects, pick));
      expect(programs(view, split), wordsOf(view)).toEqual(programs(view, plainly));
    });
  });

  test('are after each step what a node that only starts then makes of the objects', () =>
    holds((pick) => {
      const view = viewOf(CASES, pick);
      const known = new Map<string, KubernetesObject>();
      const fresh = view.given.steps.map((step) => {
        for (const object of step.apply ?? []) known.set(keyOf(refOf(object)), object);
        for (const ref of step.delete ?? []) known.delete(keyOf(ref));
        const state = start(view);
        state.change([...known.values()]);
        return inOrder(state.program());
      });
      expect(fresh, wordsOf(view)).toEqual(programs(view, plainly));
    }));
});
