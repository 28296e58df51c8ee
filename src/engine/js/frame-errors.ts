// ICMP errors about packets of tracked connections, translated inside and out as nf_nat_icmp_reply_translation does: the quoted packet
// becomes what its sender had sent, and the error comes from and goes to where the connection's packets do. The connection itself stays
// as it is.
import {
  ICMP_HEADER,
  ICMP_REDIRECT,
  IPV4_HEADER,
  IPV6_HEADER,
  QUOTED_TRANSPORT,
  SCTP_CHECKSUM,
  TCP_CHECKSUM,
  UDP_CHECKSUM,
} from '../../../assembly/shared/frame-layout.ts';
import type { TransportProtocol } from '../../packet.ts';
import { type AddressWords, equalAddress } from './addresses.ts';
import type { Conntrack, Hit } from './conntrack.ts';
import type { Tuple } from './flight.ts';
import { type ErrorHeaders, HEADER_BYTES, OFFSET_V6, type PacketHeaders, skipExtensions, transportProtocol } from './frame-headers.ts';
import {
  changeChecksum,
  changeTransportChecksum,
  halves,
  IPV4_CHECKSUM,
  readAddress,
  readTuple,
  writeAddress,
  writePorts,
} from './frame-rewrite.ts';

/** Offset of a fragment in its packet, of IPv4. */
const OFFSET_V4 = 0x1fff;
/** Of the ICMP header. */
const ICMP_CHECKSUM = 2;

export interface RelatedError {
  readonly quoted: PacketHeaders;
  /** The quoted packet as it is, and as it must become. */
  readonly from: Tuple;
  readonly to: Tuple;
}

export type ErrorFinding =
  | { readonly kind: 'related'; readonly related: RelatedError }
  | { readonly kind: 'unrelated' | 'malformed' | 'truncated' };

/** What an ICMP error is about. */
export function findRelated(frame: DataView, error: ErrorHeaders, conntrack: Conntrack, now: number): ErrorFinding {
  const quoted = readQuoted(frame, error);
  if ('kind' in quoted) return quoted;
  const from = readTuple(frame, quoted);
  // nf_conntrack_inet_error: who is told of an error is who sent the packet that it is about
  if (!equalAddress(readAddress(frame, error.network, error.family, 'destination'), from.source)) return { kind: 'unrelated' };
  const answer = { source: from.destination, sourcePort: from.destinationPort, destination: from.source, destinationPort: from.sourcePort };
  const hit = conntrack.lookup(quoted.protocol, answer, now);
  return hit === undefined ? { kind: 'unrelated' } : { kind: 'related', related: { quoted, from, to: otherTuple(hit) } };
}

function otherTuple({ connection, direction }: Hit): Tuple {
  return direction === 'original' ? connection.reply : connection.original;
}

/** A redirect would make both sides of a translated connection talk past the translation. */
export function isRefusedError(frame: DataView, error: ErrorHeaders, { from, to }: RelatedError): boolean {
  const isTranslated = isSourceTranslated(from, to) || isDestinationTranslated(from, to);
  return isTranslated && error.family === 'IPv4' && frame.getUint8(error.transport) === ICMP_REDIRECT;
}

/** Packets that go the way of the error come from where the quoted packet went. */
function isSourceTranslated(from: Tuple, to: Tuple): boolean {
  return !equalAddress(from.destination, to.destination) || from.destinationPort !== to.destinationPort;
}

function isDestinationTranslated(from: Tuple, to: Tuple): boolean {
  return !equalAddress(from.source, to.source) || from.sourcePort !== to.sourcePort;
}

export function translateError(frame: DataView, error: ErrorHeaders, { quoted, from, to }: RelatedError): void {
  const isSource = isSourceTranslated(from, to);
  const isDestination = isDestinationTranslated(from, to);
  if (!isSource && !isDestination) return;
  const change = translateQuoted(frame, error, quoted, from, to);
  const outer = [
    ...(isSource ? [replaceAddress(frame, error, 'source', to.destination)] : []),
    ...(isDestination ? [replaceAddress(frame, error, 'destination', to.source)] : []),
  ];
  const before = outer.flatMap((one) => one.before);
  const after = outer.flatMap((one) => one.after);
  const icmp = error.transport + ICMP_CHECKSUM;
  if (error.family === 'IPv4') {
    changeChecksum(frame, error.network + IPV4_CHECKSUM, before, after);
    changeChecksum(frame, icmp, change.before, change.after);
  } else {
    changeChecksum(frame, icmp, [...change.before, ...before], [...change.after, ...after]); // ICMPv6 covers the addresses
  }
}

interface Change {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function replaceAddress(frame: DataView, error: ErrorHeaders, which: 'source' | 'destination', to: AddressWords): Change {
  const before = halves(readAddress(frame, error.network, error.family, which));
  writeAddress(frame, error.network, error.family, which, to);
  return { before, after: halves(to) };
}

/** The quoted packet gets its tuple and its checksums. All 16-bit words that this changed. */
function translateQuoted(frame: DataView, error: ErrorHeaders, quoted: PacketHeaders, from: Tuple, to: Tuple): Change {
  const { family, network, transport, protocol, transportBytes } = quoted;
  const places = [network + IPV4_CHECKSUM, ...checksumPlaces(error, quoted)].slice(family === 'IPv4' ? 0 : 1);
  const checksumsBefore = places.map((at) => frame.getUint16(at));
  const addresses = { before: halves([...from.source, ...from.destination]), after: halves([...to.source, ...to.destination]) };
  const before = [...addresses.before, from.sourcePort, from.destinationPort];
  const after = [...addresses.after, to.sourcePort, to.destinationPort];
  writeAddress(frame, network, family, 'source', to.source);
  writeAddress(frame, network, family, 'destination', to.destination);
  if (family === 'IPv4') changeChecksum(frame, network + IPV4_CHECKSUM, addresses.before, addresses.after);
  const changedPorts = writePorts(frame, transport, to);
  if (isChecksumQuoted(error, quoted)) changeTransportChecksum(frame, transport, protocol, { before, after, changedPorts, transportBytes });
  return { before: [...before, ...checksumsBefore], after: [...after, ...places.map((at) => frame.getUint16(at))] };
}

/** An error may quote no more than the ports of a packet. */
function isChecksumQuoted(error: ErrorHeaders, quoted: PacketHeaders): boolean {
  return error.transport + error.transportBytes >= quoted.transport + HEADER_BYTES[quoted.protocol];
}

function checksumPlaces(error: ErrorHeaders, quoted: PacketHeaders): number[] {
  if (!isChecksumQuoted(error, quoted)) return [];
  const { transport, protocol } = quoted;
  if (protocol === 'SCTP') return [transport + SCTP_CHECKSUM, transport + SCTP_CHECKSUM + 2];
  return [transport + (protocol === 'TCP' ? TCP_CHECKSUM : UDP_CHECKSUM)];
}

/** The headers of the quoted packet, if they are there and name a tuple. */
function readQuoted(frame: DataView, error: ErrorHeaders): PacketHeaders | { readonly kind: 'unrelated' | 'malformed' | 'truncated' } {
  const { family } = error;
  const network = error.transport + ICMP_HEADER;
  const end = error.transport + error.transportBytes;
  const header = family === 'IPv4' ? IPV4_HEADER : IPV6_HEADER;
  if (end < network + header) return { kind: 'malformed' };
  if (frame.byteLength < network + header) return { kind: 'truncated' };
  const ip = family === 'IPv4' ? readQuotedIPv4(frame, network) : readQuotedIPv6(frame, network, end);
  if ('kind' in ip) return ip;
  const protocol: TransportProtocol | undefined = transportProtocol(ip.protocol);
  if (protocol === undefined) return { kind: 'unrelated' };
  if (end < ip.transport + QUOTED_TRANSPORT) return { kind: 'malformed' };
  if (frame.byteLength < Math.min(end, ip.transport + HEADER_BYTES[protocol])) return { kind: 'truncated' };
  const { transport, packetBytes } = ip;
  return { family, network, transport, protocol, packetBytes, transportBytes: network + packetBytes - transport };
}

interface QuotedIp {
  readonly transport: number;
  readonly protocol: number;
  readonly packetBytes: number;
}

function readQuotedIPv4(frame: DataView, network: number): QuotedIp | { readonly kind: 'unrelated' | 'malformed' } {
  const headerBytes = (frame.getUint8(network) & 15) * 4;
  if (frame.getUint8(network) >> 4 !== 4 || headerBytes < IPV4_HEADER) return { kind: 'malformed' };
  if ((frame.getUint16(network + 6) & OFFSET_V4) !== 0) return { kind: 'unrelated' }; // a later fragment names no ports
  return { transport: network + headerBytes, protocol: frame.getUint8(network + 9), packetBytes: frame.getUint16(network + 2) };
}

function readQuotedIPv6(
  frame: DataView,
  network: number,
  end: number,
): QuotedIp | { readonly kind: 'unrelated' | 'malformed' | 'truncated' } {
  if (frame.getUint8(network) >> 4 !== 6) return { kind: 'malformed' };
  const reached = skipExtensions(frame, network, end, OFFSET_V6);
  if ('kind' in reached) return reached.kind === 'fragment' ? { kind: 'unrelated' } : { kind: reached.kind };
  return { ...reached, packetBytes: IPV6_HEADER + frame.getUint16(network + 4) };
}
