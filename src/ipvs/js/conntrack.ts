// The conntrack entry beside an IPVS connection, as far as IPVS asks for it: does this packet belong to a confirmed one?
import { firstTcpState, nextTcpState, type TcpState, tcpPacketKind } from '../../program/tcp-states.ts';
import type { EnginePacket } from '../engine.ts';

/** nf_conntrack's default timeouts in seconds. */
const TIMEOUTS: Readonly<Record<TcpState, number>> = {
  NONE: 0,
  SYN_SENT: 120,
  SYN_RECV: 60,
  ESTABLISHED: 432000,
  FIN_WAIT: 120,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  TIME_WAIT: 120,
  CLOSE: 10,
  SYN_SENT2: 120,
};

/** The entry of one connection. Made empty: its first packet begins it. */
export class ConntrackEntry {
  #state: TcpState = 'NONE';
  #expiresAt = 0;

  /** Sees a packet, before IPVS does. True when it belongs to the entry that earlier packets made. */
  isConfirmedBy(packet: EnginePacket, now: number): boolean {
    if (packet.protocol !== 'TCP') return true;
    const kind = tcpPacketKind(packet.tcpFlags);
    const direction = packet.isFromServer ? 'reply' : 'original';
    const isReopened = direction === 'original' && kind === 'SYN' && (this.#state === 'TIME_WAIT' || this.#state === 'CLOSE');
    if (now >= this.#expiresAt || isReopened) {
      const first = direction === 'original' ? firstTcpState(kind, true) : 'INVALID';
      this.#enter(first === 'INVALID' ? 'NONE' : first, now);
      return false;
    }
    const next = nextTcpState(direction, kind, this.#state);
    if (next === 'INVALID') return false;
    if (next !== 'IGNORE') this.#enter(next, now);
    return true;
  }

  #enter(state: TcpState, now: number): void {
    this.#state = state;
    this.#expiresAt = now + TIMEOUTS[state] * 1000;
  }
}
