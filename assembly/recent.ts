// xt_recent: short lists of sources and when each was last seen. A full list forgets the one seen longest ago.

import { copyAddress, equalAddress } from "./address.ts";
import { sourceAddress } from "./flight.ts";
import { RECENT_ADDRESS, RECENT_COUNT, RECENT_ENTRIES, RECENT_LAST_SEEN, RECENT_LIST_MAX, SECONDS_EVER } from "./shared/layout.ts";
import { engine } from "./state.ts";

function entrySize<A>(): usize {
  return RECENT_ADDRESS + (offsetof<A>() < 8 ? 8 : offsetof<A>());
}

function find<A>(list: usize): usize {
  const count = load<u32>(list, RECENT_COUNT);
  let entry = list + RECENT_ENTRIES;
  for (let i: u32 = 0; i < count; i++) {
    if (equalAddress<A>(entry + RECENT_ADDRESS, sourceAddress())) return entry;
    entry += entrySize<A>();
  }
  return 0;
}

/** Removes an entry and closes the gap: entries stand in the order of their last sighting. */
function remove<A>(list: usize, entry: usize): void {
  const count = load<u32>(list, RECENT_COUNT) - 1;
  const last = list + RECENT_ENTRIES + <usize>count * entrySize<A>();
  memory.copy(entry, entry + entrySize<A>(), last - entry);
  store<u32>(list, count, RECENT_COUNT);
}

/** rcheck: the source was seen in the last `seconds` (SECONDS_EVER: ever). With `reap`, older sightings leave the list first. */
export function checkRecent<A>(list: usize, seconds: u32, reap: bool): bool {
  const oldest = seconds == SECONDS_EVER ? -Infinity : engine.now - <f64>seconds * 1000;
  if (reap) {
    const front = list + RECENT_ENTRIES;
    while (load<u32>(list, RECENT_COUNT) > 0 && load<f64>(front, RECENT_LAST_SEEN) < oldest) remove<A>(list, front);
  }
  const entry = find<A>(list);
  return entry != 0 && load<f64>(entry, RECENT_LAST_SEEN) >= oldest;
}

/** set: the source is seen now. */
export function updateRecent<A>(list: usize): void {
  const known = find<A>(list);
  if (known != 0) remove<A>(list, known);
  else if (load<u32>(list, RECENT_COUNT) == RECENT_LIST_MAX) remove<A>(list, list + RECENT_ENTRIES);
  const count = load<u32>(list, RECENT_COUNT);
  const entry = list + RECENT_ENTRIES + <usize>count * entrySize<A>();
  store<f64>(entry, engine.now, RECENT_LAST_SEEN);
  copyAddress<A>(entry + RECENT_ADDRESS, sourceAddress());
  store<u32>(list, count + 1, RECENT_COUNT);
}
