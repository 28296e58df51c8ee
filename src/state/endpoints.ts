// EndpointSlices → the Endpoints of each port of a Service, before any of them is chosen.
import { formatEndpoint } from '../address.ts';
import type { EndpointSlice } from '../api/endpoint-slice.ts';
import type { TransportProtocol } from '../packet.ts';
import type { Endpoint } from './expected-state.ts';
import { portKeyOf } from './service-ports.ts';

/** An Endpoint with what decides whether it is used. */
export interface EndpointRecord {
  readonly endpoint: Endpoint;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

/** The Endpoints behind one port name and protocol. */
export interface PortEndpoints {
  readonly portName: string;
  readonly protocol: TransportProtocol;
  readonly records: readonly EndpointRecord[];
}

/** The Endpoints of a slice or of a whole Service, by `portKeyOf`. */
export type EndpointsByPort = ReadonlyMap<string, PortEndpoints>;

/** The Endpoints one slice gives, in its order: each address under each port. */
export function endpointsOfSlice(slice: EndpointSlice, nodeName: string): EndpointsByPort {
  const byPort = new Map<string, PortEndpoints>();
  for (const { name: portName, protocol, port } of slice.ports) {
    const records = slice.endpoints.map(({ address, nodeName: at, ready, serving, terminating, zoneHints, nodeHints }) => {
      const endpoint = { address, port, text: formatEndpoint(address, port), isLocal: nodeName !== '' && at === nodeName };
      return { endpoint, ready, serving, terminating, zoneHints, nodeHints };
    });
    const key = portKeyOf(portName, protocol);
    byPort.set(key, { portName, protocol, records: [...(byPort.get(key)?.records ?? []), ...records] });
  }
  return byPort;
}

/**
 * The Endpoints of all slices of a Service, sorted by their text. Of two with the same address and port the later one stays unless it terminates: a pod that
 * reuses the address of a terminating one wins. The order of the slices decides between two that run.
 */
export function mergeSlices(slices: Iterable<EndpointsByPort>): EndpointsByPort {
  const ports = new Map<string, { readonly port: PortEndpoints; readonly byText: Map<string, EndpointRecord> }>();
  for (const slice of slices) {
    for (const [portKey, port] of slice) {
      const entry = ports.get(portKey) ?? { port, byText: new Map<string, EndpointRecord>() };
      ports.set(portKey, entry);
      for (const record of port.records) {
        const { text } = record.endpoint;
        if (!record.terminating || !entry.byText.has(text)) entry.byText.set(text, record);
      }
    }
  }
  const merged = new Map<string, PortEndpoints>();
  for (const [portKey, { port, byText }] of ports) {
    if (byText.size > 0) merged.set(portKey, { ...port, records: [...byText.values()].sort(byEndpointText) });
  }
  return merged;
}

/** True when both say the same of every Endpoint: kube-proxy then sees no change. */
export function sameEndpoints(one: EndpointsByPort, other: EndpointsByPort): boolean {
  if (one.size !== other.size) return false;
  for (const [portKey, { records }] of one) {
    const others = other.get(portKey)?.records;
    if (others === undefined || records.length !== others.length) return false;
    if (!records.every((record, index) => sameRecord(record, others[index]))) return false;
  }
  return true;
}

/** True for the same address, port and place. */
export function sameEndpoint(one: Endpoint, other: Endpoint | undefined): boolean {
  return one === other || (one.text === other?.text && one.isLocal === other.isLocal);
}

function sameRecord(one: EndpointRecord, other: EndpointRecord | undefined): boolean {
  if (one === other) return true;
  return (
    other !== undefined &&
    sameEndpoint(one.endpoint, other.endpoint) &&
    one.ready === other.ready &&
    one.serving === other.serving &&
    one.terminating === other.terminating &&
    sameTexts(one.zoneHints, other.zoneHints) &&
    sameTexts(one.nodeHints, other.nodeHints)
  );
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** Plain string order, as in kube-proxy: 10.0.0.10:80 comes before 10.0.0.9:80. */
function byEndpointText(one: EndpointRecord, other: EndpointRecord): number {
  return one.endpoint.text < other.endpoint.text ? -1 : 1;
}
