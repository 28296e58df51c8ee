// The TypeScript engine of IPVS, readable as the specification: plain objects and Maps, one file a noun.
import { seedRandom } from '../../../assembly/shared/random.ts';
import type { EnginePacket, EngineSysctl, Foresight, IpvsEngine, IpvsEngineOptions, TimeoutSettings } from '../engine.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from '../keys.ts';
import { type ServerRun, weighted } from '../server-list.ts';
import type { IpvsConnection, IpvsVerdict, ServerState } from '../types.ts';
import { type Connection, describeConnection } from './connection.ts';
import { ConnectionTable } from './connection-table.ts';
import { foreseePacket } from './foresee.ts';
import { Namespace, type NamespaceOptions } from './namespace.ts';
import { type PacketOutcome, type PacketPath, processPacket } from './packet.ts';
import { configureServer, type Server } from './server.ts';
import type { Service } from './service.ts';
import { ServiceTable } from './service-table.ts';
import { verdictOf } from './verdict.ts';

export function createJsIpvs(options: IpvsEngineOptions): IpvsEngine {
  return new JsIpvs({ ...options, random: { state: seedRandom(options.seed) } });
}

/** Also the IPVS of a node's dataplane, which keeps the conntrack entries itself. */
export class JsIpvs implements IpvsEngine {
  readonly name = 'js';
  readonly #namespace: Namespace;
  readonly #services: ServiceTable;
  readonly #connections: ConnectionTable;
  readonly #path: PacketPath;

  /** @param onEnd hears of each connection that leaves the table. */
  constructor(options: NamespaceOptions, onEnd?: (connection: Connection) => void) {
    this.#namespace = new Namespace(options);
    this.#services = new ServiceTable(this.#namespace);
    this.#connections = new ConnectionTable(this.#namespace, onEnd);
    this.#path = { namespace: this.#namespace, services: this.#services, connections: this.#connections };
  }

  advance(now: number): void {
    this.#namespace.now = now;
    this.#connections.fireTimers();
  }

  addService(key: ServiceKey, settings: ServiceSettings, servers?: ServerRun, tag = 0): void {
    this.#services.add(key, settings);
    this.setTag(key, tag);
    if (servers === undefined) return;
    const { list, first, count } = servers;
    for (let server = first; server < first + count; server++) this.addServer(key, list.key(server), weighted(list.weight(server)));
  }

  editService(key: ServiceKey, settings: ServiceSettings): void {
    this.#service(key.id).edit(settings);
  }

  setTag({ id }: ServiceKey, tag: number): void {
    this.#service(id).tag = tag;
  }

  deleteService(key: ServiceKey): void {
    this.#removeService(this.#service(key.id));
  }

  clear(): void {
    for (const id of this.#services.ids()) this.#removeService(this.#service(id));
  }

  addServer(service: ServiceKey, server: ServerKey, settings: ServerSettings): void {
    this.#services.addServer(this.#service(service.id), server, settings);
  }

  editServer(service: ServiceKey, key: ServerKey, settings: ServerSettings): void {
    const { server, scheduler } = this.#server(service, key);
    configureServer(server, settings, false);
    scheduler.serverEdited?.();
  }

  deleteServer(service: ServiceKey, key: ServerKey): void {
    this.#services.removeServer(this.#service(service.id), this.#server(service, key).server);
    this.#flushStranded();
  }

  servers(service: ServiceKey): ServerState[] {
    return this.#service(service.id).servers.map(({ key, weight, active, total }) => {
      return { address: key.address.text, port: key.port, weight, active, inactive: total - active };
    });
  }

  setTimeouts(seconds: TimeoutSettings): void {
    this.#namespace.setTimeouts(seconds);
  }

  setSysctl(name: EngineSysctl, value: number): void {
    this.#namespace.sysctls[name] = value;
  }

  process(packet: EnginePacket, now: number): IpvsVerdict {
    this.advance(now);
    return verdictOf(processPacket(packet, this.#path), packet);
  }

  /** Connections that are over by the present moment leave the table. */
  fireTimers(): void {
    this.#connections.fireTimers();
  }

  /** A packet at the present moment, whose due timers have fired. `isConfirmed`: conntrack knows its connection. */
  route(packet: EnginePacket, isConfirmed: boolean): PacketOutcome {
    return processPacket(packet, this.#path, isConfirmed);
  }

  /** What would become of a client's packet. Nothing moves. */
  foresee(packet: EnginePacket, isConfirmed: boolean): Foresight {
    return foreseePacket(packet, this.#path, isConfirmed);
  }

  /** The tag of the service that a client's packet is for. */
  tagOf(packet: EnginePacket): number {
    return this.#services.find(packet)?.tag ?? 0;
  }

  /** In the kernel's order. */
  realServers(serviceId: string): readonly Readonly<Server>[] | undefined {
    return this.#services.get(serviceId)?.servers;
  }

  connections(): IpvsConnection[] {
    return Array.from(this.#connections, (connection) => describeConnection(connection, this.#namespace.now));
  }

  #removeService(service: Service): void {
    const hadServers = service.servers.length > 0;
    for (const server of [...service.servers]) this.#services.removeServer(service, server);
    this.#services.remove(service);
    if (hadServers) this.#flushStranded();
  }

  /** The kernel's worker that follows every removal of a server. */
  #flushStranded(): void {
    if (this.#namespace.sysctls.expire_nodest_conn !== 0 && this.#namespace.hasServersAside) this.#connections.flushRemovedServers();
  }

  #service(id: string): Service {
    const service = this.#services.get(id);
    if (service === undefined) throw new Error(`no service ${id}`);
    return service;
  }

  #server(serviceKey: ServiceKey, key: ServerKey): { server: Server; scheduler: Service['scheduler'] } {
    const service = this.#service(serviceKey.id);
    const server = service.find(key.id);
    if (server === undefined) throw new Error(`no server ${key.id}`);
    return { server, scheduler: service.scheduler };
  }
}
