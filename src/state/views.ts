// ServicePorts as people look at them: where each answers, which Endpoints are in use, and why others are not.
import type { Family } from '../address.ts';
import { FAMILIES } from '../api/service.ts';
import type { ServicePortView } from '../dataplane-types.ts';
import { isTerminatingFallback } from './endpoint-selection.ts';
import type { EndpointRecord } from './endpoints.ts';
import { type ServicePort, type ServicePortState, usesClusterEndpoints } from './expected-state.ts';
import type { ClusterState } from './state.ts';
import { type TopologyMode, topologyModeOf } from './topology.ts';

type Frontend = ServicePortView['frontends'][number];

/** One view for each ServicePort: IPv4 first, each family in the order of its expected state. */
export function servicePortViews(state: ClusterState): ServicePortView[] {
  return FAMILIES.flatMap((family) => state.expectedState(family).servicePorts.map((servicePort) => viewOf(state, family, servicePort)));
}

function viewOf(state: ClusterState, family: Family, portState: ServicePortState): ServicePortView {
  const { servicePort } = portState;
  const records = state.endpointsOf(family, servicePort);
  const topologyMode = topologyModeOf(records, state.topology);
  // By text: an unchanged state keeps its Endpoints when the records behind them are read anew.
  const clusterTexts = new Set(portState.clusterEndpoints.map((endpoint) => endpoint.text));
  const localTexts = new Set(portState.localEndpoints.map((endpoint) => endpoint.text));
  return {
    servicePort: servicePort.name,
    family,
    protocol: servicePort.protocol,
    frontends: frontendsOf(servicePort),
    internalTrafficPolicy: servicePort.internalPolicyLocal ? 'Local' : 'Cluster',
    externalTrafficPolicy: servicePort.externalPolicyLocal ? 'Local' : 'Cluster',
    ...(servicePort.loadBalancerSourceRanges.length === 0 ? {} : { sourceRanges: servicePort.loadBalancerSourceRanges }),
    ...(servicePort.affinitySeconds === undefined ? {} : { affinitySeconds: servicePort.affinitySeconds }),
    endpoints: records.map((record) => {
      const { address, port, isLocal, text } = record;
      const inCluster = clusterTexts.has(text);
      const inLocal = localTexts.has(text);
      const view = { address, port, isLocal, inCluster, inLocal };
      return inCluster || inLocal ? view : { ...view, unusedBecause: whyUnused(record, servicePort, topologyMode) };
    }),
  };
}

function frontendsOf({ clusterIP, port, nodePort, externalIPs, loadBalancerIPs }: ServicePort): Frontend[] {
  const frontends: Frontend[] = [{ kind: 'ClusterIP', address: clusterIP, port }];
  if (nodePort !== 0) frontends.push({ kind: 'NodePort', port: nodePort });
  for (const address of externalIPs) frontends.push({ kind: 'ExternalIP', address, port });
  for (const address of loadBalancerIPs) frontends.push({ kind: 'LoadBalancerIP', address, port });
  return frontends;
}

function whyUnused(record: EndpointRecord, servicePort: ServicePort, topologyMode: TopologyMode): string {
  const { ready, serving, terminating, nodeHints, zoneHints } = record.entry;
  if (!ready && terminating && !serving) return 'terminating and not serving';
  if (!ready && !isTerminatingFallback(record)) return 'not ready';
  if (!usesClusterEndpoints(servicePort) && !record.isLocal) return 'not on this node (policy Local)';
  if (!ready) return 'terminating while ready endpoints exist';
  return topologyMode === 'same-node' ? `hinted for ${named('node', nodeHints)}` : `hinted for ${named('zone', zoneHints)}`;
}

/** `zone b`, `zones b, c`. */
function named(noun: string, names: readonly string[]): string {
  return `${noun}${names.length === 1 ? '' : 's'} ${names.join(', ')}`;
}
