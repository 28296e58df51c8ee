// What the TypeScript engine remembers of sources: xt_recent lists, nftables' dynamic sets.
import { describe, expect, it } from 'vitest';
import { baseChain, CLIENT, chain, clusterIpProgram, filterProgram, program, rule } from './small-programs.ts';
import { packet, TestNode } from './test-node.ts';

const ENDPOINTS = ['10.244.1.1', '10.244.1.2', '10.244.1.3', '10.244.1.4'];

/** Backends of twenty new connections of one client. */
function backends(node: TestNode, source = CLIENT): (string | undefined)[] {
  return Array.from({ length: 20 }, (_, index) => node.process(packet({ source, sourcePort: 1000 + index })).backend?.address);
}

describe('session affinity', () => {
  it('sends all connections of a client to one backend', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS, affinitySeconds: 10 }));
    expect(new Set(backends(node)).size).toBe(1);
    expect(new Set(backends(new TestNode(clusterIpProgram({ endpoints: ENDPOINTS })))).size).toBe(4);
  });

  it('is renewed by each connection', () => {
    const node = new TestNode(clusterIpProgram({ endpoints: ENDPOINTS, affinitySeconds: 10 }));
    const list = `KUBE-SEP-${node.process(packet()).backend?.address}`;
    node.now += 10_000;
    node.process(packet({ sourcePort: 2 }));
    expect(node.engine.view('IPv4', node.now).recentSighting(list, CLIENT)).toBe(node.now);
  });

  it('stays when the Program is loaded again, and is forgotten with the last rule that names the list', () => {
    const withAffinity = clusterIpProgram({ endpoints: ENDPOINTS, affinitySeconds: 10 });
    const node = new TestNode(withAffinity);
    const list = `KUBE-SEP-${node.process(packet()).backend?.address}`;
    const sighting = () => node.engine.view('IPv4', node.now).recentSighting(list, CLIENT);
    node.engine.load(withAffinity);
    expect(sighting()).toBe(node.now);
    node.engine.load(program());
    node.engine.load(withAffinity);
    expect(sighting()).toBeUndefined();
  });
});

describe('an xt_recent list', () => {
  const remembering = (reap?: true) =>
    new TestNode(
      filterProgram([
        baseChain('FORWARD', 'filter', [
          rule([{ kind: 'recent', operation: 'rcheck', list: 'L', seconds: 10, ...(reap === undefined ? {} : { reap }) }], {
            kind: 'drop',
          }),
          rule([{ kind: 'recent', operation: 'set', list: 'L' }], { kind: 'none' }),
        ]),
      ]),
    );
  const source = (index: number) => `10.9.${index >> 8}.${index & 255}`;

  it('forgets the source seen longest ago when it holds 100', () => {
    const node = remembering();
    for (let index = 0; index < 101; index++) {
      node.now += 1;
      node.process(packet({ protocol: 'UDP', source: source(index) }));
    }
    const view = node.engine.view('IPv4', node.now);
    expect(view.recentSighting('L', source(0))).toBeUndefined();
    expect(view.recentSighting('L', source(1))).toBe(node.now - 99);
    expect(view.recentSighting('L', source(100))).toBe(node.now);
  });

  it('holds a source for exactly its seconds', () => {
    const at = (ms: number) => {
      const node = remembering();
      node.process(packet());
      node.now += ms;
      return node.process(packet({ sourcePort: 2 })).action;
    };
    expect([at(10_000), at(10_001)]).toEqual(['DROP', 'ACCEPT']);
  });

  it('loses old sightings to reap', () => {
    const node = remembering(true);
    node.process(packet());
    node.now += 10_001;
    node.process(packet({ source: source(1) }));
    expect(node.engine.view('IPv4', node.now).recentSighting('L', CLIENT)).toBeUndefined();
  });
});

it('a dynamic nftables set holds a source for its timeout', () => {
  const node = new TestNode(
    filterProgram(
      [
        baseChain('FORWARD', 'filter', [
          rule([{ kind: 'set', set: 'affinity', fields: ['src'] }], { kind: 'goto', chain: 'bound' }),
          rule([], { kind: 'updateSet', set: 'affinity' }),
        ]),
        chain('bound', rule([], { kind: 'drop' })),
      ],
      { sets: [{ name: 'affinity', key: ['address'], elements: [], timeoutSeconds: 10 }] },
    ),
  );
  const send = (sourcePort: number) => node.process(packet({ sourcePort })).action;
  expect(send(1)).toBe('ACCEPT');
  node.now += 9999;
  expect(send(2)).toBe('DROP');
  node.now += 1;
  expect(send(3)).toBe('ACCEPT');
});
