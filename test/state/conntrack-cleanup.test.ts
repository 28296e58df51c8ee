import { describe, expect, test } from 'vitest';
import type { CleanupCandidate } from '../../src/state/conntrack-cleanup.ts';
import type { ClusterState } from '../../src/state/state.ts';
import { emptyState, endpoint, service, slice } from './objects.ts';

const ports = [{ name: '', port: 53, protocol: 'UDP' }];
const dns = service('dns', { type: 'NodePort', ports: [{ port: 53, protocol: 'UDP', nodePort: 30053 }], externalIPs: ['1.1.1.1'] });

function dnsState(addresses: readonly string[], conditions = {}): ClusterState {
  const state = emptyState();
  state.apply([
    dns,
    slice(
      'dns-1',
      'dns',
      addresses.map((address) => endpoint(address, { conditions })),
      { ports },
    ),
  ]);
  return state;
}

function connection(
  destination: string,
  destinationPort: number,
  source: string,
  fields: Partial<CleanupCandidate> = {},
): CleanupCandidate {
  return { family: 'IPv4', protocol: 'UDP', original: { destination, destinationPort }, reply: { source, sourcePort: 53 }, ...fields };
}

describe('stale UDP connections', () => {
  const cleanup = dnsState(['10.1.0.1']).takeConntrackCleanup('IPv4');

  test.each([
    ['to the cluster IP, bound to a removed endpoint', connection('10.0.0.1', 53, '10.1.0.9'), true],
    ['to the cluster IP, bound to one that serves', connection('10.0.0.1', 53, '10.1.0.1'), false],
    ['to the cluster IP, never translated', connection('10.0.0.1', 53, '10.0.0.1'), true],
    ['to an external IP', connection('1.1.1.1', 53, '10.1.0.9'), true],
    ['to the node port, whatever the address', connection('192.168.7.7', 30053, '10.1.0.9'), true],
    ['to another port', connection('10.0.0.1', 54, '10.1.0.9'), false],
    ['of TCP', connection('10.0.0.1', 53, '10.1.0.9', { protocol: 'TCP' }), false],
    ['of the other family', connection('fd00::1', 30053, 'fd00::9', { family: 'IPv6' }), false],
  ])('%s', (_title, candidate, isStale) => {
    expect(cleanup?.isStaleUdp(candidate)).toBe(isStale);
  });

  test('an endpoint that serves keeps its connections, ready or not', () => {
    const draining = dnsState(['10.1.0.1'], { ready: false, serving: true, terminating: true }).takeConntrackCleanup('IPv4');
    expect(draining?.isStaleUdp(connection('10.0.0.1', 53, '10.1.0.1'))).toBe(false);
  });

  test('a ServicePort that nothing serves leaves its connections alone', () => {
    const state = dnsState(['10.1.0.1']);
    state.takeConntrackCleanup('IPv4');
    state.delete([{ kind: 'EndpointSlice', namespace: 'ns', name: 'dns-1' }]);
    expect(state.takeConntrackCleanup('IPv4')?.isStaleUdp(connection('10.0.0.1', 53, '10.1.0.1'))).toBe(false);
  });
});

describe('when connections are cleaned up', () => {
  test('once after the endpoints of a UDP port changed', () => {
    const state = dnsState(['10.1.0.1']);
    expect(state.takeConntrackCleanup('IPv4')).toBeDefined();
    expect(state.takeConntrackCleanup('IPv4')).toBeUndefined();
    expect(state.takeConntrackCleanup('IPv6')).toBeUndefined();
  });

  test('not when a Service changes, nor the endpoints of a TCP port', () => {
    const state = dnsState(['10.1.0.1']);
    state.takeConntrackCleanup('IPv4');
    state.apply([
      service('dns', { ports: [{ port: 54, protocol: 'UDP' }] }),
      service('web'),
      slice('web-1', 'web', [endpoint('10.1.0.5')]),
    ]);
    expect(state.takeConntrackCleanup('IPv4')).toBeUndefined();
  });
});
