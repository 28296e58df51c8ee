// What kube-proxy does to IPVS when its Services change: virtual services and real servers added, edited and removed, and TCP servers that
// are wanted no more drained (graceful termination). Both engines follow it; their IPVS carries it out.
import { type Address, type Family, formatEndpoint, parseAddress } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { IpvsEngine, ServerKey, ServerSettings, ServiceKey, ServiceSettings } from '../ipvs/engine.ts';
import { readServiceSettings } from '../ipvs/settings.ts';
import type { Change } from '../program/change.ts';
import type { IpvsTimeouts, VirtualService } from '../program/virtual-service.ts';

/** kube-proxy looks at its list of draining servers that often. */
const DRAIN_CHECK_MS = 60_000;

/** The IPVS that is kept in step. Times are milliseconds of the dataplane's clock, and may have fractions. */
export type SyncedIpvs = Pick<
  IpvsEngine,
  'advance' | 'addService' | 'editService' | 'deleteService' | 'addServer' | 'editServer' | 'deleteServer' | 'servers' | 'setTimeouts'
>;

class WantedServer implements ServerKey {
  readonly address: Address;
  readonly port: number;
  readonly weight: number;

  constructor(address: Address, port: number, weight: number) {
    this.address = address;
    this.port = port;
    this.weight = weight;
  }

  /** Made for who asks: a large cluster has hundreds of thousands of servers, and most of them nobody looks for. */
  get id(): string {
    return formatEndpoint(this.address.text, this.port);
  }
}

/** A virtual service of a Program, read and checked. */
export interface WantedService {
  readonly wanted: VirtualService;
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
  /** In the order in which they are added. */
  readonly servers: readonly WantedServer[];
}

/** What the next Program of a family changes. */
export interface SyncPlan {
  readonly family: Family;
  /** New and changed ones. */
  readonly wanted: readonly WantedService[];
  /** Ids of services that no Program wants any more. */
  readonly gone: readonly string[];
  /** Of several services on one address and port only the first stands: any change is then worked out from all of them. */
  readonly hasDoubles: boolean;
}

/** A service that IPVS has, and its servers of weight 0 that wait for their connections to end. */
interface SyncedService extends WantedService {
  readonly draining: Map<string, ServerKey>;
}

interface FamilyServices {
  readonly byId: Map<string, SyncedService>;
  hasDoubles: boolean;
}

export class IpvsSync {
  readonly #ipvs: SyncedIpvs;
  readonly #families: Readonly<Record<Family, FamilyServices>> = {
    IPv4: { byId: new Map(), hasDoubles: false },
    IPv6: { byId: new Map(), hasDoubles: false },
  };
  /** Those of #families that have draining servers, in the order in which they began to. */
  readonly #draining = new Set<SyncedService>();
  #timeouts: IpvsTimeouts | undefined;
  #now = 0;
  #nextCheck: number | undefined;

  constructor(ipvs: SyncedIpvs) {
    this.#ipvs = ipvs;
  }

  /**
   * Moves the clock of IPVS, and removes draining servers at each of kube-proxy's looks that finds them without connections.
   * @returns the moment at which IPVS is: never earlier than one it was given before.
   */
  advance(now: number): number {
    this.#now = Math.max(this.#now, now);
    this.#nextCheck ??= this.#now + DRAIN_CHECK_MS;
    while (this.#nextCheck <= this.#now && this.#draining.size > 0) {
      this.#ipvs.advance(this.#nextCheck);
      this.#removeDrained();
      this.#nextCheck += DRAIN_CHECK_MS;
    }
    if (this.#nextCheck <= this.#now) this.#nextCheck += Math.ceil((this.#now + 1 - this.#nextCheck) / DRAIN_CHECK_MS) * DRAIN_CHECK_MS;
    this.#ipvs.advance(this.#now);
    return this.#now;
  }

  /** Reads a change of a family's services; nothing moves yet. `all`: those of the new Program. @throws InvalidArgumentError, UnsupportedError */
  plan(family: Family, { removed, added }: Change<VirtualService>, all: () => readonly VirtualService[]): SyncPlan {
    const { byId, hasDoubles } = this.#families[family];
    const leaving = new Set(removed.map((service) => endsOf(service, family).id));
    const coming = new Set(added.map((service) => endsOf(service, family).id));
    const isSingle = !hasDoubles && coming.size === added.length && [...coming].every((id) => leaving.has(id) || !byId.has(id));
    const services = isSingle ? added : all();
    const read = new Map<string, WantedService>();
    for (const service of services) {
      const { id, address } = endsOf(service, family);
      if (!read.has(id)) read.set(id, readService(service, { id, family, address }));
    }
    const gone = [...(isSingle ? leaving : byId.keys())].filter((id) => !read.has(id));
    const wanted = [...read.values()].filter(({ key, wanted }) => byId.get(key.id)?.wanted !== wanted);
    return { family, wanted, gone, hasDoubles: read.size < services.length };
  }

  /** Carries out a plan that was made since the last load. `timeouts`: as of `ipvsadm --set`; 0 leaves one as it is. */
  load({ family, wanted, gone, hasDoubles }: SyncPlan, timeouts: IpvsTimeouts | undefined, now: number): void {
    this.advance(now);
    if (timeouts !== undefined && timeouts !== this.#timeouts) this.#ipvs.setTimeouts(timeouts);
    this.#timeouts = timeouts ?? this.#timeouts;
    const services = this.#families[family];
    services.hasDoubles = hasDoubles;
    for (const service of wanted) services.byId.set(service.key.id, this.#follow(service, services.byId.get(service.key.id)));
    for (const id of gone) {
      const known = services.byId.get(id);
      if (known === undefined) continue;
      this.#ipvs.deleteService(known.key);
      this.#draining.delete(known);
      services.byId.delete(id);
    }
  }

  #follow(service: WantedService, known: SyncedService | undefined): SyncedService {
    const { key, settings, servers } = service;
    if (known === undefined) this.#ipvs.addService(key, settings);
    else if (!isSameSettings(settings, known.settings)) this.#ipvs.editService(key, settings);
    const draining = new Map(known?.draining);
    if (known === undefined) for (const server of servers) this.#ipvs.addServer(key, server, settingsOf(server.weight));
    else this.#followServers(service, known, draining);
    const synced: SyncedService = { wanted: service.wanted, key, settings, servers, draining };
    if (known !== undefined) this.#draining.delete(known);
    if (draining.size > 0) this.#draining.add(synced);
    return synced;
  }

  #followServers({ key, servers }: WantedService, known: SyncedService, draining: Map<string, ServerKey>): void {
    const before = new Map(known.servers.map((server) => [server.id, server]));
    for (const server of servers) {
      const { id } = server;
      const was = before.get(id);
      before.delete(id);
      // One that drains and is wanted again begins anew.
      if (draining.delete(id)) this.#ipvs.deleteServer(key, server);
      else if (this.#isKept(key, server, was)) continue;
      this.#ipvs.addServer(key, server, settingsOf(server.weight));
    }
    // Those that are left are wanted no more.
    for (const server of this.#removeIdle(key, [...before.values()])) {
      this.#ipvs.editServer(key, server, settingsOf(0));
      draining.set(server.id, server);
    }
  }

  /** It was wanted before: no more than its weight can be another one. */
  #isKept(service: ServiceKey, server: WantedServer, before: WantedServer | undefined): boolean {
    if (before === undefined) return false;
    if (before.weight !== server.weight) this.#ipvs.editServer(service, server, settingsOf(server.weight));
    return true;
  }

  /** Removes servers: those of TCP only if they have no connections. Returns the others. */
  #removeIdle(service: ServiceKey, servers: readonly ServerKey[]): readonly ServerKey[] {
    if (servers.length === 0) return [];
    const isGraceful = service.kind === 'address' && service.protocol === 'TCP';
    const states = isGraceful ? this.#ipvs.servers(service) : [];
    const busy = new Set(
      states.filter(({ active, inactive }) => active + inactive > 0).map(({ address, port }) => formatEndpoint(address, port)),
    );
    for (const server of servers) if (!busy.has(server.id)) this.#ipvs.deleteServer(service, server);
    return servers.filter(({ id }) => busy.has(id));
  }

  #removeDrained(): void {
    for (const service of this.#draining) {
      const busy = new Set(this.#removeIdle(service.key, [...service.draining.values()]));
      for (const server of service.draining.values()) if (!busy.has(server)) service.draining.delete(server.id);
      if (service.draining.size === 0) this.#draining.delete(service);
    }
  }
}

/** The key of a virtual service as the engines know it: `TCP 10.96.0.10:80`. */
export function virtualServiceId(protocol: string, address: string, port: number): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

function settingsOf(weight: number): ServerSettings {
  return { weight, upperThreshold: 0, lowerThreshold: 0 };
}

function endsOf({ protocol, address: text, port }: VirtualService, family: Family): { readonly id: string; readonly address: Address } {
  const address = loadAddress(text, family, `virtual service ${virtualServiceId(protocol, text, port)}`);
  return { id: virtualServiceId(protocol, address.text, port), address };
}

function readService(
  wanted: VirtualService,
  own: { readonly id: string; readonly family: Family; readonly address: Address },
): WantedService {
  const where = `virtual service ${own.id}`;
  const { protocol, port, scheduler, flags, persistence } = wanted;
  const key: ServiceKey = { kind: 'address', id: own.id, family: own.family, protocol, address: own.address, port };
  const options =
    persistence === undefined ? { scheduler, flags } : { scheduler, flags, persistence: { timeout: persistence.timeoutSeconds } };
  const settings = readServiceSettings(options, key, (field) => `${where}: ${field}`);
  const servers = wanted.destinations.map(({ address, port, weight }) => {
    return new WantedServer(loadAddress(address, own.family, `${where}: destination`), port, weight);
  });
  return { wanted, key, settings, servers };
}

function loadAddress(text: string, family: Family, where: string): Address {
  const address = parseAddress(text);
  if (address?.family !== family) throw new InvalidArgumentError(where, text, `is not an ${family} address`);
  return address;
}

function isSameSettings(a: ServiceSettings, b: ServiceSettings): boolean {
  return (
    a.scheduler === b.scheduler &&
    a.persistence?.timeoutSeconds === b.persistence?.timeoutSeconds &&
    [...a.flags].sort().join() === [...b.flags].sort().join()
  );
}
