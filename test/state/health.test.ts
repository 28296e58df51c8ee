// What a node tells load balancers and metrics about its Endpoints.
import { expect, test } from 'vitest';
import { noLocalEndpointCounts } from '../../src/state/health.ts';
import { emptyState, endpoint, service, slice } from './objects.ts';

test('a load balancer that has no address yet counts as one without local endpoints', () => {
  const state = emptyState();
  const pending = service('web', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', allocateLoadBalancerNodePorts: false });

  state.apply([pending, slice('web-1', 'web', [endpoint('10.1.0.1')])]);

  expect(noLocalEndpointCounts(state.expectedState('IPv4'))).toEqual({ internal: 0, external: 1 });
});
