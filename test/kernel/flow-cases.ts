// The packet flows of conformance/kube-proxy-flows.json as dataplanes and probes. What they expect is held elsewhere against explain;
// here the kernel is asked the same.
import { readEndpointSlice } from '../../src/api/endpoint-slice.ts';
import type { KubernetesObject } from '../../src/api/types.ts';
import type { Dataplane } from '../../src/dataplane-types.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { FLOWS, type FlowCase, flowDataplane } from '../conformance/flow-run.ts';
import { disputed } from '../conformance/lists.ts';
import type { Probe } from './probe.ts';
import type { Listener } from './wire.ts';

/** The cases that hold in this mode. */
export function flowCases(mode: ProxyMode): FlowCase[] {
  return FLOWS.filter(({ id, modes }) => modes.includes(mode) && disputed[id] === undefined);
}

/** As the case configures it, without Services yet; a namespace has no nfacct counters. */
export function flowDataplaneInNamespace(flow: FlowCase, mode: ProxyMode): Dataplane {
  return flowDataplane({ ...flow, config: { ...flow.config, nfacctCounters: false } }, mode, 'js', 1);
}

export function flowProbes({ packets = [] }: FlowCase['steps'][number]): Probe[] {
  return packets.map(({ name, protocol = 'TCP', expect: _elsewhere, ...packet }) => ({ title: name, protocol, ...packet }));
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
