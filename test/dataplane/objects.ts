// Small objects for the tests of whole dataplanes: a Service at one address and a slice of its endpoints.
import type { KubernetesObject } from '../../src/api/types.ts';

export const CLUSTER_IP = '172.30.0.10';

export interface TestEndpoint {
  readonly address: string;
  readonly node?: string;
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
}

export function service(protocol: 'TCP' | 'UDP', spec: Record<string, unknown> = {}): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web' },
    spec: { clusterIP: CLUSTER_IP, ports: [{ protocol, port: 80 }], ...spec },
  };
}

export function slice(protocol: 'TCP' | 'UDP', endpoints: readonly TestEndpoint[]): KubernetesObject {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    endpoints: endpoints.map(({ address, node, ready = true, serving = ready, terminating = false }) => ({
      addresses: [address],
      conditions: { ready, serving, terminating },
      ...(node === undefined ? {} : { nodeName: node }),
    })),
    ports: [{ name: '', protocol, port: 8080 }],
  };
}
