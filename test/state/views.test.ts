import { describe, expect, test } from 'vitest';
import { servicePortViews } from '../../src/state/views.ts';
import { emptyState, endpoint, node, service, slice } from './objects.ts';

function reasons(spec: Readonly<Record<string, unknown>>, endpoints: Parameters<typeof slice>[2]): (string | undefined)[] {
  const state = emptyState();
  state.apply([node('n1', 'a'), service('web', spec), slice('web-1', 'web', endpoints)]);
  return servicePortViews(state).flatMap((view) => view.endpoints.map(({ unusedBecause }) => unusedBecause));
}

const ready = endpoint('10.1.0.1', { nodeName: 'n1' });

describe('why an endpoint is not used', () => {
  test.each([
    ['it is', {}, {}, undefined],
    ['not ready', {}, { conditions: { ready: false, serving: false } }, 'not ready'],
    ['gone', {}, { conditions: { ready: false, serving: false, terminating: true } }, 'terminating and not serving'],
    ['draining', {}, { conditions: { ready: false, serving: true, terminating: true } }, 'terminating while ready endpoints exist'],
    ['on another node', { internalTrafficPolicy: 'Local' }, {}, 'not on this node (policy Local)'],
  ])('%s', (_title, spec, fields, reason) => {
    expect(reasons(spec, [ready, endpoint('10.1.0.2', fields)])).toEqual([undefined, reason]);
  });

  test('topology keeps it for another zone or node', () => {
    const hinted = (address: string, forZones: readonly string[], forNodes: readonly string[] = []): ReturnType<typeof endpoint> =>
      endpoint(address, { hints: { forZones: forZones.map((name) => ({ name })), forNodes: forNodes.map((name) => ({ name })) } });
    expect(reasons({}, [hinted('10.1.0.1', ['a']), hinted('10.1.0.2', ['b', 'c'])])).toEqual([undefined, 'hinted for zones b, c']);
    expect(reasons({}, [hinted('10.1.0.1', ['a'], ['n1']), hinted('10.1.0.2', ['a'], ['n2'])])).toEqual([undefined, 'hinted for node n2']);
  });
});

test('a view names every address a ServicePort answers on, and the sets its endpoints are in', () => {
  const state = emptyState();
  const spec = {
    type: 'LoadBalancer',
    ports: [{ name: 'http', port: 80, nodePort: 30080 }],
    externalIPs: ['1.1.1.1'],
    externalTrafficPolicy: 'Local',
  };
  state.apply([
    service('web', spec, { status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }),
    slice('web-1', 'web', [ready], { ports: [{ name: 'http', port: 8080 }] }),
  ]);
  expect(servicePortViews(state)).toEqual([
    {
      servicePort: 'ns/web:http',
      family: 'IPv4',
      protocol: 'TCP',
      frontends: [
        { kind: 'ClusterIP', address: '10.0.0.1', port: 80 },
        { kind: 'NodePort', port: 30080 },
        { kind: 'ExternalIP', address: '1.1.1.1', port: 80 },
        { kind: 'LoadBalancerIP', address: '1.2.3.4', port: 80 },
      ],
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Local',
      endpoints: [{ address: '10.1.0.1', port: 8080, isLocal: true, inCluster: true, inLocal: true }],
    },
  ]);
});

test('a not ready endpoint that changes leaves the used ones in use', () => {
  const state = emptyState();
  state.apply([service('web'), slice('web-1', 'web', [ready])]);
  servicePortViews(state);
  state.apply([slice('web-1', 'web', [ready, endpoint('10.1.0.2', { conditions: { ready: false } })])]);
  expect(servicePortViews(state)[0]?.endpoints.map(({ inCluster }) => inCluster)).toEqual([true, false]);
});
