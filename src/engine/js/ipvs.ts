// IPVS: one lookup finds the virtual service, its scheduler the destination. Only round robin (`rr`) is modelled so far.
import type { Family } from '../../address.ts';
import type { TransportProtocol } from '../../packet.ts';
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

/** All virtual services of a Program, by protocol, address and port. */
export class VirtualServices {
  readonly #services = new Map<string, LoadedVirtualService>();

  /** Services that `before` had too go on with their round. */
  constructor(services: readonly VirtualService[], family: Family, servicePortId: (name: string) => number, before?: VirtualServices) {
    for (const service of services) {
      const address = loadAddress(service.address, family, 'virtual service');
      const earlier = before?.find(service.protocol, address, service.port);
      const loaded = new LoadedVirtualService(service, family, servicePortId(service.servicePort), earlier);
      this.#services.set(serviceKey(service.protocol, address, service.port), loaded);
    }
  }

  find(protocol: TransportProtocol, address: AddressWords, port: number): LoadedVirtualService | undefined {
    if (this.#services.size === 0) return undefined;
    return this.#services.get(serviceKey(protocol, address, port));
  }
}

function serviceKey(protocol: TransportProtocol, address: AddressWords, port: number): string {
  return `${protocol} ${addressKey(address)} ${port}`;
}
