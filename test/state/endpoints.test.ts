import { describe, expect, test } from 'vitest';
import { chosen, emptyState, endpoint, node, service, slice } from './objects.ts';

const notReady = { conditions: { ready: false, serving: false, terminating: false } };
const terminating = { conditions: { ready: false, serving: true, terminating: true } };
const gone = { conditions: { ready: false, serving: false, terminating: true } };
const here = { nodeName: 'n1' };
const bothLocal = {
  type: 'NodePort',
  ports: [{ port: 80, nodePort: 30080 }],
  internalTrafficPolicy: 'Local',
  externalTrafficPolicy: 'Local',
};

function choose(spec: Readonly<Record<string, unknown>>, endpoints: Parameters<typeof slice>[2]): ReturnType<typeof chosen> {
  const state = emptyState();
  state.apply([node('n1', 'a'), service('web', spec), slice('web-1', 'web', endpoints)]);
  return chosen(state);
}

describe('slices of a Service', () => {
  test('endpoints are sorted as strings of address and port', () => {
    const { cluster } = choose(
      {},
      ['10.0.0.9', '10.0.0.2', '10.0.0.10'].map((address) => endpoint(address)),
    );
    expect(cluster).toEqual(['10.0.0.10:8080', '10.0.0.2:8080', '10.0.0.9:8080']);
  });

  test('ports are matched by name and protocol; the number is the one of the slice', () => {
    const state = emptyState();
    state.apply([
      service('web', { ports: [{ name: 'http', port: 80 }] }),
      slice('web-1', 'web', [endpoint('10.1.0.1')], {
        ports: [
          { name: 'http', port: 8080 },
          { name: 'http', port: 53, protocol: 'UDP' },
          { name: '', port: 80 },
        ],
      }),
    ]);
    expect(chosen(state).cluster).toEqual(['10.1.0.1:8080']);
  });

  test('a running pod wins over a terminating one of the same address, in either order', () => {
    for (const [first, second] of [
      ['web-1', 'web-2'],
      ['web-2', 'web-1'],
    ] as const) {
      const state = emptyState();
      state.apply([
        service('web'),
        slice(first, 'web', [endpoint('10.1.0.1', here)]),
        slice(second, 'web', [endpoint('10.1.0.1', terminating)]),
      ]);
      const [only] = state.expectedState('IPv4').servicePorts;
      expect(only?.clusterEndpoints).toMatchObject([{ text: '10.1.0.1:8080', isLocal: true }]);
    }
  });

  test('a slice that changes its Service leaves the old one', () => {
    const state = emptyState();
    state.apply([service('web'), slice('s', 'web', [endpoint('10.1.0.1')])]);
    state.apply([slice('s', 'api', [endpoint('10.1.0.1')])]);
    expect(chosen(state).cluster).toEqual([]);
  });

  test('slices that are hidden, of no Service, or FQDN do not count', () => {
    const state = emptyState();
    const hidden = { 'kubernetes.io/service-name': 'web', 'service.kubernetes.io/headless': '' };
    state.apply([
      service('web'),
      slice('hidden', 'web', [endpoint('10.1.0.1')], { metadata: { namespace: 'ns', name: 'hidden', labels: hidden } }),
      slice('stray', '', [endpoint('10.1.0.2')]),
      slice('names', 'web', [endpoint('example.com')], { addressType: 'FQDN' }),
    ]);
    expect(chosen(state)).toEqual({ cluster: [], local: [], hasAny: false });
  });

  test('an IPv6 slice serves only the IPv6 side', () => {
    const state = emptyState();
    state.apply([
      service('web', { clusterIPs: ['10.0.0.1', 'fd00::1'], ipFamilies: ['IPv4', 'IPv6'] }),
      slice('web-6', 'web', [endpoint('FD00::0:2')], { addressType: 'IPv6' }),
    ]);
    expect(chosen(state).cluster).toEqual([]);
    expect(state.expectedState('IPv6').servicePorts[0]?.clusterEndpoints.map(({ text }) => text)).toEqual(['[fd00::2]:8080']);
  });

  test('no endpoint is local while the name of the node is not known', () => {
    const { local } = choose(bothLocal, [endpoint('10.1.0.1', { nodeName: '' })]);
    expect(local).toEqual([]);
  });
});

describe('termination', () => {
  const a = '10.1.0.1:8080';
  const b = '10.1.0.2:8080';

  test.each([
    ['both ready', {}, {}, [a, b], [a], true],
    ['the local one terminating', terminating, {}, [b], [a], true],
    ['both terminating', terminating, terminating, [a, b], [a], true],
    ['the local one gone, the other terminating', gone, terminating, [b], [], true],
    ['the local one not ready, none elsewhere', notReady, gone, [], [], false],
    ['ready and terminating at once is ready', { conditions: { ready: true, terminating: true } }, terminating, [a], [a], true],
    ['serving but neither ready nor terminating is never used', { conditions: { ready: false, serving: true } }, gone, [], [], false],
  ])('%s', (_title, atHere, elsewhere, cluster, local, hasAny) => {
    expect(choose(bothLocal, [endpoint('10.1.0.1', { ...here, ...atHere }), endpoint('10.1.0.2', elsewhere)])).toEqual({
      cluster,
      local,
      hasAny,
    });
  });
});

describe('topology', () => {
  const zone = (name: string): Parameters<typeof endpoint>[1] => ({ hints: { forZones: [{ name }] } });

  test('a not ready endpoint without hints does not switch hints off', () => {
    const endpoints = [endpoint('10.1.0.1', zone('a')), endpoint('10.1.0.2', zone('b')), endpoint('10.1.0.3', notReady)];
    expect(choose({}, endpoints).cluster).toEqual(['10.1.0.1:8080']);
  });

  test('no endpoint for the zone of the node: all are used', () => {
    expect(choose({}, [endpoint('10.1.0.1', zone('b')), endpoint('10.1.0.2', zone('c'))]).cluster).toHaveLength(2);
  });

  test('hints do not touch the local set', () => {
    const { cluster, local } = choose(bothLocal, [endpoint('10.1.0.1', { ...here, ...zone('b') }), endpoint('10.1.0.2', zone('a'))]);
    expect({ cluster, local }).toEqual({ cluster: ['10.1.0.2:8080'], local: ['10.1.0.1:8080'] });
  });

  test('node hints count only with the gate PreferSameTrafficDistribution', () => {
    const objects = [
      service('web'),
      slice('web-1', 'web', [
        endpoint('10.1.0.1', { hints: { forNodes: [{ name: 'n1' }] } }),
        endpoint('10.1.0.2', { hints: { forNodes: [{ name: 'n2' }] } }),
      ]),
    ];
    const [on, off] = [emptyState(), emptyState({ PreferSameTrafficDistribution: false })];
    on.apply(objects);
    off.apply(objects);
    expect(chosen(on).cluster).toEqual(['10.1.0.1:8080']);
    expect(chosen(off).cluster).toHaveLength(2);
  });

  test('a Node that moves to another zone changes the choice; another Node does not', () => {
    const state = emptyState();
    state.apply([
      node('n1', 'a'),
      service('web'),
      slice('web-1', 'web', [endpoint('10.1.0.1', zone('a')), endpoint('10.1.0.2', zone('b'))]),
    ]);
    state.apply([node('n2', 'b')]);
    expect(chosen(state).cluster).toEqual(['10.1.0.1:8080']);
    state.apply([node('n1', 'b')]);
    expect(chosen(state).cluster).toEqual(['10.1.0.2:8080']);
    state.delete([{ kind: 'Node', name: 'n1' }]);
    expect(chosen(state).cluster).toHaveLength(2);
  });
});
