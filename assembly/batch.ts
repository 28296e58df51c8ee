// A batch in stages of 64 packets: hash all and fetch their buckets, find the candidates and fetch their entries, and what IPVS has of
// them, then finish each packet in order. Memory latency overlaps within a stage; what the fast path cannot prove goes packet by packet (packet.ts).
// Whoever has packet records and room for verdict records, wherever they came from, enters through processBatch.

import { bucketAfter, bucketIn, referenceAt, slotsWithTagAt } from "./connection-index.ts";
import { entryOf, seedOfHash, tableOf, tagOf } from "./conntrack.ts";
import { fetchConnection, fetchUnknown, fireDueTimers } from "./ipvs-hook.ts";
import { processPacket } from "./packet.ts";
import { countSettled, passSettled, prepareSettled } from "./settled.ts";
import { BUCKET_REPLY, BUCKET_SCRATCH, CT_SCRATCH, CT_SCRATCH_V6 } from "./shared/conntrack-layout.ts";
import { PACKET_CLASS, PACKET_SIZE_V4, PACKET_SIZE_V6, VERDICT_SIZE_V4, VERDICT_SIZE_V6 } from "./shared/layout.ts";
import { engine } from "./state.ts";

const GROUP: u32 = 64;
/** For each packet of a group:   | tag of its tuple | where to look: its bucket, then the reference found there, or NOT_FOUND |. */
const CANDIDATES: usize = memory.data(512, 64);
const CANDIDATE_SIZE: usize = 8;
const CANDIDATE_TAG: usize = 0;
const CANDIDATE_PLACE: usize = 4;
/** No entry has this number: memory ends before. */
const NOT_FOUND: u32 = 0xffffffff;

/** Of a PACKET record, and of a VERDICT record. @inline */
function recordSize<A>(): usize {
  return offsetof<A>() == 4 ? PACKET_SIZE_V4 : PACKET_SIZE_V6;
}
if (PACKET_SIZE_V4 != VERDICT_SIZE_V4 || PACKET_SIZE_V6 != VERDICT_SIZE_V6) ERROR("packet and verdict records differ in size");

/**
 * Runs `count` packets in order: PACKET records at `packets`, a VERDICT record for each at `verdicts`. The caller has set the clock
 * (engine.now). One packet at a time is right as well, and slow: nothing overlaps.
 */
export function processBatch<A>(packets: usize, verdicts: usize, count: u32): void {
  prepareSettled<A>();
  let left = count;
  while (left > 0) {
    const group = min<u32>(left, GROUP);
    fetchBuckets<A>(packets, group);
    fetchEntries<A>(group);
    if (engine.ipvs != 0) fetchFollowed<A>(group);
    finish<A>(packets, verdicts, group);
    packets += <usize>group * recordSize<A>();
    verdicts += <usize>group * recordSize<A>();
    left -= group;
  }
  countSettled();
}

/** Stores act as a prefetch: they retire without waiting for their line. @inline */
function fetchBuckets<A>(packets: usize, group: u32): void {
  const table = tableOf<A>();
  const index: usize = table.index;
  const lowMask = table.lowMask;
  const live = table.live;
  const seed = seedOfHash();
  let packet = packets;
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    const tag = tagOf<A>(packet, load<u32>(packet + 2 * offsetof<A>(), PACKET_CLASS), seed);
    const bucket = bucketIn(index, lowMask, live, tag);
    store<u64>(candidate, <u64>tag | ((<u64>bucket) << (CANDIDATE_PLACE << 3)));
    store<u8>(bucket + BUCKET_SCRATCH, 0);
    packet += recordSize<A>();
  }
}

/** @inline */
function fetchEntries<A>(group: u32): void {
  const entries: usize = tableOf<A>().entries;
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    let bucket: usize = load<u32>(candidate, CANDIDATE_PLACE);
    let slots = slotsWithTagAt(bucket, candidate + CANDIDATE_TAG);
    while (slots == 0) {
      bucket = bucketAfter(bucket);
      if (bucket == 0) break;
      slots = slotsWithTagAt(bucket, candidate + CANDIDATE_TAG);
    }
    if (slots == 0) {
      store<u32>(candidate, NOT_FOUND, CANDIDATE_PLACE);
      continue;
    }
    const reference = referenceAt(bucket, ctz<u32>(slots));
    store<u32>(candidate, reference, CANDIDATE_PLACE);
    const entry = entryOf<A>(entries, reference);
    store<u8>(entry + CT_SCRATCH, 0);
    if (offsetof<A>() == 16) store<u8>(entry + CT_SCRATCH_V6, 0);
  }
}

/** What IPVS has of the candidates' connections, or where it will look for them. */
function fetchFollowed<A>(group: u32): void {
  const entries: usize = tableOf<A>().entries;
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    const reference = load<u32>(candidate, CANDIDATE_PLACE);
    if (reference != NOT_FOUND) fetchConnection<A>(entryOf<A>(entries, reference));
    else fetchUnknown<A>(load<u32>(candidate, CANDIDATE_TAG));
  }
}

/** An earlier packet of the group may have removed or replaced a candidate: the entry itself is asked again. @inline */
function finish<A>(packets: usize, verdicts: usize, group: u32): void {
  const entries: usize = tableOf<A>().entries;
  const now = reinterpret<i64>(engine.now);
  const toVerdict = verdicts - packets; // records of both kinds have the same size
  const hasIpvs = engine.ipvs != 0;
  let packet = packets;
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    const reference = load<u32>(candidate, CANDIDATE_PLACE);
    const verdict = packet + toVerdict;
    const entry = entryOf<A>(entries, reference);
    if (
      reference == NOT_FOUND ||
      !(
        passSettled<A>(packet, verdict, entry, reference >> 31, now, false) ||
        (hasIpvs && passSettled<A>(packet, verdict, entry, reference >> 31, now, true))
      )
    ) {
      processPacket<A>(packet, verdict, load<u32>(candidate, CANDIDATE_TAG));
      fireDueTimers();
    }
    packet += recordSize<A>();
  }
}
if (BUCKET_REPLY != 1 << 31) ERROR("the direction of a reference is not its bit 31");
