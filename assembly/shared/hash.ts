// The hash of tables that TypeScript writes and the core reads (sets, verdict maps, virtual services), and their probing.
// Conntrack's own hash lives in the core alone.

/** One word into a running hash: one round of Jenkins' one-at-a-time hash, on words. @inline */
export function hashWord(hash: u32, word: u32): u32 {
  let h: u32 = (hash + word) >>> 0;
  h = (h + ((h << 10) >>> 0)) >>> 0;
  h = (h ^ (h >>> 6)) >>> 0;
  return h;
}

/** The end of a hash: spreads the last words over all bits. Never 0, so that 0 can mean an empty slot. @inline */
export function hashEnd(hash: u32): u32 {
  let h: u32 = (hash + ((hash << 3) >>> 0)) >>> 0;
  h = (h ^ (h >>> 11)) >>> 0;
  h = (h + ((h << 15) >>> 0)) >>> 0;
  return h == 0 ? 1 : h;
}

/** 16 bits that tell most addresses apart by their last word: a long scan compares eight of them at once. @inline */
export function addressTag(word: u32): u32 {
  return hashEnd(hashWord(0, word)) >>> 16;
}

/** The slot after `slot` in a table of `slotCount` slots, a power of two. @inline */
export function nextSlot(slot: u32, slotCount: u32): u32 {
  return ((slot + 1) & (slotCount - 1)) >>> 0;
}
