// What this node should do, from the objects a cluster has: both address families, kept up to date object by object.
// The dataplane feeds it; it cannot fail, since api/ has read and checked every object before.
import type { Family } from '../address.ts';
import type { EndpointSlice } from '../api/endpoint-slice.ts';
import { watchedKindNamed } from '../api/kinds.ts';
import type { Node } from '../api/node.ts';
import type { WatchedObject } from '../api/read-object.ts';
import { FAMILIES, type Service } from '../api/service.ts';
import type { ServiceCIDR } from '../api/service-cidr.ts';
import type { Features } from '../api/settings.ts';
import type { ObjectRef } from '../api/types.ts';
import type { ConntrackCleanup } from './conntrack-cleanup.ts';
import { type EndpointRecord, type EndpointsByPort, endpointsOfSlice } from './endpoints.ts';
import type { ExpectedState, ServicePort } from './expected-state.ts';
import { FamilyState } from './family-state.ts';
import { isHidden, serviceKeyOf, servicePortsOf } from './service-ports.ts';
import type { NodeTopology } from './topology.ts';

export interface StateOptions {
  /** This node; empty: not known, so no Endpoint is local. */
  readonly nodeName: string;
  readonly features: Features;
}

export interface ClusterState {
  /** The Node object of this node, once it was applied. */
  readonly node: Node | undefined;
  /** In no order; the same list (===) until one of them comes, changes or goes. */
  readonly serviceCIDRs: readonly ServiceCIDR[];
  /** Its part in topology hints. */
  readonly topology: NodeTopology;
  /** Creates or updates objects; Nodes other than this one are passed over. */
  apply(objects: Iterable<WatchedObject>): void;
  /** Objects that do not exist, and kinds that a dataplane does not look at, are passed over. */
  delete(refs: Iterable<ObjectRef>): void;
  /** The same object (===) as long as nothing changed. */
  expectedState(family: Family): ExpectedState;
  /** All Endpoints of a ServicePort, used or not, sorted. */
  endpointsOf(family: Family, servicePort: ServicePort): readonly EndpointRecord[];
  /** All Endpoints by `namespace/name` of a Service, whether or not it exists. */
  endpointsByService(family: Family): ReadonlyMap<string, EndpointsByPort>;
  /** What must leave conntrack, when the Endpoints of a Service with a UDP port changed since the last call; else undefined. */
  takeConntrackCleanup(family: Family): ConntrackCleanup | undefined;
}

/** Where a slice was put, to find it again when it changes or goes. */
interface SliceHome {
  readonly family: Family;
  readonly serviceKey: string;
}

/** @param options of this node; they stay for its lifetime, as kube-proxy restarts when they change. */
export function createState(options: StateOptions): ClusterState {
  return new NodeLocalState(options);
}

class NodeLocalState implements ClusterState {
  serviceCIDRs: readonly ServiceCIDR[] = [];
  readonly #options: StateOptions;
  readonly #families: Readonly<Record<Family, FamilyState>> = { IPv4: new FamilyState('IPv4'), IPv6: new FamilyState('IPv6') };
  readonly #sliceHomes = new Map<string, SliceHome>();
  #node: Node | undefined;

  constructor(options: StateOptions) {
    this.#options = options;
  }

  get node(): Node | undefined {
    return this.#node;
  }

  get topology(): NodeTopology {
    const { nodeName, features } = this.#options;
    return { name: nodeName, zone: this.#node?.zone ?? '', usesNodeHints: features.preferSameTrafficDistribution };
  }

  apply(objects: Iterable<WatchedObject>): void {
    for (const object of objects) {
      if (object.kind === 'Service') this.#applyService(object);
      else if (object.kind === 'EndpointSlice') this.#applyEndpointSlice(object);
      else if (object.kind === 'ServiceCIDR') this.#setServiceCIDRs(object.name, [object]);
      else if (object.name === this.#options.nodeName) this.#setNode(object);
    }
  }

  delete(refs: Iterable<ObjectRef>): void {
    for (const { kind, namespace, name } of refs) {
      const key = serviceKeyOf(namespace || 'default', name);
      const watchedKind = watchedKindNamed(kind);
      if (watchedKind === 'Service') for (const family of FAMILIES) this.#families[family].setServicePorts(key, []);
      else if (watchedKind === 'EndpointSlice') this.#removeSlice(key, name);
      else if (watchedKind === 'ServiceCIDR') this.#setServiceCIDRs(name, []);
      else if (watchedKind === 'Node' && name === this.#options.nodeName) this.#setNode(undefined);
    }
  }

  expectedState(family: Family): ExpectedState {
    return this.#families[family].expectedState(this.topology);
  }

  endpointsOf(family: Family, servicePort: ServicePort): readonly EndpointRecord[] {
    const { namespace, serviceName, portName, protocol } = servicePort;
    return this.#families[family].endpointsOf(serviceKeyOf(namespace, serviceName), portName, protocol);
  }

  endpointsByService(family: Family): ReadonlyMap<string, EndpointsByPort> {
    return this.#families[family].endpoints();
  }

  takeConntrackCleanup(family: Family): ConntrackCleanup | undefined {
    if (!this.#families[family].takeUdpEndpointsChanged()) return undefined;
    this.expectedState(family);
    return this.#families[family].udpFrontends.cleanup((servicePort) => this.endpointsOf(family, servicePort));
  }

  #applyService(service: Service): void {
    const key = serviceKeyOf(service.namespace, service.name);
    for (const family of FAMILIES) {
      this.#families[family].setServicePorts(key, servicePortsOf(service, family, this.#options.features));
    }
  }

  #applyEndpointSlice(slice: EndpointSlice): void {
    const sliceKey = serviceKeyOf(slice.namespace, slice.name);
    this.#removeSlice(sliceKey, slice.name);
    if (slice.addressType === 'FQDN' || slice.serviceName === '' || isHidden(slice.labels)) return;
    const home = { family: slice.addressType, serviceKey: serviceKeyOf(slice.namespace, slice.serviceName) };
    this.#sliceHomes.set(sliceKey, home);
    this.#families[home.family].setSlice(home.serviceKey, slice.name, endpointsOfSlice(slice, this.#options.nodeName));
  }

  #removeSlice(sliceKey: string, sliceName: string): void {
    const home = this.#sliceHomes.get(sliceKey);
    if (home === undefined) return;
    this.#sliceHomes.delete(sliceKey);
    this.#families[home.family].deleteSlice(home.serviceKey, sliceName);
  }

  /** @param named the one of that name from now on, or none. */
  #setServiceCIDRs(name: string, named: readonly ServiceCIDR[]): void {
    this.serviceCIDRs = [...this.serviceCIDRs.filter((other) => other.name !== name), ...named];
  }

  #setNode(node: Node | undefined): void {
    const zoneBefore = this.topology.zone;
    this.#node = node;
    if (this.topology.zone !== zoneBefore) for (const family of FAMILIES) this.#families[family].markAll();
  }
}
