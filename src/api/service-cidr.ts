// A ServiceCIDR: ranges that cluster IPs are taken from. kube-proxy watches these objects in nftables mode.
import type { Prefix } from '../address.ts';
import { fieldsOf, required } from './fields.ts';
import type { KubernetesObject } from './types.ts';

export interface ServiceCIDR {
  readonly kind: 'ServiceCIDR';
  readonly name: string;
  /** Of both families. */
  readonly cidrs: readonly Prefix[];
}

/** The typed form of a ServiceCIDR. @throws InvalidObjectError */
export function readServiceCIDR(object: KubernetesObject): ServiceCIDR {
  const cidrs = fieldsOf(object).at('spec').at('cidrs');
  return { kind: 'ServiceCIDR', name: object.metadata.name, cidrs: cidrs.list((field) => required(field, field.prefix())) };
}
