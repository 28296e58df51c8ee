// The fast path: one more packet of a connection that is settled, both directions seen and assured, moves its timer and nothing else.

import { originalTuple, replyAfter, replyTuple } from "./conntrack.ts";
import { keepFollowed } from "./ipvs-hook.ts";
import { rootOf } from "./matches.ts";
import {
  CT_EXPIRES_AT,
  CT_FLAG_ASSURED,
  CT_FLAG_DNAT,
  CT_FLAG_IPVS,
  CT_FLAG_LAST_RST,
  CT_FLAG_MASQUERADE,
  CT_FLAG_SEEN_REPLY,
  CT_FLAGS,
  CT_PACKETS_ORIGINAL,
  CT_PATH_MASK,
  CT_PATH_ORIGINAL_SHIFT,
  CT_PATH_REPLY_SHIFT,
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
  VERDICT_RULES,
  VERDICT_SERVICE_PORT,
  VERDICT_SOURCE,
} from "./shared/layout.ts";
import { addCount, engine, timeoutOf } from "./state.ts";
import { TCP_KIND_FLAGS } from "./tcp.ts";

/** Flags of a settled connection: the last packet was no RST, so the next one has nothing to forget; IPVS follows it or not. */
const SETTLED: u32 = CT_FLAG_SEEN_REPLY | CT_FLAG_ASSURED;
const SETTLED_MASK: u32 = SETTLED | CT_FLAG_LAST_RST | CT_FLAG_IPVS;

/** The bits of a chunk that is neither DATA nor the one that is due (which then is DATA). TCP_ACK belongs to no chunk: with it, it is unknown, thus DATA. */
const OTHER_CHUNKS: u32 = 0xff & ~CHUNK_DATA & ~TCP_ACK;
if (CHUNK_DUE != 0 || CHUNK_DATA != 1 || CHUNK_HEARTBEAT_ACK >= TCP_ACK) ERROR("OTHER_CHUNKS does not tell chunks apart");

/** The first word of a settled connection's entry, under HEAD_MASK: class, state, and those flags. */
const HEAD_MASK: u32 = 0xffff | (SETTLED_MASK << (CT_FLAGS << 3));

// By class, 16 bytes:   | first word of the entry | TCP flags or bits of the chunk that count | expires at (f64) |
const CLASSES: usize = memory.data(64, 16);
const CLASS_HEAD: usize = 0;
const CLASS_FLAGS: usize = 4;
const CLASS_EXPIRES_AT: usize = 8;
const CLASSES_MASK: u32 = 3;

// By masquerade (bit 0), DNAT (bit 1) and direction (bit 2), 8 bytes:   | first word of the verdict | packets with it |
const OUTCOMES: usize = memory.data(64, 16);
const OUTCOME_COUNT: u32 = 8;
const OUTCOME_PACKETS: usize = 4;

/** Of the Program in force, by PATH_*: rules evaluated, or ESTABLISHED_RUN. */
const PATH_RULES: usize = memory.data(PATH_COUNT * 4, 16);

const OUTCOME_SHIFT: u32 = 2;
const OUTCOME_REPLY: u32 = 4;
if (CT_FLAG_MASQUERADE >> OUTCOME_SHIFT != 1 || CT_FLAG_DNAT >> OUTCOME_SHIFT != 2) ERROR("the number of an outcome is not in its flags");

/** Before a batch: what clock and Program make of it. */
export function prepareSettled<A>(): void {
  setClass(CLASS_TCP, TCP_STATE_ESTABLISHED, TCP_KIND_FLAGS, TCP_STATE_ESTABLISHED);
  setClass(CLASS_UDP, TCP_STATE_NONE, 0, TIMEOUT_UDP_STREAM);
  setClass(CLASS_SCTP, SCTP_STATE_ESTABLISHED, OTHER_CHUNKS, TIMEOUT_SCTP + SCTP_STATE_ESTABLISHED);
  const established = rootOf<A>(engine) + ROOT_ESTABLISHED;
  for (let path: usize = 0; path < PATH_COUNT * 4; path += 4) store<u32>(PATH_RULES + path, load<u32>(established + path));
  if (load<u32>(OUTCOMES) == 0)
    for (let number: u32 = 0; number < OUTCOME_COUNT; number++) store<u32>(outcomeAt(number), outcomeWord(number));
}
if (CLASS_NONE != 0 || CLASS_SCTP > CLASSES_MASK) ERROR("CLASSES has no place for each class");

/** @inline */
function outcomeAt(number: u32): usize {
  return OUTCOMES + ((<usize>number) << 3);
}

function setClass(ofClass: u32, state: u32, flags: u32, timeout: u32): void {
  const at = CLASSES + ((<usize>ofClass) << 4);
  store<u32>(at, ofClass | (state << (CT_STATE << 3)) | (SETTLED << (CT_FLAGS << 3)), CLASS_HEAD);
  store<u32>(at, flags, CLASS_FLAGS);
  store<f64>(at, engine.now + timeoutOf(timeout), CLASS_EXPIRES_AT);
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

/**
 * One more packet of a settled connection on a path of constant rules, whose tuple of that direction (0 original, 1 reply) it has, and
 * which IPVS follows or does not. `now`: the bits of the clock, which compare like it. False: one of that does not hold; the packet needs
 * the whole way, nothing was changed.
 * @inline
 */
export function passSettled<A>(packet: usize, verdict: usize, entry: usize, isReply: u32, now: i64, isFollowed: bool): bool {
  const rest = packet + 2 * offsetof<A>();
  const ofClass = load<u32>(rest, PACKET_CLASS);
  const class_ = CLASSES + ((<usize>(ofClass & CLASSES_MASK)) << 4);
  const head = load<u32>(entry);
  const own = originalTuple(entry) + <usize>isReply * replyAfter<A>();
  // All that must be equal in one test: whatever differs leaves a bit.
  const difference =
    ((head & HEAD_MASK) ^ load<u32>(class_, CLASS_HEAD) ^ (isFollowed ? CT_FLAG_IPVS << (CT_FLAGS << 3) : 0)) |
    (ofClass & ~CLASSES_MASK) |
    ((load<u32>(rest, PACKET_TCP_FLAGS) ^ TCP_ACK) & load<u32>(class_, CLASS_FLAGS)) |
    (load<u32>(own + 2 * offsetof<A>()) ^ load<u32>(rest));
  if (offsetof<A>() == 4) {
    if (((load<u64>(own) ^ load<u64>(packet)) | difference) != 0) return false;
  } else {
    const addresses = v128.or(v128.xor(v128.load(own), v128.load(packet)), v128.xor(v128.load(own, 16), v128.load(packet, 16)));
    if (v128.any_true(addresses) || difference != 0) return false;
  }
  const flags = head >> (CT_FLAGS << 3);
  const path = (flags >> (CT_PATH_ORIGINAL_SHIFT + isReply * (CT_PATH_REPLY_SHIFT - CT_PATH_ORIGINAL_SHIFT))) & CT_PATH_MASK;
  const rules = load<u32>(PATH_RULES + (path << 2));
  if (load<i64>(entry, CT_EXPIRES_AT) <= now) return false;
  if (rules == ESTABLISHED_RUN || (isFollowed && !keepFollowed<A>(entry, isReply != 0))) return false;
  const packetsAt = entry + CT_PACKETS_ORIGINAL + ((<usize>isReply) << 2);
  store<u32>(packetsAt, load<u32>(packetsAt) + 1);
  store<i64>(entry, load<i64>(class_, CLASS_EXPIRES_AT), CT_EXPIRES_AT);
  const outcome = outcomeAt(((flags >> OUTCOME_SHIFT) & (OUTCOME_REPLY - 1)) | (isReply * OUTCOME_REPLY));
  store<u32>(outcome, load<u32>(outcome, OUTCOME_PACKETS) + 1, OUTCOME_PACKETS);
  store<u32>(verdict, load<u32>(outcome), VERDICT_ACTION);
  store<u32>(verdict, load<u32>(entry, CT_SERVICE_PORT), VERDICT_SERVICE_PORT);
  const other = replyTuple<A>(entry) - <usize>isReply * replyAfter<A>();
  store<u64>(verdict, ((<u64>rotl<u32>(load<u32>(other + 2 * offsetof<A>()), 16)) << 32) | <u64>rules, VERDICT_RULES);
  if (offsetof<A>() == 4) {
    store<u64>(verdict, rotl<u64>(load<u64>(other), 32), VERDICT_SOURCE); // source and destination change places
  } else {
    v128.store(verdict, v128.load(other, 16), VERDICT_SOURCE);
    v128.store(verdict, v128.load(other), VERDICT_SOURCE + 16);
  }
  return true;
}
