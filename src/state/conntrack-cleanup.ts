// Which UDP connections must leave conntrack after Endpoints changed. TCP and SCTP connections are never removed.
import { type Family, formatEndpoint } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';
import type { EndpointRecord } from './endpoints.ts';
import type { ServicePort } from './expected-state.ts';

/** The part of a tracked connection that decides. */
export interface CleanupCandidate {
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly original: { readonly destination: string; readonly destinationPort: number };
  readonly reply: { readonly source: string; readonly sourcePort: number };
}

export interface ConntrackCleanup {
  /** The connection went to a service address and is bound to none of the Endpoints that serve it now. */
  isStaleUdp(connection: CleanupCandidate): boolean;
}

/** The UDP ServicePorts of a family by where they answer, kept up to date one by one. */
export class UdpFrontends {
  readonly #family: Family;
  readonly #byAddress = new Map<string, Set<ServicePort>>();
  readonly #byNodePort = new Map<number, Set<ServicePort>>();

  constructor(family: Family) {
    this.#family = family;
  }

  add(servicePort: ServicePort): void {
    if (servicePort.protocol !== 'UDP') return;
    for (const key of addressesOf(servicePort)) addTo(this.#byAddress, key, servicePort);
    if (servicePort.nodePort !== 0) addTo(this.#byNodePort, servicePort.nodePort, servicePort);
  }

  remove(servicePort: ServicePort): void {
    if (servicePort.protocol !== 'UDP') return;
    for (const key of addressesOf(servicePort)) removeFrom(this.#byAddress, key, servicePort);
    removeFrom(this.#byNodePort, servicePort.nodePort, servicePort);
  }

  /** @param endpointsOf all Endpoints of a ServicePort. One without a serving Endpoint leaves its connections alone. */
  cleanup(endpointsOf: (servicePort: ServicePort) => readonly EndpointRecord[]): ConntrackCleanup {
    const serving = new Map<ServicePort, ReadonlySet<string>>();
    const servingTexts = (servicePort: ServicePort): ReadonlySet<string> => {
      const known = serving.get(servicePort) ?? textsOf(endpointsOf(servicePort).filter(({ entry }) => entry.serving));
      serving.set(servicePort, known);
      return known;
    };
    const isLost = (at: ReadonlySet<ServicePort> | undefined, backend: string): boolean => {
      if (at === undefined) return false;
      const served = [...at].map(servingTexts).filter((texts) => texts.size > 0);
      return served.length > 0 && !served.some((texts) => texts.has(backend));
    };
    return {
      isStaleUdp: ({ family, protocol, original, reply }) => {
        if (protocol !== 'UDP' || family !== this.#family) return false;
        const backend = formatEndpoint(reply.source, reply.sourcePort);
        return (
          isLost(this.#byAddress.get(formatEndpoint(original.destination, original.destinationPort)), backend) ||
          isLost(this.#byNodePort.get(original.destinationPort), backend)
        );
      },
    };
  }
}

function addressesOf({ clusterIP, externalIPs, loadBalancerIPs, port }: ServicePort): string[] {
  return [clusterIP, ...externalIPs, ...loadBalancerIPs].map((address) => formatEndpoint(address, port));
}

function textsOf(records: readonly EndpointRecord[]): ReadonlySet<string> {
  return new Set(records.map((record) => record.text));
}

function addTo<Key>(sets: Map<Key, Set<ServicePort>>, key: Key, servicePort: ServicePort): void {
  const set = sets.get(key) ?? new Set();
  sets.set(key, set.add(servicePort));
}

function removeFrom<Key>(sets: Map<Key, Set<ServicePort>>, key: Key, servicePort: ServicePort): void {
  const set = sets.get(key);
  if (set?.delete(servicePort) === true && set.size === 0) sets.delete(key);
}
