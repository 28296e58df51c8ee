// ip_vs_dh, destination hashing: a table of 256 slots, one to each server in turn, and the destination address as the key.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import { foldAddress, SLOT_COUNT, slotOf } from './fold.ts';
import { slotTable } from './slot-table.ts';

export function bindDh(service: ServiceView): Scheduler {
  const table = slotTable(() => fillSlots(service.servers));
  return {
    pick({ destination }) {
      const server = table.slots()[slotOf(foldAddress(destination))];
      return server !== undefined && isUsable(server) ? server : undefined;
    },
    ...table.listeners,
  };
}

/** Slot i belongs to server i modulo their number, whatever the weights. */
function fillSlots(servers: readonly Server[]): readonly (Server | undefined)[] {
  return Array.from({ length: SLOT_COUNT }, (_, slot) => servers[slot % servers.length]);
}
