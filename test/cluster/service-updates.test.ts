// Updates of a Service: what it keeps of what the cluster chose, and what of its old type it may still say.
import { describe, expect, test } from 'vitest';
import { fieldsOf, listOf } from '../../src/cluster/fields.ts';
import { type Cluster, createCluster } from '../../src/cluster.ts';
import { parse, service, spec } from './manifests.ts';

const DUAL = { ipFamilies: ['IPv4', 'IPv6'] } as const;

function applied(manifests: readonly string[], options: Parameters<typeof createCluster>[0] = {}): Cluster {
  const cluster = createCluster(options);
  for (const manifest of manifests) cluster.apply(parse(manifest));
  return cluster;
}

function web(cluster: Cluster): Readonly<Record<string, unknown>> {
  return spec(cluster, 'Service', 'web');
}

describe('the cluster IPs of a Service', () => {
  test('are kept together when an update names the first alone', () => {
    const both = service('web', 'clusterIP: 10.96.0.50, clusterIPs: [10.96.0.50, "fd00:10:96::77"], ipFamilyPolicy: RequireDualStack');
    const first = service('web', 'clusterIP: 10.96.0.50, ipFamilyPolicy: RequireDualStack');
    expect(web(applied([both, first], DUAL)).clusterIPs).toEqual(['10.96.0.50', 'fd00:10:96::77']);
  });

  test('become two with PreferDualStack, and one again with SingleStack', () => {
    const cluster = applied([service('web')], DUAL);
    const { clusterIP } = web(cluster);
    cluster.apply(parse(service('web', 'ipFamilyPolicy: PreferDualStack')));
    expect(web(cluster)).toMatchObject({ clusterIP, clusterIPs: [clusterIP, expect.stringContaining(':')], ipFamilies: ['IPv4', 'IPv6'] });
    cluster.apply(parse(service('web', 'ipFamilyPolicy: SingleStack')));
    expect(web(cluster)).toMatchObject({ clusterIP, clusterIPs: [clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' });
  });

  test('may not be listed without spec.clusterIP', () => {
    expect(() => applied([service('web', 'clusterIPs: [10.96.0.50]')])).toThrow(
      'spec.clusterIPs must be empty when spec.clusterIP is not given',
    );
  });
});

describe('a new type', () => {
  // As `kubectl edit` sends it: all that was read, with another type.
  const changed = (cluster: Cluster, type: string, more: object = {}) => {
    const before = cluster.objects('Service').find(({ metadata }) => metadata.name === 'web');
    if (before === undefined) throw new Error('no Service');
    cluster.apply([{ ...before, spec: { ...fieldsOf(before.spec), type, ...more } }]);
  };
  const LOAD_BALANCER = 'type: LoadBalancer, loadBalancerClass: example.com/lb, externalTrafficPolicy: Local';

  test('ExternalName drops addresses and families', () => {
    const cluster = applied([service('web')]);
    changed(cluster, 'ExternalName', { externalName: 'www.example.com' });
    expect(Object.keys(web(cluster))).not.toEqual(expect.arrayContaining(['clusterIP']));
    expect(web(cluster)).not.toHaveProperty('ipFamilies');
  });

  test('ClusterIP drops node ports and the policy for traffic from outside', () => {
    const cluster = applied([service('web', 'type: NodePort')]);
    changed(cluster, 'ClusterIP');
    expect(listOf(web(cluster).ports)).toEqual([{ port: 80, targetPort: 8080, protocol: 'TCP' }]);
    expect(web(cluster)).not.toHaveProperty('externalTrafficPolicy');
  });

  test('NodePort keeps the node ports of a load balancer, and drops what only that one has', () => {
    const cluster = applied([service('web', LOAD_BALANCER)]);
    const [port] = listOf(web(cluster).ports);
    changed(cluster, 'NodePort');
    expect(listOf(web(cluster).ports)).toEqual([port]);
    expect(web(cluster)).toMatchObject({ externalTrafficPolicy: 'Local' });
    for (const field of ['healthCheckNodePort', 'loadBalancerClass', 'allocateLoadBalancerNodePorts'])
      expect(web(cluster)).not.toHaveProperty(field);
  });

  test('leaves the address of the load balancer behind', () => {
    const cluster = applied([
      `${service('web', 'type: LoadBalancer').replace(/---\n$/, '')}status: {loadBalancer: {ingress: [{ip: 203.0.113.9}]}}\n`,
    ]);
    const status = () => cluster.objects('Service').find(({ metadata }) => metadata.name === 'web')?.status;
    expect(status()).toEqual({ loadBalancer: { ingress: [{ ip: '203.0.113.9', ipMode: 'VIP' }] } });
    changed(cluster, 'ClusterIP');
    expect(status()).toEqual({ loadBalancer: {} });
  });

  test.each([
    ['ClusterIP', { ports: [{ port: 80, nodePort: 30001 }] }, 'spec.ports[0].nodePort 30001 may not be set'],
    ['ClusterIP', { loadBalancerClass: 'example.com/other' }, 'spec.loadBalancerClass may only be set when type is LoadBalancer'],
    ['NodePort', { loadBalancerSourceRanges: ['10.0.0.0/8'] }, 'spec.loadBalancerSourceRanges may only be set when type is LoadBalancer'],
  ])('%s is refused with %j, which is no leftover', (type, more, message) => {
    const cluster = applied([service('web', LOAD_BALANCER)]);
    expect(() => changed(cluster, type, more)).toThrow(message);
  });
});

describe('defaults', () => {
  // Where Go has no pointer, an empty field and one that is not there are the same.
  const EMPTY = [
    'clusterIPs: [], ipFamilies: [], externalIPs: [], healthCheckNodePort: 0, sessionAffinity: "", externalName: "", ',
    'clusterIPs: null, ipFamilies: null, ipFamilyPolicy: null, externalIPs: null, healthCheckNodePort: null, sessionAffinityConfig: null, ',
  ];

  test.each(EMPTY)('of fields that are empty are those of fields that are not there: %s', (empty) => {
    const chosen = (cluster: Cluster) => {
      const { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, healthCheckNodePort = 0 } = web(cluster);
      return { clusterIP, clusterIPs, ipFamilies, ipFamilyPolicy, healthCheckNodePort };
    };
    for (const given of [
      'clusterIP: 10.96.0.50',
      'type: NodePort',
      'type: LoadBalancer, externalTrafficPolicy: Local',
      'clusterIP: None',
    ]) {
      for (const manifest of [service('web', given), service('web', given).replace('selector: {app: web}, ', '')]) {
        const written = manifest.replace('spec: {', `spec: {${empty}`);
        const expected = chosen(applied([manifest], DUAL));
        expect(chosen(applied([written], DUAL)), given).toEqual(expected);
        expect(chosen(applied([manifest, written], DUAL)), given).toEqual(expected);
      }
    }
  });

  test.each(EMPTY)('are those of the Service before an update: %s', (empty) => {
    const spec = 'type: LoadBalancer, externalTrafficPolicy: Local, ipFamilyPolicy: RequireDualStack, ';
    const cluster = applied([service('web', `${spec}clusterIP: 10.96.0.50, clusterIPs: [10.96.0.50, "fd00:10:96::77"]`)], DUAL);
    const before = web(cluster);
    cluster.apply(parse(service('web', `${empty.replace('ipFamilyPolicy: null, ', '')}${spec}clusterIP: 10.96.0.50`)));
    expect(web(cluster)).toMatchObject({ clusterIPs: before.clusterIPs, healthCheckNodePort: before.healthCheckNodePort });
  });

  test.each(['', 'sessionAffinity: None, ', 'sessionAffinity: "", '])('a configuration of affinity is cleared beside {%s}', (affinity) => {
    const config = 'sessionAffinityConfig: {clientIP: {timeoutSeconds: 5}}';
    expect(web(applied([service('web', affinity + config)]))).not.toHaveProperty('sessionAffinityConfig');
  });

  test('a headless Service with an empty selector has both families, as one without a selector', () => {
    const headless = service('web', 'clusterIP: None').replace('selector: {app: web}', 'selector: {}');
    expect(web(applied([headless]))).toMatchObject({ ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' });
    expect(web(applied([headless, service('web', 'clusterIP: None')]))).toMatchObject({ ipFamilies: ['IPv4'] });
  });
});
