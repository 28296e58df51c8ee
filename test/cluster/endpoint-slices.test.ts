import { describe, expect, it } from 'vitest';
import { createCluster } from '../../src/cluster.ts';
import { deployment, endpoints, parse, pods, service, workload } from './manifests.ts';

const namedPort = (port: number) => `ports: [{name: web, containerPort: ${port}}]`;

describe('EndpointSlices', () => {
  it('hold the ready Pods that the selector finds, with node, zone and target', () => {
    const cluster = createCluster({ nodes: [{ name: 'a', zone: 'z1' }] });
    cluster.apply(parse(service('web') + deployment('web', 1) + deployment('other', 1)));
    const [slice] = cluster.objects('EndpointSlice');
    expect(slice).toMatchObject({
      addressType: 'IPv4',
      metadata: {
        generateName: 'web-',
        labels: { 'kubernetes.io/service-name': 'web', 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io' },
        ownerReferences: [{ kind: 'Service', name: 'web', controller: true }],
      },
      ports: [{ name: '', port: 8080, protocol: 'TCP' }],
    });
    expect(endpoints(cluster)).toMatchObject([
      {
        addresses: ['10.244.1.2'],
        conditions: { ready: true, serving: true, terminating: false },
        nodeName: 'a',
        zone: 'z1',
        targetRef: { kind: 'Pod', namespace: 'default' },
      },
    ]);
  });

  it('an empty selector is none: whoever wrote it keeps the endpoints', () => {
    const cluster = createCluster();
    cluster.apply(parse(`${service('web').replace('{app: web}', '{}')}${deployment('web', 1)}`));
    expect(cluster.objects('EndpointSlice')).toEqual([]);
    const subsets = 'subsets: [{addresses: [{ip: 192.0.2.7}], ports: [{port: 8080}]}]';
    cluster.apply(parse(`{apiVersion: v1, kind: Endpoints, metadata: {name: web}, ${subsets}}`));
    expect(endpoints(cluster)).toMatchObject([{ addresses: ['192.0.2.7'] }]);
    cluster.apply(parse(service('web'))); // from now on it has one
    expect(endpoints(cluster)).toMatchObject([{ addresses: ['10.244.1.2'] }]);
  });

  it('a Pod that is not ready is in the slice, but not ready', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web') + workload('StatefulSet', 'web', 'replicas: 2, ')));
    cluster.setReady('default/web-0', false);
    expect(endpoints(cluster).map(({ conditions }) => conditions)).toEqual([
      { ready: false, serving: false, terminating: false },
      { ready: true, serving: true, terminating: false },
    ]);
    cluster.setReady('web-0', true);
    expect(endpoints(cluster)[0]?.conditions).toEqual({ ready: true, serving: true, terminating: false });
    expect(() => cluster.setReady('default/web-9', false)).toThrow('pod "default/web-9" does not exist');
  });

  it('a terminating Pod serves on, but is not ready, until time has passed', () => {
    let now = 0;
    const cluster = createCluster({ now: () => now });
    cluster.apply(parse(service('web') + deployment('web', 1)));
    const [old] = pods(cluster);
    cluster.terminate(`default/${old?.name}`);
    expect(endpoints(cluster).map(({ conditions }) => conditions)).toEqual([
      { ready: false, serving: true, terminating: true },
      { ready: true, serving: true, terminating: false },
    ]);
    now = 31_000;
    cluster.apply([]);
    expect(pods(cluster).map(({ name }) => name)).not.toContain(old?.name);
    expect(endpoints(cluster)).toHaveLength(1);
  });

  it('publishNotReadyAddresses makes every Pod ready and leaves serving alone', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'publishNotReadyAddresses: true') + workload('StatefulSet', 'web', 'replicas: 1, ')));
    cluster.setReady('default/web-0', false);
    expect(endpoints(cluster)[0]?.conditions).toEqual({ ready: true, serving: false, terminating: false });
  });

  it('a named target port is resolved for each Pod, and different numbers make different slices', () => {
    const cluster = createCluster();
    const second = deployment('blue', 1, namedPort(9090)).replaceAll('app: blue', 'app: web, color: blue');
    cluster.apply(parse(service('web', '', '[{port: 80, targetPort: web}]') + deployment('web', 1, namedPort(8080)) + second));
    const ports = cluster.objects('EndpointSlice').map((slice) => slice.ports);
    expect(ports).toHaveLength(2);
    expect(ports).toEqual(
      expect.arrayContaining([[{ name: '', port: 8080, protocol: 'TCP' }], [{ name: '', port: 9090, protocol: 'TCP' }]]),
    );
  });

  it('a port name that a Pod does not have is left out for that Pod', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', '', '[{port: 80, targetPort: nope}]') + deployment('web', 1)));
    expect(cluster.objects('EndpointSlice').map((slice) => slice.ports)).toEqual([[]]);
  });

  it('hold at most 100 endpoints each', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web') + deployment('web', 250)));
    const sizes = cluster.objects('EndpointSlice').map((slice) => (Array.isArray(slice.endpoints) ? slice.endpoints.length : 0));
    expect(sizes.sort()).toEqual([100, 100, 50]);
  });

  it('of a headless Service carry the headless label', () => {
    const cluster = createCluster();
    cluster.apply(parse(service('web', 'clusterIP: None') + deployment('web', 1)));
    expect(cluster.objects('EndpointSlice')[0]?.metadata.labels).toMatchObject({ 'service.kubernetes.io/headless': '' });
  });

  it('a Service without Pods has one empty slice; one without selector has none', () => {
    const cluster = createCluster();
    cluster.apply(parse(`${service('web')}{apiVersion: v1, kind: Service, metadata: {name: manual}, spec: {ports: [{port: 80}]}}`));
    expect(cluster.objects('EndpointSlice').map(({ endpoints, ports }) => ({ endpoints, ports }))).toEqual([{ endpoints: [], ports: [] }]);
  });

  it('a given slice wins: none is made beside it', () => {
    const cluster = createCluster();
    const given = `{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: web-abc, labels: {kubernetes.io/service-name: web}},
      addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}], ports: [{port: 8080}]}`;
    cluster.apply(parse(service('web') + deployment('web', 2) + given));
    expect(cluster.objects('EndpointSlice').map(({ metadata }) => metadata.name)).toEqual(['web-abc']);
  });

  it('a dual-stack Service has one set of slices for each family', () => {
    const cluster = createCluster({ ipFamilies: ['IPv4', 'IPv6'] });
    cluster.apply(parse(service('web', 'ipFamilyPolicy: PreferDualStack') + deployment('web', 1)));
    const slices = cluster.objects('EndpointSlice').map(({ addressType, endpoints }) => ({ addressType, endpoints }));
    expect(slices).toMatchObject([
      { addressType: expect.any(String), endpoints: [{ addresses: [expect.any(String)] }] },
      { addressType: expect.any(String), endpoints: [{ addresses: [expect.any(String)] }] },
    ]);
    expect(slices.map(({ addressType }) => addressType).sort()).toEqual(['IPv4', 'IPv6']);
  });
});
