// State and timer of connections: what one packet makes of the TCP, UDP or SCTP state, as nf_conntrack does.
import { firstTcpState, isTcpState, nextTcpState, type TcpState, tcpPacketKind } from '../../program/tcp-states.ts';
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

/** The state in which a connection begins with this packet, or INVALID when none can. */
export function firstState({ protocol, tcpFlags }: Flight, isTcpLoose: boolean): Connection['state'] | 'INVALID' {
  if (protocol === 'TCP') return firstTcpState(tcpPacketKind(tcpFlags), isTcpLoose);
  return protocol === 'SCTP' ? 'COOKIE_WAIT' : undefined;
}

/** What this packet is to the connection that has its tuple. Nothing moves yet. */
export function roleOf({ connection, direction }: Hit, { tcpFlags }: Flight): PacketRole {
  const { state, protocol } = connection;
  if (protocol !== 'TCP' || !isTcpState(state)) return 'known';
  const next = nextTcpState(direction, tcpPacketKind(tcpFlags), state);
  if (next === 'INVALID') return 'invalid';
  if (next === 'IGNORE') return 'ignored';
  if (next !== 'SYN_SENT' || (state !== 'TIME_WAIT' && state !== 'CLOSE')) return 'known';
  // A SYN on a closed connection: the kernel ignores it unless the connection was closed by a FIN, or aborted by its client.
  return connection.closeBegun || connection.lastWasReset ? 'beginsAgain' : 'ignored';
}

/** Moves state and timer for one more packet of a known connection; only ever called with `known` or `ignored`. */
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
  if (!isSynAgain) connection.expiresAt = now + timeoutMs(connection, timeouts, hadReply);
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
  if (protocol === 'SCTP') return state === 'ESTABLISHED' ? timeouts.sctpEstablished : timeouts.sctpCookieWait;
  return isTcpState(state) ? tcpTimeoutSeconds(state, timeouts) : timeouts.tcpSynSent;
}

function moveState({ connection, direction }: Hit, { tcpFlags }: Flight, hadReply: boolean): void {
  const { protocol, state } = connection;
  if (protocol === 'SCTP' && connection.seenReply) {
    connection.state = 'ESTABLISHED';
    connection.assured = true;
  }
  if (protocol !== 'TCP' || !isTcpState(state)) return;
  const kind = tcpPacketKind(tcpFlags);
  // In a simultaneous open both ends are answered by the other's SYN+ACK.
  const isOpen = connection.simultaneousOpen && state === 'SYN_RECV' && kind === 'ACK';
  const next = isOpen ? 'ESTABLISHED' : nextTcpState(direction, kind, state);
  if (next === 'INVALID' || next === 'IGNORE') return;
  if (hadReply && next === 'ESTABLISHED' && (state === 'SYN_RECV' || state === 'ESTABLISHED')) connection.assured = true;
  connection.state = next;
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
