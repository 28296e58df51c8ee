// Reads the headers of a frame: where they lie and what it is. Never looks past the frame's last byte.
import {
  CHUNK_HEADER,
  CHUNKS_MAX,
  ETHERNET_HEADER,
  EXTENSION_AUTHENTICATION,
  EXTENSION_DESTINATION,
  EXTENSION_FRAGMENT,
  EXTENSION_HOP_BY_HOP,
  EXTENSION_MOBILITY,
  EXTENSION_ROUTING,
  ICMP_ERRORS,
  ICMP_HEADER,
  ICMPV6_ERRORS,
  IPV4_HEADER,
  IPV6_HEADER,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  SCTP_HEADER,
  TCP_HEADER,
  UDP_HEADER,
  VLAN_TAG,
  VLAN_TAGS_MAX,
} from '../../../assembly/shared/frame-layout.ts';
import type { Family } from '../../address.ts';
import type { SctpChunk, TransportProtocol } from '../../packet.ts';
import type { FrameKind } from '../frame-ring.ts';
import { sumOfWords } from './checksum.ts';

/** An IP packet with ports inside a frame; offsets count from the frame's first byte. */
export interface PacketHeaders {
  readonly family: Family;
  readonly network: number;
  readonly transport: number;
  readonly protocol: TransportProtocol;
  /** Of the IP packet, and of what follows its IP headers: on the wire. */
  readonly packetBytes: number;
  readonly transportBytes: number;
}

/** An ICMP error; its message goes from `transport` on for `transportBytes`. */
export type ErrorHeaders = Omit<PacketHeaders, 'protocol'>;

export type Headers =
  | { readonly kind: 'packet'; readonly packet: PacketHeaders }
  | { readonly kind: 'error'; readonly error: ErrorHeaders }
  | { readonly kind: Exclude<FrameKind, 'packet' | 'related' | 'unrelated'> };

const ETHERTYPES: ReadonlyMap<number, Family> = new Map([
  [0x0800, 'IPv4'],
  [0x86dd, 'IPv6'],
]);
/** 802.1Q, 802.1ad, and what stood for the latter before. */
const VLAN_ETHERTYPES: ReadonlySet<number> = new Set([0x8100, 0x88a8, 0x9100]);
const EXTENSIONS: ReadonlySet<number> = new Set([
  EXTENSION_HOP_BY_HOP,
  EXTENSION_ROUTING,
  EXTENSION_FRAGMENT,
  EXTENSION_DESTINATION,
  EXTENSION_AUTHENTICATION,
  EXTENSION_MOBILITY,
]);
const MORE_FRAGMENTS_OR_OFFSET_V4 = 0x3fff;
const MORE_FRAGMENTS_OR_OFFSET_V6 = 0xfff9;
export const OFFSET_V6 = 0xfff8;

export const HEADER_BYTES: Readonly<Record<TransportProtocol, number>> = { TCP: TCP_HEADER, UDP: UDP_HEADER, SCTP: SCTP_HEADER };

export function transportProtocol(number: number): TransportProtocol | undefined {
  if (number === PROTOCOL_TCP) return 'TCP';
  if (number === PROTOCOL_UDP) return 'UDP';
  return number === PROTOCOL_SCTP ? 'SCTP' : undefined;
}

/** `wireLength`: the bytes that the frame had on the wire, at least those that are there. */
export function readHeaders(frame: DataView, wireLength: number, isRawIp: boolean): Headers {
  const link = isRawIp ? rawFamily(frame) : linkFamily(frame);
  if ('kind' in link) return link;
  const { family, network } = link;
  return family === 'IPv4' ? readIPv4(frame, wireLength, network) : readIPv6(frame, wireLength, network);
}

type Link = { readonly family: Family; readonly network: number } | { readonly kind: 'truncated' | 'notIP' };

function rawFamily(frame: DataView): Link {
  if (frame.byteLength < 1) return { kind: 'truncated' };
  const version = frame.getUint8(0) >> 4;
  if (version !== 4 && version !== 6) return { kind: 'notIP' };
  return { family: version === 4 ? 'IPv4' : 'IPv6', network: 0 };
}

function linkFamily(frame: DataView): Link {
  if (frame.byteLength < ETHERNET_HEADER) return { kind: 'truncated' };
  let ethertype = frame.getUint16(12);
  let network: number = ETHERNET_HEADER;
  for (let tags = 0; tags < VLAN_TAGS_MAX && VLAN_ETHERTYPES.has(ethertype); tags++) {
    if (frame.byteLength < network + VLAN_TAG) return { kind: 'truncated' };
    ethertype = frame.getUint16(network + 2);
    network += VLAN_TAG;
  }
  const family = ETHERTYPES.get(ethertype);
  return family === undefined ? { kind: 'notIP' } : { family, network };
}

function readIPv4(frame: DataView, wireLength: number, network: number): Headers {
  if (frame.byteLength < network + IPV4_HEADER) return { kind: 'truncated' };
  const headerBytes = (frame.getUint8(network) & 15) * 4;
  const packetBytes = frame.getUint16(network + 2);
  if (frame.getUint8(network) >> 4 !== 4 || headerBytes < IPV4_HEADER || packetBytes < headerBytes) return { kind: 'malformed' };
  if (frame.byteLength < network + headerBytes || wireLength < network + packetBytes) return { kind: 'truncated' };
  if (sumOfWords(frame, network, headerBytes) !== 0xffff) return { kind: 'badChecksum' };
  if ((frame.getUint16(network + 6) & MORE_FRAGMENTS_OR_OFFSET_V4) !== 0) return { kind: 'fragment' };
  const at = { family: 'IPv4', network, transport: network + headerBytes, packetBytes, transportBytes: packetBytes - headerBytes } as const;
  const protocol = frame.getUint8(network + 9);
  return protocol === PROTOCOL_ICMP ? readIcmp(frame, at, ICMP_ERRORS) : readTransport(frame, at, protocol);
}

function readIPv6(frame: DataView, wireLength: number, network: number): Headers {
  if (frame.byteLength < network + IPV6_HEADER) return { kind: 'truncated' };
  if (frame.getUint8(network) >> 4 !== 6) return { kind: 'malformed' };
  const packetBytes = IPV6_HEADER + frame.getUint16(network + 4);
  if (wireLength < network + packetBytes) return { kind: 'truncated' };
  const reached = skipExtensions(frame, network, network + packetBytes, MORE_FRAGMENTS_OR_OFFSET_V6);
  if ('kind' in reached) return reached;
  const { transport, protocol } = reached;
  const at = { family: 'IPv6', network, transport, packetBytes, transportBytes: network + packetBytes - transport } as const;
  return protocol === PROTOCOL_ICMPV6 ? readIcmp(frame, at, ICMPV6_ERRORS) : readTransport(frame, at, protocol);
}

/** Past the extension headers of the IPv6 packet at `network` that ends at `end`. A fragment header with one of `fragmentBits` stops it. */
export function skipExtensions(
  frame: DataView,
  network: number,
  end: number,
  fragmentBits: number,
): { readonly transport: number; readonly protocol: number } | { readonly kind: 'malformed' | 'truncated' | 'fragment' } {
  let protocol = frame.getUint8(network + 6);
  let at = network + IPV6_HEADER;
  while (EXTENSIONS.has(protocol)) {
    if (end < at + 8) return { kind: 'malformed' };
    if (frame.byteLength < at + 8) return { kind: 'truncated' };
    if (protocol === EXTENSION_FRAGMENT && (frame.getUint16(at + 2) & fragmentBits) !== 0) return { kind: 'fragment' };
    const bytes = extensionBytes(protocol, frame.getUint8(at + 1));
    protocol = frame.getUint8(at);
    at += bytes;
    if (at > end) return { kind: 'malformed' };
  }
  return { transport: at, protocol };
}

function extensionBytes(header: number, size: number): number {
  if (header === EXTENSION_FRAGMENT) return 8;
  return header === EXTENSION_AUTHENTICATION ? (size + 2) * 4 : (size + 1) * 8;
}

/** All ICMP but errors passes. */
function readIcmp(frame: DataView, error: ErrorHeaders, errorTypes: number): Headers {
  if (error.transportBytes < ICMP_HEADER) return { kind: 'malformed' };
  if (frame.byteLength < error.transport + ICMP_HEADER) return { kind: 'truncated' };
  const type = frame.getUint8(error.transport);
  return type < 32 && ((errorTypes >>> type) & 1) === 1 ? { kind: 'error', error } : { kind: 'otherProtocol' };
}

function readTransport(frame: DataView, at: ErrorHeaders, number: number): Headers {
  const protocol = transportProtocol(number);
  if (protocol === undefined) return { kind: 'otherProtocol' };
  const header = HEADER_BYTES[protocol];
  if (at.transportBytes < header) return { kind: 'malformed' };
  if (frame.byteLength < at.transport + header) return { kind: 'truncated' };
  const claimed = claimedBytes(frame, at.transport, protocol);
  if (claimed < header || claimed > at.transportBytes) return { kind: 'malformed' };
  return { kind: 'packet', packet: { ...at, protocol } };
}

/** TCP: how long its header says to be. UDP: how long the datagram. */
function claimedBytes(frame: DataView, at: number, protocol: TransportProtocol): number {
  if (protocol === 'TCP') return (frame.getUint8(at + 12) >> 4) * 4;
  return protocol === 'UDP' ? frame.getUint16(at + 4) : SCTP_HEADER;
}

/** RFC 9260's numbers of the chunks that have a name; DATA (0) and all others move nothing. */
const CHUNK_TYPES: ReadonlyMap<number, SctpChunk> = new Map<number, SctpChunk>([
  [1, 'INIT'],
  [2, 'INIT_ACK'],
  [4, 'HEARTBEAT'],
  [5, 'HEARTBEAT_ACK'],
  [6, 'ABORT'],
  [7, 'SHUTDOWN'],
  [8, 'SHUTDOWN_ACK'],
  [9, 'ERROR'],
  [10, 'COOKIE_ECHO'],
  [11, 'COOKIE_ACK'],
  [14, 'SHUTDOWN_COMPLETE'],
]);
const CHUNK_TYPE_DATA = 0;

/** The chunk that counts of those bundled in an SCTP packet: an ABORT, else the first with a name before the data. */
export function readSctpChunk(frame: DataView, { transport, transportBytes }: PacketHeaders): SctpChunk {
  const end = Math.min(frame.byteLength, transport + transportBytes);
  let counts: SctpChunk = 'DATA';
  let at = transport + SCTP_HEADER;
  for (let chunks = 0; chunks < CHUNKS_MAX && at + CHUNK_HEADER <= end; chunks++) {
    const type = frame.getUint8(at);
    if (type === CHUNK_TYPE_DATA) break;
    const chunk = CHUNK_TYPES.get(type) ?? 'DATA';
    if (counts === 'DATA' || chunk === 'ABORT') counts = chunk;
    const length = frame.getUint16(at + 2);
    if (length < CHUNK_HEADER) break;
    at += (length + 3) & ~3;
  }
  return counts;
}
