// What TypeScript calls of IPVS (index.ts exports it): addresses of records in, nothing but addresses and whole numbers across.
import { V4, V6 } from "../address.ts";
import { IPVS_LAYOUT_VERSION } from "../shared/ipvs-layout.ts";
import { ADDRESS_V4 } from "../shared/layout.ts";
import { bucketOf } from "./bucket-index.ts";
import { fireTimers, reindex, removeConnection } from "./connections.ts";
import { rechain, sweepCache } from "./destination-cache.ts";
import { tablesOf } from "./namespace.ts";
import { processPacket, processPackets, tagOfPacket } from "./packet.ts";
import { bindScheduler, serverAdded, serverEdited, serverRemoved, unbindScheduler } from "./schedulers.ts";
import { Connection, Namespace, Service } from "./structs.ts";
import { tagOfTuple } from "./tuples.ts";

export function ipvsLayoutVersion(): u32 {
  return IPVS_LAYOUT_VERSION;
}

/** Fires the timers that are due at `now`, which becomes the moment of what follows. */
export function ipvsAdvance(namespace: usize, now: f64): void {
  changetype<Namespace>(namespace).now = now;
  fireTimers(changetype<Namespace>(namespace));
}

/** Runs `count` packets in order at `now`. Room for two entries a packet has been made. */
export function ipvsProcessV4(namespace: usize, packets: usize, verdicts: usize, count: u32, now: f64): void {
  changetype<Namespace>(namespace).now = now;
  processPackets<V4>(changetype<Namespace>(namespace), packets, verdicts, count);
}

export function ipvsProcessV6(namespace: usize, packets: usize, verdicts: usize, count: u32, now: f64): void {
  changetype<Namespace>(namespace).now = now;
  processPackets<V6>(changetype<Namespace>(namespace), packets, verdicts, count);
}

/** The verdict about a client's packet, and nothing moves. `isConfirmed`: 1 when the node's conntrack knows the packet's connection. */
export function ipvsForesee(namespace: usize, addressSize: u32, packet: usize, verdict: usize, isConfirmed: u32): void {
  const record = changetype<Namespace>(namespace);
  record.isForeseeing = 1;
  record.isConfirmed = isConfirmed;
  if (addressSize == ADDRESS_V4) processPacket<V4>(record, packet, tagOfPacket<V4>(packet), verdict);
  else processPacket<V6>(record, packet, tagOfPacket<V6>(packet), verdict);
  record.isForeseeing = 0;
}

/** Moves the references of all entries of a family to a new, zeroed index of `count` buckets. */
export function ipvsReindex(namespace: usize, addressSize: u32, buckets: usize, count: u32): void {
  reindex(changetype<Namespace>(namespace), addressSize, buckets, count);
}

export function ipvsRemove(namespace: usize, addressSize: u32, connection: usize): void {
  removeConnection(changetype<Namespace>(namespace), addressSize, changetype<Connection>(connection));
}

/** Before the destination cache grows: what nobody will find again goes. */
export function ipvsSweepCache(namespace: usize): void {
  sweepCache(changetype<Namespace>(namespace));
}

/** Moves the destination cache to new, zeroed chains. */
export function ipvsRechain(namespace: usize, chains: usize, count: u32): void {
  rechain(changetype<Namespace>(namespace), chains, count);
}

/** A service has its scheduler, and perhaps servers. */
export function ipvsBind(namespace: usize, service: usize): void {
  bindScheduler(changetype<Namespace>(namespace), changetype<Service>(service));
}

export function ipvsUnbind(namespace: usize, service: usize): void {
  unbindScheduler(changetype<Namespace>(namespace), changetype<Service>(service));
}

export function ipvsServerAdded(service: usize): void {
  serverAdded(changetype<Service>(service));
}

export function ipvsServerRemoved(service: usize, number: u32): void {
  serverRemoved(changetype<Service>(service), number);
}

export function ipvsServerEdited(service: usize): void {
  serverEdited(changetype<Service>(service));
}

/** For self-checks: the bucket where the search for a tuple begins. */
export function ipvsHomeBucket(namespace: usize, addressSize: u32, tuple: usize, ofClass: u32): usize {
  return bucketOf(tablesOf(changetype<Namespace>(namespace), addressSize), tagOfTuple(tuple, ofClass, addressSize));
}
