// The index of connections: tags and entry numbers in buckets of one cache line, chains of overflow buckets behind those that are full.
// Grows in place by linear hashing, a few buckets with each new connection. Knows tags and references, never tuples.

import {
  BUCKET_ENTRIES,
  BUCKET_LOAD_MAX,
  BUCKET_NEXT,
  BUCKET_SCRATCH,
  BUCKET_SIZE,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  BUCKETS_SPLIT,
} from "./shared/conntrack-layout.ts";
import { CtTable } from "./structs.ts";

/** Where splitting keeps a bucket while it is dealt out again. */
const SPLIT: usize = memory.data(64, 16);
if (BUCKET_SIZE > 64) ERROR("SPLIT is too small");

/** A split and an insertion of two tuples take no more overflow buckets than this. */
const OVERFLOW_SPARE: u32 = 16 * BUCKET_SIZE;

/** The bucket that a tag belongs to. @inline */
export function bucketOf(table: CtTable, tag: u32): usize {
  return bucketIn(table.index, table.lowMask, highMaskOf(table.lowMask), table.live, tag);
}

/** Fetches the bucket of a tag ahead of its use. A store retires without waiting for its line. */
export function fetchBucket(table: CtTable, tag: u32): void {
  store<u8>(bucketOf(table, tag), 0, BUCKET_SCRATCH);
}

/** The mask of the buckets at the end of the doubling. @inline */
export function highMaskOf(lowMask: u32): u32 {
  return (lowMask << 1) | BUCKET_SIZE;
}

/** For loops, which need not read the table again and again. @inline */
export function bucketIn(index: usize, lowMask: u32, highMask: u32, live: u32, tag: u32): usize {
  const at = tag & highMask;
  // All ones if that bucket lives already. No branch: it would be a coin's toss. The index has less than 2 GiB.
  const isLive = <u32>(<i32>(at - live) >> 31);
  return index + <usize>(at & (lowMask | isLive));
}

/** Bit i for each slot i of a bucket that has the tag. @inline */
export function slotsWith(bucket: usize, tag: u32): u32 {
  return slotsEqual(bucket, i32x4.splat(tag));
}

/** The same for the tag that lies at an address. @inline */
export function slotsWithTagAt(bucket: usize, at: usize): u32 {
  return slotsEqual(bucket, v128.load_splat<u32>(at));
}

/** The word after the tags is an address, thus even, and no tag. @inline */
function slotsEqual(bucket: usize, tags: v128): u32 {
  const front = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_TAGS), tags));
  const back = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_TAGS + 16), tags));
  return front | (back << 4);
}

/** Bit i for each slot i of a bucket that is empty. @inline */
function emptySlots(bucket: usize): u32 {
  return slotsWith(bucket, 0) & ((1 << BUCKET_SLOTS) - 1);
}

/** @inline */
export function referenceAt(bucket: usize, slot: u32): u32 {
  return load<u32>(bucket + ((<usize>slot) << 2), BUCKET_ENTRIES);
}

/** The overflow bucket behind this one, or 0. @inline */
export function bucketAfter(bucket: usize): usize {
  return load<u32>(bucket, BUCKET_NEXT);
}

/** @inline */
function setSlot(bucket: usize, slot: u32, tag: u32, reference: u32): void {
  const at = bucket + ((<usize>slot) << 2);
  store<u32>(at, tag, BUCKET_TAGS);
  store<u32>(at, reference, BUCKET_ENTRIES);
}

/** False: overflow buckets have run out, as only tuples that were chosen for their hash could bring about. */
export function hasOverflow(table: CtTable): bool {
  return table.overflowHighWater + OVERFLOW_SPARE <= table.overflowEnd;
}

function takeOverflow(table: CtTable): usize {
  const free: usize = table.overflowFree;
  if (free != 0) {
    table.overflowFree = load<u32>(free, BUCKET_NEXT);
    store<u32>(free, 0, BUCKET_NEXT);
    return free;
  }
  const fresh = table.overflowHighWater;
  table.overflowHighWater = fresh + BUCKET_SIZE;
  return fresh;
}

/** An overflow bucket without tags goes to the free ones. */
function giveOverflow(table: CtTable, bucket: usize): void {
  store<u32>(bucket, table.overflowFree, BUCKET_NEXT);
  table.overflowFree = <u32>bucket;
}

/** Adds a tag to the chain of a bucket. @inline */
function put(table: CtTable, bucket: usize, tag: u32, reference: u32): void {
  while (true) {
    const empty = emptySlots(bucket);
    if (empty != 0) {
      setSlot(bucket, ctz<u32>(empty), tag, reference);
      return;
    }
    let next = bucketAfter(bucket);
    if (next == 0) {
      next = takeOverflow(table);
      store<u32>(bucket, <u32>next, BUCKET_NEXT);
    }
    bucket = next;
  }
}

export function addTag(table: CtTable, tag: u32, reference: u32): void {
  put(table, bucketOf(table, tag), tag, reference);
}

/** Removes what addTag added; the rest of its chain closes up, so that nothing is left behind. */
export function removeTag(table: CtTable, tag: u32, reference: u32): void {
  let before: usize = 0;
  let bucket = bucketOf(table, tag);
  while (true) {
    let slots = slotsWith(bucket, tag);
    while (slots != 0 && referenceAt(bucket, ctz<u32>(slots)) != reference) slots &= slots - 1;
    if (slots != 0) {
      closeGap(table, before, bucket, ctz<u32>(slots));
      return;
    }
    before = bucket;
    bucket = bucketAfter(bucket);
  }
}

/** Fills an empty slot from the buckets behind it, and gives the last of them back when it is empty. */
function closeGap(table: CtTable, before: usize, bucket: usize, slot: u32): void {
  let next = bucketAfter(bucket);
  while (next != 0) {
    const last = 31 - clz<u32>(~emptySlots(next) & ((1 << BUCKET_SLOTS) - 1));
    setSlot(bucket, slot, load<u32>(next + ((<usize>last) << 2), BUCKET_TAGS), referenceAt(next, last));
    before = bucket;
    bucket = next;
    slot = last;
    next = bucketAfter(bucket);
  }
  store<u32>(bucket + ((<usize>slot) << 2), 0, BUCKET_TAGS);
  if (before == 0 || emptySlots(bucket) != (1 << BUCKET_SLOTS) - 1) return;
  store<u32>(before, 0, BUCKET_NEXT);
  giveOverflow(table, bucket);
}

/** Inline stores: memory.fill is a call. */
function clearBucket(bucket: usize): void {
  for (let at: usize = 0; at < BUCKET_SIZE; at += 16) v128.store(bucket + at, i64x2.splat(0));
}

/** With each new connection: splits a few buckets while a doubling is under way, or begins one when the index is loaded enough. */
export function growIndex(table: CtTable): void {
  const low = table.lowMask + BUCKET_SIZE;
  if (table.live == low && table.count * <u32>2 <= (low / BUCKET_SIZE) * BUCKET_LOAD_MAX) return;
  for (let i: u32 = 0; i < BUCKETS_SPLIT; i++) {
    if (table.live == table.liveMax || !hasOverflow(table)) return;
    split(table);
  }
}

/** Deals the tags of the next bucket out between it and a new one. */
function split(table: CtTable): void {
  const low = table.lowMask + BUCKET_SIZE;
  const from: usize = <usize>table.index + <usize>(table.live - low);
  const to: usize = <usize>table.index + <usize>table.live;
  for (let at: usize = 0; at < BUCKET_SIZE; at += 16) v128.store(SPLIT + at, v128.load(from + at));
  clearBucket(from);
  let bucket = SPLIT;
  while (true) {
    let slots = ~emptySlots(bucket) & ((1 << BUCKET_SLOTS) - 1);
    while (slots != 0) {
      const slot = ctz<u32>(slots);
      const tag = load<u32>(bucket + ((<usize>slot) << 2), BUCKET_TAGS);
      put(table, (tag & low) != 0 ? to : from, tag, referenceAt(bucket, slot));
      slots &= slots - 1;
    }
    const next = bucketAfter(bucket);
    if (bucket != SPLIT) {
      clearBucket(bucket);
      giveOverflow(table, bucket);
    }
    if (next == 0) break;
    bucket = next;
  }
  table.live += BUCKET_SIZE;
  if (table.live == low << 1) table.lowMask = (low << 1) - BUCKET_SIZE;
}
