// The fast path: one more packet of a connection that is settled, both directions seen and assured, moves its timer and nothing else.

import { originalTuple, replyAfter, replyTuple } from "./conntrack.ts";
import { rootOf } from "./matches.ts";
import {
  CT_CLASS,
  CT_EXPIRES_AT,
  CT_FLAG_ASSURED,
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAGS,
  CT_PACKETS_ORIGINAL,
  CT_PATHS,
  CT_SERVICE_PORT,
  CT_STATE,
  SCTP_STATE_ESTABLISHED,
  TCP_STATE_ESTABLISHED,
  TCP_STATE_NONE,
} from "./shared/conntrack-layout.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  CHUNK_DATA,
  CHUNK_DUE,
  CHUNK_HEARTBEAT_ACK,
  CLASS_NONE,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  CONNECTION_ESTABLISHED,
  CONNECTION_REPLY,
  COUNTER_ACCEPT,
  COUNTER_DNAT,
  COUNTER_ESTABLISHED,
  COUNTER_PACKETS,
  COUNTER_REPLY,
  ESTABLISHED_RUN,
  PACKET_CLASS,
  PACKET_TCP_FLAGS,
  PATH_COUNT,
  ROOT_ESTABLISHED,
  TCP_ACK,
  TIMEOUT_SCTP,
  TIMEOUT_UDP_STREAM,
  VERDICT_ACTION,
  VERDICT_CONNECTION,
  VERDICT_FLAG_MASQUERADE,
  VERDICT_FLAGS,
  VERDICT_PORTS,
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SOURCE,
} from "./shared/layout.ts";
import { addCount, engine, timeoutOf } from "./state.ts";
import { TCP_KIND_FLAGS } from "./tcp.ts";

/** Flags of a settled connection: the last packet was no RST, so the next one has nothing to forget. */
const SETTLED: u32 = CT_FLAG_SEEN_REPLY | CT_FLAG_ASSURED;
const SETTLED_MASK: u32 = SETTLED | CT_FLAG_LAST_RST | CT_FLAG_IPVS;

/** The bits of a chunk that is neither DATA nor the one that is due (which then is DATA). TCP_ACK belongs to no chunk: with it, it is unknown, thus DATA. */
const OTHER_CHUNKS: u32 = 0xff & ~CHUNK_DATA & ~TCP_ACK;
if (CHUNK_DUE != 0 || CHUNK_DATA != 1 || CHUNK_HEARTBEAT_ACK >= TCP_ACK) ERROR("OTHER_CHUNKS does not tell chunks apart");

/** Of the first word of an entry: its class; and what counts there: class, state, and those flags. */
const HEAD_CLASS: u32 = 0xff;
const HEAD_MASK: u32 = 0xffff | (SETTLED_MASK << (CT_FLAGS << 3));
if (CT_CLASS != 0 || CT_STATE != 1) ERROR("class and state are not the low half of an entry's first word");

// By class, 32 bytes, what a packet of a settled connection of it is like, and what it does:
//   | class | TCP_ACK | all ones | TCP flags or bits of the chunk that count | first word of the entry | 0 | expires at (f64) |
const CLASSES: usize = memory.data(128, 16);
const CLASS_PACKET: usize = 0;
const CLASS_MASK: usize = 8;
const CLASS_HEAD: usize = 16;
const CLASS_EXPIRES_AT: usize = 24;
const CLASS_SHIFT: u32 = 5;
if (PACKET_TCP_FLAGS != PACKET_CLASS + 4) ERROR("the flags of a packet do not follow its class");

// By PATH_*, 16 bytes:   | rules evaluated | 0 | entries that expire later may pass: the bits of an f64, which compare like it |
const PATHS: usize = memory.data(80, 16);
const PATH_RULES: usize = 0;
const PATH_PASSES_AFTER: usize = 8;
const PATH_SHIFT: u32 = 4;
if (PATH_COUNT << PATH_SHIFT != 80) ERROR("PATHS has no place for each path");

// By masquerade (bit 0), DNAT (bit 1) and direction (bit 2), 8 bytes:   | first word of the verdict | packets with it |
const OUTCOMES: usize = memory.data(64, 16);
const OUTCOME_COUNT: u32 = 8;
const OUTCOME_PACKETS: usize = 4;
const OUTCOME_PLACE_SHIFT: u32 = 3;

const OUTCOME_SHIFT: u32 = 2;
const OUTCOME_REPLY: u32 = 4;
if (CT_FLAG_MASQUERADE >> OUTCOME_SHIFT != 1 || CT_FLAG_DNAT >> OUTCOME_SHIFT != 2) ERROR("the number of an outcome is not in its flags");

/** Before a batch: what clock and Program make of it. */
export function prepareSettled<A>(): void {
  setClass(CLASS_TCP, TCP_STATE_ESTABLISHED, TCP_KIND_FLAGS, TCP_STATE_ESTABLISHED);
  setClass(CLASS_UDP, TCP_STATE_NONE, 0, TIMEOUT_UDP_STREAM);
  setClass(CLASS_SCTP, SCTP_STATE_ESTABLISHED, OTHER_CHUNKS, TIMEOUT_SCTP + SCTP_STATE_ESTABLISHED);
  const established = rootOf<A>(engine) + ROOT_ESTABLISHED;
  for (let path: usize = 0; path < PATH_COUNT; path++) {
    const rules = load<u32>(established + (path << 2));
    store<u32>(pathAt(path), rules, PATH_RULES);
    store<i64>(pathAt(path), rules == ESTABLISHED_RUN ? i64.MAX_VALUE : reinterpret<i64>(engine.now), PATH_PASSES_AFTER);
  }
  if (load<u32>(OUTCOMES) != 0) return;
  for (let number: u32 = 0; number < OUTCOME_COUNT; number++) store<u32>(outcomeAt(number), outcomeWord(number));
  store<u32>(classAt(CLASS_NONE), 0xffffffff, CLASS_HEAD); // no entry is like one that is gone
}
if (CLASS_SCTP << CLASS_SHIFT >= 128) ERROR("CLASSES has no place for each class");

/** @inline */
function outcomeAt(number: u32): usize {
  return OUTCOMES + ((<usize>number) << OUTCOME_PLACE_SHIFT);
}

function setClass(ofClass: u32, state: u32, flags: u32, timeout: u32): void {
  const at = classAt(ofClass);
  store<u64>(at, <u64>ofClass | ((<u64>TCP_ACK) << 32), CLASS_PACKET);
  store<u64>(at, 0xffffffff | ((<u64>flags) << 32), CLASS_MASK);
  store<u32>(at, ofClass | (state << (CT_STATE << 3)) | (SETTLED << (CT_FLAGS << 3)), CLASS_HEAD);
  store<f64>(at, engine.now + timeoutOf(timeout), CLASS_EXPIRES_AT);
}

/** @inline */
function classAt(ofClass: u32): usize {
  return CLASSES + ((<usize>ofClass) << CLASS_SHIFT);
}

/** @inline */
function pathAt(path: usize): usize {
  return PATHS + (path << PATH_SHIFT);
}

function isReplied(outcome: u32): bool {
  return (outcome & OUTCOME_REPLY) != 0;
}

function isTranslated(outcome: u32): bool {
  return !isReplied(outcome) && (outcome & (CT_FLAG_DNAT >> OUTCOME_SHIFT)) != 0;
}

function outcomeWord(outcome: u32): u32 {
  const action = isTranslated(outcome) ? ACTION_DNAT : ACTION_ACCEPT;
  const connection = isReplied(outcome) ? CONNECTION_REPLY : CONNECTION_ESTABLISHED;
  const isMasquerade = (outcome & (CT_FLAG_MASQUERADE >> OUTCOME_SHIFT)) != 0;
  return action | (connection << (VERDICT_CONNECTION << 3)) | (isMasquerade ? VERDICT_FLAG_MASQUERADE << (VERDICT_FLAGS << 3) : 0);
}

/** After a batch: the packets that passed go into the counters. */
export function countSettled(): void {
  for (let outcome: u32 = 0; outcome < OUTCOME_COUNT; outcome++) {
    const passed = load<u32>(outcomeAt(outcome), OUTCOME_PACKETS);
    if (passed == 0) continue;
    store<u32>(outcomeAt(outcome), 0, OUTCOME_PACKETS);
    addCount(COUNTER_PACKETS, passed);
    addCount(isReplied(outcome) ? COUNTER_REPLY : COUNTER_ESTABLISHED, passed);
    addCount(isTranslated(outcome) ? COUNTER_DNAT : COUNTER_ACCEPT, passed);
  }
}

/** What differenceOf says of a packet that would pass if IPVS did not follow its connection. */
export const FOLLOWED: u64 = CT_FLAG_IPVS << (CT_FLAGS << 3);

/** Of the path that packets of that direction take. @inline */
function pathOf(entry: usize, isReply: u32): usize {
  return pathAt(load<u8>(entry + isReply, CT_PATHS));
}

/**
 * The entry has the packet's tuple in that direction (0 original, 1 reply), has not expired, and that direction takes a path of constant
 * rules. One test after the other: together they would need more registers than there are.
 * @inline
 */
export function mayPass<A>(packet: usize, entry: usize, isReply: u32): bool {
  const own = originalTuple(entry) + <usize>isReply * replyAfter<A>();
  if (offsetof<A>() == 4) {
    if (load<u64>(own) != load<u64>(packet)) return false;
  } else {
    const addresses = v128.or(v128.xor(v128.load(own), v128.load(packet)), v128.xor(v128.load(own, 16), v128.load(packet, 16)));
    if (v128.any_true(addresses)) return false;
  }
  if (load<u32>(own + 2 * offsetof<A>()) != load<u32>(packet + 2 * offsetof<A>())) return false;
  return load<i64>(entry, CT_EXPIRES_AT) > load<i64>(pathOf(entry, isReply), PATH_PASSES_AFTER);
}

/** What keeps such a packet from being one more of a settled connection: whatever differs leaves a bit, so that one test is enough. @inline */
export function differenceOf<A>(packet: usize, entry: usize): u64 {
  const head = load<u32>(entry);
  const class_ = classAt(head & HEAD_CLASS);
  const ofPacket = (load<u64>(packet + 2 * offsetof<A>(), PACKET_CLASS) ^ load<u64>(class_, CLASS_PACKET)) & load<u64>(class_, CLASS_MASK);
  return ofPacket | <u64>((head & HEAD_MASK) ^ load<u32>(class_, CLASS_HEAD));
}

/** One more packet of a settled connection moves timer and counts, and gets its verdict. @inline */
export function settle<A>(verdict: usize, entry: usize, isReply: u32): void {
  const packetsAt = entry + CT_PACKETS_ORIGINAL + ((<usize>isReply) << 2);
  store<u32>(packetsAt, load<u32>(packetsAt) + 1);
  const head = load<u32>(entry);
  store<i64>(entry, load<i64>(classAt(head & HEAD_CLASS), CLASS_EXPIRES_AT), CT_EXPIRES_AT);
  // The two flags stand side by side, as in the number of an outcome.
  const flags = (head >> ((CT_FLAGS << 3) + OUTCOME_SHIFT - OUTCOME_PLACE_SHIFT)) & ((OUTCOME_REPLY - 1) << OUTCOME_PLACE_SHIFT);
  const outcome = OUTCOMES + <usize>flags + <usize>((isReply * OUTCOME_REPLY) << OUTCOME_PLACE_SHIFT);
  store<u32>(outcome, load<u32>(outcome, OUTCOME_PACKETS) + 1, OUTCOME_PACKETS);
  store<u32>(verdict, load<u32>(outcome), VERDICT_ACTION);
  store<u32>(verdict, load<u32>(entry, CT_SERVICE_PORT), VERDICT_SERVICE_PORT);
  store<u32>(verdict, load<u32>(pathOf(entry, isReply), PATH_RULES), VERDICT_RULES);
  const other = replyTuple<A>(entry) - <usize>isReply * replyAfter<A>();
  store<u32>(verdict, rotl<u32>(load<u32>(other + 2 * offsetof<A>()), 16), VERDICT_PORTS);
  if (offsetof<A>() == 4) {
    store<u64>(verdict, rotl<u64>(load<u64>(other), 32), VERDICT_SOURCE); // source and destination change places
  } else {
    v128.store(verdict, v128.load(other, 16), VERDICT_SOURCE);
    v128.store(verdict, v128.load(other), VERDICT_SOURCE + 16);
  }
}
