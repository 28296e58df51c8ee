// The table of nftables mode against kube-proxy's own: every fact of kube-proxy-nft-facts.json about what a sync leaves behind.
import { describe, expect, test } from 'vitest';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import {
  type NftServiceChainNames,
  nftAffinitySetName,
  nftEndpointChainName,
  nftServiceChainNames,
  nftServiceText,
} from '../../src/compile/nft-names.ts';
import type { Program } from '../../src/program/program.ts';
import type { Chain } from '../../src/program/ruleset.ts';
import type { KeyField } from '../../src/program/sets.ts';
import { nftType } from '../../src/render/nft-rule-text.ts';
import { type CaseConfig, type CaseNode, endpointAt, servicePortNamed, startCase } from './compiled.ts';
import { loadConformance } from './data.ts';
import { elementFact, type NftFact, nftRuleFact } from './nft-rule-facts.ts';

interface NamedBase {
  readonly namespace: string;
  readonly name: string;
  readonly port: string;
  readonly protocol: string;
  readonly base: string;
}

type Elements = Readonly<Record<string, readonly NftFact[]>>;

interface NftData {
  readonly nameFormula: {
    readonly maxLength: number;
    readonly prefixes: Readonly<
      Record<'clusterPolicyChain' | 'localPolicyChain' | 'externalChain' | 'firewallChain' | 'endpointChain' | 'affinitySet', string>
    >;
  };
  readonly serviceNames: readonly NamedBase[];
  readonly endpointNames: readonly (NamedBase & { readonly endpoint: string })[];
  readonly base: {
    readonly table: { readonly family: string; readonly name: string; readonly comment: string };
    readonly sets: readonly NftFact[];
    readonly maps: readonly NftFact[];
    readonly chains: readonly { readonly name: string }[];
    readonly rules: readonly NftFact[];
    readonly elements: Elements;
  };
  readonly serviceCIDRs: {
    readonly cases: readonly { readonly ipFamily: 'IPv4' | 'IPv6'; readonly given: readonly string[]; readonly used: readonly string[] }[];
  };
  readonly cases: readonly {
    readonly id: string;
    readonly title: string;
    readonly node: CaseNode;
    readonly config: CaseConfig;
    readonly steps: readonly {
      readonly apply?: readonly KubernetesObject[];
      readonly delete?: readonly ObjectRef[];
      readonly expect: {
        readonly elements: Elements;
        readonly chains: readonly string[];
        readonly rules: readonly NftFact[];
        readonly sets?: readonly NftFact[];
        /** Emptied, and deleted by a later sync: informative, a Program does not have them. */
        readonly staleChains?: readonly string[];
      };
    }[];
  }[];
}

const data = loadConformance<NftData>('kube-proxy-nft-facts.json');
const { base } = data;

describe('names', () => {
  const { prefixes, maxLength } = data.nameFormula;

  test.each(data.serviceNames)('chains of $namespace/$name $port end in $base', ({ namespace, name, port, protocol, base: text }) => {
    const names = nftServiceChainNames(servicePortNamed(namespace, name, port, protocol));

    const expected: NftServiceChainNames = {
      service: prefixes.clusterPolicyChain + text,
      local: prefixes.localPolicyChain + text,
      external: prefixes.externalChain + text,
      firewall: prefixes.firewallChain + text,
    };
    expect(names).toEqual(expected);
  });

  test.each(data.endpointNames)('chain and set of $endpoint end in $base', ({ namespace, name, port, protocol, endpoint, base: text }) => {
    const chain = nftEndpointChainName(nftServiceText(servicePortNamed(namespace, name, port, protocol)), endpointAt(endpoint));

    expect(chain).toBe(prefixes.endpointChain + text);
    expect(nftAffinitySetName(chain)).toBe(prefixes.affinitySet + text);
    expect(text.length).toBeLessThanOrEqual(maxLength);
  });
});

describe('the table without Services', () => {
  const [first] = data.cases;
  const program = startCase('nftables', first?.node ?? { name: '', ips: [] }, first?.config ?? {}).program();

  test('has the family, the name and the comment', () => {
    expect(program.family).toBe(base.table.family === 'ip' ? 'IPv4' : 'IPv6');
    expect(program.tables.map(({ name, comment }) => ({ name, comment }))).toEqual([
      { name: base.table.name, comment: base.table.comment },
    ]);
  });

  test('has the sets and the maps with their types', () => {
    expect(byName(setFacts(program))).toEqual(byName(base.sets));
    const maps = program.maps.map(({ name, key, comment }) => ({ name, key: typesOf(key, program), value: 'verdict', comment }));
    expect(byName(maps)).toEqual(byName(base.maps));
  });

  test('has the base chains at their hooks, and the chains that they jump to', () => {
    expect(byName(chainsOf(program).map(chainFact))).toEqual(byName(base.chains));
  });

  test('has the fixed rules in order', () => {
    expectRules(program, base.rules);
  });

  test('has the elements that need no Service', () => {
    expect(filled(elementsOf(program))).toEqual(filled(base.elements));
  });
});

test.each(data.serviceCIDRs.cases)('$ipFamily takes of the ServiceCIDRs $given only $used', ({ ipFamily, given, used }) => {
  const program = startCase('nftables', { name: 'node', ips: [] }, { ipFamily, serviceCIDRs: given }).program();

  const facts = chainsOf(program).flatMap((chain) => chain.rules.map((rule) => nftRuleFact(chain.name, rule, program.maps)));
  expect(facts.flatMap(({ daddrIn }) => (daddrIn === undefined ? [] : [daddrIn]))).toEqual([used]);
});

describe.each(data.cases)('$id: $title', ({ node, config, steps }) => {
  const state = startCase('nftables', node, config);
  test.each(steps.map((step, index) => ({ ...step, number: index + 1 })))('step $number', (step) => {
    state.change(step.apply ?? [], step.delete);

    const program = state.program();

    const fixed = base.chains.map(({ name }) => name);
    const stale = step.expect.staleChains ?? [];
    const own = chainsOf(program).map(({ name }) => name);
    expect(own.filter((name) => !fixed.includes(name)).toSorted()).toEqual(
      step.expect.chains.filter((name) => !stale.includes(name)).toSorted(),
    );
    expectRules(program, [...base.rules, ...step.expect.rules]);
    expect(filled(elementsOf(program))).toEqual(filled({ ...base.elements, ...step.expect.elements }));
    const sets = setFacts(program).filter(({ name }) => !base.sets.some((set) => set.name === name));
    expect(byName(sets)).toEqual(byName(step.expect.sets ?? []));
  });
});

/** Every chain has exactly these rules, in this order. */
function expectRules(program: Program, expected: readonly NftFact[]): void {
  for (const chain of chainsOf(program)) {
    const facts = chain.rules.map((rule) => nftRuleFact(chain.name, rule, program.maps));
    expect(facts, chain.name).toEqual(expected.filter((fact) => fact.chain === chain.name));
  }
}

function chainsOf(program: Program): readonly Chain[] {
  return program.tables.flatMap(({ chains }) => chains);
}

function chainFact({ name, base: hooked, comment }: Chain): NftFact & { readonly name: string } {
  const { type, hook, priority } = hooked ?? {};
  return {
    name,
    ...(hook === undefined ? {} : { type, hook: hook.toLowerCase(), priority }),
    ...(comment === undefined ? {} : { comment }),
  };
}

function setFacts(program: Program): NftFact[] {
  return program.sets.map(({ name, key, comment, timeoutSeconds }) => ({
    name,
    type: typesOf(key, program).join(' . '),
    ...(comment === undefined ? {} : { comment }),
    ...(timeoutSeconds === undefined ? {} : { flags: ['dynamic', 'timeout'], timeoutSeconds }),
  }));
}

function typesOf(key: readonly KeyField[], { family }: Program): string[] {
  return key.map((field) => nftType(field, family));
}

function elementsOf(program: Program): Elements {
  const sets = program.sets.map(({ name, elements }) => [name, elements.map((key) => ({ key: key.map(String) }))] as const);
  const maps = program.maps.map(({ name, elements }) => [name, elements.map(elementFact)] as const);
  return Object.fromEntries([...sets, ...maps]);
}

/** Without empty sets and maps; the order of elements is free. */
function filled(elements: Elements): Elements {
  const inOrder = (facts: readonly NftFact[]) => facts.toSorted((a, b) => (JSON.stringify(a.key) < JSON.stringify(b.key) ? -1 : 1));
  return Object.fromEntries(Object.entries(elements).flatMap(([name, facts]) => (facts.length === 0 ? [] : [[name, inOrder(facts)]])));
}

function byName(facts: readonly NftFact[]): NftFact[] {
  return facts.toSorted((a, b) => (String(a.name) < String(b.name) ? -1 : 1));
}
