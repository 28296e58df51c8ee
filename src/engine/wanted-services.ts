// The virtual services of a Program as IPVS takes them: read and checked, each with its servers as numbers.
import { type Address, type Family, formatEndpoint, parseAddress } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { ServiceKey, ServiceSettings } from '../ipvs/keys.ts';
import { ServerList, type ServerRun } from '../ipvs/server-list.ts';
import { readServiceSettings } from '../ipvs/settings.ts';
import type { VirtualService } from '../program/virtual-service.ts';

/** With its servers, in the order in which they are added. */
export interface WantedService extends ServerRun {
  readonly wanted: VirtualService;
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
}

export class WantedServices {
  /** By id. Of several services on one address and port only the first stands. */
  readonly byId = new Map<string, WantedService>();
  readonly #family: Family;
  readonly #servers: ServerList;
  #last: WantedService | undefined;

  /** @throws InvalidArgumentError, UnsupportedError */
  constructor(family: Family, services: readonly VirtualService[]) {
    this.#family = family;
    this.#servers = new ServerList(
      family,
      services.reduce((count, { destinations }) => count + destinations.length, 0),
    );
    for (const service of services) {
      const address = canonicalAddress(service, family);
      const id = canonicalId(service, address);
      if (this.byId.has(id)) continue;
      this.#last = this.#read(service, id, address);
      this.byId.set(id, this.#last);
    }
  }

  #read(wanted: VirtualService, id: string, address: Address): WantedService {
    const { protocol, port, destinations } = wanted;
    const key: ServiceKey = { kind: 'address', id, family: this.#family, protocol, address, port };
    const settings = this.#settingsOf(wanted, key);
    const list = this.#servers;
    const first = list.length;
    for (const { address, port, weight } of destinations)
      if (!list.add(address, port, weight)) throw notOfFamily(`virtual service ${id}: destination`, address, this.#family);
    return { wanted, key, settings, list, first, count: destinations.length };
  }

  /** Most services of a cluster have the settings of the one before. */
  #settingsOf({ port, scheduler, flags, persistence }: VirtualService, key: ServiceKey): ServiceSettings {
    const last = this.#last?.wanted;
    const isSame =
      last?.scheduler === scheduler && last.flags === flags && last.persistence?.timeoutSeconds === persistence?.timeoutSeconds;
    // Port 0 is one that not all settings go with.
    if (isSame && port !== 0 && this.#last !== undefined) return this.#last.settings;
    const options =
      persistence === undefined ? { scheduler, flags } : { scheduler, flags, persistence: { timeout: persistence.timeoutSeconds } };
    return readServiceSettings(options, key, (field) => `virtual service ${key.id}: ${field}`);
  }
}

/** The id of a virtual service as the engines know it: `TCP 10.96.0.10:80`. */
export function virtualServiceId({ protocol, address, port }: Pick<VirtualService, 'protocol' | 'address' | 'port'>): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

/** The same with the address as it is written, however the Program has it. */
export function canonicalId({ protocol, port }: VirtualService, { text }: Address): string {
  return virtualServiceId({ protocol, address: text, port });
}

/** @throws InvalidArgumentError when it is none of this family */
export function canonicalAddress(service: VirtualService, family: Family): Address {
  const address = parseAddress(service.address);
  if (address?.family !== family) throw notOfFamily(`virtual service ${virtualServiceId(service)}`, service.address, family);
  return address;
}

function notOfFamily(where: string, text: string, family: Family): InvalidArgumentError {
  return new InvalidArgumentError(where, text, `is not an ${family} address`);
}
