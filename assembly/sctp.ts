// The SCTP states of a connection: nf_conntrack's table, by direction, chunk of a packet and present state.
import { SCTP_STATE_COUNT, SCTP_STATE_NONE } from "./shared/conntrack-layout.ts";
import { CHUNK_DATA, CHUNK_DUE, CHUNK_HEARTBEAT_ACK, CHUNK_INIT } from "./shared/layout.ts";
import { STATE_INVALID } from "./tcp.ts";

const CHUNKS_OF_DIRECTION: u32 = CHUNK_HEARTBEAT_ACK - CHUNK_INIT + 1;

/**
 * Columns: NONE, CLOSED, COOKIE_WAIT, COOKIE_ECHOED, ESTABLISHED, SHUTDOWN_SENT, SHUTDOWN_RECD, SHUTDOWN_ACK_SENT, HEARTBEAT_SENT.
 * Rows by CHUNK_*, from INIT to HEARTBEAT_ACK. 10 is STATE_INVALID, 11 STATE_IGNORE.
 */
// biome-ignore format: a row of the table a line
const TRANSITIONS: usize = memory.data<u8>([
  // original
  1, 11, 2, 3, 4, 1, 1, 7, 2,
  10, 1, 2, 3, 4, 5, 6, 7, 1,
  10, 1, 3, 3, 4, 5, 6, 7, 1,
  10, 1, 2, 4, 4, 5, 6, 7, 1,
  10, 1, 2, 3, 5, 5, 6, 7, 1,
  7, 1, 2, 3, 4, 7, 7, 7, 7,
  10, 1, 2, 3, 4, 5, 6, 1, 1,
  10, 1, 2, 3, 4, 5, 6, 7, 1,
  10, 1, 1, 1, 1, 1, 1, 1, 1,
  8, 1, 2, 3, 4, 5, 6, 7, 8,
  1, 1, 2, 3, 4, 5, 6, 7, 8,
  // reply
  10, 11, 2, 3, 4, 5, 6, 7, 10,
  10, 2, 2, 3, 4, 5, 6, 7, 10,
  10, 1, 3, 3, 4, 5, 6, 7, 10,
  10, 1, 2, 4, 4, 5, 6, 7, 10,
  10, 1, 2, 3, 6, 5, 6, 7, 10,
  10, 1, 2, 3, 4, 7, 7, 7, 10,
  10, 1, 2, 3, 4, 5, 6, 1, 10,
  10, 1, 2, 1, 4, 5, 6, 7, 10,
  10, 1, 1, 1, 1, 1, 1, 1, 10,
  10, 1, 2, 3, 4, 5, 6, 7, 8,
  10, 1, 2, 3, 4, 5, 6, 7, 4,
]);

/** CHUNK_* that a handshake has next, by state: original direction, then reply. */
// biome-ignore format: as the table above
const DUE_CHUNKS: usize = memory.data<u8>([
  2, 2, 4, 4, 1, 1, 1, 1, 1,
  1, 3, 3, 5, 1, 1, 1, 1, 12,
]);

/** The state after one more packet, STATE_INVALID or STATE_IGNORE; SCTP_STATE_NONE: there is no connection yet. `chunk`: CHUNK_* of the packet record. */
export function nextSctpState(isReply: bool, chunk: u32, state: u32): u32 {
  if (chunk == CHUNK_DUE) chunk = load<u8>(DUE_CHUNKS + <usize>(state + (isReply ? SCTP_STATE_COUNT : 0)));
  // DATA, or a chunk without a name.
  if (chunk - CHUNK_INIT > CHUNK_HEARTBEAT_ACK - CHUNK_INIT) return state == SCTP_STATE_NONE ? STATE_INVALID : state;
  return load<u8>(TRANSITIONS + (chunk - CHUNK_INIT + (isReply ? CHUNKS_OF_DIRECTION : 0)) * SCTP_STATE_COUNT + state);
}
if (CHUNK_DATA != 1) ERROR("DUE_CHUNKS knows another number of DATA");
