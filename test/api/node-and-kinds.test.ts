import { describe, expect, test } from 'vitest';
import { keyOf, refOf } from '../../src/api/kinds.ts';
import { readNode } from '../../src/api/node.ts';
import { readWatchedObject } from '../../src/api/read-object.ts';

describe('a Node', () => {
  const status = {
    addresses: [
      { type: 'Hostname', address: 'n1' },
      { type: 'ExternalIP', address: '203.0.113.1' },
      { type: 'InternalIP', address: '192.168.0.1' },
      { type: 'InternalIP', address: 'FD00::1' },
    ],
  };

  test('has its internal addresses before its external ones, and no host names among them', () => {
    const node = readNode({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' }, status });
    expect(node.addresses.map(({ text }) => text)).toEqual(['192.168.0.1', 'fd00::1', '203.0.113.1']);
  });

  test('has its zone from the label, and podCIDR where podCIDRs is absent', () => {
    const labels = { 'topology.kubernetes.io/zone': 'a' };
    const node = readNode({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1', labels }, spec: { podCIDR: '10.244.1.0/24' } });
    expect(node.zone).toBe('a');
    expect(node.podCIDRs.map(({ text }) => text)).toEqual(['10.244.1.0/24']);
  });

  test('with a bad address is refused', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'n1' },
      status: { addresses: [{ type: 'InternalIP', address: 'n1' }] },
    };
    expect(() => readNode(object)).toThrow('node n1: status.addresses[0].address "n1" is not an IP address');
  });
});

describe('kinds', () => {
  test('only Services, EndpointSlices, Nodes and ServiceCIDRs of their own API groups are looked at', () => {
    const metadata = { name: 'a' };
    expect(readWatchedObject({ apiVersion: 'v1', kind: 'Service', metadata })?.kind).toBe('Service');
    expect(readWatchedObject({ apiVersion: 'serving.knative.dev/v1', kind: 'Service', metadata })).toBeUndefined();
    expect(readWatchedObject({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata })?.kind).toBe('ServiceCIDR');
    expect(readWatchedObject({ apiVersion: 'networking.gke.io/v1', kind: 'ServiceCIDR', metadata })).toBeUndefined();
    expect(readWatchedObject({ apiVersion: 'v1', kind: 'Pod', metadata })).toBeUndefined();
    expect(readWatchedObject({ apiVersion: 'example.com/v1', kind: 'Anything', metadata })).toBeUndefined();
  });

  test('a ref names the namespace of namespaced kinds only', () => {
    expect(refOf({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } })).toEqual({ kind: 'Pod', namespace: 'default', name: 'a' });
    expect(refOf({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })).toEqual({ kind: 'Node', name: 'n1' });
  });

  test('a key does not depend on whether the default namespace is written', () => {
    expect(keyOf({ kind: 'Service', name: 'a' })).toBe(keyOf({ kind: 'Service', namespace: 'default', name: 'a' }));
    expect(keyOf({ kind: 'Node', name: 'n1' })).toBe('Node/n1');
  });
});
