// IPVS: one lookup finds the virtual service, its scheduler the destination. Only round robin (`rr`) is modelled so far.
import type { Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
import type { Change } from '../../program/change.ts';
import type { VirtualService } from '../../program/virtual-service.ts';
import { refuseUnmodelled } from '../virtual-services.ts';
import { type AddressWords, addressKey, equalAddress, loadAddress } from './addresses.ts';

/** A real server. */
export interface LoadedDestination {
  readonly address: AddressWords;
  readonly port: number;
  readonly weight: number;
}

export class LoadedVirtualService {
  readonly servicePort: number;
  /** The kernel puts each added destination at the front. */
  readonly #destinations: readonly LoadedDestination[];
  /** Where the round stands; -1: before the front. */
  #lastIndex = -1;

  constructor(service: VirtualService, family: Family, servicePort: number, before: LoadedVirtualService | undefined) {
    const name = `virtual service ${service.protocol} ${service.address}:${service.port}`;
    refuseUnmodelled(service);
    this.servicePort = servicePort;
    this.#destinations = service.destinations
      .map(({ address, port, weight }) => ({ address: loadAddress(address, family, name), port, weight }))
      .reverse();
    const last = before?.last;
    if (last !== undefined) {
      this.#lastIndex = this.#destinations.findIndex(({ address, port }) => port === last.port && equalAddress(address, last.address));
    }
  }

  /** The destination chosen last, while it is there. */
  get last(): LoadedDestination | undefined {
    return this.#destinations[this.#lastIndex];
  }

  /** ip_vs_rr: the first destination with a weight after the one chosen last, going around. */
  schedule(): LoadedDestination | undefined {
    const count = this.#destinations.length;
    for (let step = 1; step <= count; step++) {
      const index = (this.#lastIndex + step) % count;
      const destination = this.#destinations[index];
      if (destination === undefined || destination.weight === 0) continue;
      this.#lastIndex = index;
      return destination;
    }
    return undefined;
  }
}

/** All virtual services of a Program, by protocol, address and port. Of two with the same the first one stands. */
export class VirtualServices {
  readonly #family: Family;
  readonly #servicePortId: (name: string) => number;
  readonly #services = new Map<string, LoadedVirtualService>();
  /** Some services have no place of their own: any change is worked out from all of them. */
  #hasDoubles = false;

  constructor(family: Family, servicePortId: (name: string) => number) {
    this.#family = family;
    this.#servicePortId = servicePortId;
  }

  /** Services that were there go on with their round. `all`: those of the new Program. What puts the change in force joins `commits`. */
  load({ removed, added }: Change<VirtualService>, all: () => readonly VirtualService[], commits: (() => void)[]): void {
    if (removed.length + added.length === 0) return;
    const leaving = new Set(removed.map((service) => this.#keyOf(service)));
    const coming = new Set(added.map((service) => this.#keyOf(service)));
    const isSingle =
      !this.#hasDoubles && coming.size === added.length && [...coming].every((key) => leaving.has(key) || !this.#services.has(key));
    const loaded = new Map<string, LoadedVirtualService>();
    const services = isSingle ? added : all();
    for (const service of services) {
      const key = this.#keyOf(service);
      if (loaded.has(key)) continue;
      loaded.set(key, new LoadedVirtualService(service, this.#family, this.#servicePortId(service.servicePort), this.#services.get(key)));
    }
    commits.push(() => {
      for (const key of isSingle ? leaving : [...this.#services.keys()]) if (!loaded.has(key)) this.#services.delete(key);
      for (const [key, service] of loaded) this.#services.set(key, service);
      this.#hasDoubles = loaded.size < services.length;
    });
  }

  #keyOf({ protocol, address, port }: VirtualService): string {
    return serviceKey(protocol, loadAddress(address, this.#family, 'virtual service'), port);
  }

  find(protocol: TransportProtocol, address: AddressWords, port: number): LoadedVirtualService | undefined {
    if (this.#services.size === 0) return undefined;
    return this.#services.get(serviceKey(protocol, address, port));
  }
}

function serviceKey(protocol: TransportProtocol, address: AddressWords, port: number): string {
  return `${protocol} ${addressKey(address)} ${port}`;
}
