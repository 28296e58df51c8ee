// What the core exports, and nothing else. Every number that crosses this border is unsigned.
import { V4, V6 } from "./address.ts";
import { processBatch } from "./batch.ts";
import { bucketOf } from "./connection-index.ts";
import { countUnexpired, find, foreseeRoom, remove, seedHash, tableOf, tagOf } from "./conntrack.ts";
import { framesAddress, processFrames as processRing } from "./frames.ts";
import {
  ipvsAdvance,
  ipvsBind,
  ipvsForesee,
  ipvsHomeBucket,
  ipvsLayoutVersion,
  ipvsProcessV4,
  ipvsProcessV6,
  ipvsRechain,
  ipvsReindex,
  ipvsRemove,
  ipvsServerAdded,
  ipvsServerEdited,
  ipvsServerRemoved,
  ipvsSweepCache,
  ipvsUnbind,
} from "./ipvs/exports.ts";
import { crc32cChange } from "./shared/crc32c.ts";
import { hashEnd, hashWord, nextSlot } from "./shared/hash.ts";
import { LAYOUT_VERSION } from "./shared/layout.ts";
import { nextRandom, seedRandom } from "./shared/random.ts";
import { moveSightings, sightingsTable } from "./sightings.ts";
import { engine, stateAddress } from "./state.ts";

/** For tests: the shared leaves as this compiler made them. For whoever hosts IPVS (ipvs/exports.ts): by the address of a namespace. */
export {
  crc32cChange,
  framesAddress,
  hashEnd,
  hashWord,
  ipvsAdvance,
  ipvsBind,
  ipvsForesee,
  ipvsHomeBucket,
  ipvsLayoutVersion,
  ipvsProcessV4,
  ipvsProcessV6,
  ipvsRechain,
  ipvsReindex,
  ipvsRemove,
  ipvsServerAdded,
  ipvsServerEdited,
  ipvsServerRemoved,
  ipvsSweepCache,
  ipvsUnbind,
  nextRandom,
  nextSlot,
  seedHash,
  seedRandom,
  stateAddress,
};

export function layoutVersion(): u32 {
  return LAYOUT_VERSION;
}

/** The first address that the core leaves to TypeScript. */
export function heapBase(): usize {
  return __heap_base;
}

export function tableV4(): usize {
  return changetype<usize>(tableOf<V4>());
}

export function tableV6(): usize {
  return changetype<usize>(tableOf<V6>());
}

/** For self-checks: the tag of a tuple, and the bucket that a tag belongs to. */
export function tagV4(tuple: usize, ofClass: u32): u32 {
  return tagOf<V4>(tuple, ofClass);
}

export function tagV6(tuple: usize, ofClass: u32): u32 {
  return tagOf<V6>(tuple, ofClass);
}

export function bucketV4(tag: u32): usize {
  return bucketOf(tableOf<V4>(), tag);
}

export function bucketV6(tag: u32): usize {
  return bucketOf(tableOf<V6>(), tag);
}

/**
 * The entry, expired or not, that holds a tuple in either direction; the lowest bit: it is its reply tuple. 0: none. Nothing moves.
 */
export function findV4(tuple: usize, ofClass: u32): usize {
  return find<V4>(tuple, ofClass);
}

export function findV6(tuple: usize, ofClass: u32): usize {
  return find<V6>(tuple, ofClass);
}

/** The entry that a new connection would take the place of; ROOM_FREE: none that has not expired; 0: it would find no room. */
export function foreseeRoomV4(now: f64): usize {
  return foreseeRoom<V4>(now);
}

export function foreseeRoomV6(now: f64): usize {
  return foreseeRoom<V6>(now);
}

/** Connections of both families that have not expired. */
export function connections(now: f64): u32 {
  return countUnexpired<V4>(now) + countUnexpired<V6>(now);
}

export function removeV4(entry: usize): void {
  remove<V4>(entry);
}

export function removeV6(entry: usize): void {
  remove<V6>(entry);
}

export function sightingsV4(): usize {
  return sightingsTable<V4>();
}

export function sightingsV6(): usize {
  return sightingsTable<V6>();
}

export function moveSightingsV4(slots: usize, count: u32): void {
  moveSightings<V4>(slots, count);
}

export function moveSightingsV6(slots: usize, count: u32): void {
  moveSightings<V6>(slots, count);
}

/** Runs `count` packets in order at the time `now`. */
export function processV4(packets: usize, verdicts: usize, count: u32, now: f64): void {
  advance(now);
  processBatch<V4>(packets, verdicts, count);
}

export function processV6(packets: usize, verdicts: usize, count: u32, now: f64): void {
  advance(now);
  processBatch<V6>(packets, verdicts, count);
}

/** Runs `count` frames of a ring in order at the time `now`, from number `first` on. */
export function processFrames(ring: usize, first: u32, count: u32, now: f64): void {
  advance(now);
  processRing(ring, first, count);
}

/** The clock never goes back. */
function advance(now: f64): void {
  if (now > engine.now) engine.now = now;
}
