// The packet flows of conformance/kube-proxy-flows.json as dataplanes and probes. What they expect is held elsewhere against explain;
// here the kernel is asked the same.
import { readEndpointSlice } from '../../src/api/endpoint-slice.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';
import { createDataplaneSync } from '../../src/dataplane.ts';
import type { Dataplane, DataplaneOptions } from '../../src/dataplane-types.ts';
import type { ProxyMode, TransportProtocol } from '../../src/packet.ts';
import { loadConformance } from '../conformance/data.ts';
import { disputed } from '../conformance/lists.ts';
import type { Probe } from './certification.ts';
import type { Listener } from './wire.ts';

interface FlowPacket {
  readonly name: string;
  readonly protocol?: TransportProtocol;
  readonly source: string;
  readonly sourcePort?: number;
  readonly destination: string;
  readonly port: number;
}

export interface FlowCase {
  readonly id: string;
  readonly title: string;
  readonly modes: readonly ProxyMode[];
  readonly node: {
    readonly name: string;
    readonly ips: readonly string[];
    readonly labels?: Record<string, string>;
    readonly zone?: string;
  };
  readonly config: {
    readonly podCIDRs?: readonly string[];
    readonly detectLocal?: string;
    readonly masqueradeAll?: boolean;
    readonly nodePortAddresses?: readonly string[];
    readonly localhostNodePorts?: boolean;
    readonly serviceCIDRs?: readonly string[];
    readonly featureGates?: Record<string, boolean>;
    readonly iptablesHasRandomFully?: boolean;
    readonly conntrackTCPLiberal?: boolean;
  };
  readonly steps: readonly FlowStep[];
}

export interface FlowStep {
  readonly apply?: readonly KubernetesObject[];
  readonly delete?: readonly ObjectRef[];
  readonly packets?: readonly FlowPacket[];
}

/** The cases that hold in this mode. */
export function flowCases(mode: ProxyMode): FlowCase[] {
  const { cases } = loadConformance<{ cases: readonly FlowCase[] }>('kube-proxy-flows.json');
  return cases.filter(({ id, modes }) => modes.includes(mode) && disputed[id] === undefined);
}

/** A dataplane as the case configures it, without Services yet. */
export function flowDataplane({ node, config }: FlowCase, mode: ProxyMode): Dataplane {
  const masquerade = config.masqueradeAll === undefined ? {} : { masqueradeAll: config.masqueradeAll };
  const loopback = config.localhostNodePorts === undefined ? {} : { localhostNodePorts: config.localhostNodePorts };
  const options: DataplaneOptions = {
    mode,
    engine: 'js',
    nodeName: node.name,
    nodeIPs: node.ips,
    serviceCIDRs: config.serviceCIDRs ?? [],
    config: {
      ...(config.podCIDRs === undefined || config.detectLocal === 'None' ? {} : { clusterCIDR: config.podCIDRs.join(',') }),
      iptables: { ...masquerade, ...loopback },
      nftables: masquerade,
      ...(config.nodePortAddresses === undefined ? {} : { nodePortAddresses: config.nodePortAddresses }),
      ...(config.featureGates === undefined ? {} : { featureGates: config.featureGates }),
    },
    host: { randomFully: config.iptablesHasRandomFully ?? false, tcpBeLiberal: config.conntrackTCPLiberal ?? false },
  };
  const dataplane = createDataplaneSync(options);
  const labels = { ...node.labels, ...(node.zone === undefined ? {} : { 'topology.kubernetes.io/zone': node.zone }) };
  dataplane.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name: node.name, labels } }]);
  return dataplane;
}

export function flowProbes({ packets = [] }: FlowStep): Probe[] {
  return packets.map(({ name, protocol = 'TCP', ...packet }) => ({ title: name, protocol, ...packet }));
}

/** Every Endpoint of EndpointSlices, ready or not, under every port. SCTP is left out: nobody here can listen for it. */
export function endpointListeners(objects: readonly KubernetesObject[]): Listener[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'EndpointSlice') return [];
    const { endpoints, ports } = readEndpointSlice(object);
    return ports.flatMap(({ port, protocol }) => {
      if (protocol === 'SCTP') return [];
      return endpoints.map(({ address }) => ({ protocol, address, port }));
    });
  });
}
