// What the hashing schedulers share: an address as one number, and a table of slots that hold servers.

import { swapPort } from "../../address.ts";
import { SERVICE_FLAG_FALLBACK, SERVICE_FLAG_PORT } from "../../shared/ipvs-layout.ts";
import { ADDRESS_V4, PACKET_PORTS } from "../../shared/layout.ts";
import { noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";

/** GOLDEN_RATIO_32, the multiplier of the kernel's hash_32, and the bits of a slot number in a table of 256. */
const GOLDEN_RATIO: u32 = 0x61c88647;
const SLOT_BITS: u32 = 8;

/** An address as one 32-bit number in host order: that of IPv4, the XOR of IPv6's four words. */
export function foldAddress(service: Service, address: usize): u32 {
  if (service.addressSize == ADDRESS_V4) return bswap<u32>(load<u32>(address));
  const folded = load<u64>(address) ^ load<u64>(address, 8);
  return bswap<u32>(<u32>folded ^ <u32>(folded >> 32));
}

/** The client's address, with its port when the flag says so. */
export function clientKey(service: Service, packet: usize): u32 {
  const key = foldAddress(service, packet);
  if ((service.flags & SERVICE_FLAG_PORT) == 0) return key;
  return key + swapPort(load<u32>(packet + 2 * service.addressSize, PACKET_PORTS) & 0xffff);
}

export function fallsBack(service: Service): bool {
  return (service.flags & SERVICE_FLAG_FALLBACK) != 0;
}

/** The slot of a key in a table of 256: the top bits of its product with the golden ratio. */
export function slotOf(key: u32): u32 {
  return (key * GOLDEN_RATIO) >>> (32 - SLOT_BITS);
}

/** None when no server has it. Slots hold numbers in the list plus 1: a list has no more than SERVERS_MAX servers. */
export function serverIn(service: Service, slot: u32): Server {
  const number: u32 = load<u16>(<usize>service.table + ((<usize>slot) << 1));
  return number == 0 ? noServer() : serverAt(service, number - 1);
}

export function isFree(service: Service, slot: u32): bool {
  return load<u16>(<usize>service.table + ((<usize>slot) << 1)) == 0;
}

export function setSlot(service: Service, slot: u32, number: u32): void {
  store<u16>(<usize>service.table + ((<usize>slot) << 1), <u16>(number + 1));
}

/** Empties the first `count` slots. */
export function clearSlots(service: Service, count: u32): void {
  memory.fill(service.table, 0, (<usize>count) << 1);
}
