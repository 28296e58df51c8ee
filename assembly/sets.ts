// Sets and maps that TypeScript wrote: builds a key from the packet in flight and looks it up.

import { copyAddress, swapPort } from "./address.ts";
import { destinationAddress, flight, sourceAddress } from "./flight.ts";
import { hashEnd, hashWord, nextSlot } from "./shared/hash.ts";
import {
  KEY_WORDS_MAX,
  MASK_LENGTH,
  MASK_SIZE,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT,
  SET_KEY_WORDS,
  SET_MASK_COUNT,
  SET_MASKS,
  SET_SLOT_MASK,
  SET_SLOTS,
  SLOT_HASH,
  SLOT_KEY,
} from "./shared/layout.ts";

const KEY: usize = memory.data(64, 16);
if (KEY_WORDS_MAX * 4 > 64) ERROR("KEY is too small");

/** @inline */
function putAddress<A>(at: usize, address: usize): usize {
  copyAddress<A>(at, address);
  return at + offsetof<A>();
}

/** @inline */
function putWord(at: usize, word: u32): usize {
  store<u32>(at, word);
  return at + 4;
}

/** The slot that holds the packet's key, or 0. `selectors` say which part of the packet stands for each field of the key. */
export function lookup<A>(set: usize, selectors: u32): usize {
  let at = KEY;
  let lastAddress: usize = 0;
  let lastIsSource: bool = false;
  let rest = selectors;
  while (rest != 0) {
    const selector = rest & 15;
    if (selector == SELECT_SOURCE || selector == SELECT_DESTINATION) {
      lastAddress = at;
      lastIsSource = selector == SELECT_SOURCE;
      at = putAddress<A>(at, selector == SELECT_SOURCE ? sourceAddress() : destinationAddress());
    } else {
      const isSource = (selector & 1) != 0;
      const port = swapPort(isSource ? flight.sourcePort : flight.destinationPort);
      const hasClass = selector == SELECT_SOURCE_PORT || selector == SELECT_DESTINATION_PORT;
      at = putWord(at, hasClass ? (flight.class << 16) | port : port);
    }
    rest = rest >> 4;
  }
  if (load<u32>(set, SET_MASK_COUNT) == 0) return find(set);
  return findNetwork<A>(set, lastAddress, lastIsSource ? sourceAddress() : destinationAddress());
}

/** Tries the address as a network of each length of the set. It ends the key, which begins at KEY and goes on at `at`. */
function findNetwork<A>(set: usize, at: usize, address: usize): usize {
  let mask: usize = load<u32>(set, SET_MASKS);
  const end = mask + <usize>load<u32>(set, SET_MASK_COUNT) * MASK_SIZE;
  while (mask < end) {
    for (let part: usize = 0; part < offsetof<A>(); part += 4) store<u32>(at + part, load<u32>(address + part) & load<u32>(mask + part));
    store<u32>(at + offsetof<A>(), load<u32>(mask, MASK_LENGTH));
    const slot = find(set);
    if (slot != 0) return slot;
    mask += MASK_SIZE;
  }
  return 0;
}

/** True when the address is inside a set whose only field is a network. */
export function containsAddress<A>(set: usize, address: usize): bool {
  return findNetwork<A>(set, KEY, address) != 0;
}

function find(set: usize): usize {
  const words = load<u32>(set, SET_KEY_WORDS);
  const slotMask = load<u32>(set, SET_SLOT_MASK);
  const slots: usize = load<u32>(set, SET_SLOTS);
  const slotSize = SLOT_KEY + (words << 2);
  let hash: u32 = 0;
  for (let i: u32 = 0; i < words; i++) hash = hashWord(hash, load<u32>(KEY + (i << 2)));
  hash = hashEnd(hash);
  let number = hash & slotMask;
  while (true) {
    const slot = slots + <usize>number * slotSize;
    const held = load<u32>(slot, SLOT_HASH);
    if (held == 0) return 0;
    if (held == hash && isKey(slot + SLOT_KEY, words)) return slot;
    number = nextSlot(number, slotMask + 1);
  }
}

/** @inline */
function isKey(key: usize, words: u32): bool {
  const end: usize = (<usize>words) << 2;
  for (let at: usize = 0; at < end; at += 4) if (load<u32>(key + at) != load<u32>(KEY + at)) return false;
  return true;
}
