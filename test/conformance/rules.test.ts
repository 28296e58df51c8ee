// The rules of iptables mode against kube-proxy's own: every fact of kube-proxy-rules.json about what a sync leaves behind.
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { endpointChainName, serviceChainNames } from '../../src/compile/names.ts';
import { probabilityText } from '../../src/program/chance.ts';
import type { Program } from '../../src/program/program.ts';
import type { Chain, Rule, Table } from '../../src/program/ruleset.ts';
import { type CaseConfig, type CaseNode, endpointAt, servicePortNamed, startCase } from './compiled.ts';
import { loadConformance } from './data.ts';
import { expectedFact, type RuleFact, ruleFact } from './rule-facts.ts';

/** What one sync hands to iptables-restore. A partial sync leaves out the chains of Services that did not change. */
interface RestoreInput {
  readonly chains: Readonly<Record<string, readonly string[]>>;
  readonly deletedChains?: readonly string[];
  readonly rules: readonly RuleFact[];
}

interface RulesData {
  readonly chainNames: {
    readonly names: readonly {
      readonly servicePort: string;
      readonly protocol: string;
      readonly kind: 'svc' | 'svl' | 'ext' | 'fw' | 'sep';
      readonly endpoint?: string;
      readonly chain: string;
    }[];
  };
  readonly probabilities: { readonly values: Readonly<Record<string, string>> };
  readonly cases: readonly {
    readonly id: string;
    readonly title: string;
    readonly node: CaseNode;
    readonly config: CaseConfig;
    readonly steps: readonly {
      readonly apply?: readonly KubernetesObject[];
      readonly delete?: readonly ObjectRef[];
      readonly expect: RestoreInput;
    }[];
  }[];
  readonly chainCases: readonly {
    readonly id: string;
    readonly title: string;
    readonly config: CaseConfig;
    readonly table: string;
    readonly chain: string;
    readonly onlyTarget?: string;
    readonly rules: readonly RuleFact[];
  }[];
  readonly largeCluster: { readonly threshold: number; readonly course: readonly { readonly sample?: RuleFact }[] };
}

const data = loadConformance<RulesData>('kube-proxy-rules.json');
const node: CaseNode = data.cases[0]?.node ?? { name: 'node', ips: [] };

describe('names and numbers', () => {
  test.each(data.chainNames.names)('$kind of $servicePort $protocol $endpoint is $chain', ({ kind, endpoint, chain, ...of }) => {
    const [, namespace = '', name = '', port = ''] = /^([^/]+)\/([^:]+):?(.*)$/.exec(of.servicePort) ?? [];
    const owner = servicePortNamed(namespace, name, port, of.protocol);
    const { service, local, external, firewall } = serviceChainNames(owner);

    const made = { svc: service, svl: local, ext: external, fw: firewall, sep: endpointChainName(owner, endpointAt(endpoint ?? '')) };

    expect(made[kind]).toBe(chain);
  });

  test.each(Object.entries(data.probabilities.values))('one in %s is the probability %s', (count, text) => {
    expect(probabilityText(Number(count))).toBe(text);
  });
});

describe.each(data.cases)('$id: $title', ({ node: caseNode, config, steps }) => {
  const state = startCase('iptables', caseNode, config);
  const restored = new Map<string, readonly RuleFact[]>();
  test.each(steps.map((step, index) => ({ ...step, number: index + 1 })))('step $number', (step) => {
    state.change(step.apply ?? [], step.delete);
    restore(restored, step.expect);

    const own = ownChains(state.program());

    expect(own.map(({ table, chain }) => `${table.name} ${chain.name}`).sort()).toEqual([...restored.keys()].sort());
    for (const { table, chain } of own) {
      const name = `${table.name} ${chain.name}`;
      expect(freelyOrdered(chain, factsOf(table, chain)), name).toEqual(freelyOrdered(chain, restored.get(name) ?? []));
    }
  });
});

test.each(data.chainCases)('$id: $title', ({ config, table: tableName, chain: chainName, onlyTarget, rules }) => {
  const program = startCase('iptables', node, config).program();

  const found = ownChains(program).filter(({ table, chain }) => table.name === tableName && chain.name === chainName);

  const facts = found.flatMap(({ table, chain }) => factsOf(table, chain));
  expect(facts.filter(({ target }) => onlyTarget === undefined || target === onlyTarget)).toEqual(rules.map(expectedFact));
});

describe('large clusters', () => {
  const { threshold, course } = data.largeCluster;
  const samples = course.flatMap(({ sample }) => (sample === undefined ? [] : [sample]));

  test.each([
    { count: threshold, keepsComments: true },
    { count: threshold + 1, keepsComments: false },
  ])('$count endpoints: rules of service and endpoint chains have comments: $keepsComments', ({ count, keepsComments }) => {
    const state = startCase('iptables', node, {});
    state.change(bigService(count));

    const program = state.program();

    for (const { chain } of ownChains(program)) {
      const isShortened = /^KUBE-(SVC|SVL|SEP)-/.test(chain.name);
      for (const rule of chain.rules.filter(hasOptionalComment)) {
        expect(
          rule.matches.some(({ kind }) => kind === 'comment'),
          chain.name,
        ).toBe(!isShortened || keepsComments);
      }
    }
  });

  test('the sampled endpoint rules are as the data has them below and above the threshold', () => {
    const [below, , above] = samples;
    expect(firstEndpointRule(threshold)).toEqual(expectedFact(below ?? {}));
    expect(firstEndpointRule(threshold + 1)).toEqual(expectedFact(above ?? {}));
  });

  /** Of the chain that the samples show, with endpoints numbered from 10.0.0.0 on. */
  function firstEndpointRule(count: number): RuleFact | undefined {
    const state = startCase('iptables', node, {});
    state.change(bigService(count));
    const [found] = ownChains(state.program()).filter(({ chain }) => chain.name === samples[0]?.chain);
    return found === undefined ? undefined : factsOf(found.table, found.chain).at(-1);
  }
});

/** Adds a sync to what those before it left in the kernel, by table and chain. */
function restore(restored: Map<string, readonly RuleFact[]>, { chains, deletedChains = [], rules }: RestoreInput): void {
  for (const [table, names] of Object.entries(chains)) {
    for (const name of names) {
      const declared = rules.filter((fact) => fact.table === table && fact.chain === name);
      restored.set(`${table} ${name}`, declared.map(expectedFact));
    }
    for (const name of deletedChains) restored.delete(`${table} ${name}`);
  }
}

/** The one rule of an own chain without any comment, ever: the mark chain, and the mark rules of postrouting. */
function hasOptionalComment({ target }: Rule): boolean {
  return target.kind === 'jump' || target.kind === 'dnat';
}

function ownChains(program: Program): { readonly table: Table; readonly chain: Chain }[] {
  return program.tables.flatMap((table) => table.chains.flatMap((chain) => (chain.base === undefined ? { table, chain } : [])));
}

function factsOf(table: Table, chain: Chain): RuleFact[] {
  return chain.rules.map((rule) => ruleFact(table.name, chain.name, rule));
}

/** Chains in which the order between Services is free; within one it stays, and so does the last rule of no Service. */
const FREE_ORDER = ['KUBE-SERVICES', 'KUBE-EXTERNAL-SERVICES', 'KUBE-NODEPORTS', 'KUBE-PROXY-FIREWALL'];

function freelyOrdered(chain: Chain, facts: readonly RuleFact[]): readonly RuleFact[] {
  if (!FREE_ORDER.includes(chain.name)) return facts;
  const ofNone = facts.findIndex((fact) => serviceOf(fact) === undefined);
  const services = ofNone < 0 ? facts : facts.slice(0, ofNone);
  const sorted = services.toSorted((a, b) => ((serviceOf(a) ?? '') < (serviceOf(b) ?? '') ? -1 : serviceOf(a) === serviceOf(b) ? 0 : 1));
  return [...sorted, ...facts.slice(services.length)];
}

/** Comments of a Service's rules begin with `namespace/name`. */
function serviceOf(fact: RuleFact): string | undefined {
  return /^\S+\/\S+/.exec(String(fact.comment))?.[0];
}

/** ns1/svc1:p80, the Service of the samples, with that many endpoints, all of them elsewhere: its chain for external traffic does not end in a plain jump. */
function bigService(count: number): KubernetesObject[] {
  const name = { namespace: 'ns1', name: 'svc1' };
  const addresses = Array.from({ length: count }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: name,
      spec: {
        type: 'NodePort',
        externalTrafficPolicy: 'Local',
        clusterIP: '172.30.0.41',
        ports: [{ name: 'p80', port: 80, protocol: 'TCP', nodePort: 3001 }],
      },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...name, labels: { 'kubernetes.io/service-name': name.name } },
      addressType: 'IPv4',
      endpoints: addresses.map((address) => ({ addresses: [address] })),
      ports: [{ name: 'p80', port: 80, protocol: 'TCP' }],
    },
  ];
}
