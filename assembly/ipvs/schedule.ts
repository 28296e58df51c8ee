// A new connection: the server of a template or of the scheduler, and the entries that follow (ip_vs_schedule, ip_vs_sched_persist).
import { swapPort } from "../address.ts";
import {
  CONN_CLASS_TEMPLATE,
  CONN_FLAG_TRACKED,
  CONNTRACK_NONE,
  FORWARD_BY_SCHEDULER,
  FORWARD_BY_TEMPLATE,
  IPVS_VERDICT_BY,
  SERVER_ADDRESS,
  SERVICE_CLASS_MARK,
  SERVICE_FLAG_ONE_PACKET,
  SERVICE_FLAG_PERSISTENT,
  SERVICE_MASK,
} from "../shared/ipvs-layout.ts";
import { CLASS_UDP, PACKET_CLASS, PACKET_MARK, PACKET_PORTS, PACKET_TCP_FLAGS } from "../shared/layout.ts";
import {
  createConnection,
  findBySize,
  insertConnection,
  insertTemplate,
  isConnection,
  restartTimer,
  serverOf,
  setAside,
  setClientTuple,
  setServerTuple,
  tagOfNewServerTuple,
  timeoutOf,
} from "./connections.ts";
import { isConfirmed } from "./conntrack.ts";
import { pick } from "./schedulers.ts";
import { countConnection, isAvailable, isServer, uncountConnection } from "./servers.ts";
import { FTP_PORT, markAddress } from "./services.ts";
import { moveState } from "./states.ts";
import { Connection, Namespace, Server, Service } from "./structs.ts";
import { copyWords, tagOfTuple } from "./tuples.ts";
import { writeForward } from "./verdict.ts";

/** The tuple by which a template is found: masked client, virtual, port 0 and the service's port. */
const TEMPLATE_TUPLE: usize = memory.data(36, 16);

/** Begins the connection of this packet, in the table unless it is for this packet only. False when no server is usable. `tag`: of its tuple. */
export function schedule(namespace: Namespace, service: Service, packet: usize, tag: u32, verdict: usize): bool {
  const isPersistent = (service.flags & SERVICE_FLAG_PERSISTENT) != 0;
  let template = isPersistent ? validTemplate(namespace, service, packet) : changetype<Connection>(0);
  const server = isConnection(template) ? serverOf(template) : pick(namespace, service, packet);
  if (!isServer(server)) return false;
  const addressSize = service.addressSize;
  const rest = packet + 2 * addressSize;
  const port = load<u32>(rest, PACKET_PORTS) >>> 16;
  const keepsPort = server.port == 0 || (isPersistent && !isServicePort(service, port));
  const serverPort = keepsPort ? port : server.port;
  writeForward(verdict, addressSize, changetype<usize>(server) + SERVER_ADDRESS, serverPort, server, service);
  store<u16>(verdict, isConnection(template) ? <u16>FORWARD_BY_TEMPLATE : <u16>FORWARD_BY_SCHEDULER, IPVS_VERDICT_BY);
  if (namespace.isForeseeing != 0) return true;
  if (isPersistent && !isConnection(template)) template = addTemplate(namespace, service, packet, server);
  const ofClass = load<u32>(rest, PACKET_CLASS);
  if (ofClass == CLASS_UDP && (service.flags & SERVICE_FLAG_ONE_PACKET) != 0) {
    // Bound and unbound at once: no more than a mark of the thresholds can come of it.
    countConnection(server);
    uncountConnection(server, false);
  } else {
    const connection = createConnection(namespace, addressSize, ofClass, server, <u32>changetype<usize>(template));
    setClientTuple(connection, addressSize, packet);
    setServerTuple(connection, addressSize, changetype<usize>(server) + SERVER_ADDRESS, serverPort);
    const serverTag = tagOfNewServerTuple(namespace, addressSize, connection);
    if (namespace.conntrackAt != CONNTRACK_NONE && namespace.conntrack != 0) connection.flags |= <u8>CONN_FLAG_TRACKED;
    isConfirmed(namespace, connection, false, load<u8>(rest, PACKET_TCP_FLAGS));
    moveState(namespace, connection, rest, false);
    insertConnection(namespace, addressSize, connection, tag, serverTag);
  }
  if (isConnection(template)) restartTimer(namespace, template, timeoutOf(template));
  return true;
}

/** The template of a client; none when it has no valid one. Leaves at TEMPLATE_TUPLE what finds it. */
function validTemplate(namespace: Namespace, service: Service, packet: usize): Connection {
  const addressSize = service.addressSize;
  const rest = packet + 2 * addressSize;
  const port = load<u32>(rest, PACKET_PORTS) >>> 16;
  const isMark = service.class == SERVICE_CLASS_MARK;
  copyMasked(TEMPLATE_TUPLE, packet, changetype<usize>(service) + SERVICE_MASK, addressSize);
  copyWords(TEMPLATE_TUPLE + addressSize, isMark ? markAddress(load<u32>(rest, PACKET_MARK)) : packet + addressSize, addressSize);
  const templatePort = isServicePort(service, port) && port != swapPort(FTP_PORT) ? port : 0;
  store<u32>(TEMPLATE_TUPLE + 2 * addressSize, templatePort << 16);
  const ofClass = templateClass(service, packet);
  const known = findBySize(namespace, addressSize, TEMPLATE_TUPLE, ofClass, tagOfTuple(TEMPLATE_TUPLE, ofClass, addressSize), 0);
  if (!isConnection(known) || isValid(namespace, serverOf(known))) return known;
  if (namespace.isForeseeing == 0) setAside(namespace, addressSize, known);
  return changetype<Connection>(0);
}

/** For the client whose template was looked for last: one that leads to the scheduler's choice. */
function addTemplate(namespace: Namespace, service: Service, packet: usize, server: Server): Connection {
  const addressSize = service.addressSize;
  const template = createConnection(namespace, addressSize, templateClass(service, packet), server, 0);
  setClientTuple(template, addressSize, TEMPLATE_TUPLE);
  const serverPort = load<u32>(TEMPLATE_TUPLE + 2 * addressSize) != 0 ? server.port : 0;
  setServerTuple(template, addressSize, changetype<usize>(server) + SERVER_ADDRESS, serverPort);
  insertTemplate(namespace, addressSize, template, service.timeout);
  return template;
}

function templateClass(service: Service, packet: usize): u32 {
  const isMark = service.class == SERVICE_CLASS_MARK;
  return (isMark ? SERVICE_CLASS_MARK : load<u32>(packet + 2 * service.addressSize, PACKET_CLASS)) | CONN_CLASS_TEMPLATE;
}

function copyMasked(to: usize, from: usize, mask: usize, size: u32): void {
  for (let at: usize = 0; at < size; at += 4) store<u32>(to + at, load<u32>(from + at) & load<u32>(mask + at));
}

/** False for services on port 0 and by mark, which take every port, and for FTP data. */
function isServicePort(service: Service, port: u32): bool {
  return service.class != SERVICE_CLASS_MARK && service.port == port;
}

function isValid(namespace: Namespace, server: Server): bool {
  return isAvailable(server) && (namespace.expireQuiescentTemplate == 0 || server.weight != 0);
}
