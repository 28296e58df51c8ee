// ip_vs_mh, Maglev hashing: a table of 4093 slots that the servers fill in turn, each along its own permutation, so that a
// change of the servers moves few slots.
import type { Scheduler, ServiceView } from '../scheduler.ts';
import { isUsable, type Server } from '../server.ts';
import { foldAddress } from './fold.ts';
import { hashKey } from './sh.ts';
import { sipHash } from './siphash.ts';
import { slotTable } from './slot-table.ts';
import { greatestCommonDivisor } from './wrr.ts';

/** IP_VS_MH_TAB_SIZE with the kernel's default CONFIG_IP_VS_MH_TAB_INDEX: a prime. */
export const MH_SLOT_COUNT = 4093;

/** The highest weight takes at most this many bits of slots in one turn. */
const TURN_BITS = 6;

const hash1 = sipHash(2654435761);
const hash2 = sipHash(2654446892);

export function bindMh(service: ServiceView): Scheduler {
  const table = slotTable(() => fillSlots(service.servers));
  return {
    pick(flow) {
      const { flags } = service.settings;
      const key = hashKey(flow, flags.has('port'));
      const slot = mhSlotOf(key);
      const slots = table.slots();
      const server = slots[slot];
      if (server === undefined || isUsable(server)) return server;
      return flags.has('fallback') ? fallBack(slots, key, slot) : undefined;
    },
    ...table.listeners,
  };
}

/** The slot of a 32-bit key. */
export function mhSlotOf(key: number): number {
  return hash1(key) % MH_SLOT_COUNT;
}

/** The first usable server of further hashes. */
function fallBack(slots: readonly (Server | undefined)[], key: number, first: number): Server | undefined {
  for (let offset = 0; offset < MH_SLOT_COUNT; offset++) {
    const server = slots[mhSlotOf((((offset + first) % MH_SLOT_COUNT) + key) >>> 0)];
    if (server !== undefined && isUsable(server)) return server;
  }
  return undefined;
}

/** One server's way through the table. */
interface Permutation {
  readonly server: Server;
  readonly skip: number;
  /** Slots it takes at a time. */
  readonly turns: number;
  at: number;
}

function fillSlots(servers: readonly Server[]): readonly (Server | undefined)[] {
  const slots = new Array<Server | undefined>(MH_SLOT_COUNT).fill(undefined);
  const permutations = permutationsOf(servers);
  let freeCount = permutations.length === 0 ? 0 : MH_SLOT_COUNT;
  while (freeCount > 0) {
    for (const permutation of permutations) {
      const taken = Math.min(permutation.turns, freeCount);
      for (let turn = 0; turn < taken; turn++) takeFreeSlot(slots, permutation);
      freeCount -= taken;
    }
  }
  return slots;
}

function takeFreeSlot(slots: (Server | undefined)[], permutation: Permutation): void {
  while (slots[permutation.at] !== undefined) permutation.at = (permutation.at + permutation.skip) % MH_SLOT_COUNT;
  slots[permutation.at] = permutation.server;
}

/** Of the servers that take slots at all. Weight 0 does not disturb the table: the last weight above it counts. */
function permutationsOf(servers: readonly Server[]): Permutation[] {
  const gcd = servers.reduce((divisor, { lastWeight }) => greatestCommonDivisor(divisor, lastWeight), 0);
  if (gcd === 0) return [];
  const highest = Math.max(...servers.map(({ lastWeight }) => lastWeight)) / gcd;
  const shift = Math.max(0, 32 - Math.clz32(highest) - TURN_BITS);
  return servers
    .filter(({ lastWeight }) => lastWeight > 0)
    .map((server) => {
      const value = (foldAddress(server.key.address) + server.key.port) >>> 0;
      return {
        server,
        skip: (hash2(value) % (MH_SLOT_COUNT - 1)) + 1,
        turns: Math.max(1, (server.lastWeight / gcd) >> shift),
        at: hash1(value) % MH_SLOT_COUNT,
      };
    });
}
