// Sets and maps that TypeScript wrote: builds a key from the packet in flight and looks it up.
import { flight, destinationAddress, sourceAddress } from "./flight.ts";
import { swapPort } from "./address.ts";
import { hashEnd, hashWord, nextSlot } from "./shared/hash.ts";
import {
  KEY_WORDS_MAX,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT,
  SET_KEY_WORDS,
  SET_MASKS,
  SET_MASK_COUNT,
  SET_SLOTS,
  SET_SLOT_MASK,
  SLOT_HASH,
  SLOT_KEY,
} from "./shared/layout.ts";

const KEY: usize = memory.data(48, 16);
if (KEY_WORDS_MAX * 4 > 48) ERROR("KEY is too small");

function putAddress<A>(at: usize, address: usize): usize {
  memory.copy(at, address, offsetof<A>());
  return at + offsetof<A>();
}

function putWord(at: usize, word: u32): usize {
  store<u32>(at, word);
  return at + 4;
}

/** The slot that holds the packet's key, or 0. `selectors` say which part of the packet stands for each field of the key. */
export function lookup<A>(set: usize, selectors: u32): usize {
  let at = KEY;
  let lastAddress: usize = 0;
  let rest = selectors;
  while (rest != 0) {
    const selector = rest & 15;
    if (selector == SELECT_SOURCE || selector == SELECT_DESTINATION) {
      lastAddress = at;
      at = putAddress<A>(at, selector == SELECT_SOURCE ? sourceAddress() : destinationAddress());
    } else {
      const isSource = (selector & 1) != 0;
      const port = swapPort(isSource ? flight.sourcePort : flight.destinationPort);
      const hasClass = selector == SELECT_SOURCE_PORT || selector == SELECT_DESTINATION_PORT;
      at = putWord(at, hasClass ? (flight.class << 16) | port : port);
    }
    rest = rest >> 4;
  }
  const maskCount = load<u32>(set, SET_MASK_COUNT);
  if (maskCount == 0) return find(set);
  const whole0 = load<u64>(lastAddress);
  const whole1 = offsetof<A>() == 16 ? load<u64>(lastAddress, 8) : 0;
  let mask: usize = load<u32>(set, SET_MASKS);
  for (let i: u32 = 0; i < maskCount; i++) {
    if (offsetof<A>() == 16) {
      store<u64>(lastAddress, whole0 & load<u64>(mask));
      store<u64>(lastAddress, whole1 & load<u64>(mask, 8), 8);
    } else {
      store<u32>(lastAddress, <u32>whole0 & load<u32>(mask));
    }
    const slot = find(set);
    if (slot != 0) return slot;
    mask += 16;
  }
  return 0;
}

/** True when the address is inside a set whose only field is a network. */
export function containsAddress<A>(set: usize, address: usize): bool {
  const maskCount = load<u32>(set, SET_MASK_COUNT);
  let mask: usize = load<u32>(set, SET_MASKS);
  for (let i: u32 = 0; i < maskCount; i++) {
    for (let at: usize = 0; at < offsetof<A>(); at += 4) store<u32>(KEY + at, load<u32>(address + at) & load<u32>(mask + at));
    if (find(set) != 0) return true;
    mask += 16;
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
    if (held == hash && memory.compare(slot + SLOT_KEY, KEY, words << 2) == 0) return slot;
    number = nextSlot(number, slotMask + 1);
  }
}
