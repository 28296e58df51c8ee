// Explanations: every outcome of a new connection with its exact probability.
import { describe, expect, it } from 'vitest';
import type { Step } from '../../src/dataplane-types.ts';
import { nominalProbability } from '../../src/explain/chance.ts';
import { explainPacket } from '../../src/explain/explain.ts';
import {
  baseChain,
  CLUSTER_IP,
  chain,
  clusterIpProgram,
  filterProgram,
  NODE_IP,
  oneOf,
  program,
  rule,
  toClusterIp,
  virtualService,
  WEB,
} from '../engine/js/small-programs.ts';
import { FIN, packet } from '../engine/js/test-node.ts';

function endpoints(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `10.244.${index >> 8}.${index & 255}`);
}

/** Rules of a path as `chain/number`, with `!` before those that did not match. */
function rulesOf(path: readonly Step[]): string[] {
  return path.flatMap((step) => (step.kind === 'rule' ? `${step.matched ? '' : '!'}${step.chain}/${step.number}` : []));
}

describe('the outcomes of a packet to a Service', () => {
  it.each([1, 2, 3, 7, 64, 1000])('are its %i endpoints with equal chances that add up to 1', (count) => {
    const { outcomes } = explainPacket(clusterIpProgram({ endpoints: endpoints(count) }), packet());
    expect(outcomes).toHaveLength(count);
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ action: 'DNAT', servicePort: WEB, masquerade: false });
      expect(outcome.probability).toBeCloseTo(1 / count, 9);
    }
    expect(outcomes.reduce((sum, { probability }) => sum + probability, 0)).toBeCloseTo(1, 9);
  });

  it('tell a hairpin from other backends by its masquerade', () => {
    const { outcomes } = explainPacket(clusterIpProgram({ endpoints: endpoints(2) }), packet({ source: '10.244.0.1' }));
    expect(outcomes.map(({ backend, masquerade }) => [backend?.address, masquerade])).toEqual([
      ['10.244.0.0', false],
      ['10.244.0.1', true],
    ]);
  });

  it('carry the rules that matched or were decided by chance', () => {
    const { outcomes } = explainPacket(clusterIpProgram({ endpoints: endpoints(3) }), packet());
    const path = outcomes[1]?.path ?? [];
    expect(rulesOf(path)).toEqual([
      'PREROUTING/1',
      'KUBE-SERVICES/1',
      '!KUBE-SVC/1',
      'KUBE-SVC/2',
      'KUBE-SEP-10.244.0.1/2',
      'POSTROUTING/1',
      'KUBE-POSTROUTING/1',
    ]);
    expect(path.filter(({ kind }) => kind !== 'rule')).toEqual([
      { kind: 'hook', hook: 'PREROUTING' },
      { kind: 'translation', text: `destination ${CLUSTER_IP}:80 becomes 10.244.0.1:8080` },
      { kind: 'routing', text: '10.244.0.1 is not an address of this node', isLocal: false },
      { kind: 'hook', hook: 'FORWARD' },
      { kind: 'hook', hook: 'POSTROUTING' },
    ]);
    expect(path).toContainEqual(expect.objectContaining({ chain: 'KUBE-SVC', number: 1, probability: expect.closeTo(2 / 3, 12) }));
  });

  it('are those of a client without a binding', () => {
    const { outcomes } = explainPacket(clusterIpProgram({ endpoints: endpoints(3), affinitySeconds: 10 }), packet());
    expect(outcomes.map(({ probability }) => probability.toFixed(9))).toEqual(['0.333333333', '0.333333333', '0.333333333']);
  });

  it('are one where ways agree', () => {
    const twice = filterProgram([
      baseChain('FORWARD', 'filter', [
        rule([oneOf(3)], { kind: 'accept' }),
        rule([oneOf(2)], { kind: 'accept' }),
        rule([], { kind: 'drop' }),
      ]),
    ]);
    const { outcomes } = explainPacket(twice, packet());
    expect(outcomes.map(({ action, probability }) => [action, probability.toFixed(9)])).toEqual([
      ['ACCEPT', '0.666666667'],
      ['DROP', '0.333333333'],
    ]);
  });

  it('leave out what cannot happen', () => {
    const always = filterProgram([
      baseChain('FORWARD', 'filter', [
        rule([{ kind: 'statistic', threshold: 0 }], { kind: 'drop' }),
        rule([{ kind: 'statistic', threshold: 0x80000000 }], { kind: 'accept' }),
        rule([], { kind: 'drop' }),
      ]),
    ]);
    expect(explainPacket(always, packet()).outcomes).toMatchObject([{ action: 'ACCEPT', probability: 1 }]);
  });
});

it('a random verdict map has its chains with equal chances', () => {
  const chains = ['a', 'b', 'c'];
  const { outcomes } = explainPacket(
    filterProgram([
      baseChain('FORWARD', 'filter', [rule([], { kind: 'randomVerdictMap', chains })]),
      ...chains.map((name) => chain(name, rule([], { kind: 'accept' }, `default/${name}`))),
    ]),
    packet(),
  );
  expect(outcomes.map(({ servicePort, probability }) => [servicePort, probability])).toEqual(
    chains.map((name) => [`default/${name}`, 1 / 3]),
  );
});

describe('a virtual service', () => {
  const destinations = [1, 0, 3].map((weight, index) => ({ address: `10.244.1.${index}`, port: 80, weight }));
  const shares = (scheduler: string) =>
    explainPacket(
      program({ localAddresses: [NODE_IP, CLUSTER_IP], virtualServices: [virtualService({ scheduler, destinations })] }),
      packet(),
    ).outcomes.map(({ backend, probability }) => [backend?.address, probability]);

  it('gives each server its share of one round', () => {
    expect(shares('rr')).toEqual([
      ['10.244.1.0', 0.5],
      ['10.244.1.2', 0.5],
    ]);
    expect(shares('wrr')).toEqual([
      ['10.244.1.0', 0.25],
      ['10.244.1.2', 0.75],
    ]);
  });

  it('has the exact odds of two choices: the newest server has one chance more, and of equal loads the first drawn stands', () => {
    expect(shares('twos')).toEqual([
      ['10.244.1.0', expect.closeTo(0.2, 12)],
      ['10.244.1.2', expect.closeTo(0.8, 12)],
    ]);
  });

  it.each(['lc', 'wlc', 'sed', 'nq', 'fo', 'ovf', 'sh', 'dh', 'mh', 'lblc', 'lblcr'])('has the one server that %s picks', (scheduler) => {
    expect(shares(scheduler)).toEqual([[expect.stringMatching(/^10\.244\.1\.[02]$/), 1]]);
  });
});

describe('a refused packet', () => {
  it('names the ServicePort and the rule that refused it', () => {
    const reject = rule(toClusterIp, { kind: 'reject', with: 'icmp-port-unreachable' }, WEB);
    const { outcomes } = explainPacket(filterProgram([baseChain('FORWARD', 'filter', [reject])]), packet());
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ action: 'REJECT', servicePort: WEB, masquerade: false, probability: 1 });
    expect(outcomes[0]?.path.at(-1)).toMatchObject({
      kind: 'rule',
      matched: true,
      text: `-A FORWARD -d ${CLUSTER_IP}/32 -p tcp -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable`,
    });
  });

  it('shows the policy that dropped it', () => {
    const { outcomes } = explainPacket(filterProgram([baseChain('FORWARD', 'filter', [], 'drop')]), packet());
    expect(outcomes[0]).toMatchObject({ action: 'DROP' });
    expect(outcomes[0]?.path.at(-1)).toEqual({ kind: 'policy', hook: 'FORWARD', table: 'filter', chain: 'FORWARD', policy: 'drop' });
  });

  it('may be one that can begin no connection', () => {
    const drop = rule([{ kind: 'conntrackState', states: ['INVALID'] }], { kind: 'drop' });
    const { outcomes } = explainPacket(filterProgram([baseChain('FORWARD', 'filter', [drop])]), packet({ tcpFlags: FIN }));
    expect(outcomes).toMatchObject([{ action: 'DROP', probability: 1 }]);
  });
});

it('a threshold written with ten decimals means 1/k again, others are exact', () => {
  for (const k of [1, 2, 3, 7, 1000, 99_999]) {
    const match = oneOf(k);
    expect(match.kind === 'statistic' && nominalProbability(match.threshold)).toBe(1 / k);
  }
  expect(nominalProbability(0x80000000 * 0.75)).toBe(0.75);
  expect(nominalProbability(0)).toBe(0);
});
