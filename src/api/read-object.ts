// Any object → the typed form of the kinds that a dataplane looks at. `apply` reads all its objects through here before anything changes.
import { type EndpointSlice, readEndpointSlice } from './endpoint-slice.ts';
import { watchedKindOf } from './kinds.ts';
import { type Node, readNode } from './node.ts';
import { readService, type Service } from './service.ts';
import { readServiceCIDR, type ServiceCIDR } from './service-cidr.ts';
import type { KubernetesObject } from './types.ts';

/** The typed objects that shape a dataplane, told apart by `kind`. */
export type WatchedObject = Service | EndpointSlice | Node | ServiceCIDR;

/** The typed form, or undefined for a kind that no dataplane looks at: Pods, workloads, custom resources. @throws InvalidObjectError */
export function readWatchedObject(object: KubernetesObject): WatchedObject | undefined {
  switch (watchedKindOf(object)) {
    case 'Service':
      return readService(object);
    case 'EndpointSlice':
      return readEndpointSlice(object);
    case 'Node':
      return readNode(object);
    case 'ServiceCIDR':
      return readServiceCIDR(object);
    default:
      return undefined;
  }
}
