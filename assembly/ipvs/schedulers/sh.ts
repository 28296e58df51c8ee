// ip_vs_sh, source hashing: a table of 256 slots, as many to each server as its weight says, and the client's address as the key.
import { HASH_SLOTS } from "../../shared/ipvs-layout.ts";
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { clearSlots, clientKey, fallsBack, serverIn, setSlot, slotOf } from "./slots.ts";

export function pickSh(service: Service, packet: usize): Server {
  const slot = slotOf(clientKey(service, packet));
  const server = serverIn(service, slot);
  if (!isServer(server) || isUsable(server)) return server;
  return fallsBack(service) ? fallBack(service, slot) : noServer();
}

/** The first usable server further on. The kernel adds the first slot twice, and so do we. */
function fallBack(service: Service, first: u32): Server {
  for (let offset: u32 = 0; offset < HASH_SLOTS; offset++) {
    const server = serverIn(service, (offset + first + first) % HASH_SLOTS);
    if (isServer(server) && isUsable(server)) return server;
  }
  return noServer();
}

/** In list order, round and round; a turn is as many slots as the weight, and one for a server of weight 0. */
export function fillSh(service: Service): void {
  clearSlots(service, HASH_SLOTS);
  if (service.serverCount == 0) return;
  let slot: u32 = 0;
  let number: u32 = 0;
  while (slot < HASH_SLOTS) {
    const weight = serverAt(service, number).weight;
    const turns = min<u32>(max<u32>(weight, 1), HASH_SLOTS - slot);
    for (let turn: u32 = 0; turn < turns; turn++) setSlot(service, slot++, number);
    number = number + 1 < service.serverCount ? number + 1 : 0;
  }
}
