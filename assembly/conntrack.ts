// Connection tracking: both tuples of a connection in one index, found in one lookup each; insert, remove, make room.
// Which packets make or change connections is decided in packet.ts.

import { copyAddress, equalAddress, V4, V6 } from "./address.ts";
import { addTag, bucketAfter, bucketOf, growIndex, hasOverflow, referenceAt, removeTag, slotsWith } from "./connection-index.ts";
import { isClosing } from "./connection-state.ts";
import {
  BUCKET_REPLY,
  COLLECT_RANGE,
  CT_FLAG_ASSURED,
  CT_NEXT_FREE,
  CT_ORIGINAL,
  CT_PACKETS_REPLY,
  CT_REPLY_AFTER_V4,
  CT_REPLY_AFTER_V6,
  CT_SIZE_V4,
  CT_SIZE_V6,
  CT_TABLE_SIZE,
  EVICTION_RANGE,
  ROOM_FREE,
} from "./shared/conntrack-layout.ts";
import { CLASS_NONE, COUNTER_EARLY_DROP, PACKET_CLASS, PACKET_PORTS } from "./shared/layout.ts";
import { count, engine } from "./state.ts";
import { CtEntry, CtTable } from "./structs.ts";

const TABLE_V4: usize = memory.data(CT_TABLE_SIZE, 64);
const TABLE_V6: usize = memory.data(CT_TABLE_SIZE, 64);

/** The seed of the hash, so that nobody outside can choose tuples that collide. */
let hashSeed: u64 = 0;

export function seedHash(low: u32, high: u32): void {
  hashSeed = ((<u64>high) << 32) | <u64>low;
}

/** For loops, which would ask for it again and again. @inline */
export function seedOfHash(): u64 {
  return hashSeed;
}

/** @inline */
export function tableOf<A>(): CtTable {
  return changetype<CtTable>(offsetof<A>() == 4 ? TABLE_V4 : TABLE_V6);
}

export function entrySize<A>(): usize {
  return offsetof<A>() == 4 ? CT_SIZE_V4 : CT_SIZE_V6;
}

/** Bytes from the original tuple of an entry to its reply tuple. @inline */
export function replyAfter<A>(): usize {
  return offsetof<A>() == 4 ? CT_REPLY_AFTER_V4 : CT_REPLY_AFTER_V6;
}

/** @inline */
export function originalTuple(entry: usize): usize {
  return entry + CT_ORIGINAL;
}

/** @inline */
export function replyTuple<A>(entry: usize): usize {
  return entry + CT_ORIGINAL + replyAfter<A>();
}

/** The tag of a tuple and its class in the index. @inline */
export function tagOf<A>(tuple: usize, ofClass: u32): u32 {
  return mix<A>(tuple, ((<u64>ofClass) << 32) | <u64>load<u32>(tuple + 2 * offsetof<A>()), hashSeed);
}

/** Of a PACKET record's, whose class follows the ports. @inline */
export function tagOfRecord<A>(packet: usize, seed: u64 = hashSeed): u32 {
  return mix<A>(packet, load<u64>(packet + 2 * offsetof<A>()), seed);
}
if (PACKET_PORTS != 0 || PACKET_CLASS != 4) ERROR("the class of a packet does not follow its ports");

/** Multiplies and mixes two addresses, and ports and class, to 64 bits and takes the upper half. @inline */
function mix<A>(addresses: usize, rest: u64, seed: u64): u32 {
  let a: u64;
  let b = rest;
  if (offsetof<A>() == 4) {
    a = load<u64>(addresses);
  } else {
    a = load<u64>(addresses) ^ rotl<u64>(load<u64>(addresses, 8) * 0x9e3779b97f4a7c15, 29);
    b ^= (load<u64>(addresses, 16) * 0xd6e8feb86659fd93) ^ rotl<u64>(load<u64>(addresses, 24) * 0xa0761d6478bd642f, 31);
  }
  let x: u64 = ((a ^ seed) * 0x9e3779b97f4a7c15) ^ rotl<u64>((b ^ seed) * 0xc2b2ae3d27d4eb4f, 32);
  x ^= x >> 29;
  x *= 0xbf58476d1ce4e5b9;
  return <u32>(x >> 32) | 1;
}

/** What lookup found: an entry, and whether the tuple is its reply tuple. */
let foundReply: bool = false;

export function isFoundReply(): bool {
  return foundReply;
}

/** The unexpired connection that has this tuple in either direction, or 0; isFoundReply() tells the direction. Removes it if expired. */
export function lookup<A>(tuple: usize, ofClass: u32, tag: u32, now: f64 = engine.now): usize {
  const table = tableOf<A>();
  let bucket = bucketOf(table, tag);
  while (bucket != 0) {
    let slots = slotsWith(bucket, tag);
    while (slots != 0) {
      const reference = referenceAt(bucket, ctz<u32>(slots));
      const entry = entryOf<A>(table.entries, reference);
      const isReply = (reference & BUCKET_REPLY) != 0;
      if (load<u8>(entry) == ofClass && equalTuple<A>(isReply ? replyTuple<A>(entry) : originalTuple(entry), tuple)) {
        if (isExpired(entry, now)) {
          remove<A>(entry);
          return 0;
        }
        foundReply = isReply;
        return entry;
      }
      slots &= slots - 1;
    }
    bucket = bucketAfter(bucket);
  }
  return 0;
}

/** For those who only look: the entry, expired or not, with isFoundReply in its lowest bit. */
export function find<A>(tuple: usize, ofClass: u32): usize {
  const entry = lookup<A>(tuple, ofClass, tagOf<A>(tuple, ofClass), -Infinity);
  return entry == 0 ? 0 : entry | usize(foundReply);
}

/** @inline */
export function equalTuple<A>(a: usize, b: usize): bool {
  return (
    load<u32>(a + 2 * offsetof<A>()) == load<u32>(b + 2 * offsetof<A>()) &&
    equalAddress<A>(a, b) &&
    equalAddress<A>(a + offsetof<A>(), b + offsetof<A>())
  );
}

/** The entry of a reference; BUCKET_REPLY falls out of the 32 bits. @inline */
export function entryOf<A>(entries: usize, reference: u32): usize {
  const shift: u32 = offsetof<A>() == 4 ? 6 : 7;
  return entries + <usize>(reference << shift);
}
if (CT_SIZE_V4 != 64 || CT_SIZE_V6 != 128) ERROR("entryOf knows other sizes of entries");

function isExpired(entry: usize, now: f64): bool {
  return changetype<CtEntry>(entry).expiresAt <= now;
}

/** Connections of both families, expired ones that nobody met yet included. */
function connectionCount(): u32 {
  return changetype<CtTable>(TABLE_V4).count + changetype<CtTable>(TABLE_V6).count;
}

/** A fresh entry with both tuples, in the index under their tags; 0: the index has no place. The caller fills in the rest, and has made room. @inline */
export function insert<A>(ofClass: u32, original: usize, tag: u32, reply: usize, replyTag: u32): usize {
  const table = tableOf<A>();
  if (!hasOverflow(table)) return 0;
  let number = table.highWater;
  if (table.free != 0) {
    number = table.free - 1;
    table.free = load<u32>(entryOf<A>(table.entries, number), CT_NEXT_FREE);
  } else {
    table.highWater = number + 1;
  }
  const entry = entryOf<A>(table.entries, number);
  v128.store(entry, i64x2.splat(0));
  v128.store(entry, i64x2.splat(0), 16);
  changetype<CtEntry>(entry).class = <u8>ofClass;
  copyTuple<A>(originalTuple(entry), original);
  copyTuple<A>(replyTuple<A>(entry), reply);
  table.count++;
  growIndex(table);
  addTag(table, tag, number);
  // A connection whose tuples are the same stands there once.
  if (!equalTuple<A>(original, reply)) addTag(table, replyTag, number | BUCKET_REPLY);
  return entry;
}

/** @inline */
export function copyTuple<A>(to: usize, from: usize): void {
  copyAddress<A>(to, from);
  copyAddress<A>(to + offsetof<A>(), from + offsetof<A>());
  store<u32>(to + 2 * offsetof<A>(), load<u32>(from + 2 * offsetof<A>()));
}

if (CT_PACKETS_REPLY + 4 != 32) ERROR("insert clears other fields than those before the tuples");

/** Takes a connection out of index and entries. */
export function remove<A>(entry: usize): void {
  const table = tableOf<A>();
  const number = <u32>((entry - table.entries) / entrySize<A>());
  const ofClass: u32 = load<u8>(entry);
  const original = originalTuple(entry);
  const reply = replyTuple<A>(entry);
  removeTag(table, tagOf<A>(original, ofClass), number);
  if (!equalTuple<A>(original, reply)) removeTag(table, tagOf<A>(reply, ofClass), number | BUCKET_REPLY);
  const record = changetype<CtEntry>(entry);
  record.class = <u8>CLASS_NONE;
  store<u32>(entry, table.free, CT_NEXT_FREE);
  table.free = number + 1;
  table.count--;
}

/** Removes the connection with this original tuple, expired or not, if there is one. */
export function removeOriginal<A>(tuple: usize, ofClass: u32): void {
  const entry = lookup<A>(tuple, ofClass, tagOf<A>(tuple, ofClass), -Infinity);
  if (entry != 0 && !foundReply) remove<A>(entry);
}

/**
 * Before a new connection: looks at a few entries for expired ones, and at some more for one that may go when nf_conntrack_max
 * connections stand, as early_drop does. False: there is no room. Bounded, whatever the table holds.
 * @inline
 */
export function makeRoom<A>(): bool {
  collect<A>();
  if (connectionCount() < engine.conntrackMax) return true;
  return evict<A>() || (offsetof<A>() == 4 ? evict<V6>() : evict<V4>());
}

/** The entry at the hand of a table, which moves on; 0: there is none. */
function nextAtHand<A>(table: CtTable): usize {
  if (table.hand >= table.highWater) table.hand = 0;
  const entry = entryOf<A>(table.entries, table.hand);
  table.hand++;
  return entry;
}

function collect<A>(): void {
  const table = tableOf<A>();
  if (table.highWater == 0) return;
  for (let i: u32 = 0; i < COLLECT_RANGE; i++) {
    const entry = nextAtHand<A>(table);
    if (load<u8>(entry) != CLASS_NONE && isExpired(entry, engine.now)) remove<A>(entry);
  }
}

/** Removes the first of the next entries that is expired, not assured, or closing. False: none is. */
function evict<A>(): bool {
  const table = tableOf<A>();
  if (table.highWater == 0) return false;
  for (let i: u32 = 0; i < EVICTION_RANGE; i++) {
    const entry = nextAtHand<A>(table);
    if (!mayGo(entry, engine.now)) continue;
    if (!isExpired(entry, engine.now)) count(COUNTER_EARLY_DROP);
    remove<A>(entry);
    return true;
  }
  return false;
}

function mayGo(entry: usize, now: f64): bool {
  const record = changetype<CtEntry>(entry);
  if (record.class == CLASS_NONE) return false;
  return isExpired(entry, now) || (record.flags & CT_FLAG_ASSURED) == 0 || isClosing(record.class, record.state);
}

/** What makeRoom would find, at entries that have not expired; nothing moves: the entry that it would remove, ROOM_FREE, or 0 for no room. */
export function foreseeRoom<A>(now: f64): usize {
  if (connectionCount() < engine.conntrackMax) return ROOM_FREE;
  const own = candidate<A>(COLLECT_RANGE, now);
  if (own != 0) return own;
  return offsetof<A>() == 4 ? candidate<V6>(0, now) : candidate<V4>(0, now);
}

/** Among the next entries the first that may go, past the first `collected`, of which only expired ones do. ROOM_FREE: it is expired. 0: none. */
function candidate<A>(collected: u32, now: f64): usize {
  const table = tableOf<A>();
  const hand = table.hand;
  let found: usize = 0;
  for (let i: u32 = 0; table.highWater != 0 && found == 0 && i < collected + EVICTION_RANGE; i++) {
    const entry = nextAtHand<A>(table);
    if (load<u8>(entry) == CLASS_NONE) continue;
    if (isExpired(entry, now)) found = ROOM_FREE;
    else if (i >= collected && mayGo(entry, now)) found = entry;
  }
  table.hand = hand;
  return found;
}

/** Connections that have not expired. Walks all entries: for counters, not for packets. */
export function countUnexpired<A>(now: f64): u32 {
  const table = tableOf<A>();
  let unexpired: u32 = 0;
  for (let number: u32 = 0; number < table.highWater; number++) {
    const entry = entryOf<A>(table.entries, number);
    if (load<u8>(entry) != CLASS_NONE && !isExpired(entry, now)) unexpired++;
  }
  return unexpired;
}
