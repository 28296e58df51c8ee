// Connection tracking: both tuples of a connection in one index, found in one lookup each; insert, remove, expire.
// Which packets make or change connections is decided in packet.ts.

import { copyAddress, equalAddress, V4, V6 } from "./address.ts";
import {
  BUCKET_ENTRIES,
  BUCKET_PASSED,
  BUCKET_REPLY,
  BUCKET_SIZE,
  BUCKET_SLOTS,
  BUCKET_TAGS,
  CLASS_NONE,
  CT_ORIGINAL,
  CT_SIZE_V4,
  CT_SIZE_V6,
  CT_TABLE_SIZE,
} from "./shared/layout.ts";
import { engine } from "./state.ts";
import { CtEntry, CtTable } from "./structs.ts";

const TABLE_V4: usize = memory.data(CT_TABLE_SIZE, 16);
const TABLE_V6: usize = memory.data(CT_TABLE_SIZE, 16);

/** The seed of the hash, so that nobody outside can choose tuples that collide. */
let hashSeed: u64 = 0;

export function seedHash(low: u32, high: u32): void {
  hashSeed = ((<u64>high) << 32) | <u64>low;
}

export function tableOf<A>(): CtTable {
  return changetype<CtTable>(offsetof<A>() == 4 ? TABLE_V4 : TABLE_V6);
}

export function entrySize<A>(): usize {
  return offsetof<A>() == 4 ? CT_SIZE_V4 : CT_SIZE_V6;
}

/** Bytes of a tuple: two addresses and the ports. */
export function tupleSize<A>(): usize {
  return 2 * offsetof<A>() + 4;
}

export function originalTuple(entry: usize): usize {
  return entry + CT_ORIGINAL;
}

export function replyTuple<A>(entry: usize): usize {
  return entry + CT_ORIGINAL + tupleSize<A>();
}

/** Multiplies and mixes a tuple and its class to 64 bits. */
export function hashTuple<A>(tuple: usize, ofClass: u32): u64 {
  let a: u64;
  let b: u64 = ((<u64>ofClass) << 32) | <u64>load<u32>(tuple + 2 * offsetof<A>());
  if (offsetof<A>() == 4) {
    a = load<u64>(tuple);
  } else {
    a = load<u64>(tuple) ^ rotl<u64>(load<u64>(tuple, 8) * 0x9e3779b97f4a7c15, 29);
    b ^= (load<u64>(tuple, 16) * 0xd6e8feb86659fd93) ^ rotl<u64>(load<u64>(tuple, 24) * 0xa0761d6478bd642f, 31);
  }
  let x: u64 = ((a ^ hashSeed) * 0x9e3779b97f4a7c15) ^ rotl<u64>((b ^ hashSeed) * 0xc2b2ae3d27d4eb4f, 32);
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9;
  return x ^ (x >> 32);
}

/** The bucket where the search for a tuple begins. */
export function bucketOf(table: CtTable, hash: u64): usize {
  return <usize>table.index + <usize>(<u32>(hash >> 32) & table.bucketMask) * BUCKET_SIZE;
}

function nextBucket(table: CtTable, bucket: usize): usize {
  const number = <u32>((bucket - table.index) / BUCKET_SIZE);
  return <usize>table.index + <usize>((number + 1) & table.bucketMask) * BUCKET_SIZE;
}

function tagOf(hash: u64): u32 {
  return <u32>hash | 1;
}

/** What lookup found: an entry, and whether the tuple is its reply tuple. */
let foundReply: bool = false;

export function isFoundReply(): bool {
  return foundReply;
}

/** The unexpired connection that has this tuple in either direction, or 0; isFoundReply() tells the direction. Removes it if expired. */
export function lookup<A>(tuple: usize, ofClass: u32, hash: u64): usize {
  const table = tableOf<A>();
  const tag = tagOf(hash);
  let bucket = bucketOf(table, hash);
  while (true) {
    let slots = slotsWith(bucket, tag);
    while (slots != 0) {
      const reference = load<u32>(bucket + ((<usize>ctz<u32>(slots)) << 2), BUCKET_ENTRIES);
      const entry = entryAt<A>(table, reference & ~BUCKET_REPLY);
      const isReply = (reference & BUCKET_REPLY) != 0;
      if (isTupleOf<A>(entry, isReply ? replyTuple<A>(entry) : originalTuple(entry), tuple, ofClass)) {
        if (changetype<CtEntry>(entry).expiresAt <= engine.now) {
          remove<A>(entry);
          return 0;
        }
        foundReply = isReply;
        return entry;
      }
      slots &= slots - 1;
    }
    if (load<u32>(bucket, BUCKET_PASSED) == 0) return 0;
    bucket = nextBucket(table, bucket);
  }
}

/** Bit i for each slot i of a bucket that has the tag. */
function slotsWith(bucket: usize, tag: u32): u32 {
  const wanted = i32x4.splat(tag);
  const front = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_TAGS), wanted));
  const back = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, BUCKET_TAGS + 16), wanted));
  return (front | (back << 4)) & ((1 << BUCKET_SLOTS) - 1);
}

/** The first reference in a bucket that has the hash's tag, or `otherwise`. It may be another tuple's. */
export function referenceIn(bucket: usize, hash: u64, otherwise: u32): u32 {
  const slots = slotsWith(bucket, tagOf(hash));
  return slots == 0 ? otherwise : load<u32>(bucket + ((<usize>ctz<u32>(slots)) << 2), BUCKET_ENTRIES);
}

/** The entry is in use by that class, and `own`, one of its tuples, is the packet's. */
export function isTupleOf<A>(entry: usize, own: usize, tuple: usize, ofClass: u32): bool {
  return load<u8>(entry) == ofClass && equalTuple<A>(own, tuple);
}

export function equalTuple<A>(a: usize, b: usize): bool {
  return (
    load<u32>(a + 2 * offsetof<A>()) == load<u32>(b + 2 * offsetof<A>()) &&
    equalAddress<A>(a, b) &&
    equalAddress<A>(a + offsetof<A>(), b + offsetof<A>())
  );
}

export function entryAt<A>(table: CtTable, number: u32): usize {
  return <usize>table.entries + <usize>number * entrySize<A>();
}

function entryNumber<A>(table: CtTable, entry: usize): u32 {
  return <u32>((entry - table.entries) / entrySize<A>());
}

/** Connections of both families. */
export function connectionCount(): u32 {
  return changetype<CtTable>(TABLE_V4).count + changetype<CtTable>(TABLE_V6).count;
}

/** A fresh entry with both tuples, in the index. The caller fills in the rest, and has made sure that it fits. */
export function insert<A>(ofClass: u32, original: usize, reply: usize): usize {
  const table = tableOf<A>();
  let number = table.highWater;
  if (table.free != 0) {
    number = table.free - 1;
    table.free = changetype<CtEntry>(entryAt<A>(table, number)).nextFree;
  } else {
    table.highWater = number + 1;
  }
  const entry = entryAt<A>(table, number);
  for (let at: usize = 0; at < CT_ORIGINAL; at += 8) store<u64>(entry + at, 0); // inline: memory.fill is a call
  changetype<CtEntry>(entry).class = <u8>ofClass;
  copyTuple<A>(originalTuple(entry), original);
  copyTuple<A>(replyTuple<A>(entry), reply);
  table.count++;
  indexEntry<A>(table, number);
  return entry;
}

function copyTuple<A>(to: usize, from: usize): void {
  copyAddress<A>(to, from);
  copyAddress<A>(to + offsetof<A>(), from + offsetof<A>());
  store<u32>(to + 2 * offsetof<A>(), load<u32>(from + 2 * offsetof<A>()));
}

/** Puts both tuples of an entry into the index; a connection whose tuples are the same stands there once. */
function indexEntry<A>(table: CtTable, number: u32): void {
  const entry = entryAt<A>(table, number);
  indexTuple(table, hashTuple<A>(originalTuple(entry), load<u8>(entry)), number);
  if (!isSelfReply<A>(entry)) indexTuple(table, hashTuple<A>(replyTuple<A>(entry), load<u8>(entry)), number | BUCKET_REPLY);
}

function isSelfReply<A>(entry: usize): bool {
  return equalTuple<A>(originalTuple(entry), replyTuple<A>(entry));
}

function indexTuple(table: CtTable, hash: u64, reference: u32): void {
  let bucket = bucketOf(table, hash);
  while (true) {
    for (let slot: usize = 0; slot < BUCKET_SLOTS; slot++) {
      if (load<u32>(bucket + (slot << 2), BUCKET_TAGS) != 0) continue;
      store<u32>(bucket + (slot << 2), tagOf(hash), BUCKET_TAGS);
      store<u32>(bucket + (slot << 2), reference, BUCKET_ENTRIES);
      return;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_PASSED) + 1, BUCKET_PASSED);
    bucket = nextBucket(table, bucket);
  }
}

function unindexTuple(table: CtTable, hash: u64, reference: u32): void {
  const tag = tagOf(hash);
  let bucket = bucketOf(table, hash);
  while (true) {
    for (let slot: usize = 0; slot < BUCKET_SLOTS; slot++) {
      if (load<u32>(bucket + (slot << 2), BUCKET_TAGS) != tag || load<u32>(bucket + (slot << 2), BUCKET_ENTRIES) != reference) continue;
      store<u32>(bucket + (slot << 2), 0, BUCKET_TAGS);
      return;
    }
    store<u32>(bucket, load<u32>(bucket, BUCKET_PASSED) - 1, BUCKET_PASSED);
    bucket = nextBucket(table, bucket);
  }
}

/** Takes a connection out of index and entries. */
export function remove<A>(entry: usize): void {
  const table = tableOf<A>();
  const number = entryNumber<A>(table, entry);
  const ofClass: u32 = load<u8>(entry);
  unindexTuple(table, hashTuple<A>(originalTuple(entry), ofClass), number);
  if (!isSelfReply<A>(entry)) unindexTuple(table, hashTuple<A>(replyTuple<A>(entry), ofClass), number | BUCKET_REPLY);
  const record = changetype<CtEntry>(entry);
  record.class = <u8>CLASS_NONE;
  record.nextFree = table.free;
  table.free = number + 1;
  table.count--;
}

/** Removes all expired connections, at most once for each value of the clock. */
export function sweep(): void {
  if (engine.lastSweep == engine.now) return;
  engine.lastSweep = engine.now;
  sweepTable<V4>();
  sweepTable<V6>();
}

function sweepTable<A>(): void {
  const table = tableOf<A>();
  let entry: usize = table.entries;
  const end = entryAt<A>(table, table.highWater);
  while (entry < end) {
    if (load<u8>(entry) != CLASS_NONE && changetype<CtEntry>(entry).expiresAt <= engine.now) remove<A>(entry);
    entry += entrySize<A>();
  }
}

/** Moves all tuples to a new, zeroed index of `buckets` (a power of two) at `index`. */
export function reindex<A>(index: usize, buckets: u32): void {
  const table = tableOf<A>();
  table.index = <u32>index;
  table.bucketMask = buckets - 1;
  for (let number: u32 = 0; number < table.highWater; number++) {
    if (load<u8>(entryAt<A>(table, number)) != CLASS_NONE) indexEntry<A>(table, number);
  }
}
