// State and timer of connections: what one packet makes of the TCP, UDP or SCTP state, as nf_conntrack does.
// `header` is the byte of a packet record that tells: TCP flags, or the chunk of an SCTP packet.
import { nextSctpState } from "./sctp.ts";
import {
  CT_FLAG_ASSURED,
  CT_FLAG_CLOSE_BEGUN,
  CT_FLAG_LAST_RST,
  CT_FLAG_SEEN_REPLY,
  CT_FLAG_SIMULTANEOUS_OPEN,
  SCTP_STATE_ESTABLISHED,
  SCTP_STATE_NONE,
  SCTP_STATE_SHUTDOWN_ACK_SENT,
  SCTP_STATE_SHUTDOWN_SENT,
  TCP_STATE_CLOSE,
  TCP_STATE_ESTABLISHED,
  TCP_STATE_FIN_WAIT,
  TCP_STATE_NONE,
  TCP_STATE_SYN_RECV,
  TCP_STATE_SYN_SENT,
  TCP_STATE_SYN_SENT2,
} from "./shared/conntrack-layout.ts";
import { CLASS_SCTP, CLASS_TCP, CLASS_UDP, TIMEOUT_SCTP, TIMEOUT_UDP, TIMEOUT_UDP_STREAM } from "./shared/layout.ts";
import { engine, tcpTimeout, timeoutOf } from "./state.ts";
import { CtEntry } from "./structs.ts";
import { firstTcpState, KIND_ACK, KIND_RST, KIND_SYN, kindOf, nextTcpState } from "./tcp.ts";

/** From this long after its first packet a replied UDP connection is a stream. */
const UDP_STREAM_AFTER_MS: f64 = 2000;

/** The state in which a connection begins with a packet, or STATE_INVALID when none can. */
export function firstState(ofClass: u32, header: u32): u32 {
  if (ofClass == CLASS_TCP) return firstTcpState(kindOf(header), engine.tcpLoose != 0);
  return ofClass == CLASS_SCTP ? nextSctpState(false, header, SCTP_STATE_NONE) : TCP_STATE_NONE;
}

/** Milliseconds that a connection lasts which begins in a state. */
export function firstTimeout(ofClass: u32, state: u32): f64 {
  if (ofClass == CLASS_TCP) return tcpTimeout(state, false);
  return timeoutOf(ofClass == CLASS_SCTP ? TIMEOUT_SCTP + state : TIMEOUT_UDP);
}

/** The state of a known connection after one more packet, STATE_INVALID or STATE_IGNORE. Nothing moves yet. */
export function nextState(record: CtEntry, isReply: bool, header: u32): u32 {
  if (record.class == CLASS_TCP) return nextTcpState(isReply, kindOf(header), record.state);
  return record.class == CLASS_SCTP ? nextSctpState(isReply, header, record.state) : TCP_STATE_NONE;
}

/** State, timer and count of a known connection after one more packet; whatever does not move the timer is not counted. */
export function refresh(record: CtEntry, isReply: bool, next: u32, header: u32): void {
  let flags: u32 = record.flags;
  const hadReply = (flags & CT_FLAG_SEEN_REPLY) != 0;
  if (isReply) flags |= CT_FLAG_SEEN_REPLY;
  let timeout: f64;
  if (record.class == CLASS_TCP) {
    const kind = kindOf(header);
    const before: u32 = record.state;
    // In a simultaneous open both ends are answered by the other's SYN+ACK.
    if (kind == KIND_ACK && before == TCP_STATE_SYN_RECV && (flags & CT_FLAG_SIMULTANEOUS_OPEN) != 0) next = TCP_STATE_ESTABLISHED;
    if (next == TCP_STATE_SYN_SENT2) flags |= CT_FLAG_SIMULTANEOUS_OPEN;
    if (next == TCP_STATE_FIN_WAIT) flags |= CT_FLAG_CLOSE_BEGUN;
    flags &= ~CT_FLAG_LAST_RST;
    if (kind == KIND_RST && !isReply) flags |= CT_FLAG_LAST_RST;
    if (hadReply && next == TCP_STATE_ESTABLISHED && (before == TCP_STATE_SYN_RECV || before == TCP_STATE_ESTABLISHED))
      flags |= CT_FLAG_ASSURED;
    record.state = <u8>next;
    timeout = tcpTimeout(next, hadReply);
    // A SYN sent again does not keep an unanswered connection alive.
    if (kind == KIND_SYN && before == TCP_STATE_SYN_SENT && !hadReply) {
      record.flags = <u16>flags;
      return;
    }
  } else if (record.class == CLASS_UDP) {
    const isStream = hadReply && engine.now - record.startedAt > UDP_STREAM_AFTER_MS;
    if (isStream) flags |= CT_FLAG_ASSURED;
    timeout = timeoutOf(isStream ? TIMEOUT_UDP_STREAM : TIMEOUT_UDP);
  } else {
    if (next == SCTP_STATE_ESTABLISHED) flags |= CT_FLAG_ASSURED;
    record.state = <u8>next;
    timeout = timeoutOf(TIMEOUT_SCTP + next);
  }
  record.flags = <u16>flags;
  record.expiresAt = engine.now + timeout;
  if (isReply) record.packetsReply++;
  else record.packetsOriginal++;
}

/** A TCP or SCTP connection on its way out, which may be dropped early even if it is assured. */
export function isClosing(ofClass: u32, state: u32): bool {
  if (ofClass == CLASS_TCP) return state - TCP_STATE_FIN_WAIT <= TCP_STATE_CLOSE - TCP_STATE_FIN_WAIT;
  return ofClass == CLASS_SCTP && state - SCTP_STATE_SHUTDOWN_SENT <= SCTP_STATE_SHUTDOWN_ACK_SENT - SCTP_STATE_SHUTDOWN_SENT;
}
