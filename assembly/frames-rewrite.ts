// Writes a translated tuple into a frame, and brings the checksums up to date: IP, TCP, UDP, SCTP. Nothing else of the frame changes.
import { copyAddress, equalAddress } from "./address.ts";
import { addressChange, changeChecksum, changedChecksum, wordChange } from "./checksum.ts";
import { crc32cChange } from "./shared/crc32c.ts";
import { SCTP_CHECKSUM, TCP_CHECKSUM, UDP_CHECKSUM } from "./shared/frame-layout.ts";
import { CLASS_TCP, CLASS_UDP } from "./shared/layout.ts";

/** From the IP header to its source address. */
export function addressesAt<A>(): usize {
  return offsetof<A>() == 4 ? 12 : 8;
}

export const IPV4_CHECKSUM: usize = 10;

/**
 * Gives the packet whose IP header lies at `to`, and as it came at `from`, new addresses and ports; `addresses`: source, then destination;
 * `transport`: bytes from the IP header to the transport header. What a copy has just written is not read again: the processor would wait.
 * @inline
 */
export function rewrite<A>(from: usize, to: usize, transport: u32, ofClass: u32, transportBytes: u32, addresses: usize, ports: u32): void {
  const own = from + addressesAt<A>();
  const ownPorts = load<u32>(from + transport);
  if (ports == ownPorts && equalAddress<A>(own, addresses) && equalAddress<A>(own + offsetof<A>(), addresses + offsetof<A>())) return;
  const change = addressChange<A>(own, addresses) + addressChange<A>(own + offsetof<A>(), addresses + offsetof<A>());
  copyAddress<A>(to + addressesAt<A>(), addresses);
  copyAddress<A>(to + addressesAt<A>() + offsetof<A>(), addresses + offsetof<A>());
  if (offsetof<A>() == 4) store<u16>(to, <u16>changedChecksum(load<u16>(from, IPV4_CHECKSUM), change), IPV4_CHECKSUM);
  store<u32>(to + transport, ports);
  const both = change + wordChange(ownPorts, ports);
  if (ofClass == CLASS_TCP) store<u16>(to + transport, <u16>changedChecksum(load<u16>(from + transport, TCP_CHECKSUM), both), TCP_CHECKSUM);
  else if (ofClass == CLASS_UDP) changeUdpChecksum(to + transport + UDP_CHECKSUM, both);
  else changeSctpChecksum(to + transport + SCTP_CHECKSUM, ownPorts ^ ports, transportBytes);
}

/** 0 means that the sender made none, and stays; a checksum that comes out as 0 is written as 0xffff. */
export function changeUdpChecksum(at: usize, change: u64): void {
  if (load<u16>(at) == 0) return;
  changeChecksum(at, change);
  if (load<u16>(at) == 0) store<u16>(at, 0xffff);
}

/** SCTP's covers no addresses. 0 means that there is none (RFC 9653), and stays. `changed`: the ports, before xor after. */
export function changeSctpChecksum(at: usize, changed: u32, transportBytes: u32): void {
  const before = load<u32>(at);
  if (before == 0 || changed == 0) return;
  store<u32>(at, before ^ crc32cChange(changed, transportBytes));
}
