// ip_vs_dh, destination hashing: a table of 256 slots, one to each server in turn, and the destination address as the key.
import type { Scheduler } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import type { ServiceView } from '../service.ts';
import { foldAddress, SLOT_COUNT, slotOf } from './fold.ts';

export function bindDh(service: ServiceView): Scheduler {
  let slots = fillSlots(service.servers);
  const refill = () => {
    slots = fillSlots(service.servers);
  };
  return {
    pick({ destination }) {
      const server = slots[slotOf(foldAddress(destination))];
      return server !== undefined && isUsable(server) ? server : undefined;
    },
    serverAdded: refill,
    serverRemoved: refill,
    serverEdited: refill,
  };
}

/** Slot i belongs to server i modulo their number, whatever the weights. */
function fillSlots(servers: readonly Server[]): readonly (Server | undefined)[] {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => servers[slot % servers.length]);
}
