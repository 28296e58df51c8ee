// Base chains that let every new packet pass after the same rules: what counts as one, and that the core counts what the rules would.
import { describe, expect, it } from 'vitest';
import { createDataplaneSync } from '../../src/dataplane.ts';
import { basesOf, ChainIndex } from '../../src/program/base-chains.ts';
import { constantWalk } from '../../src/program/constant-walk.ts';
import type { Chain, Match, Rule } from '../../src/program/ruleset.ts';
import { baseChain, CLIENT, chain, filterProgram, rule } from '../engine/js/small-programs.ts';

const isNew: Match = { kind: 'conntrackState', states: ['NEW'] };
const isKnown: Match = { kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED'] };
const isMarked: Match = { kind: 'mark', value: 0x4000, mask: 0x4000 };
const isUnmarked: Match = { ...isMarked, negated: true };
const fromClient: Match = { kind: 'source', prefix: `${CLIENT}/32` };
const none = { kind: 'none' } as const;
const drop = { kind: 'drop' } as const;

function walkOf(rules: readonly Rule[], policy: 'accept' | 'drop' = 'accept', ...others: Chain[]) {
  const program = filterProgram([baseChain('FORWARD', 'filter', rules, policy), ...others]);
  const [base] = basesOf(program);
  const [table] = program.tables;
  if (base === undefined || table === undefined) throw new Error('no base chain');
  const walk = constantWalk(base, new ChainIndex(table));
  return walk && { rules: walk.rules, marks: walk.marks, reads: walk.reads.map(({ name }) => name) };
}

describe('a walk that is the same for all new packets', () => {
  it('follows jumps, returns and gotos, and rests on the chains it read', () => {
    const rules = [rule([isNew], { kind: 'jump', chain: 'A' }), rule([isKnown], drop), rule([], none)];
    const others = [
      chain('A', rule([], { kind: 'goto', chain: 'B' }), rule([], drop)),
      chain('B', rule([], none), rule([isUnmarked], { kind: 'return' }), rule([], drop)),
    ];
    expect(walkOf(rules, 'accept', ...others)).toEqual({ rules: 6, marks: 0x4000, reads: ['FORWARD', 'A', 'B'] });
  });

  it('ends where a rule accepts, whatever the policy', () => {
    expect(walkOf([rule([isMarked], drop), rule([], { kind: 'accept' }), rule([], drop)], 'drop')).toMatchObject({
      rules: 2,
      marks: 0x4000,
    });
  });

  it('needs no answer of a match when another one of its rule fails', () => {
    expect(walkOf([rule([fromClient, isKnown], drop)])).toMatchObject({ rules: 1, marks: 0 });
  });

  it.each<[string, Rule[], ('accept' | 'drop')?]>([
    ['the packet decides', [rule([fromClient], none)]],
    ['its policy drops', [rule([], none)], 'drop'],
    ['a rule drops', [rule([isNew], drop)]],
    ['a rule sets the mark', [rule([], { kind: 'mark', value: 1, mask: 1 })]],
    ['a number is drawn, even for a rule that fails', [rule([{ kind: 'statistic', threshold: 1 }, isKnown], drop)]],
    ['a sighting is stored, even for a rule that fails', [rule([{ kind: 'recent', operation: 'set', list: 'L' }, isKnown], drop)]],
    ['it accepts for a ServicePort', [rule([], { kind: 'accept' }, 'default/web:http')]],
    ['the translation of the connection decides', [rule([{ kind: 'conntrackState', states: ['DNAT'] }], none)]],
    ['it leads to itself', [rule([], { kind: 'jump', chain: 'FORWARD' })]],
    ['it leads nowhere', [rule([], { kind: 'jump', chain: 'A' })]],
    ['it is long', Array.from({ length: 65 }, () => rule([], none))],
  ])('is none where %s', (_, rules, policy) => {
    expect(walkOf(rules, policy)).toBeUndefined();
  });
});

const service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'default' },
  spec: { clusterIP: '10.96.0.10', ports: [{ port: 80, targetPort: 8080 }] },
};
const slice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  ports: [{ port: 8080 }],
  endpoints: [{ addresses: ['10.0.1.1'] }],
};

describe.each(['iptables', 'nftables', 'ipvs'] as const)('new packets in %s mode', (mode) => {
  it('meet as many rules in the core as in TypeScript, marked or not, with endpoints and without', () => {
    const evaluated = (['wasm', 'js'] as const).map((engine) => {
      const node = createDataplaneSync({ mode, engine, nodeName: 'n', nodeIPs: ['192.168.0.1'], seed: 1 });
      const rules: unknown[] = [];
      for (const endpoints of [[], slice.endpoints, []]) {
        node.apply([service, { ...slice, endpoints }]);
        for (const [index, mark] of [0, 0x4000, 1, 0xffff_ffff].entries()) {
          const verdict = node.process({
            protocol: 'TCP',
            source: CLIENT,
            sourcePort: 1024 + rules.length + index,
            destination: '10.96.0.10',
            destinationPort: 80,
            mark,
          });
          rules.push([verdict.action, verdict.rulesEvaluated]);
        }
      }
      return rules;
    });
    expect(evaluated[0]).toEqual(evaluated[1]);
  });
});
