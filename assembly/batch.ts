// A batch in stages of 64 packets: hash all and fetch their buckets, find the candidates and fetch their entries, then finish each
// packet in order. Memory latency overlaps within a stage; what the fast path cannot prove goes packet by packet (packet.ts).

import { copyAddress } from "./address.ts";
import { bucketOf, entryAt, entrySize, equalTuple, hashTuple, referenceIn, tableOf } from "./conntrack.ts";
import { rootOf } from "./matches.ts";
import { processPacket } from "./packet.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  BUCKET_REPLY,
  BUCKET_SCRATCH,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  CONNECTION_ESTABLISHED,
  COUNTER_ACCEPT,
  COUNTER_DNAT,
  COUNTER_ESTABLISHED,
  COUNTER_PACKETS,
  COUNTER_REPLY,
  CT_FLAG_ASSURED,
  CT_FLAG_DNAT,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAGS,
  CT_ORIGINAL,
  CT_PACKETS_ORIGINAL,
  CT_PATH_MASK,
  CT_PATH_ORIGINAL_SHIFT,
  CT_PATH_REPLY_SHIFT,
  CT_SCRATCH,
  CT_SCRATCH_V6,
  CT_STATE,
  ESTABLISHED_RUN,
  PACKET_CLASS,
  PACKET_SIZE_V4,
  PACKET_SIZE_V6,
  PACKET_TCP_FLAGS,
  ROOT_ESTABLISHED,
  TCP_ACK,
  TCP_STATE_ESTABLISHED,
  TCP_STATE_NONE,
  TIMEOUT_SCTP_ESTABLISHED,
  TIMEOUT_UDP_STREAM,
  VERDICT_ACTION,
  VERDICT_CONNECTION,
  VERDICT_FLAGS,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SIZE_V4,
  VERDICT_SIZE_V6,
  VERDICT_SOURCE,
} from "./shared/layout.ts";
import { addCount, engine, timeoutOf } from "./state.ts";
import { CtEntry } from "./structs.ts";
import { TCP_KIND_FLAGS } from "./tcp.ts";

const GROUP: u32 = 64;
/** Hashes of a group, then the references that stage two found; NOT_FOUND: none in the first bucket. */
const HASHES: usize = memory.data(512, 64);
const REFERENCES: usize = memory.data(256, 64);
const NOT_FOUND: u32 = 0xffffffff;

/** Both directions seen and assured, the last packet no RST: one more packet moves only the timer. */
const SETTLED: u32 = CT_FLAG_SEEN_REPLY | CT_FLAG_ASSURED;
const SETTLED_MASK: u32 = CT_FLAG_SEEN_REPLY | CT_FLAG_ASSURED | CT_FLAG_LAST_RST;

/** What passSettled answers, added up over a group: 16 bits each for established packets, replies, and translated ones. */
const COUNT_ESTABLISHED: u64 = 1;
const COUNT_REPLY: u64 = 1 << 16;
const COUNT_DNAT: u64 = 1 << 32;

/** The first word of a settled connection's entry, under HEAD_MASK: class, state, and flags that say so. */
const HEAD_MASK: u32 = 0xffff | (SETTLED_MASK << (CT_FLAGS << 3));
const HEAD_SETTLED: u32 = SETTLED << (CT_FLAGS << 3);

/** By class: that word, and when a settled connection expires after a packet of this batch (f64). */
const HEADS: usize = memory.data(16, 16);
const UNTIL: usize = memory.data(32, 16);

function settle(ofClass: u32, state: u32, timeout: u32): void {
  store<u32>(HEADS + ((<usize>ofClass) << 2), ofClass | (state << (CT_STATE << 3)) | HEAD_SETTLED);
  store<f64>(UNTIL + ((<usize>ofClass) << 3), engine.now + timeoutOf(timeout));
}

function packetSize<A>(): usize {
  return offsetof<A>() == 4 ? PACKET_SIZE_V4 : PACKET_SIZE_V6;
}

function verdictSize<A>(): usize {
  return offsetof<A>() == 4 ? VERDICT_SIZE_V4 : VERDICT_SIZE_V6;
}

/** Runs `count` packets in order. */
export function processBatch<A>(packets: usize, verdicts: usize, count: u32): void {
  settle(CLASS_TCP, TCP_STATE_ESTABLISHED, TCP_STATE_ESTABLISHED);
  settle(CLASS_UDP, TCP_STATE_NONE, TIMEOUT_UDP_STREAM);
  settle(CLASS_SCTP, TCP_STATE_ESTABLISHED, TIMEOUT_SCTP_ESTABLISHED);
  let left = count;
  while (left > 0) {
    const group = min<u32>(left, GROUP);
    fetchBuckets<A>(packets, group);
    fetchEntries<A>(group);
    addCounts(finish<A>(packets, verdicts, group));
    packets += <usize>group * packetSize<A>();
    verdicts += <usize>group * verdictSize<A>();
    left -= group;
  }
}

function addCounts(counts: u64): void {
  const established = <u32>(counts & 0xffff);
  const replies = <u32>((counts >> 16) & 0xffff);
  const dnat = <u32>(counts >> 32);
  addCount(COUNTER_PACKETS, established + replies);
  addCount(COUNTER_ESTABLISHED, established);
  addCount(COUNTER_REPLY, replies);
  addCount(COUNTER_DNAT, dnat);
  addCount(COUNTER_ACCEPT, established + replies - dnat);
}

/** Stores act as a prefetch: they retire without waiting for their line. */
function fetchBuckets<A>(packets: usize, group: u32): void {
  const table = tableOf<A>();
  let packet = packets;
  for (let i: u32 = 0; i < group; i++) {
    const hash = hashTuple<A>(packet, load<u32>(packet + 2 * offsetof<A>(), PACKET_CLASS));
    store<u64>(HASHES + ((<usize>i) << 3), hash);
    store<u8>(bucketOf(table, hash) + BUCKET_SCRATCH, 0);
    packet += packetSize<A>();
  }
}

function fetchEntries<A>(group: u32): void {
  const table = tableOf<A>();
  for (let i: u32 = 0; i < group; i++) {
    const hash = load<u64>(HASHES + ((<usize>i) << 3));
    const reference = referenceIn(bucketOf(table, hash), hash, NOT_FOUND);
    store<u32>(REFERENCES + ((<usize>i) << 2), reference);
    if (reference == NOT_FOUND) continue;
    const entry = entryAt<A>(table, reference & ~BUCKET_REPLY);
    store<u8>(entry + CT_SCRATCH, 0);
    if (offsetof<A>() == 16) store<u8>(entry + CT_SCRATCH_V6, 0);
  }
}

/** An earlier packet of the group may have removed or replaced a candidate: the entry itself is asked again. */
function finish<A>(packets: usize, verdicts: usize, group: u32): u64 {
  const entries: usize = tableOf<A>().entries;
  const established = rootOf<A>(engine) + ROOT_ESTABLISHED;
  const now = engine.now;
  let counts: u64 = 0;
  let packet = packets;
  let verdict = verdicts;
  for (let i: u32 = 0; i < group; i++) {
    const reference = load<u32>(REFERENCES + ((<usize>i) << 2));
    let counted: u64 = 0;
    if (reference != NOT_FOUND) counted = passSettled<A>(packet, verdict, entries, reference, established, now);
    if (counted == 0) processPacket<A>(packet, verdict, load<u64>(HASHES + ((<usize>i) << 3)));
    counts += counted;
    packet += packetSize<A>();
    verdict += verdictSize<A>();
  }
  return counts;
}

/** One more packet of a settled connection on a path of constant rules. 0: the packet needs the whole way, and nothing was changed. */
function passSettled<A>(packet: usize, verdict: usize, entries: usize, reference: u32, established: usize, now: f64): u64 {
  const entry = entries + <usize>(reference & ~BUCKET_REPLY) * entrySize<A>();
  const record = changetype<CtEntry>(entry);
  const rest = packet + 2 * offsetof<A>();
  const ofClass = load<u32>(rest, PACKET_CLASS);
  const head = load<u32>(entry);
  if (ofClass - CLASS_TCP > CLASS_SCTP - CLASS_TCP || (head & HEAD_MASK) != load<u32>(HEADS + ((<usize>ofClass) << 2))) return 0;
  const isReply = reference >> 31;
  const replyAt: usize = 2 * offsetof<A>() + 4;
  const own = entry + CT_ORIGINAL + <usize>isReply * replyAt;
  if (!equalTuple<A>(own, packet) || record.expiresAt <= now) return 0;
  if (ofClass == CLASS_TCP && (load<u8>(rest, PACKET_TCP_FLAGS) & TCP_KIND_FLAGS) != TCP_ACK) return 0;
  const flags = head >> (CT_FLAGS << 3);
  const path = (flags >> (isReply != 0 ? CT_PATH_REPLY_SHIFT : CT_PATH_ORIGINAL_SHIFT)) & CT_PATH_MASK;
  const rules = load<u32>(established + (path << 2));
  if (rules == ESTABLISHED_RUN) return 0;
  record.expiresAt = load<f64>(UNTIL + ((<usize>ofClass) << 3));
  const packetsAt = entry + CT_PACKETS_ORIGINAL + ((<usize>isReply) << 2);
  store<u32>(packetsAt, load<u32>(packetsAt) + 1);
  const isDnat = (flags / CT_FLAG_DNAT) & ~isReply & 1;
  const isMasquerade = (flags / CT_FLAG_MASQUERADE) & 1;
  const outcome =
    (ACTION_ACCEPT + isDnat * (ACTION_DNAT - ACTION_ACCEPT)) | ((CONNECTION_ESTABLISHED + isReply) << (VERDICT_CONNECTION << 3));
  store<u32>(verdict, outcome | (isMasquerade << (VERDICT_FLAGS << 3)), VERDICT_ACTION);
  store<u32>(verdict, record.servicePort, VERDICT_SERVICE_PORT);
  store<u32>(verdict, rules, VERDICT_RULES);
  const other = entry + CT_ORIGINAL + <usize>(1 - isReply) * replyAt;
  store<u32>(verdict, rotl<u32>(load<u32>(other + 2 * offsetof<A>()), 16), VERDICT_PORTS);
  copyAddress<A>(verdict + VERDICT_SOURCE, other + offsetof<A>());
  copyAddress<A>(verdict + VERDICT_SOURCE + offsetof<A>(), other);
  return (isReply != 0 ? COUNT_REPLY : COUNT_ESTABLISHED) + (isDnat != 0 ? COUNT_DNAT : 0);
}
