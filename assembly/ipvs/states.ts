// How a packet moves a connection: its state, its timer, whether it counts as active, and its template's assurance.
import { CONN_FLAG_ACTIVE, IPVS_SCTP_ESTABLISHED, IPVS_TCP_ESTABLISHED, IPVS_UDP, TEMPLATE_ASSURED } from "../shared/ipvs-layout.ts";
import { CLASS_TCP, CLASS_UDP, PACKET_SCTP_CHUNK, PACKET_TCP_FLAGS } from "../shared/layout.ts";
import { restartTimer, serverOf } from "./connections.ts";
import { tcpTimeout } from "./namespace.ts";
import { chunkOf, nextSctpState, sctpTimeout } from "./sctp-states.ts";
import { Connection, Namespace } from "./structs.ts";
import { isActiveTcpState, nextTcpState } from "./tcp-states.ts";

/** `rest`: the packet's record after its addresses. */
export function moveState(namespace: Namespace, connection: Connection, rest: usize, isFromServer: bool): void {
  const ofClass: u32 = connection.class;
  if (ofClass == CLASS_TCP) {
    const state = nextTcpState(isFromServer, load<u8>(rest, PACKET_TCP_FLAGS), connection.state);
    if (state != connection.state) enter(connection, state, isActiveTcpState(state), state == IPVS_TCP_ESTABLISHED);
    restartTimer(namespace, connection, tcpTimeout(namespace, state));
  } else if (ofClass == CLASS_UDP) {
    connection.state = <u8>IPVS_UDP;
    if (isFromServer) assureTemplate(connection);
    restartTimer(namespace, connection, namespace.udpTimeout);
  } else {
    const chunk = chunkOf(isFromServer, load<u8>(rest, PACKET_SCTP_CHUNK), connection.state);
    const state = nextSctpState(isFromServer, chunk, connection.state);
    const isEstablished = state == IPVS_SCTP_ESTABLISHED;
    if (state != connection.state) enter(connection, state, isEstablished, isEstablished);
    restartTimer(namespace, connection, sctpTimeout(state));
  }
}

/** One more packet that only restarts the timer. False: it may do more, or the timer moves to an earlier time; nothing was changed. */
export function keepAlive(namespace: Namespace, connection: Connection, isFromServer: bool): bool {
  const ofClass: u32 = connection.class;
  const state: u32 = connection.state;
  let seconds = namespace.udpTimeout;
  if (ofClass == CLASS_TCP) {
    if (state != IPVS_TCP_ESTABLISHED) return false;
    seconds = tcpTimeout(namespace, IPVS_TCP_ESTABLISHED);
  } else if (ofClass != CLASS_UDP || state != IPVS_UDP || (isFromServer && connection.control != 0)) {
    return false;
  }
  const expiresAt = namespace.now + <f64>seconds * 1000;
  if (expiresAt < connection.expiresAt) return false;
  connection.expiresAt = expiresAt;
  return true;
}

function enter(connection: Connection, state: u32, isActive: bool, isEstablished: bool): void {
  connection.state = <u8>state;
  const wasActive = (connection.flags & CONN_FLAG_ACTIVE) != 0;
  if (isActive != wasActive) {
    const server = serverOf(connection);
    server.active += isActive ? 1 : -1;
    connection.flags ^= <u8>CONN_FLAG_ACTIVE;
  }
  if (isEstablished) assureTemplate(connection);
}

function assureTemplate(connection: Connection): void {
  if (connection.control != 0) changetype<Connection>(<usize>connection.control).state = <u8>TEMPLATE_ASSURED;
}
