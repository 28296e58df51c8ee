// The WebAssembly engine of IPVS: one namespace in a core's memory. Servers are edited here; packets are the core's. Two hosts have one:
// `createIpvs`, with a core of its own, and the engine of a dataplane (src/engine/wasm/node-ipvs.ts), beside the tables of its Programs.
import { CONNTRACK_BESIDE, CONNTRACK_NONE } from '../../../assembly/shared/ipvs-layout.ts';
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import type { Family } from '../../address.ts';
import type { Core } from '../../engine/wasm/core.ts';
import { LinearMemory } from '../../engine/wasm/memory.ts';
import type { EnginePacket, EngineSysctl, Foresight, IpvsEngine, IpvsEngineOptions, RealServer, TimeoutSettings } from '../engine.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from '../keys.ts';
import type { ServerRun } from '../server-list.ts';
import type { IpvsConnection, IpvsVerdict, ServerState } from '../types.ts';
import { flushRemovedServers, listConnections } from './connections.ts';
import { NamespaceMemory, type NamespaceOptions } from './namespace.ts';
import { PacketBorder } from './packet.ts';
import { Services } from './services.ts';

/** One with a core of its own. */
export function createWasmIpvs(core: Core, { seed, sysctls, hasConntrackHooks }: IpvsEngineOptions): WasmIpvs {
  const random = seedRandom(seed);
  core.seedHash(nextRandom(nextRandom(random)), nextRandom(random));
  const conntrack = hasConntrackHooks ? CONNTRACK_BESIDE : CONNTRACK_NONE;
  return new WasmIpvs(core, new LinearMemory(core.memory, core.heapBase), { sysctls, conntrack, random });
}

/** All that an engine holds in linear memory. */
export interface IpvsParts {
  readonly namespace: NamespaceMemory;
  readonly services: Services;
}

export class WasmIpvs implements IpvsEngine {
  readonly name = 'wasm';
  readonly #namespace: NamespaceMemory;
  readonly #services: Services;
  readonly #border: PacketBorder;

  constructor(core: Core, memory: LinearMemory, options: NamespaceOptions) {
    this.#namespace = new NamespaceMemory(core, memory, options);
    this.#services = new Services(this.#namespace);
    this.#border = new PacketBorder(this.#namespace, this.#services.servers);
  }

  advance(now: number): void {
    this.#namespace.core.advance(this.#namespace.address, now);
  }

  addService(key: ServiceKey, settings: ServiceSettings, servers?: ServerRun, tag = 0): void {
    this.#services.add(key, settings, servers, tag);
  }

  editService(key: ServiceKey, settings: ServiceSettings): void {
    this.#services.edit(this.#service(key), settings);
  }

  setTag(key: ServiceKey, tag: number): void {
    this.#services.setTag(this.#service(key), tag);
  }

  deleteService(key: ServiceKey): void {
    this.#removeService(this.#service(key));
  }

  clear(): void {
    for (const service of this.#services.all()) this.#removeService(service);
  }

  addServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void {
    this.#services.addServer(service, this.#service(service), server, settings);
  }

  editServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void {
    this.#services.editServer(this.#service(service), server, settings);
  }

  deleteServer(service: ServiceKey, server: ServerKey): void {
    this.#services.removeServer(this.#service(service), server);
    this.#flushStranded();
  }

  servers(service: ServiceKey): ServerState[] {
    const { servers } = this.#services;
    return this.#services.serversOf(this.#service(service)).map((server) => servers.describe(service.family, server));
  }

  setTimeouts(seconds: TimeoutSettings): void {
    this.#namespace.setTimeouts(seconds);
  }

  setSysctl(name: EngineSysctl, value: number): void {
    this.#namespace.setSysctl(name, value);
  }

  process(packet: EnginePacket, now: number): IpvsVerdict {
    return this.#border.process(packet, now);
  }

  /** The address of its NAMESPACE record. */
  get address(): number {
    return this.#namespace.address;
  }

  /** Bytes of the connections and all that belongs to them. */
  get connectionBytes(): number {
    return this.#namespace.usedBytes;
  }

  /** Bytes of services, servers and their tables. */
  get serviceBytes(): number {
    return this.#services.usedBytes;
  }

  /** Room for whatever so many packets may begin, which the core finds by itself. */
  reserve(packets: number): void {
    this.#namespace.reserve(packets);
  }

  /** Before so many services are added, to have the table of services grow once. */
  reserveServices(family: Family, more: number): void {
    this.#services.reserve(family, more);
  }

  /** What would become of a client's packet at the present moment. Nothing moves. */
  foresee(packet: EnginePacket, isConfirmed: boolean): Foresight {
    return this.#border.foresee(packet, isConfirmed);
  }

  /** In the kernel's order; undefined: there is no such service. */
  realServers(key: ServiceKey): readonly RealServer[] | undefined {
    const service = this.#services.find(key);
    if (service === undefined) return undefined;
    return this.#services.serversOf(service).map((server) => this.#services.servers.describeReal(key.family, server));
  }

  connections(): IpvsConnection[] {
    return listConnections(this.#namespace);
  }

  /** For the self-check. */
  parts(): IpvsParts {
    return { namespace: this.#namespace, services: this.#services };
  }

  #removeService(service: number): void {
    const hadServers = this.#services.serversOf(service).length > 0;
    this.#services.remove(service);
    if (hadServers) this.#flushStranded();
  }

  /** The kernel's worker that follows every removal of a server. */
  #flushStranded(): void {
    if (this.#namespace.sysctl('expire_nodest_conn') !== 0) flushRemovedServers(this.#namespace, this.#services.servers);
  }

  /** Its record. */
  #service(key: ServiceKey): number {
    const service = this.#services.find(key);
    if (service === undefined) throw new Error(`no service ${key.id}`);
    return service;
  }
}
