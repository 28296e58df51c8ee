// Named sets and verdict maps in the TypeScript engine.
import { describe, expect, it } from 'vitest';
import type { Match } from '../../../src/program/ruleset.ts';
import type { ElementKey, KeyField, MapVerdict, VerdictMap } from '../../../src/program/sets.ts';
import { baseChain, CLIENT, CLUSTER_IP, chain, filterProgram, rule, WEB } from './small-programs.ts';
import { packet, TestNode } from './test-node.ts';

/** Drops what is in the set. */
function isDropped(key: readonly KeyField[], elements: readonly ElementKey[], fields: readonly ('src' | 'dst')[], negated?: true): boolean {
  const match: Match = { kind: 'set', set: 'S', fields, ...(negated === undefined ? {} : { negated }) };
  const node = new TestNode(
    filterProgram([baseChain('FORWARD', 'filter', [rule([match], { kind: 'drop' })])], { sets: [{ name: 'S', key, elements }] }),
  );
  return node.process(packet()).action === 'DROP';
}

describe('a set', () => {
  it('finds address, protocol and port; the protocol needs no side of its own', () => {
    const elements = [[CLUSTER_IP, 'tcp', 80]];
    expect(isDropped(['address', 'protocol', 'port'], elements, ['dst', 'dst'])).toBe(true);
    expect(isDropped(['address', 'protocol', 'port'], elements, ['dst', 'dst', 'dst'])).toBe(true);
    expect(isDropped(['address', 'protocol', 'port'], elements, ['src', 'dst'])).toBe(false);
    expect(isDropped(['address', 'protocol', 'port'], [[CLUSTER_IP, 'udp', 80]], ['dst', 'dst'])).toBe(false);
  });

  it('finds what each field names of the source', () => {
    const elements = [[CLUSTER_IP, 'tcp', 80, CLIENT]];
    expect(isDropped(['address', 'protocol', 'port', 'address'], elements, ['dst', 'dst', 'src'])).toBe(true);
    expect(isDropped(['address', 'protocol', 'port', 'address'], elements, ['dst', 'dst', 'dst'])).toBe(false);
  });

  it('finds a network of any length, and nothing beside it', () => {
    const networks: ElementKey[] = [
      [CLUSTER_IP, 'tcp', 80, '192.168.0.0/16'],
      [CLUSTER_IP, 'tcp', 80, '10.0.0.0/24'],
    ];
    const key: KeyField[] = ['address', 'protocol', 'port', 'network'];
    expect(isDropped(key, networks, ['dst', 'dst', 'src'])).toBe(true);
    expect(isDropped(key, networks.slice(0, 1), ['dst', 'dst', 'src'])).toBe(false);
  });

  it('that is empty holds nothing, and negated everything', () => {
    expect(isDropped(['network'], [], ['src'])).toBe(false);
    expect(isDropped(['network'], [], ['src'], true)).toBe(true);
  });

  it('of ports alone asks no address', () => {
    expect(isDropped(['port'], [[80]], ['dst'])).toBe(true);
    expect(isDropped(['port'], [[80]], ['src'])).toBe(false);
  });

  it('whose sides do not fit its key is refused', () => {
    expect(() => isDropped(['address'], [[CLIENT]], ['src', 'dst'])).toThrow('does not fit the key address');
  });
});

describe('a verdict map', () => {
  const mapNode = (elements: VerdictMap['elements'], key: readonly KeyField[] = ['address', 'protocol', 'port']) =>
    new TestNode(
      filterProgram(
        [
          baseChain('FORWARD', 'filter', [rule([], { kind: 'verdictMap', map: 'M' }), rule([], { kind: 'accept' }, 'default/after')]),
          chain('reject-chain', rule([], { kind: 'reject', with: 'icmp-port-unreachable' })),
          chain('through', rule([], { kind: 'none' })),
        ],
        { maps: [{ name: 'M', key, elements }] },
      ),
    );
  const service = (verdict: MapVerdict) => mapNode([{ key: [CLUSTER_IP, 'tcp', 80], verdict, servicePort: WEB }]).process(packet());

  it('drops for the ServicePort of its element', () => {
    expect(service({ kind: 'drop' })).toMatchObject({ action: 'DROP', servicePort: WEB, rulesEvaluated: 1 });
  });

  it('leads to a shared chain that rejects for the ServicePort of the element', () => {
    expect(service({ kind: 'goto', chain: 'reject-chain' })).toMatchObject({ action: 'REJECT', servicePort: WEB, rulesEvaluated: 2 });
  });

  it('is left for good by goto', () => {
    const verdict = service({ kind: 'goto', chain: 'through' });
    expect(verdict).toMatchObject({ action: 'ACCEPT', rulesEvaluated: 2 });
    expect(verdict).not.toHaveProperty('servicePort');
  });

  it('lets the next rule decide when it has no element for the packet', () => {
    expect(mapNode([]).process(packet())).toMatchObject({ action: 'ACCEPT', servicePort: 'default/after', rulesEvaluated: 2 });
  });

  it('prefers the longest network', () => {
    const node = mapNode(
      [
        { key: ['10.0.0.0/8'], verdict: { kind: 'drop' } },
        { key: ['10.96.0.0/16'], verdict: { kind: 'goto', chain: 'reject-chain' } },
      ],
      ['network'],
    );
    expect(node.process(packet()).action).toBe('REJECT');
  });
});

it('a random verdict map gives each chain its share', () => {
  const chains = ['a', 'b', 'c'];
  const node = new TestNode(
    filterProgram([
      baseChain('FORWARD', 'filter', [rule([], { kind: 'randomVerdictMap', chains })]),
      ...chains.map((name) => chain(name, rule([], { kind: 'accept' }, `default/${name}`))),
    ]),
  );
  const counts = new Map<string | undefined, number>();
  for (let index = 0; index < 900; index++) {
    const { servicePort } = node.process(packet({ sourcePort: index }));
    counts.set(servicePort, (counts.get(servicePort) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['default/a', 'default/b', 'default/c']);
  for (const count of counts.values()) expect(Math.abs(count - 300)).toBeLessThan(60);
});
