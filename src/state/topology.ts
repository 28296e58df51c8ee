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
  if (node.usesNodeHints && isHintedFor(records, ({ entry }) => entry.nodeHints, node.name)) return 'same-node';
  return isHintedFor(records, ({ entry }) => entry.zoneHints, node.zone) ? 'same-zone' : 'none';
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

function isHintedFor(records: readonly EndpointRecord[], hintsOf: (record: EndpointRecord) => readonly string[], name: string): boolean {
  if (name === '') return false;
  let isHinted = false;
  for (const record of records) {
    if (!record.entry.ready) continue;
    const hints = hintsOf(record);
    if (hints.length === 0) return false;
    isHinted ||= hints.includes(name);
  }
  return isHinted;
}
