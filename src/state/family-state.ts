// What one address family of the node should do, kept up to date: only Services that changed are worked out again.
// state.ts holds one for each family and feeds it.
import type { Family } from '../address.ts';
import { UdpFrontends } from './conntrack-cleanup.ts';
import { sameServicePortState, selectEndpoints } from './endpoint-selection.ts';
import { type EndpointRecord, type EndpointsByPort, mergeSlices, sameEndpoints } from './endpoints.ts';
import type { ExpectedState, ServicePort, ServicePortState } from './expected-state.ts';
import { portKeyOf } from './service-ports.ts';
import { withChanges } from './sorted-states.ts';
import type { NodeTopology } from './topology.ts';

/** The ServicePorts of a Service as last worked out. */
interface SettledService {
  readonly states: readonly ServicePortState[];
  readonly endpointCount: number;
}

const noEndpoints: EndpointsByPort = new Map();
const noRecords: readonly EndpointRecord[] = [];
const nothingSettled: SettledService = { states: [], endpointCount: 0 };

export class FamilyState {
  readonly #family: Family;
  readonly #servicePorts = new Map<string, readonly ServicePort[]>();
  /** By Service, then by slice name. */
  readonly #slices = new Map<string, Map<string, EndpointsByPort>>();
  readonly #endpoints = new Map<string, EndpointsByPort>();
  readonly #settled = new Map<string, SettledService>();
  readonly udpFrontends: UdpFrontends;
  readonly #dirtyServices = new Set<string>();
  readonly #dirtyEndpoints = new Set<string>();
  #expected: ExpectedState;
  #udpEndpointsChanged = false;

  constructor(family: Family) {
    this.#family = family;
    this.udpFrontends = new UdpFrontends(family);
    this.#expected = { family, servicePorts: [], endpointCount: 0 };
  }

  /** The ServicePorts of a Service from now on; none: it is gone, or not for this family. */
  setServicePorts(serviceKey: string, servicePorts: readonly ServicePort[]): void {
    const before = this.#servicePorts.get(serviceKey) ?? [];
    const next = before.length === 0 ? servicePorts : servicePorts.map((servicePort) => keepEqual(servicePort, before));
    if (next.length === before.length && next.every((servicePort, index) => servicePort === before[index])) return;
    if (next.length === 0) this.#servicePorts.delete(serviceKey);
    else this.#servicePorts.set(serviceKey, next);
    this.#dirtyServices.add(serviceKey);
  }

  setSlice(serviceKey: string, sliceName: string, endpoints: EndpointsByPort): void {
    const slices = this.#slices.get(serviceKey) ?? new Map<string, EndpointsByPort>();
    this.#slices.set(serviceKey, slices.set(sliceName, endpoints));
    this.#dirtyEndpoints.add(serviceKey);
  }

  deleteSlice(serviceKey: string, sliceName: string): void {
    const slices = this.#slices.get(serviceKey);
    if (slices?.delete(sliceName) !== true) return;
    if (slices.size === 0) this.#slices.delete(serviceKey);
    this.#dirtyEndpoints.add(serviceKey);
  }

  /** The topology of the node changed: every choice may come out otherwise. */
  markAll(): void {
    for (const serviceKey of this.#servicePorts.keys()) this.#dirtyServices.add(serviceKey);
  }

  expectedState(node: NodeTopology): ExpectedState {
    this.#settleEndpoints();
    if (this.#dirtyServices.size === 0) return this.#expected;
    const removed = new Set<ServicePortState>();
    const added: ServicePortState[] = [];
    let { endpointCount } = this.#expected;
    for (const serviceKey of this.#dirtyServices) {
      const before = this.#settled.get(serviceKey) ?? nothingSettled;
      const after = this.#settle(serviceKey, before, node);
      if (after.states.length === 0) this.#settled.delete(serviceKey);
      else this.#settled.set(serviceKey, after);
      endpointCount += after.endpointCount - before.endpointCount;
      for (const state of before.states) {
        if (after.states.includes(state)) continue;
        removed.add(state);
        this.udpFrontends.remove(state.servicePort);
      }
      for (const state of after.states) {
        if (before.states.includes(state)) continue;
        added.push(state);
        this.udpFrontends.add(state.servicePort);
      }
    }
    this.#dirtyServices.clear();
    const servicePorts = withChanges(this.#expected.servicePorts, { removed, added });
    if (servicePorts !== this.#expected.servicePorts || endpointCount !== this.#expected.endpointCount) {
      this.#expected = { family: this.#family, servicePorts, endpointCount };
    }
    return this.#expected;
  }

  /** All Endpoints by Service, used or not, and also of Services that do not exist. */
  endpoints(): ReadonlyMap<string, EndpointsByPort> {
    this.#settleEndpoints();
    return this.#endpoints;
  }

  endpointsOf(serviceKey: string, portName: string, protocol: string): readonly EndpointRecord[] {
    return this.endpoints().get(serviceKey)?.get(portKeyOf(portName, protocol))?.records ?? noRecords;
  }

  /** Since the last call, the Endpoints of a Service that has or had a UDP port changed. */
  takeUdpEndpointsChanged(): boolean {
    this.#settleEndpoints();
    const changed = this.#udpEndpointsChanged;
    this.#udpEndpointsChanged = false;
    return changed;
  }

  #settleEndpoints(): void {
    for (const serviceKey of this.#dirtyEndpoints) {
      const before = this.#endpoints.get(serviceKey) ?? noEndpoints;
      const after = mergeSlices(inNameOrder(this.#slices.get(serviceKey)));
      if (sameEndpoints(before, after)) continue;
      if (after.size === 0) this.#endpoints.delete(serviceKey);
      else this.#endpoints.set(serviceKey, after);
      this.#udpEndpointsChanged ||= hasUdp(before) || hasUdp(after);
      this.#dirtyServices.add(serviceKey);
    }
    this.#dirtyEndpoints.clear();
  }

  #settle(serviceKey: string, before: SettledService, node: NodeTopology): SettledService {
    const endpoints = this.#endpoints.get(serviceKey) ?? noEndpoints;
    let endpointCount = 0;
    const states = (this.#servicePorts.get(serviceKey) ?? []).map((servicePort) => {
      const records = endpoints.get(portKeyOf(servicePort.portName, servicePort.protocol))?.records ?? noRecords;
      endpointCount += records.length;
      const state = selectEndpoints(servicePort, records, node);
      return before.states.find((candidate) => sameServicePortState(candidate, state)) ?? state;
    });
    return { states, endpointCount };
  }
}

/** The order of slices decides between duplicates; by name it does not depend on the order of events. */
function inNameOrder(slices: ReadonlyMap<string, EndpointsByPort> | undefined): EndpointsByPort[] {
  if (slices === undefined) return [];
  if (slices.size === 1) return [...slices.values()];
  return [...slices].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, endpoints]) => endpoints);
}

function hasUdp(endpoints: EndpointsByPort): boolean {
  for (const { protocol } of endpoints.values()) if (protocol === 'UDP') return true;
  return false;
}

/** The ServicePort known before when the new one says the same, so that identity tells whether it changed. */
function keepEqual(servicePort: ServicePort, before: readonly ServicePort[]): ServicePort {
  const text = JSON.stringify(servicePort);
  return before.find((candidate) => JSON.stringify(candidate) === text) ?? servicePort;
}
