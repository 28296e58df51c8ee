// Endpoints written by hand become EndpointSlices, where nobody else makes any.
import { describe, expect, test } from 'vitest';
import { createCluster } from '../../src/cluster.ts';
import { endpoints, parse } from './manifests.ts';

const SERVICE = '{apiVersion: v1, kind: Service, metadata: {name: db}, spec: {ports: [{name: pg, port: 5432}]}}\n---\n';

function byHand(subsets: string, metadata = ''): string {
  return `{apiVersion: v1, kind: Endpoints, metadata: {name: db${metadata}}, subsets: ${subsets}}\n---\n`;
}

function clusterOf(text: string) {
  const cluster = createCluster();
  cluster.apply(parse(text));
  return cluster;
}

const TWO = '[{addresses: [{ip: 10.0.0.7, hostname: first}], notReadyAddresses: [{ip: 10.0.0.8}], ports: [{name: pg, port: 5433}]}]';

describe('Endpoints of a Service without selector', () => {
  test('become a slice that names its maker, its Service and its owner', () => {
    const cluster = clusterOf(SERVICE + byHand(TWO, ', labels: {team: data}'));
    const [slice] = cluster.objects('EndpointSlice');
    expect(slice).toMatchObject({
      metadata: {
        name: expect.stringMatching(/^db-[a-z0-9]{5}$/),
        labels: {
          team: 'data',
          'kubernetes.io/service-name': 'db',
          'endpointslice.kubernetes.io/managed-by': 'endpointslicemirroring-controller.k8s.io',
        },
        ownerReferences: [{ kind: 'Endpoints', name: 'db' }],
      },
      addressType: 'IPv4',
      ports: [{ name: 'pg', port: 5433, protocol: 'TCP' }],
    });
    expect(endpoints(cluster)).toEqual([
      { addresses: ['10.0.0.7'], conditions: { ready: true }, hostname: 'first' },
      { addresses: ['10.0.0.8'], conditions: { ready: false } },
    ]);
  });

  test('have a slice for each family and each set of ports, and each address once', () => {
    const subsets =
      '[{addresses: [{ip: 10.0.0.7}, {ip: "fd00::7"}, {ip: 10.0.0.7}], ports: [{name: pg, port: 1}]}, {addresses: [{ip: 10.0.0.7}], ports: [{name: pg, port: 2}]}]';
    const slices = clusterOf(SERVICE + byHand(subsets)).objects('EndpointSlice');
    const counted = slices.map(({ addressType, endpoints: list }) => `${addressType} ${JSON.stringify(list).match(/addresses/g)?.length}`);
    expect(counted.sort()).toEqual(['IPv4 1', 'IPv4 1', 'IPv6 1']);
  });

  test('are followed: a change keeps the slice, a deletion takes it away', () => {
    const cluster = clusterOf(SERVICE + byHand(TWO));
    const [before] = cluster.objects('EndpointSlice');
    cluster.apply(parse(byHand(TWO.replace('10.0.0.8', '10.0.0.9'))));
    expect(cluster.objects('EndpointSlice').map(({ metadata }) => metadata.name)).toEqual([before?.metadata.name]);
    expect(endpoints(cluster)[1]?.addresses).toEqual(['10.0.0.9']);
    cluster.delete([{ kind: 'Endpoints', name: 'db' }]);
    expect(cluster.objects('EndpointSlice')).toEqual([]);
  });

  test.each([
    ['skip-mirror', SERVICE + byHand(TWO, ', labels: {endpointslice.kubernetes.io/skip-mirror: "true"}')],
    ['a leader election', SERVICE + byHand(TWO, ', annotations: {control-plane.alpha.kubernetes.io/leader: x}')],
    ['no Service', byHand(TWO)],
    ['a selector', SERVICE.replace('spec: {', 'spec: {selector: {app: db}, ') + byHand(TWO)],
  ])('are not mirrored with %s', (_, text) => {
    expect(endpoints(clusterOf(text))).toEqual([]);
  });

  test('a slice that was given for the Service is left alone', () => {
    const slice =
      '{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: mine, labels: {kubernetes.io/service-name: db}}, addressType: IPv4, endpoints: [{addresses: [10.0.0.1]}], ports: []}';
    const cluster = clusterOf(SERVICE + byHand(TWO) + slice);
    expect(cluster.objects('EndpointSlice').map(({ metadata }) => metadata.name)).toEqual(['mine']);
  });

  test('an address that no endpoint may have is refused, with its place', () => {
    expect(() => clusterOf(SERVICE + byHand('[{addresses: [{ip: 127.0.0.1}], ports: []}]'))).toThrow(
      'endpoints default/db: subsets[0].addresses[0].ip "127.0.0.1" is ',
    );
    expect(() => clusterOf(SERVICE + byHand('[{addresses: [{ip: 10.0.0.1}], ports: [{port: 0}]}]'))).toThrow('subsets[0].ports[0].port');
  });
});
