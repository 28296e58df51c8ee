// How a name reads within its zone: which Service, endpoint, port or Pod it asks about. Text only; whether it exists is not asked here.
import { labelsOf } from './domain-name.ts';

/** The fields of a name, all in lower case; empty ones are not said by the name. */
export interface NameFields {
  /** Empty: the zone itself, or `svc` or `pod` alone. */
  readonly kind: '' | 'svc' | 'pod';
  readonly namespace: string;
  /** The Service; below `pod` the dashed address. */
  readonly service: string;
  readonly endpoint: string;
  /** Only in clusterset zones. */
  readonly cluster: string;
  readonly port: string;
  readonly protocol: string;
  readonly topologyZone: string;
  readonly zoneDirective: '' | 'pin' | 'prefer';
}

export interface NameRules {
  readonly isMulticluster: boolean;
  readonly zonal: boolean;
}

const NOTHING: NameFields = {
  kind: '',
  namespace: '',
  service: '',
  endpoint: '',
  cluster: '',
  port: '',
  protocol: '',
  topologyZone: '',
  zoneDirective: '',
};

/** Left of the service: value, directive and anchor, where the value may span labels. */
const ZONE_SCOPE_LABELS_MIN = 3;
const ZONE_ANCHOR = '_zone';

/**
 * Reads the labels left of the zone, from the right. Undefined: no name of this shape exists in any cluster.
 * @param name absolute, any case
 */
export function readNameFields(name: string, zoneLabelCount: number, rules: NameRules): NameFields | undefined {
  const all = labelsOf(name.toLowerCase());
  const labels = all.slice(0, Math.max(0, all.length - zoneLabelCount));
  const kind = labels.pop();
  if (kind === undefined) return NOTHING;
  if (kind !== 'svc' && kind !== 'pod') return undefined;
  const namespace = labels.pop();
  if (namespace === undefined) return NOTHING;
  const service = labels.pop() ?? '';
  const found: NameFields = { ...NOTHING, kind, namespace, service };
  const [first = '', second = ''] = labels;
  switch (labels.length) {
    case 0:
      return found;
    case 1:
      return { ...found, endpoint: first };
    case 2:
      // Only an underscore tells a port from an endpoint of a cluster, where there are clusters.
      if (rules.isMulticluster && !first.startsWith('_') && !second.startsWith('_')) return { ...found, endpoint: first, cluster: second };
      return { ...found, port: withoutUnderscore(first), protocol: withoutUnderscore(second) };
    default:
      return rules.zonal && !rules.isMulticluster && kind === 'svc' ? readZoneScope(found, labels) : undefined;
  }
}

function readZoneScope(found: NameFields, labels: readonly string[]): NameFields | undefined {
  const directive = labels.at(-2);
  if (labels.length < ZONE_SCOPE_LABELS_MIN || labels.at(-1) !== ZONE_ANCHOR) return undefined;
  if (directive !== 'pin' && directive !== 'prefer') return undefined;
  return { ...found, topologyZone: labels.slice(0, -2).join('.'), zoneDirective: directive };
}

function withoutUnderscore(label: string): string {
  return label.startsWith('_') ? label.slice(1) : label;
}
