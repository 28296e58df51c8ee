// A Service as a dataplane reads it: typed, with the API's defaults. What kube-proxy ignores (selector, targetPort …) is left out.
import type { Address, Family, Prefix } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';
import { type Field, fieldsOf, required } from './fields.ts';
import { namespaceOf } from './kinds.ts';
import type { KubernetesObject } from './types.ts';

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
export type TrafficPolicy = 'Cluster' | 'Local';

/** One entry of spec.ports. */
export interface PortOfService {
  /** Empty when the port has no name. */
  readonly name: string;
  readonly protocol: TransportProtocol;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
}

/** An entry of status.loadBalancer.ingress that has an address. Proxy: the load balancer itself must see the traffic. */
export interface LoadBalancerIngress {
  readonly address: Address;
  readonly ipMode: 'VIP' | 'Proxy';
}

export interface Service {
  readonly kind: 'Service';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly type: ServiceType;
  /** At most one of each family. Empty for ExternalName, headless, and a Service that has no address yet. */
  readonly clusterIPs: readonly Address[];
  readonly ports: readonly PortOfService[];
  readonly externalIPs: readonly Address[];
  readonly loadBalancerIngress: readonly LoadBalancerIngress[];
  readonly loadBalancerSourceRanges: readonly Prefix[];
  readonly internalTrafficPolicy: TrafficPolicy;
  readonly externalTrafficPolicy: TrafficPolicy;
  /** 0: none. */
  readonly healthCheckNodePort: number;
  /** Seconds of ClientIP session affinity; absent: none. */
  readonly affinitySeconds?: number;
}

export const PROTOCOLS: readonly TransportProtocol[] = ['TCP', 'UDP', 'SCTP'];
export const FAMILIES: readonly Family[] = ['IPv4', 'IPv6'];
const SERVICE_TYPES: readonly ServiceType[] = ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'];
const TRAFFIC_POLICIES: readonly TrafficPolicy[] = ['Cluster', 'Local'];
const AFFINITY_SECONDS_DEFAULT = 10800;
const AFFINITY_SECONDS_MAX = 86400;

/** The typed, defaulted form of a Service. @throws InvalidObjectError */
export function readService(object: KubernetesObject): Service {
  const fields = fieldsOf(object);
  const spec = fields.at('spec');
  const type = spec.at('type').unlessEmpty().oneOf(SERVICE_TYPES) ?? 'ClusterIP';
  const affinitySeconds = readAffinity(spec);
  const service: Service = {
    kind: 'Service',
    namespace: namespaceOf(object),
    name: object.metadata.name,
    labels: fields.at('metadata').at('labels').texts(),
    type,
    clusterIPs: type === 'ExternalName' ? [] : readClusterIPs(spec),
    ports: spec.at('ports').list(readPort),
    externalIPs: spec.at('externalIPs').list((field) => required(field, field.address())),
    loadBalancerIngress: fields.at('status').at('loadBalancer').at('ingress').list(readIngress).flat(),
    loadBalancerSourceRanges: spec.at('loadBalancerSourceRanges').list((field) => required(field, field.prefix())),
    internalTrafficPolicy: spec.at('internalTrafficPolicy').oneOf(TRAFFIC_POLICIES) ?? 'Cluster',
    externalTrafficPolicy: spec.at('externalTrafficPolicy').unlessEmpty().oneOf(TRAFFIC_POLICIES) ?? 'Cluster',
    healthCheckNodePort: spec.at('healthCheckNodePort').integer(0, 65535) ?? 0,
  };
  return affinitySeconds === undefined ? service : { ...service, affinitySeconds };
}

/** Without ipFamilies only clusterIP counts; with them, each entry of clusterIPs is of the family beside it. */
function readClusterIPs(spec: Field): Address[] {
  const clusterIP = spec.at('clusterIP').unlessEmpty();
  if (clusterIP.isAbsent || clusterIP.value === 'None') return [];
  const primary = required(clusterIP, clusterIP.address());
  const families = spec.at('ipFamilies').items();
  if (families.length === 0) return [primary];
  const entries = spec.at('clusterIPs').items();
  // clusterIP alone is clusterIPs of one entry to the API.
  const fields = entries.length === 0 ? [clusterIP] : entries;
  const addresses: Address[] = [];
  for (const [index, familyField] of families.entries()) {
    const family = required(familyField, familyField.oneOf(FAMILIES));
    const address = fields[index]?.address();
    if (address === undefined || addresses.some((other) => other.family === family)) continue;
    if (address.family !== family) throw fields[index]?.invalid(`is not ${family}, as ${familyField.path} says`);
    addresses.push(address);
  }
  return addresses;
}

function readPort(field: Field): PortOfService {
  const port = field.at('port');
  return {
    name: field.at('name').text() ?? '',
    protocol: field.at('protocol').unlessEmpty().oneOf(PROTOCOLS) ?? 'TCP',
    port: required(port, port.integer(1, 65535)),
    nodePort: field.at('nodePort').integer(0, 65535) ?? 0,
  };
}

/** An entry with a host name alone is nothing to a dataplane. */
function readIngress(field: Field): LoadBalancerIngress[] {
  const address = field.at('ip').unlessEmpty().address();
  const ipMode = field.at('ipMode').oneOf(['VIP', 'Proxy']) ?? 'VIP';
  return address === undefined ? [] : [{ address, ipMode }];
}

function readAffinity(spec: Field): number | undefined {
  const affinity = spec.at('sessionAffinity').unlessEmpty().oneOf(['None', 'ClientIP']);
  if (affinity !== 'ClientIP') return undefined;
  const timeout = spec.at('sessionAffinityConfig').at('clientIP').at('timeoutSeconds');
  return timeout.integer(1, AFFINITY_SECONDS_MAX) ?? AFFINITY_SECONDS_DEFAULT;
}
