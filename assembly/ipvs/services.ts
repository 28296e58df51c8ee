// Which virtual service a packet is for: by mark, else by address and port, else by address alone (port 0).
import { hashEnd, hashWord } from "../shared/hash.ts";
import { SERVICE_ADDRESS, SERVICE_CLASS_MARK } from "../shared/ipvs-layout.ts";
import { PACKET_CLASS, PACKET_MARK, PACKET_PORTS } from "../shared/layout.ts";
import { tablesOf } from "./namespace.ts";
import { FamilyTables, Namespace, Service } from "./structs.ts";
import { equalWords } from "./tuples.ts";

/** A mark as an address: its network-order bytes, then zeros. Its templates show it as their virtual address. */
const MARK_ADDRESS: usize = memory.data(16, 16);

export function markAddress(mark: u32): usize {
  store<u32>(MARK_ADDRESS, bswap<u32>(mark));
  return MARK_ADDRESS;
}

export function isService(service: Service): bool {
  return changetype<usize>(service) != 0;
}

export function findService(namespace: Namespace, packet: usize, addressSize: u32): Service {
  const tables = tablesOf(namespace, addressSize);
  const rest = packet + 2 * addressSize;
  const mark = load<u32>(rest, PACKET_MARK);
  if (mark != 0) {
    const marked = lookup(tables, addressSize, SERVICE_CLASS_MARK, 0, markAddress(mark));
    if (isService(marked)) return marked;
  }
  const ofClass = load<u32>(rest, PACKET_CLASS);
  const address = packet + addressSize;
  const service = lookup(tables, addressSize, ofClass, load<u32>(rest, PACKET_PORTS) >>> 16, address);
  return isService(service) ? service : lookup(tables, addressSize, ofClass, 0, address);
}

function lookup(tables: FamilyTables, addressSize: u32, ofClass: u32, port: u32, address: usize): Service {
  let hash: u32 = hashWord(0, ofClass | (port << 16));
  for (let at: usize = 0; at < addressSize; at += 4) hash = hashWord(hash, load<u32>(address + at));
  let service = changetype<Service>(<usize>load<u32>(<usize>tables.services + ((<usize>(hashEnd(hash) & tables.serviceMask)) << 2)));
  while (isService(service)) {
    const isSame = service.class == ofClass && service.port == port;
    if (isSame && equalWords(changetype<usize>(service) + SERVICE_ADDRESS, address, addressSize)) return service;
    service = changetype<Service>(<usize>service.next);
  }
  return service;
}
