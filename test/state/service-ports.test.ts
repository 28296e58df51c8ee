import { describe, expect, test } from 'vitest';
import type { ServicePort } from '../../src/state/expected-state.ts';
import type { ClusterState } from '../../src/state/state.ts';
import { emptyState, service } from './objects.ts';

function portsOf(state: ClusterState, family: 'IPv4' | 'IPv6' = 'IPv4'): ServicePort[] {
  return state.expectedState(family).servicePorts.map(({ servicePort }) => servicePort);
}

describe('which Services exist', () => {
  test('a label of another proxy or of headless hides a Service, whatever its value', () => {
    for (const label of ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless']) {
      const state = emptyState();
      state.apply([service('web', {}, { labels: { [label]: '' } })]);
      expect(portsOf(state)).toEqual([]);
    }
  });

  test('putting the label on a live Service takes it away', () => {
    const state = emptyState();
    state.apply([service('web')]);
    expect(portsOf(state)).toHaveLength(1);
    state.apply([service('web', {}, { labels: { 'service.kubernetes.io/service-proxy-name': 'cilium' } })]);
    expect(portsOf(state)).toEqual([]);
  });

  test('headless, ExternalName and unassigned Services do not exist', () => {
    const state = emptyState();
    state.apply([service('a', { clusterIP: 'None' }), service('b', { type: 'ExternalName' }), service('c', { clusterIP: '' })]);
    expect(portsOf(state)).toEqual([]);
  });

  test('names leave out an empty port name, and the order is by name, then protocol', () => {
    const state = emptyState();
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns', port: 53, protocol: 'TCP' },
    ];
    state.apply([service('a-b'), service('a', { ports: [{ port: 80 }, ...ports] })]);
    expect(portsOf(state).map(({ name, protocol }) => `${name} ${protocol}`)).toEqual([
      'ns/a TCP',
      'ns/a-b TCP',
      'ns/a:dns TCP',
      'ns/a:dns UDP',
    ]);
  });
});

describe('families', () => {
  const dualStack = {
    type: 'LoadBalancer',
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1', 'fd00::1'],
    ipFamilies: ['IPv4', 'IPv6'],
    externalIPs: ['1.1.1.1', '2001:db8::1'],
    loadBalancerSourceRanges: ['2001:db8::/32'],
  };

  test('each family has its own cluster IP, external IPs and source ranges', () => {
    const state = emptyState();
    state.apply([service('web', dualStack)]);
    expect(portsOf(state)).toMatchObject([{ clusterIP: '10.0.0.1', externalIPs: ['1.1.1.1'], loadBalancerSourceRanges: [] }]);
    expect(portsOf(state, 'IPv6')).toMatchObject([
      { clusterIP: 'fd00::1', externalIPs: ['2001:db8::1'], loadBalancerSourceRanges: ['2001:db8::/32'] },
    ]);
  });

  test('a family without a cluster IP has no part in the Service', () => {
    const state = emptyState();
    state.apply([service('web', { externalIPs: ['2001:db8::1'] })]);
    expect(portsOf(state, 'IPv6')).toEqual([]);
  });
});

describe('policies and load balancers', () => {
  const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { ip: '1.2.3.5', ipMode: 'Proxy' }] } };

  test('an address of ipMode Proxy is not handled here, unless the gate is off', () => {
    const loadBalancer = service('web', { type: 'LoadBalancer' }, { status });
    const [on, off] = [emptyState(), emptyState({ LoadBalancerIPMode: false })];
    on.apply([loadBalancer]);
    off.apply([loadBalancer]);
    expect(portsOf(on)).toMatchObject([{ loadBalancerIPs: ['1.2.3.4'] }]);
    expect(portsOf(off)).toMatchObject([{ loadBalancerIPs: ['1.2.3.4', '1.2.3.5'] }]);
  });

  test.each([
    ['a ClusterIP Service without external IPs', { type: 'ClusterIP' }, false],
    ['a ClusterIP Service with external IPs', { type: 'ClusterIP', externalIPs: ['1.1.1.1'] }, true],
    ['a NodePort Service', { type: 'NodePort' }, true],
    ['a LoadBalancer without an address', { type: 'LoadBalancer' }, true],
  ])('externalTrafficPolicy Local of %s: %o → %s', (_title, spec, isLocal) => {
    const state = emptyState();
    state.apply([service('web', { ...spec, externalTrafficPolicy: 'Local' })]);
    expect(portsOf(state)).toMatchObject([{ externalPolicyLocal: isLocal }]);
  });

  test('a health check port is kept for LoadBalancers of policy Local only', () => {
    const state = emptyState();
    const spec = { healthCheckNodePort: 30000, externalTrafficPolicy: 'Local' };
    state.apply([service('a', { ...spec, type: 'LoadBalancer' }), service('b', { ...spec, type: 'NodePort' })]);
    expect(portsOf(state).map(({ healthCheckNodePort }) => healthCheckNodePort)).toEqual([30000, 0]);
  });

  test('affinity is there only when the Service asks for it', () => {
    const state = emptyState();
    state.apply([service('a'), service('b', { sessionAffinity: 'ClientIP' })]);
    expect(portsOf(state).map(({ affinitySeconds }) => affinitySeconds)).toEqual([undefined, 10800]);
  });
});
