// Service records: virtual services in the core's chains by key, with their lists of servers and the tables of hashing schedulers.
// What is known of them stands in the records alone.
import { hashEnd, hashWord } from '../../../assembly/shared/hash.ts';
import {
  FAMILY_SERVICE_COUNT,
  FAMILY_SERVICE_MASK,
  FAMILY_SERVICES,
  HASH_SLOTS,
  IPVS_SCHEDULER_DH,
  IPVS_SCHEDULER_LBLC,
  IPVS_SCHEDULER_LBLCR,
  IPVS_SCHEDULER_MH,
  IPVS_SCHEDULER_SH,
  IPVS_SCHEDULER_WRR,
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
  SERVICE_SERVER_LIMIT,
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
import { SCHEDULERS, type ServerKey, type ServerSettings, type ServiceKey, type ServiceSettings } from '../keys.ts';
import { type ServerRun, weighted } from '../server-list.ts';
import type { NamespaceMemory } from './namespace.ts';
import { Servers } from './servers.ts';

const HEADS_AT_FIRST = 16;
const SERVERS_AT_FIRST = 16;
const SLOT_SIZE = 2;

export class Services {
  readonly servers: Servers;
  readonly #namespace: NamespaceMemory;
  /** In the order in which they were added. */
  readonly #records = new Set<number>();
  /** A record that is no service: it holds the key that is looked for. */
  readonly #sought: number;

  constructor(namespace: NamespaceMemory) {
    this.#namespace = namespace;
    this.servers = new Servers(namespace.memory);
    this.#sought = namespace.memory.allocate(SERVICE_SIZE);
    for (const family of ['IPv4', 'IPv6'] as const) this.#moveChains(family, HEADS_AT_FIRST);
  }

  /** The records of all services, in the order in which they were added. */
  all(): ReadonlySet<number> {
    return this.#records;
  }

  /** The record of a service. */
  find(key: ServiceKey): number | undefined {
    this.#writeKey(this.#sought, key);
    const { words } = this.#namespace.memory;
    let service = words[this.#headOf(this.#sought)] ?? 0;
    while (service !== 0 && !this.#hasSoughtKey(service)) service = words[(service + SERVICE_NEXT) / 4] ?? 0;
    return service === 0 ? undefined : service;
  }

  /** Bytes of services, servers and the tables of hashing schedulers. */
  get usedBytes(): number {
    let bytes = this.servers.usedBytes;
    for (const service of this.#records)
      bytes += SERVICE_SIZE + this.#get(service, SERVICE_SERVER_LIMIT) * 4 + this.#slotCount(service) * SLOT_SIZE;
    return bytes;
  }

  setTag(service: number, tag: number): void {
    this.#set(service, SERVICE_TAG, tag);
  }

  /** Chains for so many more services. */
  reserve(family: Family, more: number): void {
    const count = this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) + more;
    if (count * 2 > this.#namespace.getFamily(family, FAMILY_SERVICE_MASK)) this.#moveChains(family, count * 4);
  }

  add(key: ServiceKey, settings: ServiceSettings, servers: ServerRun | undefined, tag: number): void {
    const { family } = key;
    this.reserve(family, 1);
    const service = this.#namespace.memory.allocate(SERVICE_SIZE);
    this.#writeKey(service, key);
    this.#records.add(service);
    this.#write(service, settings);
    this.setTag(service, tag);
    this.#bind(service);
    this.#namespace.setFamily(family, FAMILY_SERVICE_COUNT, this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) + 1);
    this.#link(service);
    this.#namespace.forgetRoom();
    if (servers !== undefined) this.#addServers(key, service, servers);
  }

  /** The scheduler keeps its state unless it becomes another one. */
  edit(service: number, settings: ServiceSettings): void {
    const isSame = SCHEDULERS.indexOf(settings.scheduler) === this.#get(service, SERVICE_SCHEDULER);
    if (!isSame) this.#unbind(service);
    this.#write(service, settings);
    if (!isSame) this.#bind(service);
  }

  /** With its servers, which are kept aside. */
  remove(service: number): void {
    const { memory } = this.#namespace;
    const family = this.#familyOf(service);
    this.#unlink(service);
    this.#namespace.setFamily(family, FAMILY_SERVICE_COUNT, this.#namespace.getFamily(family, FAMILY_SERVICE_COUNT) - 1);
    this.#unbind(service);
    for (const server of this.serversOf(service)) this.servers.remove(service, server);
    const limit = this.#get(service, SERVICE_SERVER_LIMIT);
    if (limit > 0) memory.release(this.#get(service, SERVICE_SERVERS), limit * 4);
    memory.release(service, SERVICE_SIZE);
    this.#records.delete(service);
  }

  /** The records of its servers, newest first. */
  serversOf(service: number): number[] {
    const first = this.#get(service, SERVICE_SERVERS) / 4;
    return Array.from(this.#namespace.memory.words.subarray(first, first + this.#get(service, SERVICE_SERVER_COUNT)));
  }

  /** At the front. A server that was kept aside comes back as the same one. */
  addServer(key: ServiceKey, service: number, serverKey: ServerKey, settings: ServerSettings): void {
    const count = this.#get(service, SERVICE_SERVER_COUNT);
    this.#reserveServers(key, service, count + 1);
    const server = this.servers.take(service, serverKey);
    this.servers.configure(server, settings, true);
    const { words } = this.#namespace.memory;
    const list = this.#get(service, SERVICE_SERVERS) / 4;
    words.copyWithin(list + 1, list, list + count);
    words[list] = server;
    this.#set(service, SERVICE_SERVER_COUNT, count + 1);
    this.#namespace.core.serverAdded(service);
  }

  /** To a service that has none. */
  #addServers(key: ServiceKey, service: number, { list, first, count }: ServerRun): void {
    // The level of wrr depends on the servers that were there in between.
    if (this.#get(service, SERVICE_SCHEDULER) === IPVS_SCHEDULER_WRR || this.servers.asideCount > 0) {
      for (let at = first; at < first + count; at++) this.addServer(key, service, list.key(at), weighted(list.weight(at)));
      return;
    }
    this.#reserveServers(key, service, count);
    const last = this.#get(service, SERVICE_SERVERS) / 4 + count - 1;
    for (let index = 0; index < count; index++) {
      const server = this.servers.takeListed(list, first + index);
      this.#namespace.memory.words[last - index] = server;
    }
    this.#set(service, SERVICE_SERVER_COUNT, count);
    this.#namespace.core.serverAdded(service);
  }

  editServer(service: number, key: ServerKey, settings: ServerSettings): void {
    this.servers.configure(this.#server(service, key).server, settings, false);
    this.#namespace.core.serverEdited(service);
  }

  removeServer(service: number, key: ServerKey): void {
    const { server, index } = this.#server(service, key);
    const first = this.#get(service, SERVICE_SERVERS) / 4;
    const count = this.#get(service, SERVICE_SERVER_COUNT);
    this.#namespace.memory.words.copyWithin(first + index, first + index + 1, first + count);
    this.#set(service, SERVICE_SERVER_COUNT, count - 1);
    this.#namespace.core.serverRemoved(service, index);
    this.servers.remove(service, server);
  }

  #server(service: number, key: ServerKey): { server: number; index: number } {
    const list = this.#get(service, SERVICE_SERVERS);
    const index = this.servers.placeIn(list, this.#get(service, SERVICE_SERVER_COUNT), key);
    if (index < 0) throw new Error(`no server ${key.id}`);
    return { server: this.#namespace.memory.words[list / 4 + index] ?? 0, index };
  }

  #reserveServers({ id }: ServiceKey, service: number, count: number): void {
    const before = this.#get(service, SERVICE_SERVER_LIMIT);
    if (count <= before) return;
    if (count > SERVERS_MAX) throw new CapacityError(`servers of virtual service ${id}`, SERVERS_MAX, count);
    const { memory } = this.#namespace;
    const limit = Math.min(SERVERS_MAX, Math.max(SERVERS_AT_FIRST, count, before * 2));
    const small = this.#get(service, SERVICE_SERVERS);
    const list = memory.allocate(limit * 4);
    memory.words.copyWithin(list / 4, small / 4, small / 4 + this.#get(service, SERVICE_SERVER_COUNT));
    this.#set(service, SERVICE_SERVERS, list);
    this.#set(service, SERVICE_SERVER_LIMIT, limit);
    if (before > 0) memory.release(small, before * 4);
  }

  #writeKey(service: number, key: ServiceKey): void {
    const { words } = this.#namespace.memory;
    const first = service / 4;
    words[first + SERVICE_CLASS / 4] = key.kind === 'fwmark' ? SERVICE_CLASS_MARK : protocolClass(key.protocol);
    words[first + SERVICE_PORT / 4] = key.kind === 'fwmark' ? 0 : swapPort(key.port);
    words[first + SERVICE_ADDRESS_SIZE / 4] = key.family === 'IPv4' ? ADDRESS_V4 : ADDRESS_V6;
    const address = key.kind === 'fwmark' ? [key.mark] : key.address.words;
    for (let word = 0; word < ADDRESS_V6 / 4; word++) words[first + SERVICE_ADDRESS / 4 + word] = swapBytes(address[word] ?? 0);
  }

  #hasSoughtKey(service: number): boolean {
    for (let field = SERVICE_CLASS; field < SERVICE_ADDRESS + ADDRESS_V6; field += 4)
      if (this.#get(service, field) !== this.#get(this.#sought, field)) return false;
    return true;
  }

  /** Settings but the scheduler's own state. */
  #write(service: number, { flags, isOnePacket, persistence, scheduler }: ServiceSettings): void {
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

  #bind(service: number): void {
    const slots = this.#slotCount(service);
    if (slots > 0) this.#set(service, SERVICE_TABLE, this.#namespace.memory.allocate(slots * SLOT_SIZE));
    if (this.#remembersDestinations(service)) this.#namespace.changeCacheUsers(1);
    this.#namespace.core.bind(this.#namespace.address, service);
  }

  #unbind(service: number): void {
    this.#namespace.core.unbind(this.#namespace.address, service);
    if (this.#remembersDestinations(service)) this.#namespace.changeCacheUsers(-1);
    const slots = this.#slotCount(service);
    if (slots === 0) return;
    this.#namespace.memory.release(this.#get(service, SERVICE_TABLE), slots * SLOT_SIZE);
    this.#set(service, SERVICE_TABLE, 0);
  }

  #remembersDestinations(service: number): boolean {
    const scheduler = this.#get(service, SERVICE_SCHEDULER);
    return scheduler === IPVS_SCHEDULER_LBLC || scheduler === IPVS_SCHEDULER_LBLCR;
  }

  #slotCount(service: number): number {
    switch (this.#get(service, SERVICE_SCHEDULER)) {
      case IPVS_SCHEDULER_MH:
        return MAGLEV_SLOTS;
      case IPVS_SCHEDULER_SH:
      case IPVS_SCHEDULER_DH:
        return HASH_SLOTS;
      default:
        return 0;
    }
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
    for (const service of this.#records) if (this.#familyOf(service) === family) this.#link(service);
  }

  #link(service: number): void {
    const head = this.#headOf(service);
    this.#set(service, SERVICE_NEXT, this.#namespace.memory.words[head] ?? 0);
    this.#namespace.memory.words[head] = service;
  }

  #unlink(service: number): void {
    const { words } = this.#namespace.memory;
    let link = this.#headOf(service);
    while (words[link] !== service) link = ((words[link] ?? 0) + SERVICE_NEXT) / 4;
    words[link] = this.#get(service, SERVICE_NEXT);
  }

  /** The word where the chain of a service begins. */
  #headOf(service: number): number {
    let hash = hashWord(0, (this.#get(service, SERVICE_CLASS) | (this.#get(service, SERVICE_PORT) << 16)) >>> 0);
    for (let at = 0; at < this.#get(service, SERVICE_ADDRESS_SIZE); at += 4)
      hash = hashWord(hash, this.#get(service, SERVICE_ADDRESS + at));
    const family = this.#familyOf(service);
    const head = (hashEnd(hash) & this.#namespace.getFamily(family, FAMILY_SERVICE_MASK)) >>> 0;
    return this.#namespace.getFamily(family, FAMILY_SERVICES) / 4 + head;
  }

  #familyOf(service: number): Family {
    return this.#get(service, SERVICE_ADDRESS_SIZE) === ADDRESS_V4 ? 'IPv4' : 'IPv6';
  }

  #get(service: number, field: number): number {
    return this.#namespace.memory.words[(service + field) / 4] ?? 0;
  }

  #set(service: number, field: number, value: number): void {
    this.#namespace.memory.words[(service + field) / 4] = value;
  }
}
