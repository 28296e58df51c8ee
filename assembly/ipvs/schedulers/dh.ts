// ip_vs_dh, destination hashing: a table of 256 slots, one to each server in turn, and the destination address as the key.
import { HASH_SLOTS } from "../../shared/ipvs-layout.ts";
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { foldAddress, serverIn, setSlot, slotOf } from "./slots.ts";

export function pickDh(service: Service, packet: usize): Server {
  const server = serverIn(service, slotOf(foldAddress(service, packet + service.addressSize)));
  return isServer(server) && isUsable(server) ? server : noServer();
}

/** Slot i belongs to server i modulo their number, whatever the weights. */
export function fillDh(service: Service): void {
  const count = service.serverCount;
  for (let slot: u32 = 0; slot < HASH_SLOTS; slot++) setSlot(service, slot, count == 0 ? noServer() : serverAt(service, slot % count));
}
