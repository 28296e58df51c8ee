// The way of one packet through IPVS (`ip_vs_in`, `ip_vs_out`): the connection table first, then services and schedulers.
import type { EnginePacket } from '../engine.ts';
import { leaveAlone } from '../leave-alone.ts';
import type { IpvsVerdict } from '../types.ts';
import type { Connection } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import type { Namespace } from './namespace.ts';
import { isOnePacket, schedule } from './schedule.ts';
import { dueChunk } from './sctp-states.ts';
import type { ServiceTable } from './service-table.ts';
import { moveState } from './states.ts';
import { RST, SYN } from './tcp-states.ts';

/** FTP data: never scheduled. */
const FTP_DATA_PORT = 20;

export interface PacketPath {
  readonly namespace: Namespace;
  readonly services: ServiceTable;
  readonly connections: ConnectionTable;
}

export function processPacket(packet: EnginePacket, path: PacketPath): IpvsVerdict {
  if (!path.services.hasFamily(packet.destination.family)) return leaveAlone(packet);
  return packet.isFromServer ? fromServer(packet, path) : fromClient(packet, path);
}

function fromServer(packet: EnginePacket, { connections, namespace }: PacketPath): IpvsVerdict {
  const connection = connections.findByServer(packet);
  if (connection === undefined) return leaveAlone(packet);
  const source = { address: connection.virtual.text, port: connection.virtualPort };
  if (packet.isIcmpError) return { action: 'ACCEPT', source, about: source };
  connection.conntrack?.isConfirmedBy(packet, namespace.now);
  moveState(connection, packet, namespace);
  connections.restartTimer(connection);
  return { action: 'ACCEPT', source };
}

function fromClient(packet: EnginePacket, path: PacketPath): IpvsVerdict {
  const connection = path.connections.findByClient(packet);
  if (packet.isIcmpError) return connection === undefined ? leaveAlone(packet) : forward(connection);
  return connection === undefined ? begin(packet, path) : proceed(packet, connection, path);
}

/** A packet of a known connection, which it may end. */
function proceed(packet: EnginePacket, connection: Connection, path: PacketPath): IpvsVerdict {
  const { connections, namespace } = path;
  const isConfirmed = connection.conntrack?.isConfirmedBy(packet, namespace.now) ?? false;
  const isStranded = !connection.server.isAvailable;
  if (isReused(packet, connection, namespace) || (isStranded && namespace.sysctls.expire_nodest_conn !== 0)) {
    connections.expireWithNextTick(connection);
    return isConfirmed ? { action: 'DROP' } : begin(packet, path);
  }
  if (isStranded) return { action: 'DROP' };
  moveState(connection, packet, namespace);
  connections.restartTimer(connection);
  return forward(connection);
}

/** The client begins anew on a port whose connection is over, or whose server drains while expire_nodest_conn is set. */
function isReused(packet: EnginePacket, { server, control, state, protocol }: Connection, { sysctls }: Namespace): boolean {
  const isNew = packet.protocol === 'TCP' ? (packet.tcpFlags & SYN) !== 0 : packet.protocol === 'SCTP' && chunkOf(packet, state) === 'INIT';
  if (!isNew) return false;
  if (sysctls.expire_nodest_conn !== 0 && server.weight === 0) return true;
  if (sysctls.conn_reuse_mode === 0 || control !== undefined) return false;
  return protocol === 'TCP' ? state === 'TIME_WAIT' || state === 'CLOSE' : state === 'CLOSED';
}

/** A packet without a connection. */
function begin(packet: EnginePacket, { connections, namespace, services }: PacketPath): IpvsVerdict {
  if (!mayBegin(packet, namespace)) return leaveAlone(packet);
  const service = services.find(packet);
  if (service === undefined || packet.sourcePort === FTP_DATA_PORT) return leaveAlone(packet);
  const connection = schedule(packet, service, connections, namespace);
  if (connection === undefined) return { action: 'REJECT' };
  moveState(connection, packet, namespace);
  if (isOnePacket(packet, service)) connections.unbind(connection);
  else connections.restartTimer(connection);
  return forward(connection);
}

function mayBegin(packet: EnginePacket, { sysctls }: Namespace): boolean {
  switch (packet.protocol) {
    case 'TCP':
      return (packet.tcpFlags & RST) === 0 && (sysctls.sloppy_tcp !== 0 || (packet.tcpFlags & SYN) !== 0);
    case 'SCTP': {
      const chunk = chunkOf(packet, 'NONE');
      return chunk !== 'ABORT' && (sysctls.sloppy_sctp !== 0 || chunk === 'INIT');
    }
    case 'UDP':
      return true;
  }
}

function chunkOf({ sctpChunk }: EnginePacket, state: string): string {
  return sctpChunk ?? dueChunk('client', state);
}

function forward({ server, serverPort }: Connection): IpvsVerdict {
  return { action: 'FORWARD', server: { address: server.key.address.text, port: serverPort } };
}
