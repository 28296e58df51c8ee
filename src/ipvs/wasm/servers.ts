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
  SERVICE_ADDRESS,
  SERVICE_CLASS,
} from '../../../assembly/shared/ipvs-layout.ts';
import { ADDRESS_V6 } from '../../../assembly/shared/layout.ts';
import { type Family, formatAddress } from '../../address.ts';
import { swapBytes } from '../../engine/packet-record.ts';
import type { LinearMemory } from '../../engine/wasm/memory.ts';
import { swapPort } from '../../engine/wasm/wire.ts';
import type { RealServer } from '../engine.ts';
import type { ServerKey, ServerSettings } from '../keys.ts';
import type { ServerList } from '../server-list.ts';
import type { ServerState } from '../types.ts';

/** Removed servers at which the ones that nothing refers to any more are looked for. */
const ASIDE_AT_FIRST = 64;

export class Servers {
  readonly #memory: LinearMemory;
  /** Removed ones, by name. */
  readonly #aside = new Map<string, number>();
  #sweepAt = ASIDE_AT_FIRST;
  /** All that have a record, removed ones too. */
  #count = 0;

  constructor(memory: LinearMemory) {
    this.#memory = memory;
  }

  /** The record of the removed server of that key, if it is still known, or a fresh one. */
  take(service: number, { address, port }: ServerKey): number {
    const record = this.#allocate();
    address.words.forEach((word, index) => {
      this.#set(record, SERVER_ADDRESS + index * 4, swapBytes(word));
    });
    this.#set(record, SERVER_PORT, swapPort(port));
    if (this.#aside.size === 0) return record;
    const name = this.#nameOf(service, record);
    const known = this.#aside.get(name);
    if (known === undefined) return record;
    this.#free(record);
    this.#aside.delete(name);
    return known;
  }

  /** A fresh record of a server of a list, with its weight. */
  takeListed(list: ServerList, server: number): number {
    const record = this.#allocate();
    const { words } = this.#memory;
    const first = record / 4;
    const weight = list.weight(server);
    words[first + SERVER_WEIGHT / 4] = weight;
    words[first + SERVER_LAST_WEIGHT / 4] = weight;
    words[first + SERVER_FLAGS / 4] = SERVER_FLAG_AVAILABLE;
    for (let word = 0; word < list.wordCount; word++) words[first + SERVER_ADDRESS / 4 + word] = swapBytes(list.word(server, word));
    words[first + SERVER_PORT / 4] = swapPort(list.port(server));
    return record;
  }

  /** The place of a server in a list of records; -1: it is not there. */
  placeIn(list: number, count: number, { address, port }: ServerKey): number {
    const { words } = this.#memory;
    const [sought, ...rest] = address.words.map(swapBytes);
    const soughtPort = swapPort(port);
    // When many go at once, they are the oldest ones, which are last.
    for (let place = count - 1; place >= 0; place--) {
      const record = (words[list / 4 + place] ?? 0) / 4;
      const first = record + SERVER_ADDRESS / 4;
      if (words[first] !== sought || words[record + SERVER_PORT / 4] !== soughtPort) continue;
      if (rest.every((word, index) => words[first + 1 + index] === word)) return place;
    }
    return -1;
  }

  /** Weight and thresholds. `isAdded`: also a weight of 0 is remembered as the last one, and the server is in its service's list. */
  configure(record: number, { weight, upperThreshold, lowerThreshold }: ServerSettings, isAdded: boolean): void {
    this.#set(record, SERVER_WEIGHT, weight);
    if (isAdded || weight > 0) this.#set(record, SERVER_LAST_WEIGHT, weight);
    this.#set(record, SERVER_UPPER, upperThreshold);
    this.#set(record, SERVER_LOWER, lowerThreshold);
    const total = this.#get(record, SERVER_TOTAL);
    const low = lowerThreshold > 0 ? lowerThreshold : upperThreshold - Math.floor(upperThreshold / 4);
    const wasOver = (this.#get(record, SERVER_FLAGS) & SERVER_FLAG_OVER) !== 0;
    const isOver = upperThreshold > 0 && (total >= upperThreshold || (wasOver && total >= low));
    this.#set(record, SERVER_FLAGS, SERVER_FLAG_AVAILABLE | (isOver ? SERVER_FLAG_OVER : 0));
  }

  /** It left its service's list. */
  remove(service: number, record: number): void {
    this.#set(record, SERVER_FLAGS, this.#get(record, SERVER_FLAGS) & ~SERVER_FLAG_AVAILABLE);
    if (this.#get(record, SERVER_REFERENCES) === 0) {
      this.#free(record);
      return;
    }
    this.#aside.set(this.#nameOf(service, record), record);
    if (this.#aside.size >= this.#sweepAt) this.#sweep();
  }

  /** True when a connection, a template or a cached choice refers to a removed server. The others of those are let go of. */
  hasAside(): boolean {
    if (this.#aside.size > 0) this.#sweep();
    return this.#aside.size > 0;
  }

  get asideCount(): number {
    return this.#aside.size;
  }

  /** The records of removed servers. */
  aside(): IterableIterator<number> {
    return this.#aside.values();
  }

  /** Bytes of all records. */
  get usedBytes(): number {
    return this.#count * SERVER_SIZE;
  }

  isAvailable(record: number): boolean {
    return (this.#get(record, SERVER_FLAGS) & SERVER_FLAG_AVAILABLE) !== 0;
  }

  addressText(family: Family, record: number): string {
    return formatAddress(this.#addressWords(family, record));
  }

  describeReal(family: Family, record: number): RealServer {
    return { ...this.describe(family, record), lastWeight: this.#get(record, SERVER_LAST_WEIGHT) };
  }

  describe(family: Family, record: number): ServerState {
    const active = this.#get(record, SERVER_ACTIVE);
    return {
      address: this.addressText(family, record),
      port: swapPort(this.#get(record, SERVER_PORT)),
      weight: this.#get(record, SERVER_WEIGHT),
      active,
      inactive: this.#get(record, SERVER_TOTAL) - active,
    };
  }

  #sweep(): void {
    for (const [name, record] of this.#aside) {
      if (this.#get(record, SERVER_REFERENCES) > 0) continue;
      this.#aside.delete(name);
      this.#free(record);
    }
    this.#sweepAt = Math.max(ASIDE_AT_FIRST, this.#aside.size * 2);
  }

  #allocate(): number {
    this.#count++;
    return this.#memory.allocate(SERVER_SIZE);
  }

  #free(record: number): void {
    this.#count--;
    this.#memory.release(record, SERVER_SIZE);
  }

  /** Unique among the servers of all services: a server that comes back to its service has the same. */
  #nameOf(service: number, record: number): string {
    const { words } = this.#memory;
    const serviceKey = words.subarray((service + SERVICE_CLASS) / 4, (service + SERVICE_ADDRESS + ADDRESS_V6) / 4);
    return `${serviceKey.join()} ${words.subarray((record + SERVER_ADDRESS) / 4, (record + SERVER_PORT) / 4 + 1).join()}`;
  }

  #addressWords(family: Family, record: number): number[] {
    const first = (record + SERVER_ADDRESS) / 4;
    return Array.from(this.#memory.words.subarray(first, first + (family === 'IPv4' ? 1 : 4)), swapBytes);
  }

  #get(record: number, field: number): number {
    return this.#memory.words[(record + field) / 4] ?? 0;
  }

  #set(record: number, field: number, value: number): void {
    this.#memory.words[(record + field) / 4] = value;
  }
}
