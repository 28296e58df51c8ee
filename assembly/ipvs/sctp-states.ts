// IPVS' state table of SCTP (ip_vs_proto_sctp), for masquerading: by direction and first chunk of a packet, the next state.
import { IPVS_SCTP_STATE_COUNT } from "../shared/ipvs-layout.ts";
import { CHUNK_ABORT, CHUNK_DATA, CHUNK_DUE } from "../shared/layout.ts";

/**
 * Columns: NONE, INIT1, INIT, C-SENT, C-REPLIED, C-WAIT, COOKIE, C-ECHOED, ESTABLISHED, S-SENT, S-RECEIVED, S-ACK-SENT, REJECTED, CLOSED.
 * Rows by CHUNK_*, from DATA to ABORT.
 */
// biome-ignore format: a row of the table a line
const TRANSITIONS: usize = memory.data<u8>([
  // from the client
  8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 2, 2,
  5, 5, 5, 3, 4, 6, 6, 7, 8, 9, 10, 11, 12, 13,
  4, 2, 2, 4, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  8, 1, 2, 3, 4, 5, 6, 8, 8, 9, 10, 11, 12, 13,
  10, 1, 2, 3, 4, 5, 6, 7, 10, 9, 10, 11, 12, 13,
  13, 2, 2, 3, 4, 5, 6, 7, 8, 13, 10, 13, 12, 13,
  13, 13, 13, 3, 4, 5, 6, 7, 8, 9, 10, 13, 12, 13,
  13, 1, 2, 3, 4, 5, 6, 13, 8, 9, 10, 11, 12, 13,
  13, 13, 13, 13, 13, 12, 13, 13, 13, 13, 13, 13, 13, 13,
  // from the server
  8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  5, 5, 5, 5, 5, 5, 5, 5, 8, 5, 5, 5, 5, 5,
  3, 3, 3, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  7, 7, 7, 7, 7, 7, 7, 7, 8, 9, 10, 11, 12, 13,
  8, 8, 8, 8, 8, 8, 8, 8, 8, 9, 10, 11, 12, 13,
  9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 10, 11, 12, 13,
  11, 11, 11, 11, 11, 5, 6, 7, 8, 11, 11, 11, 12, 13,
  13, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  13, 13, 13, 13, 13, 5, 6, 7, 8, 9, 10, 11, 12, 13,
  13, 12, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13,
]);

/** Seconds by state, MAX_RTO being 61. */
// biome-ignore format: as the table above
const TIMEOUTS: usize = memory.data<u16>([2, 4, 61, 61, 61, 61, 61, 61, 900, 61, 61, 61, 4, 61]);

/** CHUNK_* that a handshake has next, by state: from the client, then from the server. */
// biome-ignore format: as the table above
const DUE_CHUNKS: usize = memory.data<u8>([
  2, 2, 2, 4, 4, 3, 1, 5, 1, 1, 1, 1, 2, 2,
  1, 3, 3, 3, 5, 1, 4, 1, 1, 1, 1, 1, 1, 1,
]);

export function nextSctpState(isFromServer: bool, chunk: u32, state: u32): u32 {
  return load<u8>(TRANSITIONS + (chunk - CHUNK_DATA + (isFromServer ? CHUNK_ABORT : 0)) * IPVS_SCTP_STATE_COUNT + state);
}

/** `named`: the CHUNK_* of a packet record. Those that IPVS does not tell apart are DATA. */
export function chunkOf(isFromServer: bool, named: u32, state: u32): u32 {
  if (named > CHUNK_ABORT) return CHUNK_DATA;
  return named != CHUNK_DUE ? named : load<u8>(DUE_CHUNKS + <usize>(state + (isFromServer ? IPVS_SCTP_STATE_COUNT : 0)));
}

export function sctpTimeout(state: u32): u32 {
  return load<u16>(TIMEOUTS + (state << 1));
}
