// ip_vs_sh, source hashing: a table of 256 slots, as many to each server as its weight says, and the client's address as the key.
import type { Flow, Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import { foldAddress, SLOT_COUNT, slotOf } from './fold.ts';
import { slotTable } from './slot-table.ts';

export function bindSh(service: ServiceView): Scheduler {
  const table = slotTable(() => fillSlots(service.servers));
  return {
    pick(flow) {
      const { flags } = service.settings;
      const slot = slotOf(hashKey(flow, flags.has('port')));
      const slots = table.slots();
      const server = slots[slot];
      if (server === undefined || isUsable(server)) return server;
      return flags.has('fallback') ? fallBack(slots, slot) : undefined;
    },
    ...table.listeners,
  };
}

/** The client's address, with its port when the flag says so: 32 bits. */
export function hashKey(flow: Flow, withPort: boolean): number {
  return (foldAddress(flow.source) + (withPort ? flow.sourcePort : 0)) >>> 0;
}

/** The first usable server further on. The kernel adds the first slot twice, and so do we. */
function fallBack(slots: readonly Server[], first: number): Server | undefined {
  for (let offset = 0; offset < SLOT_COUNT; offset++) {
    const server = slots[(((offset + first) % SLOT_COUNT) + first) % SLOT_COUNT];
    if (server !== undefined && isUsable(server)) return server;
  }
  return undefined;
}

/** In list order, round and round; a turn is as many slots as the weight, and one for a server of weight 0. */
function fillSlots(servers: readonly Server[]): readonly Server[] {
  const slots: Server[] = [];
  while (servers.length > 0 && slots.length < SLOT_COUNT) {
    for (const server of servers) {
      const end = Math.min(SLOT_COUNT, slots.length + Math.max(1, server.weight));
      while (slots.length < end) slots.push(server);
    }
  }
  return slots;
}
