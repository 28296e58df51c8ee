// Writes a translated tuple into a frame, and brings the checksums up to date: IP, TCP, UDP, SCTP. Nothing else of the frame changes.
import { crc32cChange } from '../../../assembly/shared/crc32c.ts';
import { SCTP_CHECKSUM, TCP_CHECKSUM, UDP_CHECKSUM } from '../../../assembly/shared/frame-layout.ts';
import type { Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import { changedChecksum } from './checksum.ts';
import type { Tuple } from './flight.ts';
import type { PacketHeaders } from './frame-headers.ts';

/** From the IP header to its source address. */
const ADDRESSES: Readonly<Record<Family, number>> = { IPv4: 12, IPv6: 8 };
const ADDRESS_WORDS: Readonly<Record<Family, number>> = { IPv4: 1, IPv6: 4 };
export const IPV4_CHECKSUM = 10;

/** The addresses and ports of the packet with these headers. */
export function readTuple(frame: DataView, { family, network, transport }: Pick<PacketHeaders, 'family' | 'network' | 'transport'>): Tuple {
  return {
    source: readAddress(frame, network, family, 'source'),
    sourcePort: frame.getUint16(transport),
    destination: readAddress(frame, network, family, 'destination'),
    destinationPort: frame.getUint16(transport + 2),
  };
}

export function readAddress(frame: DataView, network: number, family: Family, which: 'source' | 'destination'): number[] {
  const at = addressAt(network, family, which);
  return Array.from({ length: ADDRESS_WORDS[family] }, (_, word) => frame.getUint32(at + word * 4));
}

export function writeAddress(
  frame: DataView,
  network: number,
  family: Family,
  which: 'source' | 'destination',
  words: readonly number[],
): void {
  const at = addressAt(network, family, which);
  words.forEach((word, index) => {
    frame.setUint32(at + index * 4, word);
  });
}

function addressAt(network: number, family: Family, which: 'source' | 'destination'): number {
  return network + ADDRESSES[family] + (which === 'source' ? 0 : ADDRESS_WORDS[family] * 4);
}

/** 16-bit words of addresses. */
export function halves(words: readonly number[]): number[] {
  return words.flatMap((word) => [word >>> 16, word & 0xffff]);
}

/** Gives a packet new addresses and ports. */
export function rewrite(frame: DataView, headers: PacketHeaders, to: Tuple): void {
  const from = readTuple(frame, headers);
  const { family, network, transport, protocol, transportBytes } = headers;
  const addressesBefore = halves([...from.source, ...from.destination]);
  const addressesAfter = halves([...to.source, ...to.destination]);
  const before = [...addressesBefore, from.sourcePort, from.destinationPort];
  const after = [...addressesAfter, to.sourcePort, to.destinationPort];
  if (before.every((word, index) => word === after[index])) return;
  writeAddress(frame, network, family, 'source', to.source);
  writeAddress(frame, network, family, 'destination', to.destination);
  if (family === 'IPv4') changeChecksum(frame, network + IPV4_CHECKSUM, addressesBefore, addressesAfter);
  const changedPorts = writePorts(frame, transport, to);
  changeTransportChecksum(frame, transport, protocol, { before, after, changedPorts, transportBytes });
}

/** The word of ports as it lies, before xor after. */
export function writePorts(frame: DataView, transport: number, to: Tuple): number {
  const before = frame.getUint32(transport, true);
  frame.setUint16(transport, to.sourcePort);
  frame.setUint16(transport + 2, to.destinationPort);
  return (before ^ frame.getUint32(transport, true)) >>> 0;
}

export interface TransportChange {
  /** Addresses and ports as 16-bit words. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  readonly changedPorts: number;
  readonly transportBytes: number;
}

export function changeTransportChecksum(frame: DataView, transport: number, protocol: TransportProtocol, change: TransportChange): void {
  if (protocol === 'TCP') changeChecksum(frame, transport + TCP_CHECKSUM, change.before, change.after);
  else if (protocol === 'UDP') changeUdpChecksum(frame, transport + UDP_CHECKSUM, change);
  else changeSctpChecksum(frame, transport + SCTP_CHECKSUM, change);
}

export function changeChecksum(frame: DataView, at: number, before: readonly number[], after: readonly number[]): void {
  frame.setUint16(at, changedChecksum(frame.getUint16(at), before, after));
}

/** 0 means that the sender made none, and stays; a checksum that comes out as 0 is written as 0xffff. */
function changeUdpChecksum(frame: DataView, at: number, { before, after }: TransportChange): void {
  const checksum = frame.getUint16(at);
  if (checksum !== 0) frame.setUint16(at, changedChecksum(checksum, before, after) || 0xffff);
}

/** SCTP's covers no addresses. 0 means that there is none (RFC 9653), and stays. */
function changeSctpChecksum(frame: DataView, at: number, { changedPorts, transportBytes }: TransportChange): void {
  const checksum = frame.getUint32(at, true);
  if (checksum !== 0 && changedPorts !== 0) frame.setUint32(at, (checksum ^ crc32cChange(changedPorts, transportBytes >>> 0)) >>> 0, true);
}
