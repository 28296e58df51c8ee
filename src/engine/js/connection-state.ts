// State and timer of connections: what one packet makes of the TCP, UDP or SCTP state, as nf_conntrack does.
import { nextState } from '../../program/connection-states.ts';
import { isSctpState, type SctpState } from '../../program/sctp-states.ts';
import { isTcpState, type TcpState, tcpPacketKind } from '../../program/tcp-states.ts';
import type { ConntrackTimeouts } from '../engine.ts';
import type { Connection, Conntrack, Hit } from './conntrack.ts';
import type { Flight } from './flight.ts';

/** From this long after its first packet a UDP connection with replies is a stream. */
const UDP_STREAM_AFTER_MS = 2000;
const MS = 1000;
/** nf_conntrack has no sysctl for it. */
const TCP_SYN_SENT2_SECONDS = 120;

/** What a packet is to a known connection. */
export type PacketRole = 'known' | 'ignored' | 'invalid' | 'beginsAgain';

/** What this packet is to the connection that has its tuple. Nothing moves yet. */
export function roleOf({ connection, direction }: Hit, flight: Flight): PacketRole {
  const { state } = connection;
  const next = nextState(direction, flight, state);
  if (next === 'INVALID') return 'invalid';
  if (next === 'IGNORE') return 'ignored';
  if (next !== 'SYN_SENT' || (state !== 'TIME_WAIT' && state !== 'CLOSE')) return 'known';
  // A SYN on a closed connection: the kernel ignores it unless the connection was closed by a FIN, or aborted by its client.
  return connection.closeBegun || connection.lastWasReset ? 'beginsAgain' : 'ignored';
}

/** Moves state, timer and count for one more packet of a known connection; only ever called with `known` or `ignored`. */
export function refresh(conntrack: Conntrack, hit: Hit, flight: Flight, role: PacketRole, timeouts: ConntrackTimeouts, now: number): void {
  const { connection, direction } = hit;
  const hadReply = connection.seenReply;
  if (direction === 'reply') connection.seenReply = true;
  const kind = connection.protocol === 'TCP' ? tcpPacketKind(flight.tcpFlags) : undefined;
  connection.lastWasReset = kind === 'RST' && direction === 'original';
  if (role === 'ignored') return;
  const isSynAgain = kind === 'SYN' && connection.state === 'SYN_SENT' && !hadReply;
  moveState(hit, flight, hadReply);
  if (connection.state === 'FIN_WAIT') connection.closeBegun = true;
  if (connection.state === 'SYN_SENT2') connection.simultaneousOpen = true;
  if (connection.protocol === 'UDP' && hadReply && now - connection.startedAt > UDP_STREAM_AFTER_MS) connection.assured = true;
  // nf_conntrack: a SYN sent again does not keep an unanswered connection alive.
  if (!isSynAgain) {
    connection.expiresAt = now + timeoutMs(connection, timeouts, hadReply);
    connection.packets[direction] = (connection.packets[direction] + 1) >>> 0;
  }
  // nf_conntrack: a RST as the only answer means that there never was a connection.
  if (kind === 'RST' && !hadReply) conntrack.remove(connection);
}

/** Milliseconds until a connection in its present state expires. `hadReply`: the other side had answered before this packet. */
export function timeoutMs(
  connection: Pick<Connection, 'protocol' | 'state' | 'assured'>,
  timeouts: ConntrackTimeouts,
  hadReply: boolean,
): number {
  const seconds = timeoutSeconds(connection, timeouts);
  const isPickedUp = connection.protocol === 'TCP' && connection.state === 'ESTABLISHED' && !hadReply;
  return (isPickedUp ? Math.min(seconds, timeouts.tcpUnacknowledged) : seconds) * MS;
}

function timeoutSeconds(
  { protocol, state, assured }: Pick<Connection, 'protocol' | 'state' | 'assured'>,
  timeouts: ConntrackTimeouts,
): number {
  if (protocol === 'UDP') return assured ? timeouts.udpStream : timeouts.udp;
  if (protocol === 'SCTP') return isSctpState(state) ? sctpTimeoutSeconds(state, timeouts) : timeouts.sctpClosed;
  return isTcpState(state) ? tcpTimeoutSeconds(state, timeouts) : timeouts.tcpSynSent;
}

function moveState({ connection, direction }: Hit, flight: Flight, hadReply: boolean): void {
  const { protocol, state } = connection;
  // In a simultaneous open both ends are answered by the other's SYN+ACK.
  const isOpen = connection.simultaneousOpen && state === 'SYN_RECV' && tcpPacketKind(flight.tcpFlags) === 'ACK';
  const next = isOpen ? 'ESTABLISHED' : nextState(direction, flight, state);
  if (next === 'INVALID' || next === 'IGNORE') return;
  const isPickedUp = protocol === 'TCP' && !(hadReply && (state === 'SYN_RECV' || state === 'ESTABLISHED'));
  if (next === 'ESTABLISHED' && !isPickedUp) connection.assured = true;
  connection.state = next;
}

function sctpTimeoutSeconds(state: SctpState, timeouts: ConntrackTimeouts): number {
  switch (state) {
    case 'NONE':
    case 'CLOSED':
      return timeouts.sctpClosed;
    case 'COOKIE_WAIT':
      return timeouts.sctpCookieWait;
    case 'COOKIE_ECHOED':
      return timeouts.sctpCookieEchoed;
    case 'ESTABLISHED':
      return timeouts.sctpEstablished;
    case 'SHUTDOWN_SENT':
      return timeouts.sctpShutdownSent;
    case 'SHUTDOWN_RECD':
      return timeouts.sctpShutdownRecd;
    case 'SHUTDOWN_ACK_SENT':
      return timeouts.sctpShutdownAckSent;
    case 'HEARTBEAT_SENT':
      return timeouts.sctpHeartbeatSent;
  }
}

function tcpTimeoutSeconds(state: TcpState, timeouts: ConntrackTimeouts): number {
  switch (state) {
    case 'NONE':
    case 'SYN_SENT':
      return timeouts.tcpSynSent;
    case 'SYN_SENT2':
      return TCP_SYN_SENT2_SECONDS;
    case 'SYN_RECV':
      return timeouts.tcpSynRecv;
    case 'ESTABLISHED':
      return timeouts.tcpEstablished;
    case 'FIN_WAIT':
      return timeouts.tcpFinWait;
    case 'CLOSE_WAIT':
      return timeouts.tcpCloseWait;
    case 'LAST_ACK':
      return timeouts.tcpLastAck;
    case 'TIME_WAIT':
      return timeouts.tcpTimeWait;
    case 'CLOSE':
      return timeouts.tcpClose;
  }
}
