// What would become of a client's packet, found without a change: for explanations.
import type { EnginePacket, Foresight } from '../engine.ts';
import { isFtpData } from './ftp.ts';
import { decide, type PacketPath } from './packet.ts';
import { serverPortOf, templateOf } from './schedule.ts';

export function foreseePacket(packet: EnginePacket, path: PacketPath, isConfirmed: boolean): Foresight {
  const { connections, namespace, services } = path;
  if (!services.hasFamily(packet.destination.family)) return { kind: 'leave' };
  const decision = decide(packet, connections.findByClient(packet), path, isConfirmed);
  if (decision.kind === 'proceed') {
    const { server, serverPort } = decision.connection;
    return { kind: 'forward', destination: { address: server.key.address.text, port: serverPort }, by: 'connection' };
  }
  if (decision.kind !== 'begin') return { kind: decision.kind };
  const { service } = decision;
  const template = templateOf(packet, service, connections, namespace);
  const server = template?.server ?? (service.scheduler.peek ?? service.scheduler.pick)(packet);
  if (server === undefined) return { kind: isFtpData(packet, service.key) ? 'leave' : 'noServer' };
  const destination = { address: server.key.address.text, port: serverPortOf(packet, service, server) };
  return { kind: 'forward', destination, by: template === undefined ? 'scheduler' : 'template' };
}
