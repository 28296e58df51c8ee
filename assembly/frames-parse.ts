// Reads the headers of a frame into a packet record: Ethernet with VLAN tags, IPv4 with options or IPv6 with extension headers, then
// TCP, UDP or SCTP. Reads nothing past the frame's last byte.

import { fold } from "./checksum.ts";
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
  FRAME_HOOK,
  FRAME_MARK,
  ICMP_ERRORS,
  ICMP_HEADER,
  ICMPV6_ERRORS,
  IPV4_HEADER,
  IPV6_HEADER,
  KIND_BAD_CHECKSUM,
  KIND_FRAGMENT,
  KIND_MALFORMED,
  KIND_NOT_IP,
  KIND_OTHER_PROTOCOL,
  KIND_PACKET,
  KIND_RELATED,
  KIND_TRUNCATED,
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
} from "./shared/frame-layout.ts";
import {
  CHUNK_ABORT,
  CHUNK_DATA,
  CLASS_ICMP,
  CLASS_NONE,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  PACKET_CLASS,
  PACKET_MARK,
  PACKET_PORTS,
  PACKET_TCP_FLAGS,
} from "./shared/layout.ts";

const ETHERTYPE_IPV4: u32 = 0x0008; // as it lies
const ETHERTYPE_IPV6: u32 = 0xdd86;
const ETHERTYPE_VLAN: u32 = 0x0081;
const ETHERTYPE_QINQ: u32 = 0xa888;
const ETHERTYPE_QINQ_OLD: u32 = 0x0091;

/** Everything of an IPv4 header's fragment field but "do not fragment", as it lies. */
const IPV4_FRAGMENT: u32 = 0xff3f;

/** The same of an IPv6 fragment header, and its offset alone: an error may quote a first fragment. */
const FRAGMENT_ANY: u32 = 0xf9ff;
export const FRAGMENT_OFFSET: u32 = 0xf8ff;

/** What is known of a frame after parsing; offsets count from its first byte. */
@unmanaged
export class Parsed {
  kind: u8 = 0; // KIND_*; KIND_RELATED: an ICMP error, about whatever
  class: u8 = 0; // CLASS_*
  isV6: u8 = 0;
  spare: u8 = 0;
  network: u32 = 0; // of the IP header
  transport: u32 = 0;
  packetBytes: u32 = 0; // of the IP packet, on the wire
  transportBytes: u32 = 0; // from the transport header to the end of the IP packet, on the wire
  captured: u32 = 0; // bytes of the frame that are there
}
export const PARSED_SIZE: usize = 24;
if (offsetof<Parsed>() != PARSED_SIZE) ERROR("Parsed is not PARSED_SIZE bytes");

/** A word in the byte order of the other side. */
function swap16(word: u32): u32 {
  return ((word & 0xff) << 8) | (word >> 8);
}

/** Ethernet's IPv4, then a header without options. */
const PLAIN: u32 = ETHERTYPE_IPV4 | (0x45 << 16);
const PLAIN_TRANSPORT: u32 = ETHERNET_HEADER + IPV4_HEADER;

/**
 * What most frames are: Ethernet, IPv4 without options, a whole TCP segment or UDP datagram. False: it may be any other one, or not in
 * order, for parseFrame to tell; nothing counts that was written.
 * @inline
 */
export function parsePlain(frame: usize, length: u32, wireLength: u32, record: usize, parsed: Parsed, packet: usize): bool {
  if (length < PLAIN_TRANSPORT + TCP_HEADER) return false;
  if ((load<u32>(frame, 12) & 0xffffff) != PLAIN) return false;
  const front = load<u64>(frame, ETHERNET_HEADER); // up to the fragment field
  const back = load<u64>(frame, ETHERNET_HEADER + 8); // up to the source
  const sum = (front & 0xffffffff) + (front >> 32) + (back & 0xffffffff) + (back >> 32) + <u64>load<u32>(frame, ETHERNET_HEADER + 16);
  if (((front >> 48) & IPV4_FRAGMENT) != 0 || fold(sum) != 0xffff) return false;
  const protocol = <u32>(back >> 8) & 0xff;
  const packetBytes = swap16(<u32>(front >> 16) & 0xffff);
  let ofClass = CLASS_TCP;
  let header: u32 = 0;
  let claimed: u32 = 0;
  let least = TCP_HEADER;
  if (protocol == PROTOCOL_TCP) {
    header = load<u8>(frame, PLAIN_TRANSPORT + 13);
    claimed = (<u32>load<u8>(frame, PLAIN_TRANSPORT + 12) >> 4) << 2;
  } else if (protocol == PROTOCOL_UDP) {
    ofClass = CLASS_UDP;
    least = UDP_HEADER;
    claimed = swap16(load<u16>(frame, PLAIN_TRANSPORT + 4));
  } else {
    return false;
  }
  if (claimed < least || claimed + IPV4_HEADER > packetBytes || ETHERNET_HEADER + packetBytes > wireLength) return false;
  parsed.kind = <u8>KIND_PACKET;
  parsed.class = <u8>ofClass;
  parsed.isV6 = 0;
  parsed.network = ETHERNET_HEADER;
  parsed.transport = PLAIN_TRANSPORT;
  parsed.packetBytes = packetBytes;
  parsed.transportBytes = packetBytes - IPV4_HEADER;
  parsed.captured = length;
  store<u64>(packet, load<u64>(frame, ETHERNET_HEADER + 12));
  store<u64>(packet, <u64>load<u32>(frame, PLAIN_TRANSPORT) | ((<u64>ofClass) << 32), 8);
  store<u64>(packet, (load<u64>(record, FRAME_HOOK - 1) & ~0xff) | <u64>header, 16);
  return true;
}

/**
 * The KIND_* of the frame of `length` bytes at `frame`, which had `wireLength` on the wire; parsed into `parsed`, and into the packet record at
 * `packetV4` or `packetV6` when it is a KIND_PACKET. `record` is its frame record.
 */
export function parseFrame(
  frame: usize,
  length: u32,
  wireLength: u32,
  isRawIp: bool,
  record: usize,
  parsed: Parsed,
  packetV4: usize,
  packetV6: usize,
): u32 {
  parsed.class = <u8>CLASS_NONE;
  parsed.isV6 = 0;
  parsed.captured = length;
  let network: u32 = 0;
  let ethertype: u32;
  if (isRawIp) {
    if (length < 1) return KIND_TRUNCATED;
    const version = load<u8>(frame) >> 4;
    ethertype = version == 4 ? ETHERTYPE_IPV4 : version == 6 ? ETHERTYPE_IPV6 : 0;
  } else {
    if (length < ETHERNET_HEADER) return KIND_TRUNCATED;
    ethertype = load<u16>(frame, 12);
    network = ETHERNET_HEADER;
    for (let tags: u32 = 0; tags < VLAN_TAGS_MAX && isVlan(ethertype); tags++) {
      if (length < network + VLAN_TAG) return KIND_TRUNCATED;
      ethertype = load<u16>(frame + network, 2);
      network += VLAN_TAG;
    }
  }
  parsed.network = network;
  if (ethertype == ETHERTYPE_IPV4) return parseIPv4(frame, length, wireLength, record, parsed, packetV4);
  if (ethertype == ETHERTYPE_IPV6) return parseIPv6(frame, length, wireLength, record, parsed, packetV6);
  return KIND_NOT_IP;
}

function isVlan(ethertype: u32): bool {
  return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ || ethertype == ETHERTYPE_QINQ_OLD;
}

function parseIPv4(frame: usize, length: u32, wireLength: u32, record: usize, parsed: Parsed, packet: usize): u32 {
  const network = parsed.network;
  if (length < network + IPV4_HEADER) return KIND_TRUNCATED;
  const at = frame + network;
  const first: u32 = load<u8>(at);
  const headerBytes = (first & 15) << 2;
  const packetBytes = swap16(load<u16>(at, 2));
  if (first >> 4 != 4 || headerBytes < IPV4_HEADER || packetBytes < headerBytes) return KIND_MALFORMED;
  if (length < network + headerBytes || wireLength < network + packetBytes) return KIND_TRUNCATED;
  let sum = <u64>load<u32>(at) + <u64>load<u32>(at, 4) + <u64>load<u32>(at, 8) + <u64>load<u32>(at, 12) + <u64>load<u32>(at, 16);
  for (let option: u32 = IPV4_HEADER; option < headerBytes; option += 4) sum += <u64>load<u32>(at + option);
  if (fold(sum) != 0xffff) return KIND_BAD_CHECKSUM;
  parsed.packetBytes = packetBytes;
  parsed.transport = network + headerBytes;
  parsed.transportBytes = packetBytes - headerBytes;
  if ((load<u16>(at, 6) & IPV4_FRAGMENT) != 0) return KIND_FRAGMENT;
  const protocol: u32 = load<u8>(at, 9);
  if (protocol == PROTOCOL_ICMP) return errorKind(frame, parsed, ICMP_ERRORS);
  const kind = parseTransport(frame, protocol, parsed);
  if (kind != KIND_PACKET) return kind;
  store<u64>(packet, load<u64>(at, 12));
  writeRest(packet + 8, frame, record, parsed);
  return KIND_PACKET;
}

function parseIPv6(frame: usize, length: u32, wireLength: u32, record: usize, parsed: Parsed, packet: usize): u32 {
  const network = parsed.network;
  parsed.isV6 = 1;
  if (length < network + IPV6_HEADER) return KIND_TRUNCATED;
  const at = frame + network;
  if (load<u8>(at) >> 4 != 6) return KIND_MALFORMED;
  const packetBytes = IPV6_HEADER + swap16(load<u16>(at, 4));
  if (wireLength < network + packetBytes) return KIND_TRUNCATED;
  parsed.packetBytes = packetBytes;
  const kind = skipExtensions(at, load<u8>(at, 6), min<u32>(length - network, packetBytes), packetBytes, FRAGMENT_ANY);
  if (kind != KIND_PACKET) return kind;
  parsed.transport = network + reached;
  parsed.transportBytes = packetBytes - reached;
  if (protocolReached == PROTOCOL_ICMPV6) return errorKind(frame, parsed, ICMPV6_ERRORS);
  const ofTransport = parseTransport(frame, protocolReached, parsed);
  if (ofTransport != KIND_PACKET) return ofTransport;
  v128.store(packet, v128.load(at, 8));
  v128.store(packet, v128.load(at, 24), 16);
  writeRest(packet + 32, frame, record, parsed);
  return KIND_PACKET;
}

/** Where skipExtensions stopped, from the IPv6 header on, and the protocol of what lies there. */
let reached: u32 = 0;
let protocolReached: u32 = 0;

export function transportReached(): u32 {
  return reached;
}

export function transportProtocol(): u32 {
  return protocolReached;
}

/**
 * Goes past the extension headers of the IPv6 packet at `at`, of which `available` bytes of `packetBytes` are there. KIND_PACKET: it
 * reached something else. KIND_FRAGMENT: a fragment header has one of `fragmentBits`; one that holds the whole packet has none (RFC 6946).
 */
export function skipExtensions(at: usize, firstHeader: u32, available: u32, packetBytes: u32, fragmentBits: u32): u32 {
  let offset: u32 = IPV6_HEADER;
  let header = firstHeader;
  while (isExtension(header)) {
    if (packetBytes < offset + 8) return KIND_MALFORMED;
    if (available < offset + 8) return KIND_TRUNCATED;
    const size: u32 = load<u8>(at + offset, 1);
    if (header == EXTENSION_FRAGMENT && (load<u16>(at + offset, 2) & fragmentBits) != 0) return KIND_FRAGMENT;
    header = nextAfter(header, at + offset, size);
    offset += skipped;
    if (offset > packetBytes) return KIND_MALFORMED;
  }
  reached = offset;
  protocolReached = header;
  return KIND_PACKET;
}

/** Bytes of the extension header that nextAfter read. */
let skipped: u32 = 0;

function nextAfter(header: u32, at: usize, size: u32): u32 {
  skipped = header == EXTENSION_FRAGMENT ? 8 : header == EXTENSION_AUTHENTICATION ? (size + 2) << 2 : (size + 1) << 3;
  return load<u8>(at);
}

function isExtension(header: u32): bool {
  return (
    header == EXTENSION_HOP_BY_HOP ||
    header == EXTENSION_ROUTING ||
    header == EXTENSION_FRAGMENT ||
    header == EXTENSION_DESTINATION ||
    header == EXTENSION_AUTHENTICATION ||
    header == EXTENSION_MOBILITY
  );
}

/** KIND_RELATED for an ICMP error, whatever it is about; all other ICMP passes. */
function errorKind(frame: usize, parsed: Parsed, errors: u32): u32 {
  if (parsed.transportBytes < ICMP_HEADER) return KIND_MALFORMED;
  if (parsed.captured < parsed.transport + ICMP_HEADER) return KIND_TRUNCATED;
  const ofType: u32 = load<u8>(frame + parsed.transport);
  parsed.class = <u8>CLASS_ICMP;
  return ofType < 32 && ((errors >> ofType) & 1) != 0 ? KIND_RELATED : KIND_OTHER_PROTOCOL;
}

/** The class of a protocol with ports, or CLASS_NONE. */
export function classOf(protocol: u32): u32 {
  if (protocol == PROTOCOL_TCP) return CLASS_TCP;
  if (protocol == PROTOCOL_UDP) return CLASS_UDP;
  return protocol == PROTOCOL_SCTP ? CLASS_SCTP : CLASS_NONE;
}

export function headerBytesOf(ofClass: u32): u32 {
  return ofClass == CLASS_TCP ? TCP_HEADER : ofClass == CLASS_UDP ? UDP_HEADER : SCTP_HEADER;
}

/** Checks the transport header. */
function parseTransport(frame: usize, protocol: u32, parsed: Parsed): u32 {
  const ofClass = classOf(protocol);
  if (ofClass == CLASS_NONE) return KIND_OTHER_PROTOCOL;
  const header = headerBytesOf(ofClass);
  if (parsed.transportBytes < header) return KIND_MALFORMED;
  if (parsed.captured < parsed.transport + header) return KIND_TRUNCATED;
  const at = frame + parsed.transport;
  if (ofClass == CLASS_TCP) {
    const claimed = (<u32>load<u8>(at, 12) >> 4) << 2;
    if (claimed < header || claimed > parsed.transportBytes) return KIND_MALFORMED;
  } else if (ofClass == CLASS_UDP) {
    const claimed = swap16(load<u16>(at, 4));
    if (claimed < header || claimed > parsed.transportBytes) return KIND_MALFORMED;
  }
  parsed.class = <u8>ofClass;
  return KIND_PACKET;
}

/** CHUNK_* by RFC 9260's number of a chunk, four bits each; those without a name are DATA. */
const CHUNK_CODES: u64 = 0x181154976acb1321;
const CHUNK_TYPE_DATA: u32 = 0;

/** The chunk that counts of those bundled in an SCTP packet: an ABORT, else the first with a name before the data. */
function chunkOf(frame: usize, parsed: Parsed): u32 {
  const end = min<u32>(parsed.captured, parsed.transport + parsed.transportBytes);
  let counts: u32 = CHUNK_DATA;
  let at: u32 = parsed.transport + SCTP_HEADER;
  for (let chunks: u32 = 0; chunks < CHUNKS_MAX && at + CHUNK_HEADER <= end; chunks++) {
    const ofType: u32 = load<u8>(frame + at);
    if (ofType == CHUNK_TYPE_DATA) break;
    const chunk: u32 = ofType < 16 ? <u32>(CHUNK_CODES >> (ofType << 2)) & 15 : CHUNK_DATA;
    if (counts == CHUNK_DATA || chunk == CHUNK_ABORT) counts = chunk;
    const length = swap16(load<u16>(frame + at, 2));
    if (length < CHUNK_HEADER) break;
    at += (length + 3) & ~3;
  }
  return counts;
}

/** What follows the addresses in a packet record. */
function writeRest(rest: usize, frame: usize, record: usize, parsed: Parsed): void {
  const at = frame + parsed.transport;
  const ofClass: u32 = parsed.class;
  const header: u32 = ofClass == CLASS_TCP ? <u32>load<u8>(at, 13) : ofClass == CLASS_SCTP ? chunkOf(frame, parsed) : 0;
  store<u32>(rest, load<u32>(at), PACKET_PORTS);
  store<u32>(rest, ofClass, PACKET_CLASS);
  store<u32>(rest, header | (load<u32>(record, FRAME_HOOK - 1) & 0xffffff00), PACKET_TCP_FLAGS);
  store<u32>(rest, load<u32>(record, FRAME_MARK), PACKET_MARK);
}
