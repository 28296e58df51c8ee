// The connection table from outside: lists entries, and ends those of servers that were removed. The core does the rest.
import {
  CONN_CLASS,
  CONN_CLASS_TEMPLATE,
  CONN_CLIENT_TUPLE,
  CONN_EXPIRES_AT,
  CONN_SEQUENCE,
  CONN_SERVER,
  CONN_STATE,
} from '../../../assembly/shared/ipvs-layout.ts';
import { CLASS_NONE, CLASS_SCTP, CLASS_TCP, CLASS_UDP } from '../../../assembly/shared/layout.ts';
import { type Family, formatAddress } from '../../address.ts';
import { swapBytes } from '../../engine/packet-record.ts';
import { swapPort } from '../../engine/wasm/wire.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { IpvsConnection, ServerRef } from '../types.ts';
import { connectionSize, type NamespaceMemory } from './namespace.ts';
import type { Servers } from './servers.ts';
import { stateName } from './states.ts';

const protocols: ReadonlyMap<number, TransportProtocol> = new Map([
  [CLASS_TCP, 'TCP'],
  [CLASS_UDP, 'UDP'],
  [CLASS_SCTP, 'SCTP'],
]);

export interface Entry {
  readonly family: Family;
  readonly address: number;
}

/** The entries in use, in the order of memory. */
export function* entriesOf({ entryBlocks, memory }: NamespaceMemory): IterableIterator<Entry> {
  for (const { family, address: first, count } of entryBlocks) {
    const size = connectionSize(family);
    for (let address = first; address < first + count * size; address += size) {
      if (memory.bytes[address + CONN_CLASS] !== CLASS_NONE) yield { family, address };
    }
  }
}

export function isTemplate({ memory }: NamespaceMemory, { address }: Entry): boolean {
  return ((memory.bytes[address + CONN_CLASS] ?? 0) & CONN_CLASS_TEMPLATE) !== 0;
}

/** In the order in which they were made. */
export function listConnections(namespace: NamespaceMemory): IpvsConnection[] {
  const entries = [...entriesOf(namespace)].sort((a, b) => sequenceOf(namespace, a) - sequenceOf(namespace, b));
  return entries.map((entry) => describeEntry(namespace, entry));
}

function sequenceOf({ memory }: NamespaceMemory, { address }: Entry): number {
  return memory.data.getFloat64(address + CONN_SEQUENCE, true);
}

function describeEntry(namespace: NamespaceMemory, { family, address }: Entry): IpvsConnection {
  const { bytes, data } = namespace.memory;
  const ofClass = bytes[address + CONN_CLASS] ?? 0;
  const protocol = protocols.get(ofClass & ~CONN_CLASS_TEMPLATE) ?? 'IP';
  const isConnection = (ofClass & CONN_CLASS_TEMPLATE) === 0 && protocol !== 'IP';
  const size = family === 'IPv4' ? 4 : 16;
  const clientTuple = address + CONN_CLIENT_TUPLE;
  const serverTuple = clientTuple + 2 * size + 4;
  return {
    protocol,
    client: readEnd(namespace, clientTuple, size, clientTuple + 2 * size),
    virtual: readEnd(namespace, clientTuple + size, size, clientTuple + 2 * size + 2),
    server: readEnd(namespace, serverTuple, size, serverTuple + 2 * size),
    state: stateName(isConnection ? protocol : 'template', bytes[address + CONN_STATE] ?? 0),
    expires: Math.floor((data.getFloat64(address + CONN_EXPIRES_AT, true) - namespace.now) / 1000),
  };
}

function readEnd({ memory }: NamespaceMemory, address: number, size: number, port: number): ServerRef {
  const words = Array.from(memory.words.subarray(address / 4, (address + size) / 4), swapBytes);
  return { address: formatAddress(words), port: swapPort(memory.data.getUint16(port, true)) };
}

/** Ends all entries of servers that were removed: connections, the oldest first, before the templates that control them. */
export function flushRemovedServers(namespace: NamespaceMemory, servers: Servers): void {
  if (!servers.hasAside()) return;
  const { core, memory } = namespace;
  const stranded = [...entriesOf(namespace)].filter(({ address }) => !servers.isAvailable(memory.words[(address + CONN_SERVER) / 4] ?? 0));
  stranded.sort((a, b) => sequenceOf(namespace, a) - sequenceOf(namespace, b));
  const templates = stranded.filter((entry) => isTemplate(namespace, entry));
  const connections = stranded.filter((entry) => !isTemplate(namespace, entry));
  for (const { family, address } of [...connections, ...templates]) core.remove(family, namespace.address, address);
}
