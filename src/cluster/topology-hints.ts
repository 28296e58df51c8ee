// Which zone or node each endpoint is meant for: hints as the EndpointSlice controller sets them, from trafficDistribution or from the
// older annotation, which wins and shares endpoints out by CPUs (`topologycache`).
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, labelsOf, textOf } from './fields.ts';
import { nodeZone } from './nodes.ts';
import { isReady } from './pods.ts';

export interface TopologyMode {
  readonly kind: 'Auto' | 'PreferSameZone' | 'PreferSameNode';
  /** The annotation that says so; absent: spec.trafficDistribution. */
  readonly annotation?: string;
}

/** What a Node counts for when endpoints are shared out by CPUs. */
export interface NodeShare {
  readonly name: string;
  readonly zone: string;
  /** Allocatable; 0: not known. */
  readonly cpu: number;
  /** Ready, and no control plane. */
  readonly isCounted: boolean;
}

/** The older name first: it wins. */
export const TOPOLOGY_ANNOTATIONS = ['service.kubernetes.io/topology-aware-hints', 'service.kubernetes.io/topology-mode'];
const CONTROL_PLANE_LABELS = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];
/** A zone may get a fifth more traffic than its CPUs are worth. */
const OVERLOAD_THRESHOLD = 0.2;
const HALF = 0.5;

/** What the Service asks for; undefined: nothing. */
export function topologyMode(service: KubernetesObject): TopologyMode | undefined {
  const annotations = labelsOf(service.metadata.annotations);
  const annotation = TOPOLOGY_ANNOTATIONS.find((name) => annotations[name] !== undefined);
  if (annotation !== undefined && /^[Aa]uto$/.test(annotations[annotation] ?? '')) return { kind: 'Auto', annotation };
  switch (fieldsOf(service.spec).trafficDistribution) {
    case 'PreferClose':
    case 'PreferSameZone':
      return { kind: 'PreferSameZone' };
    case 'PreferSameNode':
      return { kind: 'PreferSameNode' };
    default:
      return undefined;
  }
}

export function nodeShare(node: KubernetesObject): NodeShare {
  const labels = labelsOf(node.metadata.labels);
  return {
    name: node.metadata.name,
    zone: nodeZone(node) ?? '',
    cpu: cpuCount(fieldsOf(fieldsOf(node.status).allocatable).cpu),
    isCounted: isReady(node) && !CONTROL_PLANE_LABELS.some((label) => labels[label] !== undefined),
  };
}

/** The endpoints of one address family, with their hints. Only ready ones get any. `nodes` is asked only where shares count. */
export function withHints(
  endpoints: readonly Fields[],
  mode: TopologyMode | undefined,
  nodes: () => readonly NodeShare[],
): readonly Fields[] {
  if (mode === undefined) return endpoints;
  if (mode.kind === 'Auto') return withSharedZones(endpoints, nodes());
  return endpoints.map((endpoint) => {
    const { zone, nodeName } = endpoint;
    const hints = {
      ...(zone === undefined ? {} : { forZones: [{ name: zone }] }),
      ...(mode.kind === 'PreferSameNode' && nodeName !== undefined ? { forNodes: [{ name: nodeName }] } : {}),
    };
    return isReadyEndpoint(endpoint) && Object.keys(hints).length > 0 ? { ...endpoint, hints } : endpoint;
  });
}

/** Every ready endpoint is for its own zone, until zones with too few get those that others can spare. All or none are hinted. */
function withSharedZones(endpoints: readonly Fields[], nodes: readonly NodeShare[]): readonly Fields[] {
  const ready = endpoints.filter(isReadyEndpoint);
  const shares = zoneShares(ready, nodes);
  if (shares === undefined) return endpoints;
  const surplus = new Map(shares);
  for (const [zone, desired] of shares) surplus.set(zone, ready.filter((endpoint) => endpoint.zone === zone).length - desired);
  const moves = movesBetween(surplus);
  return endpoints.map((endpoint) => {
    if (!isReadyEndpoint(endpoint)) return endpoint;
    const own = textOf(endpoint.zone);
    return { ...endpoint, hints: { forZones: [{ name: moves.get(own)?.shift() ?? own }] } };
  });
}

/** How many endpoints each zone should have; undefined: no hints can be given. */
function zoneShares(ready: readonly Fields[], nodes: readonly NodeShare[]): ReadonlyMap<string, number> | undefined {
  const counted = nodes.filter(({ isCounted }) => isCounted);
  if (counted.some(({ zone, cpu }) => zone === '' || cpu === 0)) return undefined;
  const cpus = new Map<string, number>();
  for (const { zone, cpu } of counted) cpus.set(zone, (cpus.get(zone) ?? 0) + cpu);
  if (cpus.size < 2 || ready.length < cpus.size || ready.some(({ zone }) => !cpus.has(textOf(zone)))) return undefined;
  const total = [...cpus.values()].reduce((sum, cpu) => sum + cpu, 0);
  const shares = new Map<string, number>();
  let minimumCount = 0;
  for (const [zone, cpu] of cpus) {
    const desired = (cpu / total) * ready.length;
    const minimum = Math.ceil(desired / (1 + OVERLOAD_THRESHOLD));
    minimumCount += minimum;
    shares.set(zone, Math.max(desired, minimum));
  }
  return minimumCount > ready.length ? undefined : shares;
}

/** For each zone with a surplus, the zones that its endpoints go to, one by one from the fullest to the emptiest. */
function movesBetween(surplus: Map<string, number>): Map<string, string[]> {
  const moves = new Map<string, string[]>();
  while (true) {
    const ranked = [...surplus].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1));
    const [giver, receiver] = [ranked.at(0), ranked.at(-1)];
    if (giver === undefined || receiver === undefined) return moves;
    const [[from, spare], [to, lack]] = [giver, [receiver[0], -receiver[1]] as const];
    if ((spare < 1 && lack < 1) || spare < HALF || lack < HALF) return moves;
    moves.set(from, [...(moves.get(from) ?? []), to]);
    surplus.set(from, spare - 1);
    surplus.set(to, 1 - lack);
  }
}

function isReadyEndpoint(endpoint: Fields): boolean {
  return fieldsOf(endpoint.conditions).ready !== false;
}

/** A quantity of CPUs: `4`, 4, `3920m`. */
function cpuCount(quantity: unknown): number {
  const [, number, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(quantity)) ?? [];
  return number === undefined ? 0 : Number(number) / (milli === 'm' ? 1000 : 1);
}
