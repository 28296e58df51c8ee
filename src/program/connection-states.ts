// What a packet makes of a connection's state, whatever the protocol: the state tables of TCP and SCTP behind one question.
import type { Packet } from '../packet.ts';
import { dueSctpChunk, isSctpState, nextSctpState, type SctpAnswer, type SctpState } from './sctp-states.ts';
import { type Direction, firstTcpState, isTcpState, nextTcpState, type TcpAnswer, type TcpState, tcpPacketKind } from './tcp-states.ts';

/** nf_conntrack's name; UDP has none. */
export type ProtocolState = TcpState | SctpState | undefined;

/** What a packet's header says about the state of its connection. */
export type StateHeader = Pick<Packet, 'protocol'> & {
  readonly tcpFlags?: number | undefined;
  readonly sctpChunk?: Packet['sctpChunk'] | undefined;
};

/** The state in which a connection begins with this packet, or INVALID when none can. `isTcpLoose`: nf_conntrack_tcp_loose. */
export function firstState({ protocol, tcpFlags, sctpChunk }: StateHeader, isTcpLoose: boolean): ProtocolState | 'INVALID' {
  if (protocol === 'TCP') return firstTcpState(tcpPacketKind(tcpFlags), isTcpLoose);
  if (protocol !== 'SCTP') return undefined;
  const first = nextSctpState('original', sctpChunk ?? dueSctpChunk('original', 'NONE'), 'NONE');
  return first === 'IGNORE' ? 'INVALID' : first;
}

/** The state of a known connection after one more packet. */
export function nextState(
  direction: Direction,
  { protocol, tcpFlags, sctpChunk }: StateHeader,
  state: string | undefined,
): TcpAnswer | SctpAnswer | undefined {
  if (protocol === 'TCP' && isTcpState(state)) return nextTcpState(direction, tcpPacketKind(tcpFlags), state);
  if (protocol === 'SCTP' && isSctpState(state)) return nextSctpState(direction, sctpChunk ?? dueSctpChunk(direction, state), state);
  return undefined;
}

const closingStates: ReadonlySet<string | undefined> = new Set([
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
]);

/** A TCP or SCTP connection on its way out, which may be dropped early even if it is assured. */
export function isClosing(state: string | undefined): boolean {
  return closingStates.has(state);
}
