// The way of one packet through IPVS (ip_vs_in, ip_vs_out): the connection table first, then services and schedulers.
// docs/ipvs-path.md is the specification. Hosts see to it that no timer is due when a packet comes. While the namespace is foreseeing, a
// client's packet gets its verdict and nothing moves.
import { swapPort } from "../address.ts";
import { tagOfRecord } from "../conntrack.ts";
import {
  CONN_REFERENCE_SERVER,
  IPVS_DROP,
  IPVS_LEAVE,
  IPVS_PACKET_FLAG_FROM_SERVER,
  IPVS_PACKET_FLAG_ICMP_ERROR,
  IPVS_PACKET_FLAGS,
  IPVS_REJECT,
  IPVS_SCTP_CLOSED,
  IPVS_SCTP_NONE,
  IPVS_TCP_CLOSE,
  IPVS_TCP_TIME_WAIT,
  IPVS_VERDICT_SIZE,
  SERVICE_FLAG_PERSISTENT,
} from "../shared/ipvs-layout.ts";
import {
  CHUNK_ABORT,
  CHUNK_INIT,
  CLASS_SCTP,
  CLASS_TCP,
  CLASS_UDP,
  PACKET_CLASS,
  PACKET_PORTS,
  PACKET_SCTP_CHUNK,
  PACKET_SIZE_V4,
  PACKET_SIZE_V6,
  PACKET_TCP_FLAGS,
  TCP_RST,
  TCP_SYN,
} from "../shared/layout.ts";
import { clientTuple, expireWithNextTick, find, fireTimers, hasRoom, isConnection, serverOf, serverTuple } from "./connections.ts";
import { isConfirmed } from "./conntrack.ts";
import { hasCacheRoom } from "./destination-cache.ts";
import { tablesOf } from "./namespace.ts";
import { schedule } from "./schedule.ts";
import { remembersDestinations } from "./schedulers.ts";
import { chunkOf } from "./sctp-states.ts";
import { isAvailable } from "./servers.ts";
import { FTP_DATA_PORT, findService, isFtpData, isService } from "./services.ts";
import { moveState } from "./states.ts";
import { Connection, Namespace, Service } from "./structs.ts";
import { writeAction, writeForward, writeTranslate } from "./verdict.ts";

/** Packets in order, all at the namespace's present moment. */
export function processPackets<A>(namespace: Namespace, packets: usize, verdicts: usize, count: u32): void {
  for (let number: u32 = 0; number < count; number++) {
    fireTimers(namespace);
    processPacket<A>(namespace, packets, tagOfPacket<A>(packets), verdicts);
    packets += offsetof<A>() == 4 ? PACKET_SIZE_V4 : PACKET_SIZE_V6;
    verdicts += IPVS_VERDICT_SIZE;
  }
}

/** That of its tuple. */
export function tagOfPacket<A>(packet: usize): u32 {
  return tagOfRecord<A>(packet);
}

/** `tag`: that of the packet's tuple. */
export function processPacket<A>(namespace: Namespace, packet: usize, tag: u32, verdict: usize): void {
  if (tablesOf(namespace, offsetof<A>()).serviceCount == 0) {
    leaveAlone(verdict);
    return;
  }
  const rest = packet + 2 * offsetof<A>();
  const flags: u32 = load<u8>(rest, IPVS_PACKET_FLAGS);
  const isIcmpError = (flags & IPVS_PACKET_FLAG_ICMP_ERROR) != 0;
  if ((flags & IPVS_PACKET_FLAG_FROM_SERVER) != 0) fromServer<A>(namespace, packet, rest, tag, isIcmpError, verdict);
  else fromClient<A>(namespace, packet, rest, tag, isIcmpError, verdict);
}

function leaveAlone(verdict: usize): void {
  writeAction(verdict, IPVS_LEAVE, changetype<Service>(0));
}

function drop(verdict: usize): void {
  writeAction(verdict, IPVS_DROP, changetype<Service>(0));
}

function fromServer<A>(namespace: Namespace, packet: usize, rest: usize, tag: u32, isIcmpError: bool, verdict: usize): void {
  const connection = find<A>(namespace, packet, load<u32>(rest, PACKET_CLASS), tag, CONN_REFERENCE_SERVER);
  if (!isConnection(connection)) {
    leaveAlone(verdict);
    return;
  }
  const client = clientTuple(connection);
  writeTranslate(verdict, offsetof<A>(), client + offsetof<A>(), load<u32>(client + 2 * offsetof<A>()) >>> 16);
  if (isIcmpError) return;
  isConfirmed(namespace, connection, true, load<u8>(rest, PACKET_TCP_FLAGS));
  moveState(namespace, connection, rest, true);
}

function fromClient<A>(namespace: Namespace, packet: usize, rest: usize, tag: u32, isIcmpError: bool, verdict: usize): void {
  const connection = find<A>(namespace, packet, load<u32>(rest, PACKET_CLASS), tag, 0);
  if (isConnection(connection)) {
    if (isIcmpError) forward<A>(connection, verdict);
    else proceed<A>(namespace, connection, packet, rest, tag, verdict);
  } else if (isIcmpError) {
    leaveAlone(verdict);
  } else {
    begin(namespace, packet, rest, tag, verdict);
  }
}

/** A packet of a known connection, which it may end. */
function proceed<A>(namespace: Namespace, connection: Connection, packet: usize, rest: usize, tag: u32, verdict: usize): void {
  const wasConfirmed = isConfirmed(namespace, connection, false, load<u8>(rest, PACKET_TCP_FLAGS));
  const isStranded = !isAvailable(serverOf(connection));
  if (isReused(namespace, connection, rest) || (isStranded && namespace.expireNodestConn != 0)) {
    if (namespace.isForeseeing == 0) expireWithNextTick(namespace, connection, wasConfirmed);
    if (wasConfirmed) drop(verdict);
    else begin(namespace, packet, rest, tag, verdict);
  } else if (isStranded) {
    drop(verdict);
  } else {
    if (namespace.isForeseeing == 0) moveState(namespace, connection, rest, false);
    forward<A>(connection, verdict);
  }
}

/** The client begins anew on a port whose connection is over, or whose server drains while expire_nodest_conn is set. */
function isReused(namespace: Namespace, connection: Connection, rest: usize): bool {
  const state: u32 = connection.state;
  const ofClass: u32 = connection.class;
  if (ofClass == CLASS_TCP) {
    if ((load<u8>(rest, PACKET_TCP_FLAGS) & TCP_SYN) == 0) return false;
  } else if (ofClass != CLASS_SCTP || chunkOf(false, load<u8>(rest, PACKET_SCTP_CHUNK), state) != CHUNK_INIT) {
    return false;
  }
  if (namespace.expireNodestConn != 0 && serverOf(connection).weight == 0) return true;
  if (namespace.connReuseMode == 0 || connection.control != 0) return false;
  return ofClass == CLASS_TCP ? state == IPVS_TCP_TIME_WAIT || state == IPVS_TCP_CLOSE : state == IPVS_SCTP_CLOSED;
}

/** A packet without a connection. */
function begin(namespace: Namespace, packet: usize, rest: usize, tag: u32, verdict: usize): void {
  if (!mayBegin(namespace, rest)) {
    leaveAlone(verdict);
    return;
  }
  const addressSize = <u32>(rest - packet) >>> 1;
  const service = findService(namespace, packet, addressSize);
  const ports = load<u32>(rest, PACKET_PORTS);
  if (!isService(service) || (ports & 0xffff) == swapPort(FTP_DATA_PORT)) {
    leaveAlone(verdict);
    return;
  }
  const isData = isFtpData(service, ports >>> 16);
  if (isData && (service.flags & SERVICE_FLAG_PERSISTENT) == 0) {
    leaveAlone(verdict);
    return;
  }
  if (!hasRoom(namespace, addressSize) || (remembersDestinations(service) && !hasCacheRoom(namespace))) {
    namespace.unreserved++;
    drop(verdict);
    return;
  }
  if (schedule(namespace, service, packet, tag, verdict)) return;
  if (isData) leaveAlone(verdict);
  else writeAction(verdict, IPVS_REJECT, service);
}

function mayBegin(namespace: Namespace, rest: usize): bool {
  const ofClass = load<u32>(rest, PACKET_CLASS);
  if (ofClass == CLASS_TCP) {
    const flags: u32 = load<u8>(rest, PACKET_TCP_FLAGS);
    return (flags & TCP_RST) == 0 && (namespace.sloppyTcp != 0 || (flags & TCP_SYN) != 0);
  }
  if (ofClass == CLASS_SCTP) {
    const chunk = chunkOf(false, load<u8>(rest, PACKET_SCTP_CHUNK), IPVS_SCTP_NONE);
    return chunk != CHUNK_ABORT && (namespace.sloppySctp != 0 || chunk == CHUNK_INIT);
  }
  return ofClass == CLASS_UDP;
}

function forward<A>(connection: Connection, verdict: usize): void {
  const server = serverTuple(connection, offsetof<A>());
  writeForward(
    verdict,
    offsetof<A>(),
    server,
    load<u32>(server + 2 * offsetof<A>()) & 0xffff,
    serverOf(connection),
    changetype<Service>(0),
  );
}
