// A namespace of the core from outside: its record, its settings, and room for what packets may begin. The core itself never grows anything.
// Two hosts use it: `createIpvs` (engine.ts), and whoever runs IPVS among the other hooks of a node.
import {
  CACHE_NEXT,
  CACHE_NODE_SIZE,
  CONN_CONTROL,
  CONN_SIZE_V4,
  CONN_SIZE_V6,
  FAMILY_BUCKET_MASK,
  FAMILY_BUCKETS,
  FAMILY_FREE,
  FAMILY_FREE_COUNT,
  FAMILY_SERVICE_COUNT,
  IPVS_BUCKET_LOAD_MAX,
  IPVS_BUCKET_SIZE,
  IPVS_TCP_ESTABLISHED,
  IPVS_TCP_FIN_WAIT,
  NAMESPACE_CACHE,
  NAMESPACE_CACHE_FREE,
  NAMESPACE_CACHE_FREE_COUNT,
  NAMESPACE_CACHE_MASK,
  NAMESPACE_CONNTRACK,
  NAMESPACE_NOW,
  NAMESPACE_RANDOM,
  NAMESPACE_SIZE,
  NAMESPACE_SYSCTLS,
  NAMESPACE_TCP_TIMEOUTS,
  NAMESPACE_TIMER_COUNT,
  NAMESPACE_TIMER_LIMIT,
  NAMESPACE_TIMERS,
  NAMESPACE_UDP_TIMEOUT,
  NAMESPACE_V4,
  NAMESPACE_V6,
  TIMER_SIZE,
} from '../../../assembly/shared/ipvs-layout.ts';
import type { Family } from '../../address.ts';
import type { Core } from '../../engine/wasm/core.ts';
import type { IpvsCore } from '../../engine/wasm/ipvs-core.ts';
import type { LinearMemory } from '../../engine/wasm/memory.ts';
import { ENGINE_SYSCTLS, type EngineSysctl, type EngineSysctls, type TimeoutSettings } from '../engine.ts';

/** Seconds of the kernel's states of TCP, NONE first, and of UDP. */
const TCP_TIMEOUTS = [2, 900, 120, 60, 120, 120, 10, 60, 30, 120, 120];
const UDP_TIMEOUT = 300;

/** A packet may begin a connection and its template, and take a node and a member of the destination cache. */
const ENTRIES_PER_PACKET = 2;
const NODES_PER_PACKET = 2;
/** An entry stands in the index under two tuples at most. */
const REFERENCES_PER_ENTRY = 2;

const BUCKETS_AT_FIRST = 16;
const CHAINS_AT_FIRST = 16;

const FAMILIES = ['IPv4', 'IPv6'] as const;

/** Consecutive entries of one family. */
export interface EntryBlock {
  readonly family: Family;
  readonly address: number;
  readonly count: number;
}

export interface NamespaceOptions {
  readonly sysctls: EngineSysctls;
  /** CONNTRACK_*: where the conntrack entries of its connections are. */
  readonly conntrack: number;
  /** As seedRandom or nextRandom gives it; default: whoever runs packets puts it into the record. */
  readonly random?: number;
}

export function connectionSize(family: Family): number {
  return family === 'IPv4' ? CONN_SIZE_V4 : CONN_SIZE_V6;
}

export class NamespaceMemory {
  readonly core: IpvsCore;
  readonly memory: LinearMemory;
  /** The address of its record. */
  readonly address: number;
  readonly entryBlocks: EntryBlock[] = [];
  readonly #entryCounts: Record<Family, number> = { IPv4: 0, IPv6: 0 };
  #cacheNodeCount = 0;
  /** Services whose scheduler remembers destinations. */
  #cacheUsers = 0;
  /** Packets that need no look at the tables. */
  #roomFor = 0;

  constructor(core: Core, memory: LinearMemory, { sysctls, conntrack, random = 0 }: NamespaceOptions) {
    this.core = core.ipvs;
    this.memory = memory;
    this.address = memory.allocate(NAMESPACE_SIZE);
    this.set(NAMESPACE_RANDOM, random);
    this.set(NAMESPACE_CONNTRACK, conntrack);
    for (const name of ENGINE_SYSCTLS) this.setSysctl(name, sysctls[name]);
    TCP_TIMEOUTS.forEach((seconds, state) => {
      this.set(NAMESPACE_TCP_TIMEOUTS + state * 4, seconds);
    });
    this.set(NAMESPACE_UDP_TIMEOUT, UDP_TIMEOUT);
    for (const family of FAMILIES) this.#growIndex(family, BUCKETS_AT_FIRST);
  }

  /** The moment of the running verb. */
  get now(): number {
    return this.memory.data.getFloat64(this.address + NAMESPACE_NOW, true);
  }

  /** Bytes of entries, as many as there is room for, with their index, timers and destination cache. */
  get usedBytes(): number {
    const entries = FAMILIES.map((family) => {
      return this.#entryCounts[family] * connectionSize(family) + (this.getFamily(family, FAMILY_BUCKET_MASK) + 1) * IPVS_BUCKET_SIZE;
    });
    const cache = this.#cacheNodeCount * CACHE_NODE_SIZE + (this.get(NAMESPACE_CACHE_MASK) + 1) * 4;
    return entries.reduce((sum, bytes) => sum + bytes, 0) + this.get(NAMESPACE_TIMER_LIMIT) * TIMER_SIZE + cache;
  }

  get(field: number): number {
    return this.memory.words[(this.address + field) / 4] ?? 0;
  }

  set(field: number, value: number): void {
    this.memory.words[(this.address + field) / 4] = value;
  }

  getFamily(family: Family, field: number): number {
    return this.get(familyField(family) + field);
  }

  setFamily(family: Family, field: number, value: number): void {
    this.set(familyField(family) + field, value);
  }

  sysctl(name: EngineSysctl): number {
    return this.get(NAMESPACE_SYSCTLS + ENGINE_SYSCTLS.indexOf(name) * 4);
  }

  setSysctl(name: EngineSysctl, value: number): void {
    this.set(NAMESPACE_SYSCTLS + ENGINE_SYSCTLS.indexOf(name) * 4, value);
  }

  setTimeouts({ tcp, tcpfin, udp }: TimeoutSettings): void {
    if (tcp > 0) this.set(NAMESPACE_TCP_TIMEOUTS + IPVS_TCP_ESTABLISHED * 4, tcp);
    if (tcpfin > 0) this.set(NAMESPACE_TCP_TIMEOUTS + IPVS_TCP_FIN_WAIT * 4, tcpfin);
    if (udp > 0) this.set(NAMESPACE_UDP_TIMEOUT, udp);
  }

  /** A service of this family, or one that uses the destination cache, was added: what was reserved before may not do. */
  forgetRoom(): void {
    this.#roomFor = 0;
  }

  changeCacheUsers(by: 1 | -1): void {
    this.#cacheUsers += by;
    this.forgetRoom();
  }

  /** Makes room for whatever these packets may begin. */
  reserve(packets: number): void {
    if (this.#roomFor < packets) {
      const roomFor = Math.max(packets, 64);
      const families = FAMILIES.filter((family) => this.getFamily(family, FAMILY_SERVICE_COUNT) > 0);
      for (const family of families) this.#reserveEntries(family, roomFor * ENTRIES_PER_PACKET);
      this.#reserveTimers(roomFor * ENTRIES_PER_PACKET);
      if (this.#cacheUsers > 0) this.#reserveCache(roomFor * NODES_PER_PACKET);
      this.#roomFor = roomFor;
    }
    this.#roomFor -= packets;
  }

  #reserveEntries(family: Family, more: number): void {
    if (this.getFamily(family, FAMILY_FREE_COUNT) < more) this.#addEntries(family, Math.max(more, this.#entryCounts[family]));
    const used = this.#entryCounts[family] - this.getFamily(family, FAMILY_FREE_COUNT);
    const references = (used + more) * REFERENCES_PER_ENTRY;
    let buckets = this.getFamily(family, FAMILY_BUCKET_MASK) + 1;
    if (references <= buckets * IPVS_BUCKET_LOAD_MAX) return;
    while (references > buckets * IPVS_BUCKET_LOAD_MAX) buckets *= 2;
    this.#growIndex(family, buckets);
  }

  #addEntries(family: Family, count: number): void {
    const size = connectionSize(family);
    const address = this.memory.allocate(count * size);
    const { words } = this.memory;
    let next = this.getFamily(family, FAMILY_FREE);
    for (let number = count - 1; number >= 0; number--) {
      const entry = address + number * size;
      words[(entry + CONN_CONTROL) / 4] = next;
      next = entry;
    }
    this.setFamily(family, FAMILY_FREE, next);
    this.setFamily(family, FAMILY_FREE_COUNT, this.getFamily(family, FAMILY_FREE_COUNT) + count);
    this.entryBlocks.push({ family, address, count });
    this.#entryCounts[family] += count;
  }

  #growIndex(family: Family, buckets: number): void {
    const before = this.getFamily(family, FAMILY_BUCKETS);
    const size = (this.getFamily(family, FAMILY_BUCKET_MASK) + 1) * IPVS_BUCKET_SIZE;
    this.core.reindex(family, this.address, this.memory.allocate(buckets * IPVS_BUCKET_SIZE), buckets);
    if (before !== 0) this.memory.release(before, size);
  }

  #reserveTimers(more: number): void {
    const needed = this.get(NAMESPACE_TIMER_COUNT) + more;
    const limit = this.get(NAMESPACE_TIMER_LIMIT);
    if (needed <= limit) return;
    const grown = Math.max(needed, limit * 2);
    const before = this.get(NAMESPACE_TIMERS);
    const timers = this.memory.allocate(grown * TIMER_SIZE);
    this.memory.bytes.copyWithin(timers, before, before + this.get(NAMESPACE_TIMER_COUNT) * TIMER_SIZE);
    this.set(NAMESPACE_TIMERS, timers);
    this.set(NAMESPACE_TIMER_LIMIT, grown);
    if (limit > 0) this.memory.release(before, limit * TIMER_SIZE);
  }

  #reserveCache(more: number): void {
    if (this.get(NAMESPACE_CACHE) === 0) this.#growChains(CHAINS_AT_FIRST);
    if (this.get(NAMESPACE_CACHE_FREE_COUNT) >= more) return;
    this.core.sweepCache(this.address);
    const free = this.get(NAMESPACE_CACHE_FREE_COUNT);
    if (free >= Math.max(more, this.#cacheNodeCount / 2)) return;
    this.#addCacheNodes(Math.max(more, this.#cacheNodeCount));
    let chains = this.get(NAMESPACE_CACHE_MASK) + 1;
    while (chains < this.#cacheNodeCount) chains *= 2;
    this.#growChains(chains);
  }

  #addCacheNodes(count: number): void {
    const address = this.memory.allocate(count * CACHE_NODE_SIZE);
    const { words } = this.memory;
    let next = this.get(NAMESPACE_CACHE_FREE);
    for (let node = address + (count - 1) * CACHE_NODE_SIZE; node >= address; node -= CACHE_NODE_SIZE) {
      words[(node + CACHE_NEXT) / 4] = next;
      next = node;
    }
    this.set(NAMESPACE_CACHE_FREE, next);
    this.set(NAMESPACE_CACHE_FREE_COUNT, this.get(NAMESPACE_CACHE_FREE_COUNT) + count);
    this.#cacheNodeCount += count;
  }

  #growChains(chains: number): void {
    const before = this.get(NAMESPACE_CACHE);
    const size = (this.get(NAMESPACE_CACHE_MASK) + 1) * 4;
    if (before !== 0 && size === chains * 4) return;
    this.core.rechain(this.address, this.memory.allocate(chains * 4), chains);
    if (before !== 0) this.memory.release(before, size);
  }
}

function familyField(family: Family): number {
  return family === 'IPv4' ? NAMESPACE_V4 : NAMESPACE_V6;
}
