// IPVS among the hooks of a node (ip_vs_in, ip_vs_out): hands packets over to assembly/ipvs, as it wants them, and says what became of
// them. The node has one namespace, made by TypeScript with the first virtual service; conntrack entries are the node's own.
import { copyAddress, equalAddress } from "./address.ts";
import { copyTuple, equalTuple, originalTuple, replyTuple, tagOf } from "./conntrack.ts";
import { destinationAddress, flight, setDestination, virtualAddress } from "./flight.ts";
import { fetchBucket } from "./ipvs/bucket-index.ts";
import { clientTuple, find, fireTimers, isConnection, serverOf, serverTuple } from "./ipvs/connections.ts";
import { tablesOf } from "./ipvs/namespace.ts";
import { processPacket, tagOfPacket } from "./ipvs/packet.ts";
import { isAvailable } from "./ipvs/servers.ts";
import { findService, isService } from "./ipvs/services.ts";
import { keepAlive } from "./ipvs/states.ts";
import { Connection, Namespace, Service } from "./ipvs/structs.ts";
import { bindDestination } from "./ruleset.ts";
import { CT_FLAG_IPVS, CT_FLAGS, CT_IPVS_V4, CT_IPVS_V6 } from "./shared/conntrack-layout.ts";
import {
  CONN_CONNTRACK_STATE,
  CONN_FLAG_SHADOWED,
  CONN_SCRATCH_V6,
  IPVS_DROP,
  IPVS_FORWARD,
  IPVS_LEAVE,
  IPVS_PACKET_FLAG_FROM_SERVER,
  IPVS_PACKET_FLAGS,
  IPVS_REJECT,
  IPVS_VERDICT_ACTION,
  IPVS_VERDICT_ADDRESS,
  IPVS_VERDICT_PORT,
  IPVS_VERDICT_SERVICE,
  IPVS_VERDICT_SIZE,
} from "./shared/ipvs-layout.ts";
import {
  ACTION_ACCEPT,
  ACTION_DNAT,
  ACTION_DROP,
  ACTION_NONE,
  ACTION_REJECT,
  PACKET_CLASS,
  PACKET_MARK,
  PACKET_TCP_FLAGS,
} from "./shared/layout.ts";
import { engine } from "./state.ts";

/** The packet as IPVS gets it, and what it answers. */
const PACKET: usize = memory.data(48, 16);
const VERDICT: usize = memory.data(32, 16);
if (IPVS_VERDICT_SIZE > 32) ERROR("VERDICT is too small");

function namespaceOf(address: u32): Namespace {
  return changetype<Namespace>(<usize>address);
}

/** After a packet: what it ended is gone before the next one. */
export function fireDueTimers(): void {
  if (engine.ipvs != 0) fireTimers(namespaceOf(engine.ipvs));
}

/**
 * A new packet from a client, as it arrived. ACTION_NONE: no matter for IPVS. ACTION_DNAT: it has its destination, the one in flight.
 * ACTION_REJECT: its virtual service has no usable server. ACTION_DROP.
 */
export function scheduleConnection<A>(packet: usize): u32 {
  if (engine.ipvs == 0 || flight.isDnat) return ACTION_NONE;
  const answer = passClient<A>(packet, flight.tag, false);
  if (answer == IPVS_LEAVE) return ACTION_NONE;
  if (answer == IPVS_DROP) return ACTION_DROP;
  const servicePort = servicePortOf<A>();
  if (answer == IPVS_REJECT) {
    flight.servicePort = servicePort;
    return ACTION_REJECT;
  }
  flight.isIpvs = true;
  flight.virtualPort = flight.destinationPort;
  copyAddress<A>(virtualAddress(), destinationAddress());
  setDestination<A>(VERDICT + IPVS_VERDICT_ADDRESS, load<u32>(VERDICT, IPVS_VERDICT_PORT));
  bindDestination(servicePort);
  return ACTION_DNAT;
}

/** Where an entry keeps the hint at its connection in IPVS. */
function hintOf<A>(entry: usize): usize {
  return entry + (offsetof<A>() == 4 ? CT_IPVS_V4 : CT_IPVS_V6);
}

/** The connection in IPVS that an entry knows of, if it still is the one with its original tuple: there is no other one then. */
function knownConnection<A>(entry: usize): Connection {
  const connection = changetype<Connection>(<usize>load<u32>(hintOf<A>(entry)));
  const isIt =
    isConnection(connection) && connection.class == load<u8>(entry) && equalTuple<A>(clientTuple(connection), originalTuple(entry));
  return isIt ? connection : changetype<Connection>(0);
}

/** Fetches the connection in IPVS of an entry that is about to be needed. A store retires without waiting for its line. @inline */
export function fetchConnection<A>(entry: usize): void {
  if ((load<u16>(entry, CT_FLAGS) & CT_FLAG_IPVS) == 0) return;
  const connection: usize = load<u32>(hintOf<A>(entry));
  if (connection == 0) return;
  store<u8>(connection, 0, CONN_CONNTRACK_STATE);
  if (offsetof<A>() == 16) store<u8>(connection, 0, CONN_SCRATCH_V6);
}

/** Fetches where IPVS will look for the connection of a packet that conntrack does not know, by the tag of its tuple. @inline */
export function fetchUnknown<A>(tag: u32): void {
  fetchBucket(tablesOf(namespaceOf(engine.ipvs), offsetof<A>()), tag);
}

/** One more packet of an established connection that IPVS made restarts its timer there. False: it may do more; nothing was changed. */
export function keepFollowed<A>(entry: usize, isReply: bool): bool {
  const connection = knownConnection<A>(entry);
  if (!isConnection(connection)) return false;
  const namespace = namespaceOf(engine.ipvs);
  if (tablesOf(namespace, offsetof<A>()).serviceCount == 0) return false;
  if (!isReply) return isAvailable(serverOf(connection)) && keepAlive(namespace, connection, false);
  if ((connection.flags & CONN_FLAG_SHADOWED) != 0) return false;
  const server = serverTuple(connection, offsetof<A>());
  const reply = replyTuple<A>(entry);
  const ports = load<u32>(server + 2 * offsetof<A>()) ^ load<u32>(reply + 2 * offsetof<A>());
  return (ports & 0xffff) == 0 && equalAddress<A>(server, reply) && keepAlive(namespace, connection, true);
}

/**
 * One more packet of a connection that IPVS made: it moves that connection on. ACTION_NONE: conntrack translates the packet, as ever.
 * ACTION_ACCEPT: IPVS has no services any more, it goes to the node itself. ACTION_DROP, ACTION_REJECT.
 */
export function followConnection<A>(packet: usize, entry: usize, isReply: bool): u32 {
  if (isReply) {
    passServer<A>(packet, entry);
    return ACTION_NONE;
  }
  const answer = passClient<A>(packet, tagOf<A>(packet, load<u8>(entry)), true);
  if (answer == IPVS_FORWARD) {
    if (!isConnection(knownConnection<A>(entry))) {
      const connection = find<A>(namespaceOf(engine.ipvs), PACKET, load<u8>(entry), tagOfPacket<A>(PACKET), 0);
      store<u32>(hintOf<A>(entry), <u32>changetype<usize>(connection));
    }
    return ACTION_NONE;
  }
  if (answer == IPVS_LEAVE) return ACTION_ACCEPT;
  return answer == IPVS_DROP ? ACTION_DROP : ACTION_REJECT;
}

/** kube-proxy has no services by mark. */
function passClient<A>(packet: usize, tag: u32, isConfirmed: bool): u32 {
  copyTuple<A>(PACKET, packet);
  return pass<A>(tag, packet + 2 * offsetof<A>(), 0, isConfirmed);
}

/** IPVS sees a server's packet after conntrack has put the client's own address back. */
function passServer<A>(packet: usize, entry: usize): void {
  const client = originalTuple(entry);
  const server = replyTuple<A>(entry);
  copyAddress<A>(PACKET, server);
  copyAddress<A>(PACKET + offsetof<A>(), client);
  const ports = (load<u32>(server + 2 * offsetof<A>()) & 0xffff) | (load<u32>(client + 2 * offsetof<A>()) << 16);
  store<u32>(PACKET + 2 * offsetof<A>(), ports);
  pass<A>(tagOf<A>(PACKET, load<u8>(entry)), packet + 2 * offsetof<A>(), IPVS_PACKET_FLAG_FROM_SERVER, true);
}

/** The addresses and ports stand in PACKET; `tag` is theirs, `rest` the record after the addresses whose header counts. */
function pass<A>(tag: u32, rest: usize, flags: u32, isConfirmed: bool): u32 {
  const own = PACKET + 2 * offsetof<A>();
  store<u32>(own, load<u32>(rest, PACKET_CLASS), PACKET_CLASS);
  store<u32>(own, <u32>load<u8>(rest, PACKET_TCP_FLAGS) | (flags << 8), PACKET_TCP_FLAGS);
  store<u32>(own, 0, PACKET_MARK);
  const namespace = namespaceOf(engine.ipvs);
  namespace.isConfirmed = isConfirmed ? 1 : 0;
  namespace.random = engine.random;
  processPacket<A>(namespace, PACKET, tag, VERDICT);
  engine.random = namespace.random;
  return load<u16>(VERDICT, IPVS_VERDICT_ACTION);
}
if (IPVS_PACKET_FLAGS != PACKET_TCP_FLAGS + 1) ERROR("the flags of an IPVS packet do not follow those of TCP");

/** Of the virtual service that the packet is for now; 0: it is gone, and its connection still there. */
function servicePortOf<A>(): u32 {
  const scheduled = load<u32>(VERDICT, IPVS_VERDICT_SERVICE);
  const service = scheduled != 0 ? changetype<Service>(<usize>scheduled) : findService(namespaceOf(engine.ipvs), PACKET, offsetof<A>());
  return isService(service) ? service.tag : 0;
}
