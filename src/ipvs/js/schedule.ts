// A new connection: the server of a template or of the scheduler, and the entries that follow (`ip_vs_schedule`, `ip_vs_sched_persist`).
import type { EnginePacket } from '../engine.ts';
import type { ServiceSettings } from '../keys.ts';
import { type Connection, createConnection, markAddress, maskAddress } from './connection.ts';
import type { ConnectionTable } from './connection-table.ts';
import { ConntrackEntry } from './conntrack.ts';
import { FTP_PORT } from './ftp.ts';
import type { Namespace } from './namespace.ts';
import type { Server } from './server.ts';
import type { Service } from './service.ts';

/** The connection that this packet begins, in the table unless it is for this packet only; none when no server is usable. */
export function schedule(packet: EnginePacket, service: Service, table: ConnectionTable, namespace: Namespace): Connection | undefined {
  const { persistence } = service.settings;
  const template = persistence === undefined ? undefined : templateFor(packet, service, persistence, table, namespace);
  if (persistence !== undefined && template === undefined) return undefined;
  const server = template?.server ?? service.scheduler.pick(packet);
  if (server === undefined) return undefined;
  const isTracked = namespace.hasConntrackHooks && namespace.sysctls.conntrack !== 0;
  const connection = createConnection({
    isTemplate: false,
    protocol: packet.protocol,
    client: packet.source,
    clientPort: packet.sourcePort,
    virtual: packet.destination,
    virtualPort: packet.destinationPort,
    server,
    serverPort: serverPortOf(packet, service, server),
    control: template,
    conntrack: isTracked ? new ConntrackEntry() : undefined,
  });
  connection.conntrack?.isConfirmedBy(packet, namespace.now);
  if (isOnePacket(packet, service)) table.bind(connection);
  else table.insert(connection);
  if (template !== undefined) table.restartTimer(template);
  return connection;
}

/** Where a new connection goes on its server: persistent services that take every port keep the one that the client asked for. */
export function serverPortOf(packet: EnginePacket, service: Service, server: Server): number {
  const keepsPort = server.key.port === 0 || (service.settings.persistence !== undefined && !isServicePort(packet, service));
  return keepsPort ? packet.destinationPort : server.key.port;
}

/** Only datagrams are scheduled one by one, also where a mark service has them beside other protocols. */
export function isOnePacket(packet: EnginePacket, { settings }: Service): boolean {
  return settings.isOnePacket && packet.protocol === 'UDP';
}

/** The valid template that has this packet's client; none also where the service is not persistent. Nothing moves. */
export function templateOf(packet: EnginePacket, service: Service, table: ConnectionTable, namespace: Namespace): Connection | undefined {
  const { persistence } = service.settings;
  if (persistence === undefined) return undefined;
  const { protocol, client, virtual, virtualPort } = templateEnds(packet, service, persistence);
  const known = table.findTemplate(protocol, client, virtual, virtualPort);
  return known !== undefined && isValid(known, namespace) ? known : undefined;
}

/** The valid template of a client, or a new one with the scheduler's choice. */
function templateFor(
  packet: EnginePacket,
  service: Service,
  persistence: NonNullable<ServiceSettings['persistence']>,
  table: ConnectionTable,
  namespace: Namespace,
): Connection | undefined {
  const { protocol, client, virtual, virtualPort } = templateEnds(packet, service, persistence);
  const known = table.findTemplate(protocol, client, virtual, virtualPort);
  if (known !== undefined && isValid(known, namespace)) return known;
  if (known !== undefined) table.setAside(known);
  const server = service.scheduler.pick(packet);
  if (server === undefined) return undefined;
  const serverPort = virtualPort === 0 ? 0 : server.key.port;
  const ends = { isTemplate: true, client, clientPort: 0, virtual, virtualPort, server, serverPort, protocol } as const;
  const template = createConnection({ ...ends, control: undefined, conntrack: undefined });
  template.timeoutMs = persistence.timeoutSeconds * 1000;
  table.insert(template);
  return template;
}

/** What finds the template of a packet's client. */
function templateEnds(packet: EnginePacket, service: Service, { mask }: NonNullable<ServiceSettings['persistence']>) {
  const { key } = service;
  const isMark = key.kind === 'fwmark';
  return {
    protocol: isMark ? ('IP' as const) : packet.protocol,
    client: maskAddress(packet.source, mask),
    virtual: isMark ? markAddress(key.mark, packet.destination) : packet.destination,
    virtualPort: isServicePort(packet, service) && packet.destinationPort !== FTP_PORT ? packet.destinationPort : 0,
  };
}

/** False for services on port 0 and by mark, which take every port, and for FTP data. */
function isServicePort({ destinationPort }: EnginePacket, { key }: Service): boolean {
  return key.kind === 'address' && key.port === destinationPort;
}

function isValid({ server }: Connection, { sysctls }: Namespace): boolean {
  return server.isAvailable && !(sysctls.expire_quiescent_template !== 0 && server.weight === 0);
}
