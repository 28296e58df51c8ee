// The exports of the core that belong to IPVS. Part of core.ts: every number that leaves is unsigned.
import { IPVS_LAYOUT_VERSION } from '../../../assembly/shared/ipvs-layout.ts';
import { ADDRESS_V4, ADDRESS_V6 } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { CoreError } from '../../errors.ts';

export interface IpvsExports {
  ipvsLayoutVersion(): number;
  ipvsAdvance(namespace: number, now: number): void;
  ipvsProcessV4(namespace: number, packets: number, verdicts: number, count: number, now: number): void;
  ipvsProcessV6(namespace: number, packets: number, verdicts: number, count: number, now: number): void;
  ipvsForesee(namespace: number, addressSize: number, packet: number, verdict: number, isConfirmed: number): void;
  ipvsReindex(namespace: number, addressSize: number, buckets: number, count: number): void;
  ipvsRemove(namespace: number, addressSize: number, connection: number): void;
  ipvsSweepCache(namespace: number): void;
  ipvsRechain(namespace: number, chains: number, count: number): void;
  ipvsBind(namespace: number, service: number): void;
  ipvsUnbind(namespace: number, service: number): void;
  ipvsServerAdded(service: number): void;
  ipvsServerRemoved(service: number, index: number): void;
  ipvsServerEdited(service: number): void;
  ipvsHomeBucket(namespace: number, addressSize: number, tuple: number, ofClass: number): number;
}

/** IPVS in the core: every number but counts and times is the address of a record (assembly/shared/ipvs-layout.ts). */
export interface IpvsCore {
  /** Fires the timers that are due at `now`. */
  advance(namespace: number, now: number): void;
  process(family: Family, namespace: number, packets: number, verdicts: number, count: number, now: number): void;
  /** The verdict about a client's packet; nothing moves. `isConfirmed`: the node's conntrack knows the packet's connection. */
  foresee(family: Family, namespace: number, packet: number, verdict: number, isConfirmed: boolean): void;
  /** Moves the references of all entries to a new, zeroed index. */
  reindex(family: Family, namespace: number, buckets: number, count: number): void;
  remove(family: Family, namespace: number, connection: number): void;
  sweepCache(namespace: number): void;
  rechain(namespace: number, chains: number, count: number): void;
  bind(namespace: number, service: number): void;
  unbind(namespace: number, service: number): void;
  serverAdded(service: number): void;
  serverRemoved(service: number, index: number): void;
  serverEdited(service: number): void;
  homeBucket(family: Family, namespace: number, tuple: number, ofClass: number): number;
}

/** @throws CoreError when core and library are not of one version */
export function ipvsCore(core: IpvsExports): IpvsCore {
  const version = core.ipvsLayoutVersion() >>> 0;
  if (version !== IPVS_LAYOUT_VERSION)
    throw new CoreError(`the core has IPVS layout version ${version}, the library ${IPVS_LAYOUT_VERSION}: one of them is stale`);
  return {
    advance: (namespace, now) => core.ipvsAdvance(namespace, now),
    process(family, namespace, packets, verdicts, count, now) {
      try {
        if (family === 'IPv4') core.ipvsProcessV4(namespace, packets, verdicts, count, now);
        else core.ipvsProcessV6(namespace, packets, verdicts, count, now);
      } catch (error) {
        throw new CoreError(
          `the core trapped on ${count} ${family} packets to IPVS: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    },
    foresee: (family, namespace, packet, verdict, isConfirmed) =>
      core.ipvsForesee(namespace, addressSize(family), packet, verdict, isConfirmed ? 1 : 0),
    reindex: (family, namespace, buckets, count) => core.ipvsReindex(namespace, addressSize(family), buckets, count),
    remove: (family, namespace, connection) => core.ipvsRemove(namespace, addressSize(family), connection),
    sweepCache: (namespace) => core.ipvsSweepCache(namespace),
    rechain: (namespace, chains, count) => core.ipvsRechain(namespace, chains, count),
    bind: (namespace, service) => core.ipvsBind(namespace, service),
    unbind: (namespace, service) => core.ipvsUnbind(namespace, service),
    serverAdded: (service) => core.ipvsServerAdded(service),
    serverRemoved: (service, index) => core.ipvsServerRemoved(service, index),
    serverEdited: (service) => core.ipvsServerEdited(service),
    homeBucket: (family, namespace, tuple, ofClass) => core.ipvsHomeBucket(namespace, addressSize(family), tuple, ofClass) >>> 0,
  };
}

function addressSize(family: Family): number {
  return family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6;
}
