// The way of one packet through IPVS (`ip_vs_in`, `ip_vs_out`): the connection table first, then services and schedulers.
import type { EnginePacket } from '../engine.ts';
import type { Connection } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { FTP_DATA_PORT, isFtpData } from './ftp.ts';
import type { Namespace } from './namespace.ts';
import { isOnePacket, schedule } from './schedule.ts';
import { dueChunk } from './sctp-states.ts';
import type { Service } from './service.ts';
import type { ServiceTable } from './service-table.ts';
import { moveState } from './states.ts';
import { RST, SYN } from './tcp-states.ts';

export interface PacketPath {
  readonly namespace: Namespace;
  readonly services: ServiceTable;
  readonly connections: ConnectionTable;
}

/** `noServer`: a service without a usable server. `leave`: no matter for IPVS. */
export type PacketOutcome =
  | { readonly kind: 'forward' | 'translate'; readonly connection: Connection }
  | { readonly kind: 'noServer'; readonly service: Service }
  | { readonly kind: 'drop' | 'leave' };

/** What is to be done about a client's packet, found without a change. `ended`: a connection that is over by it. */
export type Decision =
  | { readonly kind: 'proceed'; readonly connection: Connection }
  | { readonly kind: 'begin'; readonly service: Service; readonly ended?: Connection }
  | { readonly kind: 'drop' | 'leave'; readonly ended?: Connection };

const LEAVE = { kind: 'leave' } as const;
const DROP = { kind: 'drop' } as const;

/** `isConfirmed`: conntrack knows the packet's connection, where its entries are kept outside of IPVS. */
export function processPacket(packet: EnginePacket, path: PacketPath, isConfirmed = false): PacketOutcome {
  if (!path.services.hasFamily(packet.destination.family)) return LEAVE;
  return packet.isFromServer ? fromServer(packet, path) : fromClient(packet, path, isConfirmed);
}

function fromServer(packet: EnginePacket, { connections, namespace }: PacketPath): PacketOutcome {
  const connection = connections.findByServer(packet);
  if (connection === undefined) return LEAVE;
  if (!packet.isIcmpError) {
    connection.conntrack?.isConfirmedBy(packet, namespace.now);
    moveState(connection, packet, namespace);
    connections.restartTimer(connection);
  }
  return { kind: 'translate', connection };
}

function fromClient(packet: EnginePacket, path: PacketPath, isConfirmed: boolean): PacketOutcome {
  const { connections, namespace } = path;
  const connection = connections.findByClient(packet);
  if (packet.isIcmpError) return connection === undefined ? LEAVE : { kind: 'forward', connection };
  const wasConfirmed = connection?.conntrack?.isConfirmedBy(packet, namespace.now) ?? isConfirmed;
  const decision = decide(packet, connection, path, wasConfirmed);
  if (decision.kind === 'proceed') {
    moveState(decision.connection, packet, namespace);
    connections.restartTimer(decision.connection);
    return { kind: 'forward', connection: decision.connection };
  }
  if (decision.ended !== undefined) connections.expireWithNextTick(decision.ended, wasConfirmed);
  return decision.kind === 'begin' ? begin(packet, decision.service, path) : decision;
}

/** @param connection of the packet's tuple. */
export function decide(packet: EnginePacket, connection: Connection | undefined, path: PacketPath, isConfirmed: boolean): Decision {
  if (connection === undefined) return decideAnew(packet, path);
  const { namespace } = path;
  const isStranded = !connection.server.isAvailable;
  if (isReused(packet, connection, namespace) || (isStranded && namespace.sysctls.expire_nodest_conn !== 0)) {
    return { ...(isConfirmed ? DROP : decideAnew(packet, path)), ended: connection };
  }
  return isStranded ? DROP : { kind: 'proceed', connection };
}

/** A packet without a connection. */
function decideAnew(packet: EnginePacket, { namespace, services }: PacketPath): Exclude<Decision, { kind: 'proceed' }> {
  if (!mayBegin(packet, namespace)) return LEAVE;
  const service = services.find(packet);
  if (service === undefined || packet.sourcePort === FTP_DATA_PORT) return LEAVE;
  return isFtpData(packet, service.key) && service.settings.persistence === undefined ? LEAVE : { kind: 'begin', service };
}

function begin(packet: EnginePacket, service: Service, { connections, namespace }: PacketPath): PacketOutcome {
  const connection = schedule(packet, service, connections, namespace);
  if (connection === undefined) return isFtpData(packet, service.key) ? LEAVE : { kind: 'noServer', service };
  moveState(connection, packet, namespace);
  if (isOnePacket(packet, service)) connections.unbind(connection);
  else connections.restartTimer(connection);
  return { kind: 'forward', connection };
}

/** The client begins anew on a port whose connection is over, or whose server drains while expire_nodest_conn is set. */
function isReused(packet: EnginePacket, { server, control, state, protocol }: Connection, { sysctls }: Namespace): boolean {
  const isNew = packet.protocol === 'TCP' ? (packet.tcpFlags & SYN) !== 0 : packet.protocol === 'SCTP' && chunkOf(packet, state) === 'INIT';
  if (!isNew) return false;
  if (sysctls.expire_nodest_conn !== 0 && server.weight === 0) return true;
  if (sysctls.conn_reuse_mode === 0 || control !== undefined) return false;
  return protocol === 'TCP' ? state === 'TIME_WAIT' || state === 'CLOSE' : state === 'CLOSED';
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
