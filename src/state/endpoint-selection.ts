// Which Endpoints of a ServicePort this node uses: readiness, termination, traffic policies, topology. Pure.
import { type EndpointRecord, sameEndpoint } from './endpoints.ts';
import { type Endpoint, type ServicePort, type ServicePortState, usesClusterEndpoints, usesLocalEndpoints } from './expected-state.ts';
import { isAllowedBy, type NodeTopology, topologyModeOf } from './topology.ts';

/** @param records sorted; the sets keep their order. */
export function selectEndpoints(servicePort: ServicePort, records: readonly EndpointRecord[], node: NodeTopology): ServicePortState {
  const usesCluster = usesClusterEndpoints(servicePort);
  const usesLocal = usesLocalEndpoints(servicePort);
  const clusterEndpoints = usesCluster ? selectCluster(records, node) : NONE;
  const localEndpoints = usesLocal ? selectLocal(records) : NONE;
  return {
    servicePort,
    clusterEndpoints,
    localEndpoints,
    reachableEndpoints: !usesLocal ? clusterEndpoints : !usesCluster ? localEndpoints : union(records, clusterEndpoints, localEndpoints),
    ownEndpoints: those(records, isLocal),
    // Under a Local policy an Endpoint counts wherever it runs, even one that topology keeps from this node.
    hasAnyEndpoints: clusterEndpoints.length > 0 || (usesLocal && records.some(isUsableAnywhere)),
  };
}

/** True when both lead to the same Program. */
export function sameServicePortState(one: ServicePortState, other: ServicePortState): boolean {
  return (
    one.servicePort === other.servicePort &&
    one.hasAnyEndpoints === other.hasAnyEndpoints &&
    sameList(one.clusterEndpoints, other.clusterEndpoints) &&
    sameList(one.localEndpoints, other.localEndpoints) &&
    sameList(one.reachableEndpoints, other.reachableEndpoints) &&
    sameList(one.ownEndpoints, other.ownEndpoints)
  );
}

/** It serves although it terminates: used only by a set that has nothing ready. */
export function isTerminatingFallback({ entry }: EndpointRecord): boolean {
  return !entry.ready && entry.serving && entry.terminating;
}

function isReady({ entry }: EndpointRecord): boolean {
  return entry.ready;
}

function isLocal(record: EndpointRecord): boolean {
  return record.isLocal;
}

function isUsableAnywhere(record: EndpointRecord): boolean {
  return isReady(record) || isTerminatingFallback(record);
}

function selectCluster(records: readonly EndpointRecord[], node: NodeTopology): readonly EndpointRecord[] {
  const mode = topologyModeOf(records, node);
  const chosen = those(records, mode === 'none' ? isReady : (record) => isReady(record) && isAllowedBy(mode, record, node));
  // Whatever still serves is better than nothing, and then topology no longer counts.
  return chosen.length > 0 ? chosen : those(records, isTerminatingFallback);
}

/** Topology never filters the local set. */
function selectLocal(records: readonly EndpointRecord[]): readonly EndpointRecord[] {
  const local = those(records, isLocal);
  const ready = those(local, isReady);
  return ready.length > 0 ? ready : those(local, isTerminatingFallback);
}

const NONE: readonly EndpointRecord[] = [];

/** Those that fit: the list itself when all do. Of a large cluster most lists are that, or empty. */
function those(records: readonly EndpointRecord[], fits: (record: EndpointRecord) => boolean): readonly EndpointRecord[] {
  if (records.every(fits)) return records;
  return records.some(fits) ? records.filter(fits) : NONE;
}

function union(records: readonly EndpointRecord[], cluster: readonly EndpointRecord[], local: readonly EndpointRecord[]): Endpoint[] {
  const chosen = new Set([...cluster, ...local]);
  return records.filter((record) => chosen.has(record));
}

function sameList(one: readonly Endpoint[], other: readonly Endpoint[]): boolean {
  return one.length === other.length && one.every((endpoint, index) => sameEndpoint(endpoint, other[index]));
}
