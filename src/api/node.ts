// A Node as its own dataplane reads it: addresses, labels and pod CIDRs.
import type { Address, Prefix } from '../address.ts';
import { type Field, fieldsOf, required } from './fields.ts';
import type { KubernetesObject } from './types.ts';

export interface Node {
  readonly kind: 'Node';
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The label topology.kubernetes.io/zone; empty: in no zone. */
  readonly zone: string;
  /** Of both families; internal ones first, as the primary address of a node is an internal one. */
  readonly addresses: readonly Address[];
  readonly podCIDRs: readonly Prefix[];
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';

/** The typed form of a Node. @throws InvalidObjectError */
export function readNode(object: KubernetesObject): Node {
  const fields = fieldsOf(object);
  const labels = fields.at('metadata').at('labels').texts();
  const addresses = fields.at('status').at('addresses').items();
  return {
    kind: 'Node',
    name: object.metadata.name,
    labels,
    zone: labels[ZONE_LABEL] ?? '',
    addresses: ['InternalIP', 'ExternalIP'].flatMap((type) => readAddresses(addresses, type)),
    podCIDRs: readPodCIDRs(fields.at('spec')),
  };
}

function readAddresses(fields: readonly Field[], type: string): Address[] {
  const addresses = fields.filter((field) => field.at('type').text() === type).map((field) => field.at('address'));
  return addresses.map((field) => required(field, field.address()));
}

function readPodCIDRs(spec: Field): Prefix[] {
  const several = spec.at('podCIDRs').items();
  if (several.length > 0) return several.map((field) => required(field, field.prefix()));
  const single = spec.at('podCIDR').unlessEmpty().prefix();
  return single === undefined ? [] : [single];
}
