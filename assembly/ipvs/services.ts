// Which virtual service a packet is for: by mark, else by address and port, else as FTP data, else by address alone (port 0).
import { swapPort } from "../address.ts";
import { hashEnd, hashWord } from "../shared/hash.ts";
import { SERVICE_ADDRESS, SERVICE_CLASS_MARK } from "../shared/ipvs-layout.ts";
import { CLASS_TCP, PACKET_CLASS, PACKET_MARK, PACKET_PORTS } from "../shared/layout.ts";
import { tablesOf } from "./namespace.ts";
import { FamilyTables, Namespace, Service } from "./structs.ts";
import { equalWords } from "./tuples.ts";

/** A service on port 21 has the data connections of its address as well; of servers, data comes from port 20. */
export const FTP_PORT: u32 = 21;
export const FTP_DATA_PORT: u32 = 20;

/** ip_unprivileged_port_start: passive FTP listens on such ports. */
const FIRST_UNPRIVILEGED_PORT: u32 = 1024;

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
  const port = load<u32>(rest, PACKET_PORTS) >>> 16;
  let service = lookup(tables, addressSize, ofClass, port, address);
  if (!isService(service) && ofClass == CLASS_TCP && (port == swapPort(FTP_DATA_PORT) || swapPort(port) >= FIRST_UNPRIVILEGED_PORT)) {
    service = lookup(tables, addressSize, ofClass, swapPort(FTP_PORT), address);
  }
  return isService(service) ? service : lookup(tables, addressSize, ofClass, 0, address);
}

/** It came to this service as FTP data: without persistence or a server it is no matter for IPVS. `port`: its destination's. */
export function isFtpData(service: Service, port: u32): bool {
  return service.class != SERVICE_CLASS_MARK && service.port == swapPort(FTP_PORT) && port != swapPort(FTP_PORT);
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
