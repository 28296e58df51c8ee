import { describe, expect, test } from 'vitest';
import { parseManifests } from '../../src/api/manifests.ts';
import { readService } from '../../src/api/service.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import { InvalidObjectError } from '../../src/errors.ts';

function service(spec: Readonly<Record<string, unknown>>, rest: Readonly<Record<string, unknown>> = {}): KubernetesObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'ns1', name: 'web' }, spec, ...rest };
}

function messageOf(object: KubernetesObject): string {
  try {
    readService(object);
  } catch (error) {
    if (error instanceof InvalidObjectError) return error.message;
    throw error;
  }
  return 'no error';
}

describe('defaults of a Service', () => {
  test('what is left out takes the value the API gives it', () => {
    const [object] = parseManifests(
      '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {clusterIP: 10.0.0.1, ports: [{port: 80}]}}',
    );
    expect(object && readService(object)).toMatchObject({
      namespace: 'default',
      type: 'ClusterIP',
      ports: [{ name: '', protocol: 'TCP', port: 80, nodePort: 0 }],
      internalTrafficPolicy: 'Cluster',
      externalTrafficPolicy: 'Cluster',
      healthCheckNodePort: 0,
    });
  });

  test('ClientIP affinity without a timeout lasts three hours', () => {
    expect(readService(service({ sessionAffinity: 'ClientIP' })).affinitySeconds).toBe(10800);
    expect(readService(service({ sessionAffinity: 'None' })).affinitySeconds).toBeUndefined();
  });

  test('null means absent', () => {
    expect(readService(service({ ports: null, type: null, externalIPs: null }, { status: null }))).toMatchObject({
      ports: [],
      externalIPs: [],
    });
  });

  test('an ingress address without ipMode is a VIP; a host name alone is nothing', () => {
    const status = { loadBalancer: { ingress: [{ ip: '1.2.3.4' }, { hostname: 'lb' }, { ip: '1.2.3.5', ipMode: 'Proxy' }] } };
    const { loadBalancerIngress } = readService(service({}, { status }));
    expect(loadBalancerIngress.map(({ address, ipMode }) => `${address.text} ${ipMode}`)).toEqual(['1.2.3.4 VIP', '1.2.3.5 Proxy']);
  });

  test('blanks around a source range are allowed', () => {
    const { loadBalancerSourceRanges } = readService(service({ loadBalancerSourceRanges: [' 203.0.113.9/25 '] }));
    expect(loadBalancerSourceRanges.map(({ text }) => text)).toEqual(['203.0.113.0/25']);
  });
});

describe('cluster IPs', () => {
  const texts = (spec: Readonly<Record<string, unknown>>): string[] => readService(service(spec)).clusterIPs.map(({ text }) => text);

  test('without ipFamilies only clusterIP counts', () => {
    expect(texts({ clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', 'fd00::1'] })).toEqual(['10.0.0.1']);
  });

  test('with ipFamilies there is one of each family, in canonical text', () => {
    expect(texts({ clusterIP: 'FD00:0::1', clusterIPs: ['FD00:0::1', '010.0.0.1'], ipFamilies: ['IPv6', 'IPv4'] })).toEqual([
      'fd00::1',
      '10.0.0.1',
    ]);
  });

  test('headless, ExternalName and unassigned Services have none', () => {
    expect(texts({ clusterIP: 'None', clusterIPs: ['None'], ipFamilies: ['IPv4'] })).toEqual([]);
    expect(texts({ type: 'ExternalName', clusterIP: '10.0.0.1' })).toEqual([]);
    expect(texts({ clusterIP: '' })).toEqual([]);
    expect(texts({})).toEqual([]);
  });
});

describe('a Service that no dataplane can represent is refused', () => {
  test.each([
    ['service ns1/web: spec.ports[0].port 70000 is outside 1-65535', { ports: [{ port: 70000 }] }],
    ['service ns1/web: spec.ports[1].port 0 is outside 1-65535', { ports: [{ port: 1 }, { port: 0 }] }],
    ['service ns1/web: spec.ports[0].port is missing', { ports: [{ name: 'http' }] }],
    ['service ns1/web: spec.ports[0].port "80" is not a whole number', { ports: [{ port: '80' }] }],
    ['service ns1/web: spec.ports[0].nodePort 65536 is outside 0-65535', { ports: [{ port: 80, nodePort: 65536 }] }],
    ['service ns1/web: spec.ports[0].protocol "tcp" is not one of TCP, UDP, SCTP', { ports: [{ port: 80, protocol: 'tcp' }] }],
    ['service ns1/web: spec.ports an object is not a list', { ports: {} }],
    ['service ns1/web: spec.clusterIP "10.0.0" is not an IP address', { clusterIP: '10.0.0' }],
    [
      'service ns1/web: spec.clusterIPs[0] "10.0.0.1" is not IPv6, as spec.ipFamilies[0] says',
      { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilies: ['IPv6'] },
    ],
    ['service ns1/web: spec.externalIPs[0] "host" is not an IP address', { externalIPs: ['host'] }],
    ['service ns1/web: spec.type "Ingress" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName', { type: 'Ingress' }],
    ['service ns1/web: spec.internalTrafficPolicy "" is not one of Cluster, Local', { internalTrafficPolicy: '' }],
    ['service ns1/web: spec.externalTrafficPolicy "local" is not one of Cluster, Local', { externalTrafficPolicy: 'local' }],
    ['service ns1/web: spec.sessionAffinity "Cookie" is not one of None, ClientIP', { sessionAffinity: 'Cookie' }],
    ['service ns1/web: spec.loadBalancerSourceRanges[0] "10.0.0.1" is not a CIDR', { loadBalancerSourceRanges: ['10.0.0.1'] }],
    ['service ns1/web: spec.healthCheckNodePort -1 is outside 0-65535', { healthCheckNodePort: -1 }],
    [
      'service ns1/web: spec.sessionAffinityConfig.clientIP.timeoutSeconds 86401 is outside 1-86400',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
    ],
  ])('%s', (message, spec) => {
    expect(messageOf(service(spec))).toBe(message);
  });

  test('an unknown ipMode and a bad ingress address are refused', () => {
    const status = (ingress: unknown): unknown => ({ loadBalancer: { ingress: [ingress] } });
    expect(messageOf(service({}, { status: status({ ip: '1.2.3.4', ipMode: 'vip' }) }))).toMatch(/ipMode "vip" is not one of VIP, Proxy$/);
    expect(messageOf(service({}, { status: status({ ip: '1.2.3' }) }))).toMatch(/ingress\[0\]\.ip "1\.2\.3" is not an IP address$/);
  });

  test('a label that is no text is refused', () => {
    expect(
      messageOf({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web', labels: { 'a.b/c': 'x', on: true as unknown as string } } }),
    ).toBe('service default/web: metadata.labels[on] true is not a string');
  });

  test('the error carries the place in the manifest', () => {
    const [object] = parseManifests('apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ports:\n  - port: 70000\n', 'web.yaml');
    expect(object && messageOf(object)).toBe('web.yaml:6:11: service default/web: spec.ports[0].port 70000 is outside 1-65535');
  });
});
