// The elements of dynamic sets: sources that an endpoint knows under nftables session affinity, until they expire.
// Growing is TypeScript's part; the core moves what has not expired.
import { copyAddress, equalAddress } from "./address.ts";
import { sourceAddress } from "./flight.ts";
import { hashEnd, hashWord, nextSlot } from "./shared/hash.ts";
import {
  SIGHTING_ADDRESS,
  SIGHTING_EXPIRES_AT,
  SIGHTING_SET,
  SIGHTING_SIZE,
  SIGHTINGS_SIZE,
  SIGHTINGS_SLOT_MASK,
  SIGHTINGS_SLOTS,
  SIGHTINGS_USED,
} from "./shared/layout.ts";
import { engine } from "./state.ts";

const TABLE_V4: usize = memory.data(SIGHTINGS_SIZE, 16);
const TABLE_V6: usize = memory.data(SIGHTINGS_SIZE, 16);

export function sightingsTable<A>(): usize {
  return offsetof<A>() == 4 ? TABLE_V4 : TABLE_V6;
}

/** The slot of a source in a set, or the empty one where it would stand. */
function slotOf<A>(set: u32, address: usize): usize {
  const table = sightingsTable<A>();
  const slotMask = load<u32>(table, SIGHTINGS_SLOT_MASK);
  let hash: u32 = hashWord(0, set);
  for (let at: usize = 0; at < offsetof<A>(); at += 4) hash = hashWord(hash, load<u32>(address + at));
  let number = hashEnd(hash) & slotMask;
  while (true) {
    const slot = <usize>load<u32>(table, SIGHTINGS_SLOTS) + <usize>number * SIGHTING_SIZE;
    const held = load<u32>(slot, SIGHTING_SET);
    if (held == 0 || (held == set && equalAddress<A>(slot + SIGHTING_ADDRESS, address))) return slot;
    number = nextSlot(number, slotMask + 1);
  }
}

/** The source is an element of the set. */
export function isSighted<A>(set: u32): bool {
  const slot = slotOf<A>(set, sourceAddress());
  return load<u32>(slot, SIGHTING_SET) != 0 && load<f64>(slot, SIGHTING_EXPIRES_AT) > engine.now;
}

/** The source becomes an element of the set, or its time starts again. */
export function updateSighting<A>(set: u32, seconds: u32): void {
  put<A>(set, sourceAddress(), engine.now + <f64>seconds * 1000);
}

function put<A>(set: u32, address: usize, expiresAt: f64): void {
  const slot = slotOf<A>(set, address);
  if (load<u32>(slot, SIGHTING_SET) == 0) {
    store<u32>(slot, set, SIGHTING_SET);
    copyAddress<A>(slot + SIGHTING_ADDRESS, address);
    const table = sightingsTable<A>();
    store<u32>(table, load<u32>(table, SIGHTINGS_USED) + 1, SIGHTINGS_USED);
  }
  store<f64>(slot, expiresAt, SIGHTING_EXPIRES_AT);
}

/** Moves what has not expired to new, zeroed slots, their number a power of two. */
export function moveSightings<A>(slots: usize, count: u32): void {
  const table = sightingsTable<A>();
  let slot: usize = load<u32>(table, SIGHTINGS_SLOTS);
  const end: usize = slot == 0 ? 0 : slot + <usize>(load<u32>(table, SIGHTINGS_SLOT_MASK) + 1) * SIGHTING_SIZE;
  store<u32>(table, <u32>slots, SIGHTINGS_SLOTS);
  store<u32>(table, count - 1, SIGHTINGS_SLOT_MASK);
  store<u32>(table, 0, SIGHTINGS_USED);
  while (slot < end) {
    const expiresAt = load<f64>(slot, SIGHTING_EXPIRES_AT);
    if (load<u32>(slot, SIGHTING_SET) != 0 && expiresAt > engine.now)
      put<A>(load<u32>(slot, SIGHTING_SET), slot + SIGHTING_ADDRESS, expiresAt);
    slot += SIGHTING_SIZE;
  }
}
