// Server records: written here, counted in by the core. Removed servers are kept aside while something refers to them.
import {
  SERVER_ACTIVE,
  SERVER_ADDRESS,
  SERVER_FLAG_AVAILABLE,
  SERVER_FLAG_OVER,
  SERVER_FLAGS,
  SERVER_LAST_WEIGHT,
  SERVER_LOWER,
  SERVER_PORT,
  SERVER_REFERENCES,
  SERVER_SIZE,
  SERVER_TOTAL,
  SERVER_UPPER,
  SERVER_WEIGHT,
} from '../../../assembly/shared/ipvs-layout.ts';
import { swapBytes } from '../../engine/packet-record.ts';
import type { LinearMemory } from '../../engine/wasm/memory.ts';
import { swapPort } from '../../engine/wasm/wire.ts';
import type { RealServer, ServerKey, ServerSettings } from '../engine.ts';
import type { ServerState } from '../types.ts';

export interface Server {
  readonly key: ServerKey;
  /** The id of its service. */
  readonly service: string;
  readonly record: number;
}

/** Removed servers at which the ones that nothing refers to any more are looked for. */
const ASIDE_AT_FIRST = 64;

export class Servers {
  readonly #memory: LinearMemory;
  readonly #byRecord = new Map<number, Server>();
  /** By name. */
  readonly #aside = new Map<string, Server>();
  #sweepAt = ASIDE_AT_FIRST;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** What a record in a verdict belongs to. */
  at(record: number): Server | undefined {
    return this.#byRecord.get(record);
  }

  /** All that have a record, removed ones too. */
  all(): IterableIterator<Server> {
    return this.#byRecord.values();
  }

  /** The removed server of that key, if it is still known, or a fresh one. */
  take(service: string, key: ServerKey): Server {
    const known = this.#aside.size === 0 ? undefined : this.#aside.get(nameOf({ service, key }));
    if (known !== undefined) {
      this.#aside.delete(nameOf(known));
      return known;
    }
    const server: Server = { key, service, record: this.#memory.allocate(SERVER_SIZE) };
    key.address.words.forEach((word, index) => {
      this.#set(server, SERVER_ADDRESS + index * 4, swapBytes(word));
    });
    this.#set(server, SERVER_PORT, swapPort(key.port));
    this.#byRecord.set(server.record, server);
    return server;
  }

  /** Weight and thresholds. `isAdded`: also a weight of 0 is remembered as the last one, and the server is in its service's list. */
  configure(server: Server, { weight, upperThreshold, lowerThreshold }: ServerSettings, isAdded: boolean): void {
    this.#set(server, SERVER_WEIGHT, weight);
    if (isAdded || weight > 0) this.#set(server, SERVER_LAST_WEIGHT, weight);
    this.#set(server, SERVER_UPPER, upperThreshold);
    this.#set(server, SERVER_LOWER, lowerThreshold);
    const total = this.#get(server, SERVER_TOTAL);
    const low = lowerThreshold > 0 ? lowerThreshold : upperThreshold - Math.floor(upperThreshold / 4);
    const wasOver = (this.#get(server, SERVER_FLAGS) & SERVER_FLAG_OVER) !== 0;
    const isOver = upperThreshold > 0 && (total >= upperThreshold || (wasOver && total >= low));
    this.#set(server, SERVER_FLAGS, SERVER_FLAG_AVAILABLE | (isOver ? SERVER_FLAG_OVER : 0));
  }

  /** It left its service's list. */
  remove(server: Server): void {
    this.#set(server, SERVER_FLAGS, this.#get(server, SERVER_FLAGS) & ~SERVER_FLAG_AVAILABLE);
    if (this.#get(server, SERVER_REFERENCES) === 0) {
      this.#free(server);
      return;
    }
    this.#aside.set(nameOf(server), server);
    if (this.#aside.size >= this.#sweepAt) this.#sweep();
  }

  /** True when a connection, a template or a cached choice refers to a removed server. The others of those are let go of. */
  hasAside(): boolean {
    if (this.#aside.size > 0) this.#sweep();
    return this.#aside.size > 0;
  }

  /** Bytes of all records. */
  get usedBytes(): number {
    return this.#byRecord.size * SERVER_SIZE;
  }

  isAvailable(record: number): boolean {
    return ((this.#memory.words[(record + SERVER_FLAGS) / 4] ?? 0) & SERVER_FLAG_AVAILABLE) !== 0;
  }

  describeReal(server: Server): RealServer {
    return { ...this.describe(server), lastWeight: this.#get(server, SERVER_LAST_WEIGHT) };
  }

  describe(server: Server): ServerState {
    const active = this.#get(server, SERVER_ACTIVE);
    return {
      address: server.key.address.text,
      port: server.key.port,
      weight: this.#get(server, SERVER_WEIGHT),
      active,
      inactive: this.#get(server, SERVER_TOTAL) - active,
    };
  }

  #sweep(): void {
    for (const server of this.#aside.values()) {
      if (this.#get(server, SERVER_REFERENCES) > 0) continue;
      this.#aside.delete(nameOf(server));
      this.#free(server);
    }
    this.#sweepAt = Math.max(ASIDE_AT_FIRST, this.#aside.size * 2);
  }

  #free({ record }: Server): void {
    this.#byRecord.delete(record);
    this.#memory.release(record, SERVER_SIZE);
  }

  #get({ record }: Server, field: number): number {
    return this.#memory.words[(record + field) / 4] ?? 0;
  }

  #set({ record }: Server, field: number, value: number): void {
    this.#memory.words[(record + field) / 4] = value;
  }
}

/** Unique among the servers of all services: a server that comes back to its service has the same. */
function nameOf({ service, key }: Pick<Server, 'service' | 'key'>): string {
  return `${service} ${key.id}`;
}
