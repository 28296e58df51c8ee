// ip_vs_mh, Maglev hashing: a table of 4093 slots that the servers fill in turn, each along its own permutation, so that a change of
// the servers moves few slots.
import { swapPort } from "../../address.ts";
import { MAGLEV_SLOTS, SERVER_ADDRESS } from "../../shared/ipvs-layout.ts";
import { isServer, isUsable, noServer, serverAt } from "../servers.ts";
import { Server, Service } from "../structs.ts";
import { sipHash } from "./siphash.ts";
import { clearSlots, clientKey, fallsBack, foldAddress, isFree, serverIn, setSlot } from "./slots.ts";
import { greatestCommonDivisor } from "./wrr.ts";

const KEY_1: u64 = 2654435761;
const KEY_2: u64 = 2654446892;

/** The highest weight takes at most this many bits of slots in one turn. */
const TURN_BITS: u32 = 6;

export function pickMh(service: Service, packet: usize): Server {
  const key = clientKey(service, packet);
  const slot = sipHash(KEY_1, key) % MAGLEV_SLOTS;
  const server = serverIn(service, slot);
  if (!isServer(server) || isUsable(server)) return server;
  return fallsBack(service) ? fallBack(service, key, slot) : noServer();
}

/** The first usable server of further hashes. */
function fallBack(service: Service, key: u32, first: u32): Server {
  for (let offset: u32 = 0; offset < MAGLEV_SLOTS; offset++) {
    const server = serverIn(service, sipHash(KEY_1, ((offset + first) % MAGLEV_SLOTS) + key) % MAGLEV_SLOTS);
    if (isServer(server) && isUsable(server)) return server;
  }
  return noServer();
}

/** Weight 0 does not disturb the table: the last weight above it counts. */
export function fillMh(service: Service): void {
  clearSlots(service, MAGLEV_SLOTS);
  if (!beginPermutations(service)) return;
  let free: u32 = MAGLEV_SLOTS;
  while (free > 0) {
    for (let number: u32 = 0; number < service.serverCount; number++) {
      const server = serverAt(service, number);
      const taken = server.maglevTurns < free ? server.maglevTurns : free;
      for (let turn: u32 = 0; turn < taken; turn++) takeFreeSlot(service, server, number);
      free -= taken;
    }
  }
}

function takeFreeSlot(service: Service, server: Server, number: u32): void {
  let slot = server.maglevAt;
  while (!isFree(service, slot)) {
    slot += server.maglevSkip;
    if (slot >= MAGLEV_SLOTS) slot -= MAGLEV_SLOTS;
  }
  setSlot(service, slot, number);
  server.maglevAt = slot;
}

/** Where each server begins, how it goes on, and how many slots it takes at a time; false when none takes any. */
function beginPermutations(service: Service): bool {
  let gcd: u32 = 0;
  let highest: u32 = 0;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const weight = serverAt(service, number).lastWeight;
    gcd = greatestCommonDivisor(gcd, weight);
    if (weight > highest) highest = weight;
  }
  if (gcd == 0) return false;
  const bits: u32 = 32 - clz<u32>(highest / gcd);
  const shift: u32 = bits > TURN_BITS ? bits - TURN_BITS : 0;
  for (let number: u32 = 0; number < service.serverCount; number++) {
    const server = serverAt(service, number);
    const value = foldAddress(service, changetype<usize>(server) + SERVER_ADDRESS) + swapPort(server.port);
    const turns = (server.lastWeight / gcd) >>> shift;
    server.maglevAt = sipHash(KEY_1, value) % MAGLEV_SLOTS;
    server.maglevSkip = (sipHash(KEY_2, value) % (MAGLEV_SLOTS - 1)) + 1;
    server.maglevTurns = server.lastWeight == 0 ? 0 : turns == 0 ? 1 : turns;
  }
  return true;
}
