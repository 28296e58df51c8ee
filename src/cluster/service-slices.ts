// Which Service an EndpointSlice belongs to, and who keeps it: the labels that say so.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { labelsOf } from './fields.ts';

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
/** Its value does not matter: who carries it is for DNS alone. */
export const HEADLESS_LABEL = 'service.kubernetes.io/headless';
export const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';

/** The name of the Service that a slice belongs to; empty for none. */
export function serviceOfSlice(slice: KubernetesObject): string {
  return labelsOf(slice.metadata.labels)[SERVICE_NAME_LABEL] ?? '';
}

/** `namespace/name` of the Service. */
export function serviceKey(slice: KubernetesObject): string {
  return `${namespaceOf(slice)}/${serviceOfSlice(slice)}`;
}
