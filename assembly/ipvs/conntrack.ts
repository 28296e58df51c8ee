// The conntrack entry of an IPVS connection, as far as IPVS asks for it: does this packet belong to a confirmed one? A node's dataplane
// has them in its own table and says so; otherwise what conntrack would make of the packets is kept beside each connection.
import { V4, V6 } from "../address.ts";
import { fetchBucket } from "../connection-index.ts";
import { removeOriginal, tableOf } from "../conntrack.ts";
import { TCP_STATE_CLOSE, TCP_STATE_NONE, TCP_STATE_TIME_WAIT } from "../shared/conntrack-layout.ts";
import { CONN_FLAG_TRACKED, CONNTRACK_NODE } from "../shared/ipvs-layout.ts";
import { ADDRESS_V4, CLASS_TCP } from "../shared/layout.ts";
import { firstTcpState, KIND_SYN, kindOf, nextTcpState, STATE_IGNORE, STATE_INVALID } from "../tcp.ts";
import { Connection, Namespace } from "./structs.ts";

/** nf_conntrack's default timeouts in seconds, by TCP_STATE_*. */
// biome-ignore format: one line
const TIMEOUTS: usize = memory.data<u32>([0, 120, 60, 432000, 120, 60, 30, 120, 10, 120]);

/** It sees a packet, before IPVS does. True when it belongs to the entry that earlier packets made. */
export function isConfirmed(namespace: Namespace, connection: Connection, isFromServer: bool, flags: u32): bool {
  if (namespace.conntrackAt == CONNTRACK_NODE) return namespace.isConfirmed != 0;
  if ((connection.flags & CONN_FLAG_TRACKED) == 0) return false;
  if (connection.class != CLASS_TCP) return true;
  const kind = kindOf(flags);
  const state: u32 = connection.conntrackState;
  const isOver = state == TCP_STATE_TIME_WAIT || state == TCP_STATE_CLOSE;
  if (namespace.now >= connection.conntrackEnd || (isOver && !isFromServer && kind == KIND_SYN)) {
    const first = isFromServer ? STATE_INVALID : firstTcpState(kind, true);
    enter(namespace, connection, first == STATE_INVALID ? TCP_STATE_NONE : first);
    return false;
  }
  const next = nextTcpState(isFromServer, kind, state);
  if (next == STATE_INVALID) return false;
  if (next != STATE_IGNORE) enter(namespace, connection, next);
  return true;
}

function enter(namespace: Namespace, connection: Connection, state: u32): void {
  connection.conntrackState = <u8>state;
  connection.conntrackEnd = namespace.now + <f64>load<u32>(TIMEOUTS + (state << 2)) * 1000;
}

/** A connection whose tuple from the server has that tag begins: conntrack will look for a reply tuple like it. */
export function fetchConntrack(namespace: Namespace, addressSize: u32, tag: u32): void {
  if (namespace.conntrackAt != CONNTRACK_NODE) return;
  fetchBucket(addressSize == ADDRESS_V4 ? tableOf<V4>() : tableOf<V6>(), tag);
}

/** A connection with this tuple from the client leaves the table: its conntrack entry goes with it (ip_vs_conn_drop_conntrack). */
export function endConntrack(namespace: Namespace, addressSize: u32, connection: Connection, tuple: usize): void {
  if (namespace.conntrackAt != CONNTRACK_NODE || (connection.flags & CONN_FLAG_TRACKED) == 0) return;
  if (addressSize == ADDRESS_V4) removeOriginal<V4>(tuple, connection.class);
  else removeOriginal<V6>(tuple, connection.class);
}
