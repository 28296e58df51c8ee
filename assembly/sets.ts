// Sets and maps that TypeScript wrote: builds a key from the packet in flight and looks it up.

import { copyAddress, insideNetwork, swapPort } from "./address.ts";
import { destinationAddress, flight, sourceAddress } from "./flight.ts";
import { hashEnd, hashWord, nextSlot } from "./shared/hash.ts";
import {
  KEY_WORDS_MAX,
  MASK_IS_ALONE,
  MASK_LENGTH,
  MASK_NETWORK,
  MASK_SIZE,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SELECT_DESTINATION_PORT_ONLY,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT,
  SELECT_SOURCE_PORT_ONLY,
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
  if ((selectors & SELECTS_SOURCE) != 0) return lookupKey<A>(set, selectors);
  // Several chains ask the same of a destination.
  if (flight.askedSet != set || flight.askedSelectors != selectors) {
    flight.askedSlot = lookupKey<A>(set, selectors);
    flight.askedSet = set;
    flight.askedSelectors = selectors;
  }
  return flight.askedSlot;
}

/** Selectors are odd that stand for a part of the source. */
const SELECTS_SOURCE: u32 = 0x11111111;
if ((SELECT_SOURCE & SELECT_SOURCE_PORT & SELECT_SOURCE_PORT_ONLY & 1) == 0) ERROR("a selector of the source is even");
if (((SELECT_DESTINATION | SELECT_DESTINATION_PORT | SELECT_DESTINATION_PORT_ONLY) & 1) != 0) ERROR("a selector of the destination is odd");

function lookupKey<A>(set: usize, selectors: u32): usize {
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
    const slot = findMasked<A>(set, at, address, mask);
    if (slot != 0) return slot;
    mask += MASK_SIZE;
  }
  return 0;
}

function findMasked<A>(set: usize, at: usize, address: usize, mask: usize): usize {
  for (let part: usize = 0; part < offsetof<A>(); part += 4) store<u32>(at + part, load<u32>(address + part) & load<u32>(mask + part));
  store<u32>(at + offsetof<A>(), load<u32>(mask, MASK_LENGTH));
  return find(set);
}

/** True when the address is inside a set whose only field is a network. */
export function containsAddress<A>(set: usize, address: usize): bool {
  let mask: usize = load<u32>(set, SET_MASKS);
  const end = mask + <usize>load<u32>(set, SET_MASK_COUNT) * MASK_SIZE;
  while (mask < end) {
    const isInside =
      load<u32>(mask, MASK_IS_ALONE) != 0
        ? insideNetwork<A>(address, mask + MASK_NETWORK, mask)
        : findMasked<A>(set, KEY, address, mask) != 0;
    if (isInside) return true;
    mask += MASK_SIZE;
  }
  return false;
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
