// A batch in stages of 64 packets: hash all and fetch their buckets, find the candidates and fetch their entries, and what IPVS has of
// them, then finish each packet in order. Memory latency overlaps within a stage; what the fast path cannot prove goes packet by packet (packet.ts).
// Whoever has packet records and room for verdict records, wherever they came from, enters through processBatch.

import { bucketAfter, bucketIn, highMaskOf, referenceAt, slotsWithTagAt } from "./connection-index.ts";
import { entryOf, seedOfHash, tableOf, tagOfRecord } from "./conntrack.ts";
import { fetchConnection, fetchUnknown, fireDueTimers, keepFollowed } from "./ipvs-hook.ts";
import { processPacket } from "./packet.ts";
import { countSettled, differenceOf, FOLLOWED, mayPass, prepareSettled, settle } from "./settled.ts";
import { BUCKET_REPLY, BUCKET_SCRATCH, CT_SCRATCH, CT_SCRATCH_V6, CT_SIZE_V6 } from "./shared/conntrack-layout.ts";
import { PACKET_SIZE_V4, PACKET_SIZE_V6, VERDICT_SIZE_V4, VERDICT_SIZE_V6 } from "./shared/layout.ts";
import { engine } from "./state.ts";

const GROUP: u32 = 64;
/** For each packet of a group:   | tag of its tuple | where to look: its bucket, then the entry found there, or NO_ENTRY; bit 0: by its reply tuple |. */
const CANDIDATES: usize = memory.data(512, 64);
const CANDIDATE_SIZE: usize = 8;
const CANDIDATE_TAG: usize = 0;
const CANDIDATE_PLACE: usize = 4;
/** Stays empty: expired ever since. */
const NO_ENTRY: usize = memory.data(128, 64);
if (CT_SIZE_V6 > 128) ERROR("NO_ENTRY is too small");

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
  const highMask = highMaskOf(lowMask);
  const live = table.live;
  const seed = seedOfHash();
  let packet = packets;
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    const tag = tagOfRecord<A>(packet, seed);
    const bucket = bucketIn(index, lowMask, highMask, live, tag);
    store<u32>(candidate, tag, CANDIDATE_TAG);
    store<u32>(candidate, <u32>bucket, CANDIDATE_PLACE);
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
    let place = NO_ENTRY;
    do {
      const slots = slotsWithTagAt(bucket, candidate + CANDIDATE_TAG);
      if (slots != 0) {
        const reference = referenceAt(bucket, ctz<u32>(slots));
        const entry = entryOf<A>(entries, reference);
        store<u8>(entry + CT_SCRATCH, 0);
        if (offsetof<A>() == 16) store<u8>(entry + CT_SCRATCH_V6, 0);
        place = entry + (reference >> 31);
        break;
      }
      bucket = bucketAfter(bucket);
    } while (bucket != 0);
    store<u32>(candidate, <u32>place, CANDIDATE_PLACE);
  }
}
if (BUCKET_REPLY != 1 << 31) ERROR("the direction of a reference is not its bit 31");

/** What IPVS has of the candidates' connections, or where it will look for them. */
function fetchFollowed<A>(group: u32): void {
  const end = CANDIDATES + ((<usize>group) << 3);
  for (let candidate = CANDIDATES; candidate < end; candidate += CANDIDATE_SIZE) {
    const place: usize = load<u32>(candidate, CANDIDATE_PLACE);
    if (place != NO_ENTRY) fetchConnection<A>(place & ~1);
    else fetchUnknown<A>(load<u32>(candidate, CANDIDATE_TAG));
  }
}

/** Runs of settled packets, and between them each other one on its own. @inline */
function finish<A>(packets: usize, verdicts: usize, group: u32): void {
  const end = CANDIDATES + ((<usize>group) << 3);
  let candidate = settleRun<A>(packets, verdicts, CANDIDATES, end);
  while (candidate < end) {
    const place: usize = load<u32>(candidate, CANDIDATE_PLACE);
    const at = ((candidate - CANDIDATES) >> 3) * recordSize<A>();
    if (difference == FOLLOWED && keepFollowed<A>(place & ~1, (place & 1) != 0)) {
      settle<A>(verdicts + at, place & ~1, <u32>place & 1);
    } else {
      processPacket<A>(packets + at, verdicts + at, load<u32>(candidate, CANDIDATE_TAG));
      fireDueTimers();
    }
    candidate = settleRun<A>(packets, verdicts, candidate + CANDIDATE_SIZE, end);
  }
}

/** What the packet that ended a run differed in. */
let difference: u64 = 0;

/**
 * Settled packets from a candidate on: the first one that is not, or `end`. An earlier packet of the group may have removed or replaced
 * a candidate: the entry itself is asked again. No calls: they cost registers.
 */
function settleRun<A>(packets: usize, verdicts: usize, from: usize, end: usize): usize {
  const at = ((from - CANDIDATES) >> 3) * recordSize<A>();
  let packet = packets + at;
  let verdict = verdicts + at;
  let candidate = from;
  difference = 0;
  while (candidate < end) {
    const place: usize = load<u32>(candidate, CANDIDATE_PLACE);
    const isReply = <u32>place & 1;
    const entry = place - isReply;
    if (!mayPass<A>(packet, entry, isReply)) break;
    const differs = differenceOf<A>(packet, entry);
    if (differs != 0) {
      difference = differs;
      break;
    }
    settle<A>(verdict, entry, isReply);
    packet += recordSize<A>();
    verdict += recordSize<A>();
    candidate += CANDIDATE_SIZE;
  }
  return candidate;
}
