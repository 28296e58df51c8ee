// Frames in groups of 64, in stages: parse all into packet records, run those as batches, rewrite what passes. A group ends with an
// ICMP error, and a batch where the family changes, so that everything happens in the order of the frames.

import { V4, V6 } from "./address.ts";
import { processBatch } from "./batch.ts";
import { findRelated, isRefusedError, translateError } from "./frames-icmp.ts";
import { PARSED_SIZE, Parsed, parseFrame, parsePlain } from "./frames-parse.ts";
import { rewrite } from "./frames-rewrite.ts";
import {
  FRAME_ACTION,
  FRAME_LENGTH,
  FRAME_PEER,
  FRAME_RULES,
  FRAME_SERVICE_PORT,
  FRAME_SIZE,
  FRAME_WIRE_LENGTH,
  FRAMES_COUNTERS,
  FRAMES_SIZE,
  FRAMES_TRAFFIC,
  FRAMES_TRAFFIC_LIMIT,
  KIND_FRAGMENT,
  KIND_PACKET,
  KIND_RELATED,
  PEER_NONE,
  RING_COUNT,
  RING_FLAG_PASS_FRAGMENTS,
  RING_FLAG_RAW_IP,
  RING_FLAGS,
  RING_RECORDS,
  RING_SLOTS,
  RING_STRIDE,
  RING_TRANSMIT,
  SLOT_FRAME,
  TRAFFIC_BYTES,
  TRAFFIC_PACKETS,
  TRAFFIC_REPLY_PACKETS,
  TRAFFIC_SIZE,
} from "./shared/frame-layout.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_DROP,
  CONNECTION_REPLY,
  PACKET_SIZE_V4,
  PACKET_SIZE_V6,
  VERDICT_ACTION,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SIZE_V4,
  VERDICT_SIZE_V6,
  VERDICT_SOURCE,
} from "./shared/layout.ts";

const GROUP: u32 = 64;

// What a group is parsed into: packets of a family lie one after the other, whatever lies between their frames.
const PARSED: usize = memory.data(1536, 64); // GROUP * PARSED_SIZE
const PACKETS_V4: usize = memory.data(1536, 64);
const PACKETS_V6: usize = memory.data(3072, 64);
const VERDICTS_V4: usize = memory.data(1536, 64);
const VERDICTS_V6: usize = memory.data(3072, 64);
if (GROUP * <u32>PARSED_SIZE != 1536 || GROUP * PACKET_SIZE_V4 != 1536 || GROUP * VERDICT_SIZE_V4 != 1536) ERROR("a group has no room");
if (GROUP * PACKET_SIZE_V6 != 3072 || GROUP * VERDICT_SIZE_V6 != 3072) ERROR("a group of IPv6 packets has no room");

const FRAMES: usize = memory.data(FRAMES_SIZE, 16);

export function framesAddress(): usize {
  return FRAMES;
}

/** Kinds that are no packet of a connection: what passes, and what is dropped. */
const LAST_PASSING: u32 = KIND_FRAGMENT - 1;

let parsedV4: u32 = 0;
let parsedV6: u32 = 0;

/** Runs `count` frames of a ring in order, from number `first` on. */
export function processFrames(ring: usize, first: u32, count: u32): void {
  let number = first;
  let left = count;
  while (left > 0) {
    const group = parseGroup(ring, number, min<u32>(left, GROUP));
    runPackets(group);
    finishGroup(ring, number, group);
    number += group;
    left -= group;
  }
}

function recordOf(ring: usize, number: u32): usize {
  return <usize>load<u32>(ring, RING_RECORDS) + <usize>(number * FRAME_SIZE);
}

function slotOf(ring: usize, number: u32): usize {
  return <usize>load<u32>(ring, RING_SLOTS) + <usize>(number * load<u32>(ring, RING_STRIDE));
}

function parsedAt(index: u32): Parsed {
  return changetype<Parsed>(PARSED + <usize>index * PARSED_SIZE);
}

/** Parses at most `limit` frames, up to and including the first ICMP error; how many. */
function parseGroup(ring: usize, first: u32, limit: u32): u32 {
  const isRawIp = (load<u32>(ring, RING_FLAGS) & RING_FLAG_RAW_IP) != 0;
  const stride: usize = load<u32>(ring, RING_STRIDE);
  const room = <u32>stride - SLOT_FRAME; // what a record says beyond its slot is not believed
  let record = recordOf(ring, first);
  let frame = slotOf(ring, first) + SLOT_FRAME;
  let packetV4 = PACKETS_V4;
  let packetV6 = PACKETS_V6;
  let group = limit;
  for (let index: u32 = 0; index < limit; index++) {
    const parsed = parsedAt(index);
    const length = min<u32>(load<u32>(record, FRAME_LENGTH), room);
    const wireLength = max<u32>(length, load<u32>(record, FRAME_WIRE_LENGTH));
    if (!isRawIp && parsePlain(frame, length, wireLength, record, parsed, packetV4)) {
      packetV4 += PACKET_SIZE_V4;
    } else {
      const kind = parseFrame(frame, length, wireLength, isRawIp, record, parsed, packetV4, packetV6);
      parsed.kind = <u8>kind;
      if (kind == KIND_PACKET) {
        if (parsed.isV6 == 0) packetV4 += PACKET_SIZE_V4;
        else packetV6 += PACKET_SIZE_V6;
      } else if (kind == KIND_RELATED) {
        group = index + 1;
        break;
      }
    }
    record += FRAME_SIZE;
    frame += stride;
  }
  parsedV4 = <u32>(packetV4 - PACKETS_V4) / PACKET_SIZE_V4;
  parsedV6 = <u32>(packetV6 - PACKETS_V6) / PACKET_SIZE_V6;
  return group;
}

/** Batches of one family each, as the frames come. */
function runPackets(group: u32): void {
  if (parsedV4 == 0 || parsedV6 == 0) {
    runV4(0, parsedV4);
    runV6(0, parsedV6);
    return;
  }
  let doneV4: u32 = 0;
  let doneV6: u32 = 0;
  let readyV4: u32 = 0;
  let readyV6: u32 = 0;
  for (let index: u32 = 0; index < group; index++) {
    const parsed = parsedAt(index);
    if (parsed.kind != KIND_PACKET) continue;
    if (parsed.isV6 == 0) {
      doneV6 += runV6(doneV6, readyV6);
      readyV6 = 0;
      readyV4++;
    } else {
      doneV4 += runV4(doneV4, readyV4);
      readyV4 = 0;
      readyV6++;
    }
  }
  runV4(doneV4, readyV4);
  runV6(doneV6, readyV6);
}

function runV4(from: u32, count: u32): u32 {
  if (count != 0) processBatch<V4>(PACKETS_V4 + <usize>(from * PACKET_SIZE_V4), VERDICTS_V4 + <usize>(from * VERDICT_SIZE_V4), count);
  return count;
}

function runV6(from: u32, count: u32): u32 {
  if (count != 0) processBatch<V6>(PACKETS_V6 + <usize>(from * PACKET_SIZE_V6), VERDICTS_V6 + <usize>(from * VERDICT_SIZE_V6), count);
  return count;
}

function finishGroup(ring: usize, first: u32, group: u32): void {
  countKind(KIND_PACKET, parsedV4 + parsedV6);
  let verdictV4 = VERDICTS_V4;
  let verdictV6 = VERDICTS_V6;
  for (let index: u32 = 0; index < group; index++) {
    const parsed = parsedAt(index);
    if (parsed.kind != KIND_PACKET) {
      finishOther(ring, first + index, parsed);
    } else if (parsed.isV6 == 0) {
      finishPacket<V4>(ring, first + index, parsed, verdictV4);
      verdictV4 += VERDICT_SIZE_V4;
    } else {
      finishPacket<V6>(ring, first + index, parsed, verdictV6);
      verdictV6 += VERDICT_SIZE_V6;
    }
  }
}

/** The answer is a verdict's front: action, ServicePort, rules. @inline */
function finishPacket<A>(ring: usize, number: u32, parsed: Parsed, verdict: usize): void {
  const outcome = load<u32>(verdict, VERDICT_ACTION) | (KIND_PACKET << 24);
  const servicePort = load<u32>(verdict, VERDICT_SERVICE_PORT);
  const answer = v128.replace_lane<u32>(v128.shuffle<u32>(v128.load(verdict), v128.load(verdict), 0, 1, 2, 2), 0, outcome);
  const to = leave(ring, number, answer, parsed.captured, (outcome & 0xff) - ACTION_ACCEPT <= ACTION_DNAT - ACTION_ACCEPT);
  if (to == 0) return;
  const network = parsed.network;
  rewrite<A>(
    slotOf(ring, number) + SLOT_FRAME + network,
    to + network,
    parsed.transport - network,
    parsed.class,
    parsed.transportBytes,
    verdict + VERDICT_SOURCE,
    load<u32>(verdict, VERDICT_PORTS),
  );
  countTraffic(servicePort, ((outcome >> 8) & 0xff) == CONNECTION_REPLY, parsed.packetBytes);
}

/** A frame that is no packet of a connection. An ICMP error is the last one of its group: all packets before it are done. */
function finishOther(ring: usize, number: u32, parsed: Parsed): void {
  let kind: u32 = parsed.kind;
  if (kind == KIND_RELATED) {
    const frame = slotOf(ring, number) + SLOT_FRAME;
    kind = parsed.isV6 == 0 ? findRelated<V4>(frame, parsed) : findRelated<V6>(frame, parsed);
  }
  const isRefused = kind == KIND_RELATED && isRefusedError(slotOf(ring, number) + SLOT_FRAME, parsed);
  const mayPass = kind == KIND_FRAGMENT && (load<u32>(ring, RING_FLAGS) & RING_FLAG_PASS_FRAGMENTS) != 0;
  const passes = !isRefused && (kind <= LAST_PASSING || mayPass);
  countKind(kind, 1);
  const answer = i32x4.replace_lane(i32x4.splat(0), 0, (passes ? ACTION_ACCEPT : ACTION_DROP) | (kind << 24));
  const to = leave(ring, number, answer, parsed.captured, passes);
  if (to == 0 || kind != KIND_RELATED) return;
  if (parsed.isV6 == 0) translateError<V4>(to, parsed);
  else translateError<V6>(to, parsed);
}

/**
 * Writes what the engine says of a frame into its record, `answer` but for the peer. Where the frame is to be rewritten if it passes: in
 * place, or in the next slot of the transmit ring, copied there. 0: it does not.
 */
function leave(ring: usize, number: u32, answer: v128, length: u32, passes: bool): usize {
  const record = recordOf(ring, number);
  const transmit: usize = load<u32>(ring, RING_TRANSMIT);
  const from = slotOf(ring, number);
  if (!passes || transmit == 0) {
    v128.store(record, i32x4.replace_lane(answer, 2, PEER_NONE), FRAME_ACTION);
    return passes ? from + SLOT_FRAME : 0;
  }
  const place = load<u32>(transmit, RING_COUNT);
  store<u32>(transmit, place + 1, RING_COUNT);
  const to = slotOf(transmit, place);
  copySlot(to, from, length + SLOT_FRAME);
  v128.store(record, i32x4.replace_lane(answer, 2, place), FRAME_ACTION);
  const left = recordOf(transmit, place);
  v128.store(left, v128.load(record));
  v128.store(left, i32x4.replace_lane(answer, 2, number), FRAME_ACTION);
  return to + SLOT_FRAME;
}
if (FRAME_ACTION != 16 || FRAME_SERVICE_PORT != 20 || FRAME_PEER != 24 || FRAME_RULES != 28)
  ERROR("an answer is not the second half of a record");
if (VERDICT_ACTION != 0 || VERDICT_SERVICE_PORT != 4 || VERDICT_RULES != 8) ERROR("a verdict does not begin like an answer");

/** Slots are whole cache lines, so whole vectors may be copied. */
function copySlot(to: usize, from: usize, bytes: u32): void {
  for (let at: usize = 0; at < <usize>bytes; at += 16) v128.store(to + at, v128.load(from + at));
}

function countKind(kind: u32, more: u32): void {
  const at = FRAMES + FRAMES_COUNTERS + (kind << 3);
  store<u64>(at, load<u64>(at) + more);
}

/** @inline */
function countTraffic(servicePort: u32, isReply: bool, bytes: u32): void {
  if (servicePort >= load<u32>(FRAMES, FRAMES_TRAFFIC_LIMIT)) return;
  const at =
    <usize>load<u32>(FRAMES, FRAMES_TRAFFIC) + <usize>(servicePort * TRAFFIC_SIZE) + (isReply ? TRAFFIC_REPLY_PACKETS : TRAFFIC_PACKETS);
  store<u64>(at, load<u64>(at) + 1);
  store<u64>(at, load<u64>(at, TRAFFIC_BYTES) + <u64>bytes, TRAFFIC_BYTES);
}
