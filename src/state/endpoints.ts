// EndpointSlices → the Endpoints of each port of a Service, before any of them is chosen.
import { formatEndpoint } from '../address.ts';
import type { EndpointOfSlice, EndpointSlice } from '../api/endpoint-slice.ts';
import type { TransportProtocol } from '../packet.ts';
import type { Endpoint } from './expected-state.ts';
import { portKeyOf } from './service-ports.ts';

/** An Endpoint with what its slice says of it, which decides whether it is used. */
export interface EndpointRecord extends Endpoint {
  readonly entry: EndpointOfSlice;
}

/** The Endpoints behind one port name and protocol. */
export interface PortEndpoints {
  readonly portName: string;
  readonly protocol: TransportProtocol;
  readonly records: readonly EndpointRecord[];
}

/** The Endpoints of a slice or of a whole Service, by `portKeyOf`. */
export type EndpointsByPort = ReadonlyMap<string, PortEndpoints>;

/** The Endpoints one slice gives, sorted by their text: each address under each port, once. */
export function endpointsOfSlice(slice: EndpointSlice, nodeName: string): EndpointsByPort {
  const byPort = new Map<string, PortEndpoints>();
  for (const { name: portName, protocol, port } of slice.ports) {
    const records = slice.endpoints.map((entry): EndpointRecord => {
      const { address } = entry;
      return { address, port, text: formatEndpoint(address, port), isLocal: nodeName !== '' && entry.nodeName === nodeName, entry };
    });
    const key = portKeyOf(portName, protocol);
    const known = byPort.get(key);
    const all = known === undefined ? records : [...known.records, ...records];
    byPort.set(key, { portName, protocol, records: withoutDoubles(all.sort(byEndpointText)) });
  }
  return byPort;
}

/**
 * The Endpoints of all slices of a Service, sorted by their text. Of two with the same address and port the later one stays unless it terminates: a pod that
 * reuses the address of a terminating one wins. The order of the slices decides between two that run.
 */
export function mergeSlices(slices: readonly EndpointsByPort[]): EndpointsByPort {
  const [only] = slices;
  // Most Services have one, which is as it should be.
  if (only !== undefined && slices.length === 1 && hasOnlyFilledPorts(only)) return only;
  const ports = new Map<string, { readonly port: PortEndpoints; readonly records: EndpointRecord[] }>();
  for (const slice of slices) {
    for (const [portKey, port] of slice) {
      const entry = ports.get(portKey);
      if (entry === undefined) ports.set(portKey, { port, records: [...port.records] });
      else entry.records.push(...port.records);
    }
  }
  const merged = new Map<string, PortEndpoints>();
  for (const [portKey, { port, records }] of ports) {
    if (records.length > 0) merged.set(portKey, { ...port, records: withoutDoubles(records.sort(byEndpointText)) });
  }
  return merged;
}

function hasOnlyFilledPorts(slice: EndpointsByPort): boolean {
  for (const { records } of slice.values()) if (records.length === 0) return false;
  return true;
}

/** Of each address and port one record. @param records sorted; those of the same address and port stand together, in the order of their slices. */
function withoutDoubles(records: readonly EndpointRecord[]): readonly EndpointRecord[] {
  if (records.every(({ text }, index) => text !== records[index + 1]?.text)) return records;
  const single: EndpointRecord[] = [];
  for (const record of records) {
    const last = single.at(-1);
    if (last?.text !== record.text) single.push(record);
    else if (!record.entry.terminating) single[single.length - 1] = record;
  }
  return single;
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
  if (other === undefined || !sameEndpoint(one, other)) return false;
  const { entry: was } = one;
  const { entry: is } = other;
  return (
    was.ready === is.ready &&
    was.serving === is.serving &&
    was.terminating === is.terminating &&
    sameTexts(was.zoneHints, is.zoneHints) &&
    sameTexts(was.nodeHints, is.nodeHints)
  );
}

function sameTexts(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}

/** Plain string order, as in kube-proxy: 10.0.0.10:80 comes before 10.0.0.9:80. Those that are equal stay in their order. */
function byEndpointText(one: EndpointRecord, other: EndpointRecord): number {
  const a = one.text;
  const b = other.text;
  return a === b ? 0 : a < b ? -1 : 1;
}
