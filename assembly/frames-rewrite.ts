// Writes a translated tuple into a frame, and brings the checksums up to date: IP, TCP, UDP, SCTP. Nothing else of the frame changes.
import { copyAddress, equalAddress } from "./address.ts";
import { addressChange, changeChecksum, wordChange } from "./checksum.ts";
import { crc32cChange } from "./shared/crc32c.ts";
import { SCTP_CHECKSUM, TCP_CHECKSUM, UDP_CHECKSUM } from "./shared/frame-layout.ts";
import { CLASS_TCP, CLASS_UDP } from "./shared/layout.ts";

/** From the IP header to its source address. */
export function addressesAt<A>(): usize {
  return offsetof<A>() == 4 ? 12 : 8;
}

export const IPV4_CHECKSUM: usize = 10;

/** Gives the packet whose headers lie at `network` and `transport` new addresses and ports; `addresses`: source, then destination. */
export function rewrite<A>(network: usize, transport: usize, ofClass: u32, transportBytes: u32, addresses: usize, ports: u32): void {
  const own = network + addressesAt<A>();
  const ownPorts = load<u32>(transport);
  if (ports == ownPorts && equalAddress<A>(own, addresses) && equalAddress<A>(own + offsetof<A>(), addresses + offsetof<A>())) return;
  const change = addressChange<A>(own, addresses) + addressChange<A>(own + offsetof<A>(), addresses + offsetof<A>());
  copyAddress<A>(own, addresses);
  copyAddress<A>(own + offsetof<A>(), addresses + offsetof<A>());
  if (offsetof<A>() == 4) changeChecksum(network + IPV4_CHECKSUM, change);
  store<u32>(transport, ports);
  if (ofClass == CLASS_TCP) changeChecksum(transport + TCP_CHECKSUM, change + wordChange(ownPorts, ports));
  else if (ofClass == CLASS_UDP) changeUdpChecksum(transport + UDP_CHECKSUM, change + wordChange(ownPorts, ports));
  else changeSctpChecksum(transport + SCTP_CHECKSUM, ownPorts ^ ports, transportBytes);
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
