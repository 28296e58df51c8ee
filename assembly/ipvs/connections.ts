// The connection table: entries by the tuples of both directions, templates, timers, and what an entry that comes or goes means for its server.
import { V4, V6 } from "../address.ts";
import { equalTuple } from "../conntrack.ts";
import {
  CONN_CLASS_TEMPLATE,
  CONN_CLIENT_TUPLE,
  CONN_CONNTRACK_STATE,
  CONN_FLAG_ACTIVE,
  CONN_FLAG_ASIDE,
  CONN_FLAG_SHADOWED,
  CONN_FLAG_TRACKED,
  CONN_REFERENCE_SERVER,
  CONN_TIMEOUT,
  IPVS_BUCKET_ENTRIES,
  IPVS_BUCKET_PASSED,
  IPVS_BUCKET_SLOTS,
  IPVS_BUCKET_TAGS,
  TIMER_TEMPLATE,
  TIMER_V6,
} from "../shared/ipvs-layout.ts";
import { ADDRESS_V4, ADDRESS_V6, CLASS_NONE } from "../shared/layout.ts";
import { bucketOf, fetchBucket, nextBucket, putFirst, removeReference, slotsWith } from "./bucket-index.ts";
import { endConntrack, fetchConntrack } from "./conntrack.ts";
import { tablesOf } from "./namespace.ts";
import { countConnection, uncountConnection } from "./servers.ts";
import { Connection, Namespace, Server } from "./structs.ts";
import { addTimer, firstTimer, postponeFirst, removeTimer, setTimer, timerAt } from "./timers.ts";
import { copyWords, equalWords, tagOfTuple, tupleSize } from "./tuples.ts";

/** What a template that still has connections gets when its timer fires, and keeps as its timeout. */
const EXTENSION_SECONDS: u32 = 60;

/** The port of a template that is put aside, in either order of bytes. */
const ASIDE_PORTS: u32 = 0xffffffff;

export function isTemplate(connection: Connection): bool {
  return (connection.class & CONN_CLASS_TEMPLATE) != 0;
}

export function isConnection(connection: Connection): bool {
  return changetype<usize>(connection) != 0;
}

export function serverOf(connection: Connection): Server {
  return changetype<Server>(<usize>connection.server);
}

export function clientTuple(connection: Connection): usize {
  return changetype<usize>(connection) + CONN_CLIENT_TUPLE;
}

export function serverTuple(connection: Connection, addressSize: u32): usize {
  return changetype<usize>(connection) + CONN_CLIENT_TUPLE + tupleSize(addressSize);
}

/** Seconds, of a template. */
export function timeoutOf(template: Connection): u32 {
  return load<u32>(changetype<usize>(template), CONN_TIMEOUT);
}

function setTimeout(template: Connection, seconds: u32): void {
  store<u32>(changetype<usize>(template), seconds, CONN_TIMEOUT);
}

/** The newest connection of a packet's tuple, which has this tag. `direction`: 0 from the client, CONN_REFERENCE_SERVER from the server. */
export function find<A>(namespace: Namespace, tuple: usize, ofClass: u32, tag: u32, direction: u32): Connection {
  const tables = tablesOf(namespace, offsetof<A>());
  let bucket = bucketOf(tables, tag);
  while (true) {
    let slots = slotsWith(bucket, tag);
    while (slots != 0) {
      const reference = load<u32>(bucket + ((<usize>ctz<u32>(slots)) << 2), IPVS_BUCKET_ENTRIES);
      if (isReferenceTo<A>(reference, tuple, ofClass, direction)) return referred(reference);
      slots &= slots - 1;
    }
    if (load<u32>(bucket, IPVS_BUCKET_PASSED) == 0) return changetype<Connection>(0);
    bucket = nextBucket(tables, bucket);
  }
}

function referred(reference: u32): Connection {
  return changetype<Connection>(<usize>(reference & ~CONN_REFERENCE_SERVER));
}

function isReferenceTo<A>(reference: u32, tuple: usize, ofClass: u32, direction: u32): bool {
  const connection = referred(reference);
  if ((reference & CONN_REFERENCE_SERVER) != direction || connection.class != ofClass) return false;
  return equalTuple<A>(tupleOf(connection, direction, offsetof<A>()), tuple);
}

function tupleOf(connection: Connection, direction: u32, addressSize: u32): usize {
  return direction == 0 ? clientTuple(connection) : serverTuple(connection, addressSize);
}

/** Of references with the same tuple, the newest stands first: a search ends at the first one it meets. */
function addReference(namespace: Namespace, addressSize: u32, connection: Connection, tag: u32, direction: u32): void {
  const tables = tablesOf(namespace, addressSize);
  let reference = <u32>changetype<usize>(connection) | direction;
  let bucket = bucketOf(tables, tag);
  if (putFirst(bucket, tag, reference)) return;
  const ofClass: u32 = connection.class;
  const tuple = tupleOf(connection, direction, addressSize);
  while (true) {
    for (let slot: usize = 0; slot < IPVS_BUCKET_SLOTS; slot++) {
      const at = bucket + (slot << 2);
      const held = load<u32>(at, IPVS_BUCKET_TAGS);
      if (held == 0) {
        store<u32>(at, tag, IPVS_BUCKET_TAGS);
        store<u32>(at, reference, IPVS_BUCKET_ENTRIES);
        return;
      }
      if (held != tag) continue;
      const other = load<u32>(at, IPVS_BUCKET_ENTRIES);
      if (!isSameReference(other, tuple, ofClass, direction, addressSize) || referred(other).sequence > referred(reference).sequence)
        continue;
      store<u32>(at, reference, IPVS_BUCKET_ENTRIES);
      reference = other;
    }
    store<u32>(bucket, load<u32>(bucket, IPVS_BUCKET_PASSED) + 1, IPVS_BUCKET_PASSED);
    bucket = nextBucket(tables, bucket);
  }
}

function isSameReference(reference: u32, tuple: usize, ofClass: u32, direction: u32, addressSize: u32): bool {
  const connection = referred(reference);
  if ((reference & CONN_REFERENCE_SERVER) != direction || connection.class != ofClass) return false;
  return equalWords(tupleOf(connection, direction, addressSize), tuple, tupleSize(addressSize));
}

function familyMark(addressSize: u32): u32 {
  return addressSize == ADDRESS_V4 ? 0 : TIMER_V6;
}

function dropReference(namespace: Namespace, addressSize: u32, connection: Connection, direction: u32): void {
  const tag = direction == 0 ? tagOfClient(connection, addressSize) : tagOfServer(connection, addressSize);
  removeReference(tablesOf(namespace, addressSize), tag, <u32>changetype<usize>(connection) | direction);
}

function addReferences(namespace: Namespace, addressSize: u32, connection: Connection): void {
  if ((connection.flags & CONN_FLAG_ASIDE) != 0) return;
  addReference(namespace, addressSize, connection, tagOfClient(connection, addressSize), 0);
  if (!isTemplate(connection))
    addReference(namespace, addressSize, connection, tagOfServer(connection, addressSize), CONN_REFERENCE_SERVER);
}

function tagOfClient(connection: Connection, addressSize: u32): u32 {
  return tagOfTuple(clientTuple(connection), connection.class, addressSize);
}

function tagOfServer(connection: Connection, addressSize: u32): u32 {
  return tagOfTuple(serverTuple(connection, addressSize), connection.class, addressSize);
}

/** True when a connection and its template fit: who calls has seen to it. */
export function hasRoom(namespace: Namespace, addressSize: u32): bool {
  return tablesOf(namespace, addressSize).freeCount >= 2 && namespace.timerLimit - namespace.timerCount >= 2;
}

/** A fresh entry. The caller fills in the tuples, then calls insert. */
export function createConnection(namespace: Namespace, addressSize: u32, ofClass: u32, server: Server, control: u32): Connection {
  const tables = tablesOf(namespace, addressSize);
  const connection = changetype<Connection>(<usize>tables.free);
  tables.free = connection.control;
  tables.freeCount--;
  if (tables.free != 0) store<u8>(tables.free, 0, CONN_CONNTRACK_STATE); // the next one is fetched
  connection.class = <u8>ofClass;
  connection.state = 0;
  connection.flags = 0;
  connection.conntrackState = 0;
  connection.server = <u32>changetype<usize>(server);
  connection.expiresAt = 0;
  connection.sequence = namespace.sequence++;
  connection.control = control;
  connection.conntrackEnd = 0;
  return connection;
}

/** The same by the size of addresses. */
export function findBySize(namespace: Namespace, addressSize: u32, tuple: usize, ofClass: u32, tag: u32, direction: u32): Connection {
  return addressSize == ADDRESS_V4
    ? find<V4>(namespace, tuple, ofClass, tag, direction)
    : find<V6>(namespace, tuple, ofClass, tag, direction);
}

/** Puts a new connection into the table, with its timer as it is set, and counts it on its server and its template. The tags are those of its tuples. */
export function insertConnection(namespace: Namespace, addressSize: u32, connection: Connection, tag: u32, serverTag: u32): void {
  const server = serverOf(connection);
  server.references++;
  countConnection(server);
  if (connection.control != 0) changetype<Connection>(<usize>connection.control).control++;
  addReference(namespace, addressSize, connection, tag, 0);
  const tuple = serverTuple(connection, addressSize);
  const older = findBySize(namespace, addressSize, tuple, connection.class, serverTag, CONN_REFERENCE_SERVER);
  if (isConnection(older)) older.flags |= <u8>CONN_FLAG_SHADOWED;
  addReference(namespace, addressSize, connection, serverTag, CONN_REFERENCE_SERVER);
  addTimer(namespace, connection, familyMark(addressSize));
}

export function insertTemplate(namespace: Namespace, addressSize: u32, template: Connection, seconds: u32): void {
  serverOf(template).references++;
  setTimeout(template, seconds);
  addReferences(namespace, addressSize, template);
  template.expiresAt = namespace.now + <f64>seconds * 1000;
  addTimer(namespace, template, TIMER_TEMPLATE | familyMark(addressSize));
}

export function restartTimer(namespace: Namespace, connection: Connection, seconds: u32): void {
  setTimer(namespace, connection, namespace.now + <f64>seconds * 1000);
}

/**
 * It stays for the rest of this packet, in table and counters, and is gone at the next verb or packet. `hasConntrack`: with its conntrack
 * entry; otherwise conntrack begins another one with this packet.
 */
export function expireWithNextTick(namespace: Namespace, connection: Connection, hasConntrack: bool): void {
  if (!hasConntrack) connection.flags &= ~(<u8>CONN_FLAG_TRACKED);
  setTimer(namespace, connection, namespace.now);
}

/** A template that is no longer valid leaves the lookup, and dies with its timer. */
export function setAside(namespace: Namespace, addressSize: u32, template: Connection): void {
  dropReference(namespace, addressSize, template, 0);
  template.flags |= <u8>CONN_FLAG_ASIDE;
  const clientPorts = clientTuple(template) + 2 * addressSize;
  store<u32>(clientPorts, load<u32>(clientPorts) | (ASIDE_PORTS << 16));
  const serverPorts = serverTuple(template, addressSize) + 2 * addressSize;
  store<u32>(serverPorts, load<u32>(serverPorts) | (ASIDE_PORTS >>> 16));
}

/** Every timer that is due now or before, in the order of their times. */
export function fireTimers(namespace: Namespace): void {
  const now = namespace.now;
  while (namespace.timerCount != 0) {
    const timer = firstTimer(namespace);
    if (timer.at > now) return;
    const connection = changetype<Connection>(<usize>(timer.reference & ~(TIMER_TEMPLATE | TIMER_V6)));
    if (connection.expiresAt > timer.at) {
      postponeFirst(namespace, connection.expiresAt);
    } else if (isTemplate(connection) && connection.control != 0) {
      setTimeout(connection, EXTENSION_SECONDS);
      connection.expiresAt += <f64>EXTENSION_SECONDS * 1000;
      postponeFirst(namespace, connection.expiresAt);
    } else {
      removeConnection(namespace, (timer.reference & TIMER_V6) == 0 ? ADDRESS_V4 : ADDRESS_V6, connection);
    }
  }
}

/** Takes an entry out of the table; of a template that still controls connections, those must go first. */
export function removeConnection(namespace: Namespace, addressSize: u32, connection: Connection): void {
  removeTimer(namespace, connection);
  const server = serverOf(connection);
  if (isTemplate(connection)) {
    if ((connection.flags & CONN_FLAG_ASIDE) == 0) dropReference(namespace, addressSize, connection, 0);
  } else {
    dropReference(namespace, addressSize, connection, 0);
    dropReference(namespace, addressSize, connection, CONN_REFERENCE_SERVER);
    if (connection.control != 0) changetype<Connection>(<usize>connection.control).control--;
    uncountConnection(server, (connection.flags & CONN_FLAG_ACTIVE) != 0);
    endConntrack(namespace, addressSize, connection, clientTuple(connection));
  }
  server.references--;
  const tables = tablesOf(namespace, addressSize);
  connection.class = <u8>CLASS_NONE;
  connection.control = tables.free;
  tables.free = <u32>changetype<usize>(connection);
  tables.freeCount++;
}

/** Moves all references to a new, zeroed index. */
export function reindex(namespace: Namespace, addressSize: u32, buckets: usize, count: u32): void {
  const tables = tablesOf(namespace, addressSize);
  tables.buckets = <u32>buckets;
  tables.bucketMask = count - 1;
  const family: u32 = familyMark(addressSize);
  for (let slot: u32 = 0; slot < namespace.timerCount; slot++) {
    const reference = timerAt(namespace, slot).reference;
    if ((reference & TIMER_V6) == family)
      addReferences(namespace, addressSize, changetype<Connection>(<usize>(reference & ~(TIMER_TEMPLATE | TIMER_V6))));
  }
}

/** The tag of its tuple from the server, whose places here and in conntrack are fetched: they are asked next. */
export function tagOfNewServerTuple(namespace: Namespace, addressSize: u32, connection: Connection): u32 {
  const tag = tagOfServer(connection, addressSize);
  fetchBucket(tablesOf(namespace, addressSize), tag);
  fetchConntrack(namespace, addressSize, tag);
  return tag;
}

/** Copies the tuple of a packet from the client. */
export function setClientTuple(connection: Connection, addressSize: u32, tuple: usize): void {
  copyWords(clientTuple(connection), tuple, tupleSize(addressSize));
}

/** The tuple of the server's packets: from its address and port to the client. */
export function setServerTuple(connection: Connection, addressSize: u32, server: usize, port: u32): void {
  const tuple = serverTuple(connection, addressSize);
  const client = clientTuple(connection);
  copyWords(tuple, server, addressSize);
  copyWords(tuple + addressSize, client, addressSize);
  store<u32>(tuple + 2 * addressSize, port | (load<u32>(client + 2 * addressSize) << 16));
}
