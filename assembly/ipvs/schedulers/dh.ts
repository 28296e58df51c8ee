// ip_vs_dh, destination hashing: a table of 256 slots, one to each server in turn, and the destination address as the key.
import { HASH_SLOTS } from "../../shared/ipvs-layout.ts";
import { isServer, isUsable, noServer } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { clearSlots, foldAddress, serverIn, setSlot, slotOf } from "./slots.ts";

export function pickDh(service: Service, packet: usize): Server {
  const server = serverIn(service, slotOf(foldAddress(service, packet + service.addressSize)));
  return isServer(server) && isUsable(server) ? server : noServer();
}

/** Slot i belongs to server i modulo their number, whatever the weights. */
export function fillDh(service: Service): void {
  clearSlots(service, HASH_SLOTS);
  const count = service.serverCount;
  if (count == 0) return;
  for (let slot: u32 = 0; slot < HASH_SLOTS; slot++) setSlot(service, slot, slot % count);
}
