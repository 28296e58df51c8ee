// Which UDP connections must leave conntrack after Endpoints changed. TCP and SCTP connections are never removed. Pure.
import { type Family, formatEndpoint } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';
import type { EndpointRecord } from './endpoints.ts';
import type { ExpectedState, ServicePort } from './expected-state.ts';

/** The part of a tracked connection that decides. */
export interface CleanupCandidate {
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly original: { readonly destination: string; readonly destinationPort: number };
  readonly reply: { readonly source: string; readonly sourcePort: number };
}

export interface ConntrackCleanup {
  /** `address:port` of each UDP service address → the texts of the Endpoints that serve it, chosen for this node or not. */
  readonly servingByAddress: ReadonlyMap<string, ReadonlySet<string>>;
  /** The same for node ports, whatever the address. */
  readonly servingByNodePort: ReadonlyMap<number, ReadonlySet<string>>;
  /** The connection went to a service address and is bound to none of the Endpoints that serve it now. */
  isStaleUdp(connection: CleanupCandidate): boolean;
}

/** @param endpointsOf all Endpoints of a ServicePort. One without a serving Endpoint leaves its connections alone. */
export function conntrackCleanup(
  expected: ExpectedState,
  endpointsOf: (servicePort: ServicePort) => readonly EndpointRecord[],
): ConntrackCleanup {
  const servingByAddress = new Map<string, Set<string>>();
  const servingByNodePort = new Map<number, Set<string>>();
  for (const { servicePort } of expected.servicePorts) {
    if (servicePort.protocol !== 'UDP') continue;
    const serving = endpointsOf(servicePort).filter((record) => record.serving);
    if (serving.length === 0) continue;
    const texts = serving.map((record) => record.endpoint.text);
    for (const address of [servicePort.clusterIP, ...servicePort.externalIPs, ...servicePort.loadBalancerIPs]) {
      addAll(servingByAddress, formatEndpoint(address, servicePort.port), texts);
    }
    if (servicePort.nodePort !== 0) addAll(servingByNodePort, servicePort.nodePort, texts);
  }
  return {
    servingByAddress,
    servingByNodePort,
    isStaleUdp({ family, protocol, original, reply }) {
      if (protocol !== 'UDP' || family !== expected.family) return false;
      const backend = formatEndpoint(reply.source, reply.sourcePort);
      const atAddress = servingByAddress.get(formatEndpoint(original.destination, original.destinationPort));
      const atNodePort = servingByNodePort.get(original.destinationPort);
      return atAddress?.has(backend) === false || atNodePort?.has(backend) === false;
    },
  };
}

function addAll<K>(sets: Map<K, Set<string>>, key: K, texts: readonly string[]): void {
  const set = sets.get(key) ?? new Set<string>();
  sets.set(key, set);
  for (const text of texts) set.add(text);
}
