// ICMP errors about packets of tracked connections, translated inside and out as nf_nat_icmp_reply_translation does: the quoted packet
// becomes what its sender had sent, and the error comes from and goes to where the connection's packets do. The connection itself stays
// as it is.

import { copyAddress, equalAddress } from "./address.ts";
import { addressChange, changeChecksum, wordChange } from "./checksum.ts";
import { isFoundReply, lookup, originalTuple, replyTuple, tagOf } from "./conntrack.ts";
import { classOf, FRAGMENT_OFFSET, headerBytesOf, Parsed, skipExtensions, transportProtocol, transportReached } from "./frames-parse.ts";
import { addressesAt, changeSctpChecksum, changeUdpChecksum, IPV4_CHECKSUM } from "./frames-rewrite.ts";
import {
  ICMP_HEADER,
  ICMP_REDIRECT,
  IPV4_HEADER,
  IPV6_HEADER,
  KIND_FRAGMENT,
  KIND_MALFORMED,
  KIND_PACKET,
  KIND_RELATED,
  KIND_TRUNCATED,
  KIND_UNRELATED,
  QUOTED_TRANSPORT,
  SCTP_CHECKSUM,
  TCP_CHECKSUM,
  UDP_CHECKSUM,
} from "./shared/frame-layout.ts";
import { CLASS_NONE, CLASS_TCP, CLASS_UDP } from "./shared/layout.ts";

/** The tuple that answers to the quoted packet carry, and what is left to find out about it. */
const ANSWER: usize = memory.data(40, 16);
let other: usize = 0; // the other tuple of the connection that has it: source, destination, ports
let quoted: u32 = 0; // offset of the quoted IP header in the frame
let quotedTransport: u32 = 0;
let quotedClass: u32 = 0;
let quotedBytes: u32 = 0; // of its transport header and payload, as its IP header says
let isTranslated: bool = false;

/** What the error is about: KIND_RELATED, KIND_UNRELATED, or why it cannot be told. */
export function findRelated<A>(frame: usize, parsed: Parsed): u32 {
  const kind = parseQuoted<A>(frame, parsed);
  if (kind != KIND_PACKET) return kind;
  const inside = frame + quoted + addressesAt<A>();
  // nf_conntrack_inet_error: who is told of an error is who sent the packet that it is about
  if (!equalAddress<A>(frame + parsed.network + addressesAt<A>() + offsetof<A>(), inside)) return KIND_UNRELATED;
  copyAddress<A>(ANSWER, inside + offsetof<A>());
  copyAddress<A>(ANSWER + offsetof<A>(), inside);
  store<u32>(ANSWER + 2 * offsetof<A>(), rotl<u32>(load<u32>(frame + quotedTransport), 16));
  const entry = lookup<A>(ANSWER, quotedClass, tagOf<A>(ANSWER, quotedClass));
  if (entry == 0) return KIND_UNRELATED;
  other = isFoundReply() ? originalTuple(entry) : replyTuple<A>(entry);
  isTranslated = isSourceTranslated<A>() || isDestinationTranslated<A>();
  return KIND_RELATED;
}

/** True when the error that findRelated found must not be passed on: a redirect would make both sides talk past the translation. */
export function isRefusedError(frame: usize, parsed: Parsed): bool {
  return isTranslated && parsed.isV6 == 0 && load<u8>(frame + parsed.transport) == ICMP_REDIRECT;
}

/** Translates the error that findRelated found; `frame` may be a copy of it. */
export function translateError<A>(frame: usize, parsed: Parsed): void {
  if (!isTranslated) return;
  const isSource = isSourceTranslated<A>();
  const isDestination = isDestinationTranslated<A>();
  const outside = frame + parsed.network + addressesAt<A>();
  let change = translateQuoted<A>(frame, parsed);
  let outer: u64 = 0;
  if (isSource) outer += replaceAddress<A>(outside, other + offsetof<A>());
  if (isDestination) outer += replaceAddress<A>(outside + offsetof<A>(), other);
  if (offsetof<A>() == 4) changeChecksum(frame + parsed.network + IPV4_CHECKSUM, outer);
  else change += outer; // ICMPv6 covers the addresses
  changeChecksum(frame + parsed.transport + 2, change);
}

/** Packets that go the way of the error have their source translated: it comes from the answer's source as the other side knows it. */
function isSourceTranslated<A>(): bool {
  return (
    !equalAddress<A>(other + offsetof<A>(), ANSWER) ||
    load<u32>(other + 2 * offsetof<A>()) >> 16 != (load<u32>(ANSWER + 2 * offsetof<A>()) & 0xffff)
  );
}

function isDestinationTranslated<A>(): bool {
  return (
    !equalAddress<A>(other, ANSWER + offsetof<A>()) ||
    (load<u32>(other + 2 * offsetof<A>()) & 0xffff) != load<u32>(ANSWER + 2 * offsetof<A>()) >> 16
  );
}

function replaceAddress<A>(at: usize, by: usize): u64 {
  const change = addressChange<A>(at, by);
  copyAddress<A>(at, by);
  return change;
}

/** The quoted packet gets the other tuple of its connection. What that changes in the error's own checksum. */
function translateQuoted<A>(frame: usize, parsed: Parsed): u64 {
  const at = frame + quotedTransport;
  const inside = frame + quoted + addressesAt<A>();
  const addresses = replaceAddress<A>(inside, other) + replaceAddress<A>(inside + offsetof<A>(), other + offsetof<A>());
  let change = addresses;
  if (offsetof<A>() == 4) {
    const before = load<u16>(frame + quoted + <u32>IPV4_CHECKSUM);
    changeChecksum(frame + quoted + IPV4_CHECKSUM, addresses);
    change += wordChange(before, load<u16>(frame + quoted + <u32>IPV4_CHECKSUM));
  }
  const portsBefore = load<u32>(at);
  const ports = load<u32>(other + 2 * offsetof<A>());
  store<u32>(at, ports);
  const ofPorts = wordChange(portsBefore, ports);
  change += ofPorts;
  if (parsed.transportBytes < quotedTransport - parsed.transport + headerBytesOf(quotedClass)) return change; // its checksum was not quoted
  const word = at + checksumWord(quotedClass);
  const before = load<u32>(word);
  if (quotedClass == CLASS_TCP) changeChecksum(at + TCP_CHECKSUM, addresses + ofPorts);
  else if (quotedClass == CLASS_UDP) changeUdpChecksum(at + UDP_CHECKSUM, addresses + ofPorts);
  else changeSctpChecksum(at + SCTP_CHECKSUM, portsBefore ^ ports, quotedBytes);
  return change + wordChange(before, load<u32>(word));
}

/** Where the word lies that holds the checksum, whole inside the header: UDP's is its last half. */
function checksumWord(ofClass: u32): u32 {
  return ofClass == CLASS_TCP ? TCP_CHECKSUM : ofClass == CLASS_UDP ? UDP_CHECKSUM - 2 : SCTP_CHECKSUM;
}

/** KIND_PACKET: the quoted headers are there, and name a tuple. */
function parseQuoted<A>(frame: usize, parsed: Parsed): u32 {
  quoted = parsed.transport + ICMP_HEADER;
  const end = parsed.transport + parsed.transportBytes; // of the error, which may quote less than a whole packet
  const header: u32 = offsetof<A>() == 4 ? IPV4_HEADER : IPV6_HEADER;
  if (end < quoted + header) return KIND_MALFORMED;
  if (parsed.captured < quoted + header) return KIND_TRUNCATED;
  const at = frame + quoted;
  const first: u32 = load<u8>(at);
  let protocol: u32;
  if (offsetof<A>() == 4) {
    const headerBytes = (first & 15) << 2;
    if (first >> 4 != 4 || headerBytes < IPV4_HEADER) return KIND_MALFORMED;
    if ((load<u16>(at, 6) & 0xff1f) != 0) return KIND_UNRELATED; // a later fragment names no ports
    protocol = load<u8>(at, 9);
    quotedTransport = quoted + headerBytes;
    quotedBytes = <u32>bswap<u16>(load<u16>(at, 2)) - headerBytes;
  } else {
    if (first >> 4 != 6) return KIND_MALFORMED;
    const kind = skipExtensions(at, load<u8>(at, 6), min<u32>(parsed.captured, end) - quoted, end - quoted, FRAGMENT_OFFSET);
    if (kind != KIND_PACKET) return kind == KIND_FRAGMENT ? KIND_UNRELATED : kind;
    protocol = transportProtocol();
    quotedTransport = quoted + transportReached();
    quotedBytes = IPV6_HEADER + <u32>bswap<u16>(load<u16>(at, 4)) - transportReached();
  }
  quotedClass = classOf(protocol);
  if (quotedClass == CLASS_NONE) return KIND_UNRELATED;
  if (end < quotedTransport + QUOTED_TRANSPORT) return KIND_MALFORMED;
  const wanted = min<u32>(end, quotedTransport + headerBytesOf(quotedClass));
  return parsed.captured < wanted ? KIND_TRUNCATED : KIND_PACKET;
}
