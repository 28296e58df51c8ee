// IPVS' own state table of TCP (ip_vs_proto_tcp), for masquerading: by direction and kind of packet, the next state. No sequence numbers.
import {
  IPVS_TCP_CLOSE,
  IPVS_TCP_ESTABLISHED,
  IPVS_TCP_STATE_COUNT,
  IPVS_TCP_SYN_RECV,
  IPVS_TCP_SYN_SENT,
  IPVS_TCP_SYNACK,
} from "../shared/ipvs-layout.ts";
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from "../shared/layout.ts";

/** Columns: NONE, ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT, TIME_WAIT, CLOSE, CLOSE_WAIT, LAST_ACK, LISTEN, SYNACK. */
// biome-ignore format: a row of the table a line
const TRANSITIONS: usize = memory.data<u8>([
  // from the client: RST, SYN, FIN, ACK
  6, 6, 6, 3, 6, 6, 6, 6, 8, 9, 3,
  3, 1, 1, 3, 3, 3, 3, 3, 3, 3, 3,
  6, 7, 2, 5, 5, 5, 6, 7, 8, 9, 5,
  1, 1, 2, 1, 4, 5, 6, 7, 6, 9, 1,
  // from the server
  6, 6, 2, 6, 6, 5, 6, 6, 6, 6, 6,
  2, 1, 2, 3, 2, 2, 2, 2, 2, 9, 3,
  5, 4, 2, 5, 4, 5, 6, 5, 8, 9, 5,
  1, 1, 2, 1, 4, 5, 6, 7, 8, 1, 1,
]);
const ROWS: u32 = 4;

const ACTIVE: u32 = (1 << IPVS_TCP_ESTABLISHED) | (1 << IPVS_TCP_SYN_SENT) | (1 << IPVS_TCP_SYN_RECV) | (1 << IPVS_TCP_SYNACK);

/** The first of RST, SYN, FIN and ACK that a packet has decides; one with none of them closes. */
export function nextTcpState(isFromServer: bool, flags: u32, state: u32): u32 {
  let row: u32 = isFromServer ? ROWS : 0;
  if ((flags & TCP_RST) == 0) {
    if ((flags & TCP_SYN) != 0) row += 1;
    else if ((flags & TCP_FIN) != 0) row += 2;
    else if ((flags & TCP_ACK) != 0) row += 3;
    else return IPVS_TCP_CLOSE;
  }
  return load<u8>(TRANSITIONS + row * IPVS_TCP_STATE_COUNT + state);
}

/** Such a connection weighs on lc, wlc, sed, nq and ovf. A half-open one does. */
export function isActiveTcpState(state: u32): bool {
  return ((ACTIVE >>> state) & 1) != 0;
}
