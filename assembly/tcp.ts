// The TCP states of a connection: nf_conntrack's table, by direction, kind of packet and present state.
import { TCP_STATE_ESTABLISHED, TCP_STATE_SYN_SENT } from "./shared/conntrack-layout.ts";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "./shared/layout.ts";

export const KIND_SYN: u32 = 0;
export const KIND_SYN_ACK: u32 = 1;
export const KIND_FIN: u32 = 2;
export const KIND_ACK: u32 = 3;
export const KIND_RST: u32 = 4;
export const KIND_NONE: u32 = 5;

/** Answers of nextState besides states: the packet is not part of the connection, or changes nothing. */
export const STATE_INVALID: u32 = 10;
export const STATE_IGNORE: u32 = 11;

// Columns: NONE, SYN_SENT, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE, SYN_SENT2.
const TRANSITIONS: usize = memory.data<u8>([
  // original: SYN, SYN+ACK, FIN, ACK, RST, none
  1, 1, 11, 11, 11, 11, 11, 1, 1, 9, 10, 10, 2, 10, 10, 10, 10, 10, 10, 2, 10, 10, 4, 4, 6, 6, 6, 7, 8, 10, 3, 10, 3, 3, 5, 5, 7, 7, 8, 10,
  10, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
  // reply
  10, 9, 10, 10, 10, 10, 10, 1, 10, 9, 10, 2, 11, 11, 11, 11, 11, 11, 11, 2, 10, 10, 4, 4, 6, 6, 6, 7, 8, 10, 10, 11, 2, 3, 5, 5, 7, 7, 8,
  11, 10, 8, 8, 8, 8, 8, 8, 8, 8, 8, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
]);

/** The flags that tell kinds apart. */
export const TCP_KIND_FLAGS: u32 = TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK;

const TCP_URG: u32 = 32;
/** Bit f for each combination f that a TCP sends (tcp_valid_flags): SYN, RST, ACK, FIN+ACK, SYN+ACK, RST+ACK, and with URG some of them. */
const VALID_FLAGS: u64 =
  (1 << 2) | (1 << 4) | (1 << 16) | (1 << 17) | (1 << 18) | (1 << 20) | ((<u64>1) << 34) | ((<u64>1) << 48) | ((<u64>1) << 49);

/** The kind of a packet by its flags; KIND_NONE of those that no TCP sends. @inline */
export function kindOf(flags: u32): u32 {
  if (((VALID_FLAGS >> <u64>(flags & (TCP_KIND_FLAGS | TCP_URG))) & 1) == 0) return KIND_NONE;
  if ((flags & TCP_RST) != 0) return KIND_RST;
  if ((flags & TCP_SYN) != 0) return (flags & TCP_ACK) != 0 ? KIND_SYN_ACK : KIND_SYN;
  return (flags & TCP_FIN) != 0 ? KIND_FIN : KIND_ACK;
}

export function nextTcpState(isReply: bool, kind: u32, state: u32): u32 {
  return load<u8>(TRANSITIONS + (isReply ? 60 : 0) + kind * 10 + state);
}

/** The state of a connection that begins with this packet, or STATE_INVALID. `isLoose`: it may be picked up in the middle. @inline */
export function firstTcpState(kind: u32, isLoose: bool): u32 {
  if (kind == KIND_SYN) return TCP_STATE_SYN_SENT;
  return kind == KIND_ACK && isLoose ? TCP_STATE_ESTABLISHED : STATE_INVALID;
}
