// How a packet moves a connection: its state, its timeout, whether it counts as active, and its template's assurance.
import type { EnginePacket } from '../engine.ts';
import type { Connection } from './connection.ts';
import type { Namespace } from './namespace.ts';
import { dueChunk, nextSctpState, SCTP_TIMEOUTS } from './sctp-states.ts';
import { isActiveTcpState, nextTcpState, type PacketDirection } from './tcp-states.ts';

/** The timer itself is the table's to restart. */
export function moveState(connection: Connection, packet: EnginePacket, namespace: Namespace): void {
  const direction: PacketDirection = packet.isFromServer ? 'server' : 'client';
  switch (packet.protocol) {
    case 'UDP':
      connection.state = 'UDP';
      connection.timeoutMs = namespace.udpTimeout * 1000;
      if (packet.isFromServer) assureTemplate(connection);
      return;
    case 'TCP': {
      const state = nextTcpState(direction, packet.tcpFlags, connection.state);
      connection.timeoutMs = namespace.tcpTimeouts[state] * 1000;
      enter(connection, state, isActiveTcpState(state));
      return;
    }
    case 'SCTP': {
      const chunk = packet.sctpChunk ?? dueChunk(direction, connection.state);
      const state = nextSctpState(direction, chunk, connection.state);
      connection.timeoutMs = SCTP_TIMEOUTS[state] * 1000;
      enter(connection, state, state === 'ESTABLISHED');
    }
  }
}

function enter(connection: Connection, state: string, isActive: boolean): void {
  if (state === connection.state) return;
  connection.state = state;
  if (isActive !== connection.isActive) connection.server.active += isActive ? 1 : -1;
  connection.isActive = isActive;
  if (state === 'ESTABLISHED') assureTemplate(connection);
}

function assureTemplate({ control }: Connection): void {
  if (control !== undefined) control.state = 'ASSURED';
}
