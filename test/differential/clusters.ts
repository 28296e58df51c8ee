// Random small clusters for the differential tests: few objects, but every kind of frontend, policy and endpoint condition.
import fc from 'fast-check';
import type { Family } from '../../src/address.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import type { TransportProtocol } from '../../src/packet.ts';

export const NODE = 'n1';

/** Addresses of one family, short enough to collide. */
export interface AddressPlan {
  readonly family: Family;
  readonly node: readonly string[];
  readonly podCIDR: string;
  pod(index: number): string;
  clusterIP(index: number): string;
  externalIP(index: number): string;
  readonly outside: readonly string[];
  readonly ranges: readonly string[];
}

export const PLANS: Readonly<Record<Family, AddressPlan>> = {
  IPv4: {
    family: 'IPv4',
    node: ['192.168.0.2', '192.168.1.2'],
    podCIDR: '10.0.0.0/8',
    pod: (index) => `10.180.0.${index + 1}`,
    clusterIP: (index) => `172.30.0.${index + 1}`,
    externalIP: (index) => `198.51.100.${index + 1}`,
    outside: ['203.0.113.2', '203.0.113.200', '127.0.0.1'],
    ranges: ['203.0.113.0/25', '0.0.0.0/0', '192.168.0.0/24', '203.0.113.0/28 192.168.0.0/16', '203.0.112.0/22 203.0.113.0/30'],
  },
  IPv6: {
    family: 'IPv6',
    node: ['2001:db8::1', '2001:db8:1::2'],
    podCIDR: 'fd00:10::/64',
    pod: (index) => `fd00:10::${index + 1}`,
    clusterIP: (index) => `fd00:10:96::${index + 1}`,
    externalIP: (index) => `2001:db8:ffff::${index + 1}`,
    outside: ['2001:db8:2::1', '2001:db8:2::ffff', '::1'],
    ranges: ['2001:db8:2::/120', '::/0', '2001:db8::/64', '2001:db8:2::/124 2001:db8::/33', '2001:db8:3::/47 2001:db8:2::/127'],
  },
};

export interface RandomService {
  readonly protocol: TransportProtocol;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  readonly internalLocal: boolean;
  readonly externalLocal: boolean;
  readonly affinity: boolean;
  readonly hasExternalIP: boolean;
  readonly range: number;
  readonly endpoints: readonly {
    readonly pod: number;
    readonly isLocal: boolean;
    readonly condition: 'ready' | 'not ready' | 'draining';
  }[];
}

/** With nothing special, but its endpoints. */
export const PLAIN_SERVICE = {
  protocol: 'TCP',
  type: 'ClusterIP',
  internalLocal: false,
  externalLocal: false,
  affinity: false,
  hasExternalIP: false,
  range: -1,
} as const;

const protocol = fc.constantFrom<TransportProtocol>('TCP', 'TCP', 'UDP', 'SCTP');

export function randomService(withAffinity: boolean): fc.Arbitrary<RandomService> {
  return fc.record({
    protocol,
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
    internalLocal: fc.boolean(),
    externalLocal: fc.boolean(),
    affinity: withAffinity ? fc.boolean() : fc.constant(false),
    hasExternalIP: fc.boolean(),
    range: fc.integer({ min: -3, max: 4 }),
    endpoints: fc.array(
      fc.record({
        pod: fc.integer({ min: 0, max: 7 }),
        isLocal: fc.boolean(),
        condition: fc.constantFrom('ready', 'ready', 'ready', 'not ready', 'draining'),
      }),
      { maxLength: 4 },
    ),
  });
}

/** Where a Service of this number answers: addresses with ports, node ports on the node's addresses. */
export function frontendsOf(index: number, service: RandomService, plan: AddressPlan): { address: string; port: number }[] {
  const frontends = [{ address: plan.clusterIP(index), port: 80 }];
  if (service.hasExternalIP) frontends.push({ address: plan.externalIP(index), port: 80 });
  if (service.type === 'LoadBalancer') frontends.push({ address: plan.externalIP(100 + index), port: 80 });
  if (service.type !== 'ClusterIP')
    for (const address of [...plan.node, ...plan.outside.slice(-1)]) frontends.push({ address, port: 30000 + index });
  return frontends;
}

export function objectsOf(index: number, service: RandomService, plan: AddressPlan): KubernetesObject[] {
  const name = `svc${index}`;
  const ranges = service.range < 0 ? [] : (plan.ranges[service.range] ?? '').split(' ');
  const isExternal = service.type !== 'ClusterIP' || service.hasExternalIP;
  return [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace: 'ns', name },
      spec: {
        type: service.type,
        clusterIP: plan.clusterIP(index),
        ipFamilies: [plan.family],
        internalTrafficPolicy: service.internalLocal ? 'Local' : 'Cluster',
        ...(isExternal ? { externalTrafficPolicy: service.externalLocal ? 'Local' : 'Cluster' } : {}),
        ...(service.affinity ? { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } } : {}),
        ...(service.hasExternalIP ? { externalIPs: [plan.externalIP(index)] } : {}),
        ...(service.type === 'LoadBalancer' ? { loadBalancerSourceRanges: ranges } : {}),
        ports: [{ name: 'p', protocol: service.protocol, port: 80, ...(service.type === 'ClusterIP' ? {} : { nodePort: 30000 + index }) }],
      },
      status: service.type === 'LoadBalancer' ? { loadBalancer: { ingress: [{ ip: plan.externalIP(100 + index) }] } } : {},
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { namespace: 'ns', name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
      addressType: plan.family,
      endpoints: service.endpoints.map(({ pod, isLocal, condition }) => ({
        addresses: [plan.pod(pod)],
        nodeName: isLocal ? NODE : 'n2',
        conditions: { ready: condition === 'ready', serving: condition !== 'not ready', terminating: condition === 'draining' },
      })),
      ports: [{ name: 'p', protocol: service.protocol, port: 8080 }],
    },
  ];
}
