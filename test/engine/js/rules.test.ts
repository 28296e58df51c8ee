// The walk of chains in the TypeScript engine: matches, jumps, returns, targets, and the hooks they are called from.
import { describe, expect, it } from 'vitest';
import type { Chain, Match, Rule } from '../../../src/program/ruleset.ts';
import { baseChain, CLIENT, CLUSTER_IP, chain, filterProgram, NODE_IP, program, rule } from './small-programs.ts';
import { packet, TestNode } from './test-node.ts';

const accept = { kind: 'accept' } as const;
const drop = { kind: 'drop' } as const;

function forward(rules: readonly Rule[], ...others: Chain[]): TestNode {
  return new TestNode(filterProgram([baseChain('FORWARD', 'filter', rules), ...others]));
}

describe('chains', () => {
  it('come back to the rule after the jump when they end or return', () => {
    const node = forward(
      [rule([], { kind: 'jump', chain: 'A' }), rule([], { kind: 'jump', chain: 'B' }), rule([], drop)],
      chain('A', rule([], { kind: 'none' })),
      chain('B', rule([], { kind: 'return' }), rule([], accept)),
    );
    expect(node.process(packet())).toMatchObject({ action: 'DROP', rulesEvaluated: 5 });
  });

  it('entered by goto return to where their caller was jumped to from', () => {
    const node = forward(
      [rule([], { kind: 'jump', chain: 'A' }), rule([], accept, 'default/after')],
      chain('A', rule([], { kind: 'goto', chain: 'B' }), rule([], drop)),
      chain('B', rule([], { kind: 'none' })),
    );
    expect(node.process(packet())).toMatchObject({ action: 'ACCEPT', servicePort: 'default/after', rulesEvaluated: 4 });
  });

  it('end with the policy of the base chain', () => {
    const dropping = new TestNode(
      filterProgram([baseChain('FORWARD', 'filter', [rule([], { kind: 'return' }), rule([], accept)], 'drop')]),
    );
    expect(dropping.process(packet())).toMatchObject({ action: 'DROP', rulesEvaluated: 1 });
  });

  it('may nest 16 jumps deep and not 17', () => {
    const nested = (depth: number) => [
      baseChain('FORWARD', 'filter', [rule([], { kind: 'jump', chain: 'C1' })]),
      ...Array.from({ length: depth - 1 }, (_, index) => chain(`C${index + 1}`, rule([], { kind: 'jump', chain: `C${index + 2}` }))),
      chain(`C${depth}`, rule([], { kind: 'none' })),
    ];
    expect(new TestNode(filterProgram(nested(16))).process(packet()).action).toBe('ACCEPT');
    const tooDeep = new TestNode(filterProgram(nested(17)));
    expect(tooDeep.process(packet()).action).toBe('DROP');
    expect(tooDeep.engine.counters(tooDeep.now)).toMatchObject({ chainTooDeep: 1, dropped: 1 });
  });

  it('of several tables run by priority, and accept ends only one of them', () => {
    const raw = {
      name: 'raw',
      rules: [rule([], accept)],
      base: { hook: 'FORWARD', type: 'filter', priority: -300, policy: 'accept' },
    } as const;
    const node = new TestNode(
      program({
        tables: [
          { name: 'filter', chains: [baseChain('FORWARD', 'filter', [rule([], drop)])] },
          { name: 'raw', chains: [raw] },
        ],
      }),
    );
    expect(node.process(packet())).toMatchObject({ action: 'DROP', rulesEvaluated: 2 });
  });
});

describe('hooks', () => {
  const marking = (hook: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING', count: number) =>
    baseChain(
      hook,
      'filter',
      Array.from({ length: count }, () => rule([], { kind: 'none' })),
    );
  // A different power of two of rules at each hook: their sum tells which hooks were run.
  const node = () =>
    new TestNode(
      filterProgram([
        marking('PREROUTING', 1),
        marking('INPUT', 2),
        marking('FORWARD', 4),
        marking('OUTPUT', 8),
        marking('POSTROUTING', 16),
      ]),
    );

  it('of a forwarded packet are PREROUTING, FORWARD and POSTROUTING', () => {
    expect(node().process(packet()).rulesEvaluated).toBe(1 + 4 + 16);
  });

  it('of a packet to this node are PREROUTING and INPUT', () => {
    expect(node().process(packet({ destination: NODE_IP })).rulesEvaluated).toBe(1 + 2);
  });

  it('of a packet from this node are OUTPUT and POSTROUTING', () => {
    expect(node().process(packet({ source: NODE_IP })).rulesEvaluated).toBe(8 + 16);
  });

  it('of a packet from this node to itself are those and then PREROUTING and INPUT', () => {
    expect(node().process(packet({ source: NODE_IP, destination: '127.0.0.1' })).rulesEvaluated).toBe(8 + 16 + 1 + 2);
  });

  it('are those that the packet names, when it names one', () => {
    expect(node().process(packet({ hook: 'OUTPUT' })).rulesEvaluated).toBe(8 + 16);
    expect(node().process(packet({ source: NODE_IP, hook: 'PREROUTING' })).rulesEvaluated).toBe(1 + 4 + 16);
  });

  it('a packet that comes back in does so through lo', () => {
    const onlyLo = rule([{ kind: 'inInterface', name: 'lo' }], accept, 'default/lo');
    const looping = new TestNode(filterProgram([baseChain('INPUT', 'filter', [onlyLo], 'drop')]));
    expect(looping.process(packet({ source: NODE_IP, destination: NODE_IP }))).toMatchObject({
      action: 'ACCEPT',
      servicePort: 'default/lo',
    });
  });
});

describe('a match', () => {
  const cases: readonly (readonly [string, Match, boolean])[] = [
    ['source inside', { kind: 'source', prefix: '10.0.0.0/8' }, true],
    ['source outside', { kind: 'source', prefix: '10.1.0.0/16' }, false],
    ['destination', { kind: 'destination', prefix: `${CLUSTER_IP}/32` }, true],
    ['everything', { kind: 'destination', prefix: '0.0.0.0/0' }, true],
    ['a source in one of several', { kind: 'sourceIn', prefixes: ['192.168.0.0/16', '10.0.0.0/24'] }, true],
    ['a destination in none of several', { kind: 'destinationIn', prefixes: ['192.168.0.0/16', '10.0.0.0/24'] }, false],
    ['protocol', { kind: 'protocol', protocol: 'tcp' }, true],
    ['another protocol', { kind: 'protocol', protocol: 'icmp' }, false],
    ['source port', { kind: 'sourcePort', from: 40000, to: 40000 }, true],
    ['ports, both ends included', { kind: 'destinationPort', from: 79, to: 80 }, true],
    ['ports beyond', { kind: 'destinationPort', from: 81, to: 90 }, false],
    ['mark', { kind: 'mark', value: 0x80000000, mask: 0x80000000 }, true],
    ['another mark', { kind: 'mark', value: 0x1, mask: 0x1 }, false],
    ['state NEW', { kind: 'conntrackState', states: ['NEW'] }, true],
    ['states without NEW', { kind: 'conntrackState', states: ['RELATED', 'ESTABLISHED', 'DNAT', 'SNAT'] }, false],
    ['local source', { kind: 'addressType', side: 'source', type: 'LOCAL' }, false],
    ['interface', { kind: 'inInterface', name: 'cni0' }, true],
    ['interface beginning', { kind: 'inInterface', name: 'cn+' }, true],
    ['another interface', { kind: 'inInterface', name: 'cni' }, false],
    ['output interface', { kind: 'outInterface', name: 'eth0' }, false],
    ['any output interface', { kind: 'outInterface', name: '+' }, true],
    ['statistic always', { kind: 'statistic', threshold: 0x80000000 }, true],
    ['statistic never', { kind: 'statistic', threshold: 0 }, false],
    ['recent without a sighting', { kind: 'recent', operation: 'rcheck', list: 'L', seconds: 10 }, false],
    ['recent set', { kind: 'recent', operation: 'set', list: 'L' }, true],
    ['physdev', { kind: 'physdevIn' }, false],
    ['ipvs', { kind: 'ipvs', virtualAddress: CLUSTER_IP, virtualProtocol: 'tcp', virtualPort: 80 }, false],
  ];

  it.each(cases)('on %s holds or not, and the other way round when negated', (_name, match, holds) => {
    const sent = packet({ mark: 0x80000000, inInterface: 'cni0' });
    const decide = (asked: Match) => forward([rule([asked], drop)]).process(sent).action;
    expect(decide(match)).toBe(holds ? 'DROP' : 'ACCEPT');
    if (match.kind === 'nfacct' || match.kind === 'comment' || match.kind === 'inert' || match.kind === 'unmodelled') return;
    expect(decide({ ...match, negated: true })).toBe(holds ? 'ACCEPT' : 'DROP');
  });

  it('is not asked after one that failed', () => {
    const seen: Rule = rule(
      [
        { kind: 'source', prefix: '1.1.1.1/32' },
        { kind: 'recent', operation: 'set', list: 'L' },
      ],
      { kind: 'none' },
    );
    const node = forward([seen]);
    node.process(packet());
    expect(node.engine.view('IPv4', node.now).recentSighting('L', CLIENT)).toBeUndefined();
  });
});

it('a mark is set bit by bit and seen by later chains', () => {
  const setMark = (value: number, mask: number) => rule([], { kind: 'mark', value, mask });
  const node = forward([
    setMark(0x4000, 0x4000),
    setMark(0x4000, 0x4000),
    setMark(0x3, 0x0),
    rule([{ kind: 'mark', value: 0x4003, mask: 0xffffffff }], drop),
  ]);
  expect(node.process(packet()).action).toBe('DROP');
});

it('the ServicePort of an accepted packet is that of the last accepting rule that has one', () => {
  const node = new TestNode(
    filterProgram([
      baseChain('PREROUTING', 'filter', [rule([], accept, 'default/first')]),
      baseChain('FORWARD', 'filter', [rule([], accept)]),
    ]),
  );
  expect(node.process(packet()).servicePort).toBe('default/first');
});

describe('a Program is refused whole', () => {
  it.each([
    ['a chain', [rule([], { kind: 'jump', chain: 'GONE' })], 'table filter, chain FORWARD, rule 1: chain "GONE" does not exist'],
    ['a set', [rule([], accept), rule([{ kind: 'set', set: 'GONE', fields: ['dst'] }], drop)], 'rule 2: set "GONE" does not exist'],
    ['a map', [rule([], { kind: 'verdictMap', map: 'GONE' })], 'rule 1: map "GONE" does not exist'],
    ['an address', [rule([{ kind: 'source', prefix: 'fd00::/8' }], drop)], 'rule 1: source "fd00::/8" is not an IPv4 prefix'],
  ] as const)('when %s does not exist', (_what, rules, message) => {
    const node = forward([rule([], drop)]);
    expect(() => node.engine.load(filterProgram([baseChain('FORWARD', 'filter', rules)]))).toThrow(message);
    expect(node.process(packet()).action).toBe('DROP');
  });

  it('when chains go to each other without end', () => {
    const chains = [chain('A', rule([], { kind: 'goto', chain: 'B' })), chain('B', rule([], { kind: 'goto', chain: 'A' }))];
    expect(() => new TestNode(filterProgram(chains))).toThrow('goes to itself in a loop');
  });
});
