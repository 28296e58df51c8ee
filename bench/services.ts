// The Services of a workload: as plain numbers for the twins, as objects of an API server or as a dump of rules for the engines.
import type { KubernetesObject } from 'svcplane';
import type { Workload } from './workload.ts';

/** One port of a Service and its endpoints. Addresses are host-order words; with IPv6 they are the last words of ADDRESSES_V6. */
export interface BenchService {
  readonly name: string;
  /** Where its clients send to. */
  readonly address: number;
  readonly port: number;
  readonly endpoints: readonly { readonly address: number; readonly port: number }[];
  /** What its rule matches, where that is more than its address and port: a prefix and a range of ports. */
  readonly range?: ServiceRange;
}

export interface ServiceRange {
  readonly network: number;
  readonly prefixLength: number;
  readonly firstPort: number;
  readonly lastPort: number;
}

const NAMESPACE = 'bench';
const SERVICE_PORT = 80;
const ENDPOINT_PORT = 8080;
const SERVICE_ADDRESSES = 0x0a600001; // 10.96.0.1
const ENDPOINT_NETWORKS = 0x0a800064; // 10.128.0.100, a /24 for each Service
/** Of a masked rule: networks of 16 addresses, as loadBalancerSourceRanges and policies name them, and 16 ports. */
const RANGE_NETWORKS = 0x0a600000;
const RANGE_PREFIX = 28;
const RANGE_SIZE = 16;
const RANGE_OFFSET = 5;

/** The three words before the last one of each address, with IPv6. */
export const ADDRESSES_V6 = {
  service: [0xfd000096, 0, 0],
  endpoint: [0xfd000010, 0, 0],
  client: [0x20010db8, 1, 0],
} as const;

/** Named so that kube-proxy's order of Services is the order of this list. */
export function benchServices({ serviceCount, endpointsPerService, dump }: Workload): BenchService[] {
  return Array.from({ length: serviceCount }, (_, number) => ({
    name: `service-${String(number).padStart(6, '0')}`,
    address: SERVICE_ADDRESSES + number,
    port: SERVICE_PORT,
    endpoints: Array.from({ length: endpointsPerService }, (_, endpoint) => ({
      address: ENDPOINT_NETWORKS + number * 256 + endpoint,
      port: ENDPOINT_PORT,
    })),
    ...(dump === 'masked' ? rangeOf(number) : {}),
  }));
}

function rangeOf(number: number): Pick<BenchService, 'address' | 'port' | 'range'> {
  const network = RANGE_NETWORKS + number * RANGE_SIZE;
  const range = { network, prefixLength: RANGE_PREFIX, firstPort: SERVICE_PORT, lastPort: SERVICE_PORT + RANGE_SIZE - 1 };
  return { address: network + RANGE_OFFSET, port: SERVICE_PORT + RANGE_OFFSET, range };
}

/** The Services as objects of an API server. */
export function benchObjects(services: readonly BenchService[], family: 'IPv4' | 'IPv6' = 'IPv4'): KubernetesObject[] {
  return services.flatMap(({ name, address, port, endpoints }) => {
    const clusterIP = addressText('service', address, family);
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: NAMESPACE },
      spec: { type: 'ClusterIP', clusterIP, ipFamilies: [family], ports: [{ protocol: 'TCP', port, targetPort: ENDPOINT_PORT }] },
    };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } },
      addressType: family,
      ports: [{ name: '', protocol: 'TCP', port: ENDPOINT_PORT }],
      endpoints: endpoints.map((endpoint) => ({
        addresses: [addressText('endpoint', endpoint.address, family)],
        conditions: { ready: true },
      })),
    };
    return [service, slice];
  });
}

/** The Services as what iptables-save prints: one rule for each, in one chain, that translates to its first endpoint. */
export function benchDump(services: readonly BenchService[]): string {
  const rules = services.map(({ address, port, range, endpoints: [endpoint] }) => {
    const destination = range === undefined ? `${dotted(address)}/32` : `${dotted(range.network)}/${range.prefixLength}`;
    const ports = range === undefined ? `${port}` : `${range.firstPort}:${range.lastPort}`;
    const to = `${dotted(endpoint?.address ?? 0)}:${endpoint?.port}`;
    return `-A SERVICES -d ${destination} -p tcp -m tcp --dport ${ports} -j DNAT --to-destination ${to}`;
  });
  const chains = ['PREROUTING ACCEPT', 'INPUT ACCEPT', 'OUTPUT ACCEPT', 'POSTROUTING ACCEPT', 'SERVICES -'];
  const lines = ['*nat', ...chains.map((chain) => `:${chain} [0:0]`), '-A PREROUTING -j SERVICES', ...rules, 'COMMIT'];
  return `${lines.join('\n')}\n`;
}

function addressText(role: keyof typeof ADDRESSES_V6, address: number, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return dotted(address);
  const words = [...ADDRESSES_V6[role], address];
  return words
    .flatMap((word) => [word >>> 16, word & 0xffff])
    .map((half) => half.toString(16))
    .join(':');
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
