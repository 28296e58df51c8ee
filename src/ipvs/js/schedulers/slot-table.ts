// The table that a hashing scheduler (sh, dh, mh) looks its choice up in. Every change of the servers asks for another one, and changes come
// many at once: it is filled at the first choice after them.
import type { Scheduler } from '../scheduler.ts';

export interface SlotTable<Slots> {
  slots(): Slots;
  /** The part of the scheduler that hears of changes. */
  readonly listeners: Required<Pick<Scheduler, 'serverAdded' | 'serverRemoved' | 'serverEdited'>>;
}

/** @param fill makes the slots of the servers as they are. */
export function slotTable<Slots>(fill: () => Slots): SlotTable<Slots> {
  let filled: Slots | undefined;
  const forget = () => {
    filled = undefined;
  };
  return {
    slots() {
      filled ??= fill();
      return filled;
    },
    listeners: { serverAdded: forget, serverRemoved: forget, serverEdited: forget },
  };
}
