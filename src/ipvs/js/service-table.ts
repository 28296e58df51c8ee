// The virtual services of a namespace: by reference, and by what a packet carries.
import { type Address, addressKey, type Family } from '../../address.ts';
import type { EnginePacket } from '../engine.ts';
import type { ServerKey, ServerSettings, ServiceKey, ServiceSettings } from '../keys.ts';
import { FTP_PORT, mayBeFtpData } from './ftp.ts';
import type { Namespace } from './namespace.ts';
import { configureServer, createServer, type Server, serverName } from './server.ts';
import { Service } from './service.ts';

export class ServiceTable {
  /** In the order in which they were added. */
  readonly #services = new Map<string, Service>();
  readonly #byPacket = new Map<string, Service>();
  readonly #counts: Record<Family, number> = { IPv4: 0, IPv6: 0 };
  readonly #namespace: Namespace;

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  add(key: ServiceKey, settings: ServiceSettings): void {
    const service = new Service(key, settings, this.#namespace);
    this.#services.set(key.id, service);
    this.#byPacket.set(packetKey(key), service);
    this.#counts[key.family] += 1;
  }

  remove(service: Service): void {
    service.scheduler.unbind?.();
    this.#services.delete(service.key.id);
    this.#byPacket.delete(packetKey(service.key));
    this.#counts[service.key.family] -= 1;
  }

  get(id: string): Service | undefined {
    return this.#services.get(id);
  }

  ids(): string[] {
    return [...this.#services.keys()];
  }

  /** Without a service of its family, IPVS looks at no packet at all. */
  hasFamily(family: Family): boolean {
    return this.#counts[family] > 0;
  }

  /** By mark, else by address and port, else as FTP data, else by address alone (port 0). */
  find(packet: EnginePacket): Service | undefined {
    const { protocol, destination, destinationPort, mark } = packet;
    const marked = mark === 0 ? undefined : this.#byPacket.get(markKey(mark, destination.family));
    const byPort = (port: number) => this.#byPacket.get(endpointKey(protocol, destination, port));
    return marked ?? byPort(destinationPort) ?? (mayBeFtpData(packet) ? byPort(FTP_PORT) : undefined) ?? byPort(0);
  }

  /** A server that was kept aside comes back as the same one. */
  addServer(service: Service, key: ServerKey, settings: ServerSettings): void {
    const server = this.#namespace.takeBack(serverName(service.key.id, key)) ?? createServer(service.key.id, key);
    configureServer(server, settings, true);
    service.add(server);
  }

  removeServer(service: Service, server: Server): void {
    service.remove(server);
    this.#namespace.keepAside(server);
  }
}

function packetKey(key: ServiceKey): string {
  return key.kind === 'fwmark' ? markKey(key.mark, key.family) : endpointKey(key.protocol, key.address, key.port);
}

function markKey(mark: number, family: Family): string {
  return `FWM ${mark} ${family}`;
}

function endpointKey(protocol: string, { words }: Address, port: number): string {
  return protocol + addressKey(words) + String.fromCharCode(port);
}
