// What kube-proxy does to IPVS when its Services change: virtual services and real servers added, edited and removed, and TCP servers that
// are wanted no more drained (graceful termination). Both engines follow it; their IPVS carries it out.
import { type Family, formatEndpoint } from '../address.ts';
import { CapacityError } from '../errors.ts';
import type { IpvsEngine } from '../ipvs/engine.ts';
import type { ServerKey, ServiceKey, ServiceSettings } from '../ipvs/keys.ts';
import { weighted } from '../ipvs/server-list.ts';
import type { Change } from '../program/change.ts';
import type { IpvsTimeouts, VirtualService } from '../program/virtual-service.ts';
import { canonicalAddress, canonicalId, type WantedService, WantedServices } from './wanted-services.ts';

/** kube-proxy looks at its list of draining servers that often. */
const DRAIN_CHECK_MS = 60_000;

/** The IPVS that is kept in step. Times are milliseconds of the dataplane's clock, and may have fractions. */
export type SyncedIpvs = Pick<
  IpvsEngine,
  | 'advance'
  | 'addService'
  | 'editService'
  | 'setTag'
  | 'deleteService'
  | 'addServer'
  | 'editServer'
  | 'deleteServer'
  | 'servers'
  | 'setTimeouts'
>;

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

interface FamilyServices {
  readonly byId: Map<string, WantedService>;
  hasDoubles: boolean;
}

export class IpvsSync {
  readonly #ipvs: SyncedIpvs;
  readonly #tagOf: (servicePort: string) => number;
  readonly #serversMax: number;
  readonly #families: Readonly<Record<Family, FamilyServices>> = {
    IPv4: { byId: new Map(), hasDoubles: false },
    IPv6: { byId: new Map(), hasDoubles: false },
  };
  /** Servers of weight 0 that wait for their connections to end, by name: of services of #families, in the order in which they began to. */
  readonly #draining = new Map<WantedService, Map<string, ServerKey>>();
  #timeouts: IpvsTimeouts | undefined;
  #now = 0;
  #nextCheck: number | undefined;

  /** `tagOf`: the engine's number of a ServicePort, by which virtual services are tagged. `serversMax`: for how many servers of a service IPVS has room. */
  constructor(ipvs: SyncedIpvs, tagOf: (servicePort: string) => number, serversMax = Infinity) {
    this.#ipvs = ipvs;
    this.#tagOf = tagOf;
    this.#serversMax = serversMax;
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

  /** Reads a change of a family's services; nothing moves yet. `all`: those of the new Program. @throws InvalidArgumentError, UnsupportedError, CapacityError */
  plan(family: Family, { removed, added }: Change<VirtualService>, all: () => readonly VirtualService[]): SyncPlan {
    const { byId, hasDoubles } = this.#families[family];
    const own = new WantedServices(family, added).byId;
    const leaving = new Set(removed.map((service) => canonicalId(service, canonicalAddress(service, family))));
    const isSingle = !hasDoubles && own.size === added.length && [...own.keys()].every((id) => leaving.has(id) || !byId.has(id));
    const services = isSingle ? added : all();
    const read = isSingle ? own : new WantedServices(family, services).byId;
    const gone = [...(isSingle ? leaving : byId.keys())].filter((id) => !read.has(id));
    const wanted = [...read.values()].filter(({ key, wanted }) => byId.get(key.id)?.wanted !== wanted);
    for (const service of wanted) this.#expectRoom(service, byId.get(service.key.id));
    return { family, wanted, gone, hasDoubles: read.size < services.length };
  }

  /** Carries out a plan that was made since the last load. `timeouts`: as of `ipvsadm --set`; 0 leaves one as it is. */
  load({ family, wanted, gone, hasDoubles }: SyncPlan, timeouts: IpvsTimeouts | undefined, now: number): void {
    this.advance(now);
    if (timeouts !== undefined && timeouts !== this.#timeouts) this.#ipvs.setTimeouts(timeouts);
    this.#timeouts = timeouts ?? this.#timeouts;
    const services = this.#families[family];
    services.hasDoubles = hasDoubles;
    for (const service of wanted) {
      this.#follow(service, services.byId.get(service.key.id));
      services.byId.set(service.key.id, service);
    }
    for (const id of gone) {
      const known = services.byId.get(id);
      if (known === undefined) continue;
      this.#ipvs.deleteService(known.key);
      this.#draining.delete(known);
      services.byId.delete(id);
    }
  }

  /** New servers come before others go. */
  #expectRoom(service: WantedService, known: WantedService | undefined): void {
    const draining = known === undefined ? undefined : this.#draining.get(known);
    if (service.count + (known?.count ?? 0) + (draining?.size ?? 0) <= this.#serversMax) return;
    const names = new Set([...namesOf(service), ...(known === undefined ? [] : namesOf(known)), ...(draining?.keys() ?? [])]);
    if (names.size <= this.#serversMax) return;
    throw new CapacityError(`servers of virtual service ${service.key.id}, those that leave it included`, this.#serversMax, names.size);
  }

  #follow(service: WantedService, known: WantedService | undefined): void {
    const { key, settings, wanted } = service;
    if (known === undefined) {
      this.#ipvs.addService(key, settings, service, this.#tagOf(wanted.servicePort));
      return;
    }
    if (!isSameSettings(settings, known.settings)) this.#ipvs.editService(key, settings);
    if (wanted.servicePort !== known.wanted.servicePort) this.#ipvs.setTag(key, this.#tagOf(wanted.servicePort));
    const draining = this.#followServers(service, known);
    this.#draining.delete(known);
    if (draining.size > 0) this.#draining.set(service, draining);
  }

  /** Returns the servers that drain from then on. */
  #followServers({ key: service, list, first, count }: WantedService, known: WantedService): Map<string, ServerKey> {
    const draining = new Map(this.#draining.get(known));
    const before = new Map(Array.from(namesOf(known), (name, index) => [name, known.first + index]));
    for (let place = first; place < first + count; place++) {
      const name = list.name(place);
      const was = before.get(name);
      before.delete(name);
      const weight = list.weight(place);
      // One that drains and is wanted again begins anew.
      if (draining.delete(name)) this.#ipvs.deleteServer(service, list.key(place));
      else if (was !== undefined) {
        if (weight !== known.list.weight(was)) this.#ipvs.editServer(service, list.key(place), weighted(weight));
        continue;
      }
      this.#ipvs.addServer(service, list.key(place), weighted(weight));
    }
    // Those that are left are wanted no more.
    const left = new Map(Array.from(before, ([name, place]) => [name, known.list.key(place)]));
    for (const [name, server] of this.#removeIdle(service, left)) {
      this.#ipvs.editServer(service, server, weighted(0));
      draining.set(name, server);
    }
    return draining;
  }

  /** Removes servers: those of TCP only if they have no connections. Returns the others. */
  #removeIdle(service: ServiceKey, servers: ReadonlyMap<string, ServerKey>): readonly (readonly [string, ServerKey])[] {
    if (servers.size === 0) return [];
    const isGraceful = service.kind === 'address' && service.protocol === 'TCP';
    const states = isGraceful ? this.#ipvs.servers(service) : [];
    const busy = new Set(
      states.filter(({ active, inactive }) => active + inactive > 0).map(({ address, port }) => formatEndpoint(address, port)),
    );
    for (const server of servers.values()) if (!busy.has(server.id)) this.#ipvs.deleteServer(service, server);
    return [...servers].filter(([, { id }]) => busy.has(id));
  }

  #removeDrained(): void {
    for (const [service, draining] of this.#draining) {
      const busy = new Map(this.#removeIdle(service.key, draining));
      if (busy.size > 0) this.#draining.set(service, busy);
      else this.#draining.delete(service);
    }
  }
}

function* namesOf({ list, first, count }: WantedService): Generator<string> {
  for (let place = first; place < first + count; place++) yield list.name(place);
}

function isSameSettings(a: ServiceSettings, b: ServiceSettings): boolean {
  if (a === b) return true;
  return (
    a.scheduler === b.scheduler &&
    a.persistence?.timeoutSeconds === b.persistence?.timeoutSeconds &&
    [...a.flags].sort().join() === [...b.flags].sort().join()
  );
}
