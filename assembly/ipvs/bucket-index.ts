// The index of IPVS connections: tags and references in buckets of one cache line; what finds its bucket full lies in one further on.
// Slots are never moved, so that of references under one tag the first to be met stays the first (connections.ts needs that).
import {
  IPVS_BUCKET_ENTRIES,
  IPVS_BUCKET_PASSED,
  IPVS_BUCKET_SCRATCH,
  IPVS_BUCKET_SIZE,
  IPVS_BUCKET_SLOTS,
  IPVS_BUCKET_TAGS,
} from "../shared/ipvs-layout.ts";
import { FamilyTables } from "./structs.ts";

/** The bucket where the search for a tag begins; bit 0 is set in every tag. */
export function bucketOf(tables: FamilyTables, tag: u32): usize {
  return <usize>tables.buckets + <usize>((tag >>> 1) & tables.bucketMask) * IPVS_BUCKET_SIZE;
}

/** Fetches the bucket where the search for a tag begins, ahead of its use. A store retires without waiting for its line. @inline */
export function fetchBucket(tables: FamilyTables, tag: u32): void {
  if (tables.buckets != 0) store<u8>(bucketOf(tables, tag), 0, IPVS_BUCKET_SCRATCH);
}

export function nextBucket(tables: FamilyTables, bucket: usize): usize {
  const number = <u32>((bucket - tables.buckets) / IPVS_BUCKET_SIZE);
  return <usize>tables.buckets + <usize>((number + 1) & tables.bucketMask) * IPVS_BUCKET_SIZE;
}

/** Bit i for each slot i of a bucket that has the tag. */
export function slotsWith(bucket: usize, tag: u32): u32 {
  const wanted = i32x4.splat(tag);
  const front = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, IPVS_BUCKET_TAGS), wanted));
  const back = <u32>i32x4.bitmask(i32x4.eq(v128.load(bucket, IPVS_BUCKET_TAGS + 16), wanted));
  return (front | (back << 4)) & ((1 << IPVS_BUCKET_SLOTS) - 1);
}

/** Puts a reference into the first empty slot of a bucket that has no other one under its tag. False: it has one, or no empty slot. */
export function putFirst(bucket: usize, tag: u32, reference: u32): bool {
  const empty = slotsWith(bucket, 0);
  if (empty == 0 || slotsWith(bucket, tag) != 0) return false;
  const at = bucket + ((<usize>ctz<u32>(empty)) << 2);
  store<u32>(at, tag, IPVS_BUCKET_TAGS);
  store<u32>(at, reference, IPVS_BUCKET_ENTRIES);
  return true;
}

/** Takes a reference out that stands in the index under that tag. */
export function removeReference(tables: FamilyTables, tag: u32, reference: u32): void {
  let bucket = bucketOf(tables, tag);
  while (true) {
    for (let at = bucket; at < bucket + (IPVS_BUCKET_SLOTS << 2); at += 4) {
      if (load<u32>(at, IPVS_BUCKET_TAGS) != tag || load<u32>(at, IPVS_BUCKET_ENTRIES) != reference) continue;
      store<u32>(at, 0, IPVS_BUCKET_TAGS);
      return;
    }
    store<u32>(bucket, load<u32>(bucket, IPVS_BUCKET_PASSED) - 1, IPVS_BUCKET_PASSED);
    bucket = nextBucket(tables, bucket);
  }
}
