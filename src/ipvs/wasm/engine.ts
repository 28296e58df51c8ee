// The WebAssembly engine of IPVS: owns one core with one namespace. Servers are edited here; packets are the core's.
import { nextRandom, seedRandom } from '../../../assembly/shared/random.ts';
import type { Core } from '../../engine/wasm/core.ts';
import { LinearMemory } from '../../engine/wasm/memory.ts';
import type {
  EnginePacket,
  EngineSysctl,
  IpvsEngine,
  IpvsEngineOptions,
  ServerKey,
  ServerSettings,
  ServiceKey,
  ServiceSettings,
  TimeoutSettings,
} from '../engine.ts';
import type { IpvsConnection, IpvsVerdict, ServerState } from '../types.ts';
import { checkTables } from './check-tables.ts';
import { flushRemovedServers, listConnections } from './connections.ts';
import { NamespaceMemory } from './namespace.ts';
import { PacketBorder } from './packet.ts';
import { type Service, Services } from './services.ts';

export class WasmIpvs implements IpvsEngine {
  readonly name = 'wasm';
  readonly #namespace: NamespaceMemory;
  readonly #services: Services;
  readonly #border: PacketBorder;

  constructor(core: Core, options: IpvsEngineOptions) {
    const seed = seedRandom(options.seed);
    core.seedHash(nextRandom(nextRandom(seed)), nextRandom(seed));
    this.#namespace = new NamespaceMemory(core, new LinearMemory(core.memory, core.heapBase), options);
    this.#services = new Services(this.#namespace);
    this.#border = new PacketBorder(this.#namespace, this.#services.servers);
  }

  advance(now: number): void {
    this.#namespace.core.advance(this.#namespace.address, now);
  }

  addService(key: ServiceKey, settings: ServiceSettings): void {
    this.#services.add(key, settings);
  }

  editService(key: ServiceKey, settings: ServiceSettings): void {
    this.#services.edit(this.#service(key.id), settings);
  }

  deleteService(key: ServiceKey): void {
    this.#removeService(this.#service(key.id));
  }

  clear(): void {
    for (const id of this.#services.ids()) this.#removeService(this.#service(id));
  }

  services(): string[] {
    return this.#services.ids();
  }

  addServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void {
    this.#services.addServer(this.#service(service.id), server, settings);
  }

  editServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void {
    this.#services.editServer(this.#service(service.id), server, settings);
  }

  deleteServer(service: ServiceKey, server: ServerKey): void {
    this.#services.removeServer(this.#service(service.id), server);
    this.#flushStranded();
  }

  servers(service: ServiceKey): ServerState[] {
    return this.#service(service.id).servers.map((server) => this.#services.servers.describe(server));
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

  connections(): IpvsConnection[] {
    return listConnections(this.#namespace);
  }

  /** Walks all tables and verifies their invariants, for tests. @throws CoreError */
  checkTables(): void {
    checkTables(this.#namespace, this.#services);
  }

  [Symbol.dispose](): void {
    // The core's memory goes with the engine: nothing else holds it.
  }

  #removeService(service: Service): void {
    const hadServers = service.servers.length > 0;
    this.#services.remove(service);
    if (hadServers) this.#flushStranded();
  }

  /** The kernel's worker that follows every removal of a server. */
  #flushStranded(): void {
    if (this.#namespace.sysctl('expire_nodest_conn') !== 0) flushRemovedServers(this.#namespace, this.#services.servers);
  }

  #service(id: string): Service {
    const service = this.#services.get(id);
    if (service === undefined) throw new Error(`no service ${id}`);
    return service;
  }
}
