// Whole dumps, as nodes print them: every rule is understood, and printed back word for word.
import { describe, expect, test } from 'vitest';
import { FAMILIES } from '../../src/api/service.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Packet } from '../../src/packet.ts';
import { type Dump, parseIptablesSave } from '../../src/parse/iptables-save.ts';
import type { Chain, Rule } from '../../src/program/ruleset.ts';
import { ruleText } from '../../src/render/rule-text.ts';
import { goldenProgram } from '../render/golden.ts';
import {
  CALICO,
  CALICO_SETS,
  CILIUM,
  CILIUM_SETS,
  FLANNEL_DOCKER,
  FLANNEL_DOCKER_COUNTERS,
  KUBE_PROXY_IPV6,
  readFixture,
} from './fixtures.ts';

const ignoreUnmodelled = { onUnmodelled: () => {} };

/** The lines of all rules, printed back, beside those of the dump. */
function printedBack(dump: Dump, text: string): { readonly printed: string[]; readonly given: string[] } {
  const lines = text.split('\n');
  const rules = FAMILIES.flatMap((family) =>
    dump[family].tables.flatMap(({ chains }) => chains.flatMap((chain) => chain.rules.map((rule) => ({ family, chain, rule })))),
  );
  return {
    printed: rules.map(({ family, chain, rule }) => ruleText(rule, chain.name, family)),
    // -m state is the old name of -m conntrack, and asks the same.
    given: rules.map(({ rule }) =>
      (lines[(rule.line ?? 0) - 1] ?? '').replace(/^\[\d+:\d+\] /, '').replace('-m state --state', '-m conntrack --ctstate'),
    ),
  };
}

describe('a dump', () => {
  test.each([FLANNEL_DOCKER, FLANNEL_DOCKER_COUNTERS, KUBE_PROXY_IPV6, CALICO, CILIUM])('%s is printed back word for word', (name) => {
    const text = readFixture(name);

    const { printed, given } = printedBack(parseIptablesSave(text, ignoreUnmodelled), text);

    expect(printed).toEqual(given);
    expect(printed.length).toBe(text.split('\n').filter((line) => /^(\[\d+:\d+\] )?-A /.test(line)).length);
  });

  test('reads the same with counters and without, from both variants of iptables', () => {
    const legacy = parseIptablesSave(readFixture(FLANNEL_DOCKER)).IPv4.tables;
    const counted = parseIptablesSave(readFixture(FLANNEL_DOCKER_COUNTERS)).IPv4.tables;

    const byName = (tables: typeof legacy) => tables.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const bare = (tables: typeof legacy) =>
      byName(tables).map(({ name, chains }) => ({ name, chains: byChainName(chains.map((chain) => bareChain(chain))) }));
    expect(bare(counted)).toEqual(bare(legacy));
  });

  test.each([
    { name: FLANNEL_DOCKER, family: 'IPv4' },
    { name: KUBE_PROXY_IPV6, family: 'IPv6' },
  ] as const)("$name gives back kube-proxy's chains as compiled, with the ServicePorts of their rules", ({ name, family }) => {
    const dumped = parseIptablesSave(readFixture(name))[family].tables;
    const compiled = goldenProgram('iptables', family).tables;

    for (const { name: tableName, chains } of compiled) {
      const found = dumped.find((table) => table.name === tableName)?.chains ?? [];
      for (const chain of chains.filter((each) => each.name.startsWith('KUBE-'))) {
        const same = found.find((each) => each.name === chain.name);
        expect(same === undefined ? undefined : ownedRules(same), chain.name).toEqual(ownedRules(chain));
      }
    }
  });

  test('of Calico needs its sets, whose contents ipset save prints', () => {
    const warnings: string[] = [];
    parseIptablesSave(`${readFixture(CALICO)}${readFixture(CALICO_SETS)}`, { onUnmodelled: ({ match }) => warnings.push(match) });

    expect(() => parseIptablesSave(readFixture(CALICO))).toThrow('-m rpfilter --validmark --invert is not modelled');
    expect(warnings).toEqual(['-m rpfilter --validmark --invert', '-m addrtype ! --src-type LOCAL --limit-iface-out']);
  });
});

test('of Cilium is modelled whole, with its sets', () => {
  expect(() => parseIptablesSave(`${readFixture(CILIUM)}${readFixture(CILIUM_SETS)}`)).not.toThrow();
  expect(() => parseIptablesSave(readFixture(CILIUM))).toThrow('asks a set whose contents are not given');
});

describe.each(['wasm', 'js'] as const)('packets through dumps on the %s engine', (engine) => {
  const nodeIPs = ['192.168.0.11'];
  const packet = (source: string, destination: string, destinationPort: number, more: Partial<Packet> = {}): Packet => ({
    protocol: 'TCP',
    source,
    sourcePort: 40000,
    destination,
    destinationPort,
    ...more,
  });

  test.each<[string, Packet, object]>([
    [
      'a pod reaches a ClusterIP',
      packet('10.244.1.9', '10.96.0.20', 80),
      { action: 'DNAT', servicePort: 'default/web:http', masquerade: false },
    ],
    ['flannel masquerades what leaves the cluster', packet('10.244.1.9', '203.0.113.9', 443), { action: 'ACCEPT', masquerade: true }],
    [
      'a port Docker publishes',
      packet('203.0.113.9', '192.168.0.11', 8080),
      { action: 'DNAT', backend: { address: '172.17.0.2', port: 80 } },
    ],
    ['a Service without endpoints', packet('10.244.1.9', '10.96.0.40', 53, { protocol: 'UDP' }), { action: 'REJECT' }],
    ["Docker's guard in raw", packet('203.0.113.9', '172.17.0.2', 80), { action: 'DROP' }],
    ['an accepted range of ports', packet('203.0.113.9', '192.168.0.11', 6443), { action: 'ACCEPT' }],
  ])('%s', (_title, sent, verdict) => {
    const dataplane = createDataplaneSync({ rules: readFixture(FLANNEL_DOCKER), nodeIPs, engine, seed: 1 });

    const [outcome] = dataplane.explain(sent).outcomes;

    expect(dataplane.process(sent)).toMatchObject(verdict);
    expect(outcome?.action).toBe('action' in verdict ? verdict.action : undefined);
  });

  test.each<[string, Packet, object]>([
    ['a pod reaches a ClusterIP', packet('10.0.1.9', '10.96.0.10', 53), { action: 'DNAT', connection: 'NEW' }],
    [
      "the proxy's packets are not tracked, so that nothing translates them",
      packet('10.0.1.9', '10.96.0.10', 53, { mark: 0x200 }),
      { action: 'ACCEPT', connection: 'UNTRACKED' },
    ],
    [
      'a packet for the DNS proxy stays on this node',
      packet('10.0.1.9', '203.0.113.53', 53, { mark: 0x8b660200 }),
      { action: 'ACCEPT', connection: 'UNTRACKED', masquerade: false },
    ],
    ['what leaves the cluster is masqueraded', packet('10.0.1.9', '203.0.113.53', 53), { action: 'ACCEPT', masquerade: true }],
    ['what goes to a node of the cluster is not', packet('10.0.1.9', '192.168.0.12', 10250), { action: 'ACCEPT', masquerade: false }],
  ])('Cilium: %s', (_title, sent, verdict) => {
    const rules = `${readFixture(CILIUM)}${readFixture(CILIUM_SETS)}`;
    const dataplane = createDataplaneSync({ rules, nodeIPs, engine, seed: 1 });
    const { verdict: foreseen, steps } = dataplane.trace(sent);

    expect(dataplane.process(sent)).toEqual(foreseen);
    expect(foreseen).toMatchObject(verdict);
    expect(dataplane.explain(sent).outcomes.map(({ action }) => action)).toContain(foreseen.action);
    expect(steps.some((step) => step.kind === 'routing' && step.isLocal)).toBe(sent.mark === 0x8b660200);
  });

  test('Calico masquerades by its sets, and the interfaces that nobody named make it uncertain', () => {
    const rules = `${readFixture(CALICO)}${readFixture(CALICO_SETS)}`;
    const dataplane = createDataplaneSync({ rules, lenient: true, nodeIPs, engine, seed: 1 });

    const outside = dataplane.process(packet('10.244.1.9', '203.0.113.9', 443));
    const inside = dataplane.process(packet('10.244.1.9', '10.244.2.9', 443));

    expect([outside.masquerade, inside.masquerade]).toEqual([true, false]);
    expect(dataplane.explain(packet('10.244.1.9', '10.244.2.9', 443)).outcomes[0]?.uncertain).toBe(true);
  });
});

function ownedRules(chain: Chain): unknown {
  return chain.rules.map(({ matches, target, servicePort }) => ({ matches, target, servicePort }));
}

function bareChain({ name, base, rules }: Chain): {
  readonly name: string;
  readonly base: Chain['base'];
  readonly rules: readonly unknown[];
} {
  return { name, base, rules: rules.map(({ matches, target }: Rule) => ({ matches, target })) };
}

function byChainName<Named extends { readonly name: string }>(chains: readonly Named[]): Named[] {
  return chains.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
