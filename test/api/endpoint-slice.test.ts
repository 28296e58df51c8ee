import { describe, expect, test } from 'vitest';
import { readEndpointSlice } from '../../src/api/endpoint-slice.ts';
import type { KubernetesObject } from '../../src/api/types.ts';

function slice(fields: Readonly<Record<string, unknown>>): KubernetesObject {
  const metadata = { namespace: 'ns1', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } };
  return { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata, addressType: 'IPv4', ...fields };
}

describe('what a slice means', () => {
  test('conditions left out mean ready, serving and not terminating', () => {
    const { endpoints } = readEndpointSlice(
      slice({ endpoints: [{ addresses: ['10.1.0.1'] }, { addresses: ['10.1.0.2'], conditions: { ready: null } }] }),
    );
    expect(endpoints).toMatchObject(Array(2).fill({ ready: true, serving: true, terminating: false, nodeName: '' }));
  });

  test('a not ready endpoint whose serving is left out still serves', () => {
    const { endpoints } = readEndpointSlice(
      slice({ endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: false, terminating: true } }] }),
    );
    expect(endpoints).toMatchObject([{ ready: false, serving: true, terminating: true }]);
  });

  test('an unnamed port is kept, one with a nil name or without a number is skipped', () => {
    const ports = [
      { name: '', port: 80 },
      { name: null, port: 81 },
      { port: 82 },
      { name: 'any' },
      { name: 'zero', port: 0 },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ];
    expect(readEndpointSlice(slice({ ports })).ports).toEqual([
      { name: '', protocol: 'TCP', port: 80 },
      { name: 'dns', protocol: 'UDP', port: 53 },
    ]);
  });

  test('only the first address counts, in canonical text; an endpoint without one is skipped', () => {
    const endpoints = [{ addresses: ['FD00:0:0::1', 'not looked at'] }, { addresses: [] }];
    expect(readEndpointSlice(slice({ addressType: 'IPv6', endpoints })).endpoints.map(({ address }) => address)).toEqual(['fd00::1']);
  });

  test('an FQDN slice is taken and empty', () => {
    expect(readEndpointSlice(slice({ addressType: 'FQDN', endpoints: [{ addresses: ['example.com'] }] })).endpoints).toEqual([]);
  });

  test('hints are read by name', () => {
    const hints = { forZones: [{ name: 'a' }, { name: 'b' }], forNodes: [{ name: 'n1' }] };
    expect(readEndpointSlice(slice({ endpoints: [{ addresses: ['10.1.0.1'], hints }] })).endpoints).toMatchObject([
      { zoneHints: ['a', 'b'], nodeHints: ['n1'] },
    ]);
  });
});

describe('a slice that no dataplane can represent is refused', () => {
  test.each([
    ['endpointslice ns1/web-1: addressType "IPv5" is not one of IPv4, IPv6, FQDN', { addressType: 'IPv5' }],
    ['endpointslice ns1/web-1: addressType is missing', { addressType: undefined }],
    ['endpointslice ns1/web-1: endpoints[0].addresses[0] "10.1.0" is not an IP address', { endpoints: [{ addresses: ['10.1.0'] }] }],
    [
      'endpointslice ns1/web-1: endpoints[0].addresses[0] "fd00::1" is not IPv4, as addressType says',
      { endpoints: [{ addresses: ['fd00::1'] }] },
    ],
    [
      'endpointslice ns1/web-1: endpoints[0].conditions.ready "yes" is not true or false',
      { endpoints: [{ addresses: ['10.1.0.1'], conditions: { ready: 'yes' } }] },
    ],
    ['endpointslice ns1/web-1: ports[0].port 65536 is outside 0-65535', { ports: [{ name: '', port: 65536 }] }],
    [
      'endpointslice ns1/web-1: ports[0].protocol "HTTP" is not one of TCP, UDP, SCTP',
      { ports: [{ name: '', port: 1, protocol: 'HTTP' }] },
    ],
    [
      'endpointslice ns1/web-1: apiVersion "discovery.k8s.io/v1beta1" is not discovery.k8s.io/v1',
      { apiVersion: 'discovery.k8s.io/v1beta1' },
    ],
  ])('%s', (message, fields) => {
    expect(() => readEndpointSlice(slice(fields))).toThrow(expect.objectContaining({ name: 'InvalidObjectError', message }));
  });
});
