// Addresses and tuples of either family by their size in bytes: for what happens once a connection, where one copy of the code is enough.
// The way of known connections (packet.ts, find) has the family as a type parameter instead.
import { V4, V6 } from "../address.ts";
import { tagOf } from "../conntrack.ts";
import { ADDRESS_V4 } from "../shared/layout.ts";

/** Bytes of a tuple: two addresses and the ports. */
export function tupleSize(addressSize: u32): u32 {
  return 2 * addressSize + 4;
}

/** `size`: whole words. */
export function copyWords(to: usize, from: usize, size: u32): void {
  for (let at: usize = 0; at < size; at += 4) store<u32>(to + at, load<u32>(from + at));
}

export function equalWords(a: usize, b: usize, size: u32): bool {
  for (let at: usize = 0; at < size; at += 4) if (load<u32>(a + at) != load<u32>(b + at)) return false;
  return true;
}

export function tagOfTuple(tuple: usize, ofClass: u32, addressSize: u32): u32 {
  return addressSize == ADDRESS_V4 ? tagOf<V4>(tuple, ofClass) : tagOf<V6>(tuple, ofClass);
}
