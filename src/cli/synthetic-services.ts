// Services made up for measuring: `count` of them, each with its own address and a few endpoints, as an API server would hand them out.
import { formatAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';

const ENDPOINTS_EACH = 2;
const FIRST_CLUSTER_IP = 0x0a60_0100; // 10.96.1.0
const FIRST_ENDPOINT = 0x0af4_0100; // 10.244.1.0
const PORT = 80;
const TARGET_PORT = 8080;

export interface SyntheticServices {
  readonly objects: readonly KubernetesObject[];
  /** The cluster IP of the last Service, in the order in which rules are written. */
  readonly lastClusterIP: string;
  readonly port: number;
}

export function syntheticServices(count: number): SyntheticServices {
  const digits = String(count).length;
  const objects = Array.from({ length: count }, (_, index) => {
    const name = `service-${String(index).padStart(digits, '0')}`;
    return [service(name, clusterIP(index)), slice(name, index)];
  });
  return { objects: objects.flat(), lastClusterIP: clusterIP(count - 1), port: PORT };
}

function clusterIP(index: number): string {
  return formatAddress([FIRST_CLUSTER_IP + index]);
}

function service(name: string, address: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace: 'default' },
    spec: {
      type: 'ClusterIP',
      clusterIP: address,
      clusterIPs: [address],
      ipFamilies: ['IPv4'],
      ports: [{ port: PORT, targetPort: TARGET_PORT, protocol: 'TCP' }],
    },
  };
}

function slice(name: string, index: number): KubernetesObject {
  const endpoints = Array.from({ length: ENDPOINTS_EACH }, (_, each) => ({
    addresses: [formatAddress([FIRST_ENDPOINT + index * ENDPOINTS_EACH + each])],
    conditions: { ready: true, serving: true, terminating: false },
  }));
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-slice`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    endpoints,
    ports: [{ name: '', port: TARGET_PORT, protocol: 'TCP' }],
  };
}
