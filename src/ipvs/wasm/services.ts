// Service records: virtual services in the core's chains by key, with their lists of servers and the tables of hashing schedulers.
import { hashEnd, hashWord } from '../../../assembly/shared/hash.ts';
import {
  FAMILY_SERVICE_COUNT,
  FAMILY_SERVICE_MASK,
  FAMILY_SERVICES,
  HASH_SLOTS,
  MAGLEV_SLOTS,
  SERVERS_MAX,
  SERVICE_ADDRESS,
  SERVICE_ADDRESS_SIZE,
  SERVICE_CLASS,
  SERVICE_CLASS_MARK,
  SERVICE_FLAG_FALLBACK,
  SERVICE_FLAG_ONE_PACKET,
  SERVICE_FLAG_PERSISTENT,
  SERVICE_FLAG_PORT,
  SERVICE_FLAGS,
  SERVICE_MASK,
  SERVICE_NEXT,
  SERVICE_PORT,
  SERVICE_SCHEDULER,
  SERVICE_SERVER_COUNT,
  SERVICE_SERVERS,
  SERVICE_SIZE,
  SERVICE_TABLE,
  SERVICE_TAG,
  SERVICE_TIMEOUT,
} from '../../../assembly/shared/ipvs-layout.ts';
import { ADDRESS_V4, ADDRESS_V6 } from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import { swapBytes } from '../../engine/packet-record.ts';
import { protocolClass, swapPort } from '../../engine/wasm/wire.ts';
import { CapacityError } from '../../errors.ts';
import { SCHEDULERS, type SchedulerName, type ServerKey, type ServerSettings, type ServiceKey, type ServiceSettings } from '../engine.ts';
import { type ServerRun, weighted } from '../server-list.ts';
import type { NamespaceMemory } from './namespace.ts';
import { Servers } from './servers.ts';

export interface Service {
  readonly key: ServiceKey;
  readonly record: number;
  settings: ServiceSettings;
  /** Servers that fit into the list of the record. */
  serverLimit: number;
}

const HEADS_AT_FIRST = 16;
const SERVERS_AT_FIRST = 16;
const SLOT_SIZE = 2;

export class Services {
  readonly servers: Servers;
  readonly #namespace: NamespaceMemory;
  /** By id, in the order in which they were added. */
  readonly #services = new Map<string, Service>();

  constructor(namespace: NamespaceMemory) {
    this.#namespace = namespace;
    this.servers = new Servers(namespace.memory);
    for (const family of ['IPv4', 'IPv6'] as const) this.#moveChains(family, HEADS_AT_FIRST);
  }

  get(id: string): Service | undefined {
    return this.#services.get(id);
  }

  ids(): string[] {
    return [...this.#services.keys()];
  }

  all(): IterableIterator<Service> {
    return this.#services.values();
  }

  /** Bytes of services, servers and the tables of hashing schedulers. */
  get usedBytes(): number {
    const own = Array.from(this.#services.values(), ({ settings, serverLimit }) => {
      return SERVICE_SIZE + serverLimit * 4 + slotCount(settings.scheduler) * SLOT_SIZE;
    });
    return own.reduce((sum, bytes) => sum + bytes, this.servers.usedBytes);
  }

  setTag(service: Service, tag: number): void {
    this.#set(service, SERVICE_TAG, tag);
  }

  /** Chains for so many more services. */
  reserve(family: Family, more: number): void {
    const count = this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) + more;
    if (count * 2 > this.#namespace.getFamily(family, FAMILY_SERVICE_MASK)) this.#moveChains(family, count * 4);
  }

  add(key: ServiceKey, settings: ServiceSettings): void {
    const { family } = key;
    this.reserve(family, 1);
    const record = this.#namespace.memory.allocate(SERVICE_SIZE);
    const service: Service = { key, record, settings, serverLimit: 0 };
    this.#set(service, SERVICE_CLASS, key.kind === 'fwmark' ? SERVICE_CLASS_MARK : protocolClass(key.protocol));
    this.#set(service, SERVICE_PORT, key.kind === 'fwmark' ? 0 : swapPort(key.port));
    this.#set(service, SERVICE_ADDRESS_SIZE, family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6);
    const words = key.kind === 'fwmark' ? [key.mark] : key.address.words;
    words.forEach((word, index) => {
      this.#set(service, SERVICE_ADDRESS + index * 4, swapBytes(word));
    });
    this.#services.set(key.id, service);
    this.#write(service);
    this.#bind(service);
    this.#namespace.setFamily(family, FAMILY_SERVICE_COUNT, this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) + 1);
    this.#link(service);
    this.#namespace.forgetRoom();
  }

  /** The scheduler keeps its state unless it becomes another one. */
  edit(service: Service, settings: ServiceSettings): void {
    const isSame = settings.scheduler === service.settings.scheduler;
    if (!isSame) this.#unbind(service);
    service.settings = settings;
    this.#write(service);
    if (!isSame) this.#bind(service);
  }

  /** With its servers, which are kept aside. */
  remove(service: Service): void {
    const { memory } = this.#namespace;
    const { family } = service.key;
    this.#unlink(service);
    this.#namespace.setFamily(family, FAMILY_SERVICE_COUNT, this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) - 1);
    this.#unbind(service);
    for (const server of this.serverRecords(service)) this.servers.remove(service.key, server);
    if (service.serverLimit > 0) memory.release(this.#get(service, SERVICE_SERVERS), service.serverLimit * 4);
    memory.release(service.record, SERVICE_SIZE);
    this.#services.delete(service.key.id);
  }

  /** The records of its servers, newest first. */
  serverRecords(service: Service): number[] {
    const first = this.#get(service, SERVICE_SERVERS) / 4;
    return Array.from(this.#namespace.memory.words.subarray(first, first + this.#get(service, SERVICE_SERVER_COUNT)));
  }

  /** Those in lists, and those kept aside. */
  *allServerRecords(): IterableIterator<number> {
    for (const service of this.#services.values()) yield* this.serverRecords(service);
    yield* this.servers.aside();
  }

  /** At the front. A server that was kept aside comes back as the same one. */
  addServer(service: Service, key: ServerKey, settings: ServerSettings): void {
    const count = this.#get(service, SERVICE_SERVER_COUNT);
    this.#reserveServers(service, count + 1);
    const record = this.servers.take(service.key, key);
    this.servers.configure(record, settings, true);
    const { words } = this.#namespace.memory;
    const list = this.#get(service, SERVICE_SERVERS) / 4;
    words.copyWithin(list + 1, list, list + count);
    words[list] = record;
    this.#set(service, SERVICE_SERVER_COUNT, count + 1);
    this.#namespace.core.serverAdded(service.record);
  }

  /** To a service that has none. */
  addServers(service: Service, { list, first, count }: ServerRun): void {
    // The level of wrr depends on the servers that were there in between.
    if (service.settings.scheduler === 'wrr' || this.servers.asideCount > 0) {
      for (let server = first; server < first + count; server++) this.addServer(service, list.key(server), weighted(list.weight(server)));
      return;
    }
    this.#reserveServers(service, count);
    for (let server = 0; server < count; server++) {
      const record = this.servers.takeListed(list, first + server);
      this.#namespace.memory.words[this.#get(service, SERVICE_SERVERS) / 4 + count - 1 - server] = record;
    }
    this.#set(service, SERVICE_SERVER_COUNT, count);
    this.#namespace.core.serverAdded(service.record);
  }

  editServer(service: Service, key: ServerKey, settings: ServerSettings): void {
    this.servers.configure(this.#server(service, key).record, settings, false);
    this.#namespace.core.serverEdited(service.record);
  }

  removeServer(service: Service, key: ServerKey): void {
    const { record, index } = this.#server(service, key);
    const first = this.#get(service, SERVICE_SERVERS) / 4;
    const count = this.#get(service, SERVICE_SERVER_COUNT);
    this.#namespace.memory.words.copyWithin(first + index, first + index + 1, first + count);
    this.#set(service, SERVICE_SERVER_COUNT, count - 1);
    this.#namespace.core.serverRemoved(service.record, index);
    this.servers.remove(service.key, record);
  }

  #server(service: Service, key: ServerKey): { record: number; index: number } {
    const records = this.serverRecords(service);
    const index = records.findIndex((record) => this.servers.isOf(record, key));
    const record = records[index];
    if (record === undefined) throw new Error(`no server ${key.id}`);
    return { record, index };
  }

  #reserveServers(service: Service, count: number): void {
    if (count <= service.serverLimit) return;
    if (count > SERVERS_MAX) throw new CapacityError(`servers of virtual service ${service.key.id}`, SERVERS_MAX, count);
    const { memory } = this.#namespace;
    const limit = Math.min(SERVERS_MAX, Math.max(SERVERS_AT_FIRST, count, service.serverLimit * 2));
    const before = this.#get(service, SERVICE_SERVERS);
    const list = memory.allocate(limit * 4);
    memory.words.copyWithin(list / 4, before / 4, before / 4 + this.#get(service, SERVICE_SERVER_COUNT));
    this.#set(service, SERVICE_SERVERS, list);
    if (service.serverLimit > 0) memory.release(before, service.serverLimit * 4);
    service.serverLimit = limit;
  }

  /** Settings but the scheduler's own state. */
  #write(service: Service): void {
    const { flags, isOnePacket, persistence, scheduler } = service.settings;
    this.#set(service, SERVICE_SCHEDULER, SCHEDULERS.indexOf(scheduler));
    this.#set(
      service,
      SERVICE_FLAGS,
      (flags.has('fallback') ? SERVICE_FLAG_FALLBACK : 0) |
        (flags.has('port') ? SERVICE_FLAG_PORT : 0) |
        (isOnePacket ? SERVICE_FLAG_ONE_PACKET : 0) |
        (persistence === undefined ? 0 : SERVICE_FLAG_PERSISTENT),
    );
    this.#set(service, SERVICE_TIMEOUT, persistence?.timeoutSeconds ?? 0);
    persistence?.mask.forEach((word, index) => {
      this.#set(service, SERVICE_MASK + index * 4, swapBytes(word));
    });
  }

  #bind(service: Service): void {
    const { scheduler } = service.settings;
    const slots = slotCount(scheduler);
    if (slots > 0) this.#set(service, SERVICE_TABLE, this.#namespace.memory.allocate(slots * SLOT_SIZE));
    if (remembersDestinations(scheduler)) this.#namespace.changeCacheUsers(1);
    this.#namespace.core.bind(this.#namespace.address, service.record);
  }

  #unbind(service: Service): void {
    const { scheduler } = service.settings;
    this.#namespace.core.unbind(this.#namespace.address, service.record);
    if (remembersDestinations(scheduler)) this.#namespace.changeCacheUsers(-1);
    const slots = slotCount(scheduler);
    if (slots === 0) return;
    this.#namespace.memory.release(this.#get(service, SERVICE_TABLE), slots * SLOT_SIZE);
    this.#set(service, SERVICE_TABLE, 0);
  }

  /** Puts all services of a family into `heads` or more new chains. */
  #moveChains(family: Family, heads: number): void {
    const { memory } = this.#namespace;
    const count = 2 ** Math.ceil(Math.log2(heads));
    const before = this.#namespace.getFamily(family, FAMILY_SERVICES);
    const size = (this.#namespace.getFamily(family, FAMILY_SERVICE_MASK) + 1) * 4;
    this.#namespace.setFamily(family, FAMILY_SERVICES, memory.allocate(count * 4));
    this.#namespace.setFamily(family, FAMILY_SERVICE_MASK, count - 1);
    if (before !== 0) memory.release(before, size);
    for (const service of this.#services.values()) if (service.key.family === family) this.#link(service);
  }

  #link(service: Service): void {
    const head = this.#headOf(service);
    this.#set(service, SERVICE_NEXT, this.#namespace.memory.words[head] ?? 0);
    this.#namespace.memory.words[head] = service.record;
  }

  #unlink(service: Service): void {
    const { words } = this.#namespace.memory;
    let link = this.#headOf(service);
    while (words[link] !== service.record) link = ((words[link] ?? 0) + SERVICE_NEXT) / 4;
    words[link] = this.#get(service, SERVICE_NEXT);
  }

  /** The word where the chain of a service begins. */
  #headOf(service: Service): number {
    let hash = hashWord(0, (this.#get(service, SERVICE_CLASS) | (this.#get(service, SERVICE_PORT) << 16)) >>> 0);
    for (let at = 0; at < this.#get(service, SERVICE_ADDRESS_SIZE); at += 4)
      hash = hashWord(hash, this.#get(service, SERVICE_ADDRESS + at));
    const { family } = service.key;
    const head = (hashEnd(hash) & this.#namespace.getFamily(family, FAMILY_SERVICE_MASK)) >>> 0;
    return this.#namespace.getFamily(family, FAMILY_SERVICES) / 4 + head;
  }

  #get({ record }: Service, field: number): number {
    return this.#namespace.memory.words[(record + field) / 4] ?? 0;
  }

  #set({ record }: Service, field: number, value: number): void {
    this.#namespace.memory.words[(record + field) / 4] = value;
  }
}

function remembersDestinations(scheduler: SchedulerName): boolean {
  return scheduler === 'lblc' || scheduler === 'lblcr';
}

function slotCount(scheduler: SchedulerName): number {
  if (scheduler === 'mh') return MAGLEV_SLOTS;
  return scheduler === 'sh' || scheduler === 'dh' ? HASH_SLOTS : 0;
}
