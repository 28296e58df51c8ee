// Topology hints: which ready Endpoints a node prefers for traffic under policy Cluster.
import type { EndpointRecord } from './endpoints.ts';

/** What topology asks of this node. */
export interface NodeTopology {
  /** Empty: not known. */
  readonly name: string;
  /** Empty: in no zone. */
  readonly zone: string;
  /** Gate PreferSameTrafficDistribution; without it, node hints do not exist. */
  readonly usesNodeHints: boolean;
}

export type TopologyMode = 'none' | 'same-node' | 'same-zone';

/**
 * Hints count only when every ready Endpoint has some and one of them is for this node; else all are used, so that nothing is
 * ever blackholed. Node hints come before zone hints.
 */
export function topologyModeOf(records: readonly EndpointRecord[], node: NodeTopology): TopologyMode {
  const ready = records.filter((record) => record.entry.ready);
  if (ready.length === 0) return 'none';
  if (node.usesNodeHints && isHintedFor(ready, ({ entry }) => entry.nodeHints, node.name)) return 'same-node';
  return isHintedFor(ready, ({ entry }) => entry.zoneHints, node.zone) ? 'same-zone' : 'none';
}

/** True when the mode leaves the Endpoint to this node. */
export function isAllowedBy(mode: TopologyMode, record: EndpointRecord, node: NodeTopology): boolean {
  switch (mode) {
    case 'none':
      return true;
    case 'same-node':
      return record.entry.nodeHints.includes(node.name);
    case 'same-zone':
      return record.entry.zoneHints.includes(node.zone);
  }
}

function isHintedFor(ready: readonly EndpointRecord[], hintsOf: (record: EndpointRecord) => readonly string[], name: string): boolean {
  return name !== '' && ready.every((record) => hintsOf(record).length > 0) && ready.some((record) => hintsOf(record).includes(name));
}
