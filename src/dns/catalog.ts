// Everything that has a name, indexed for every way it is asked for, and kept current object by object. Answers read it, apply and
// delete write it; it knows nothing of names' grammar or of messages.
import { isEndpointSetChanged, isServiceChanged } from './change.ts';
import type { Labels } from './label-selector.ts';
import { MultiMap } from './multi-map.ts';
import type { DnsKind, DnsObject, EndpointSet, NamedPod, NamedService } from './objects.ts';
import { ServiceIndex } from './service-index.ts';
import type { DnsSettings } from './settings.ts';

/** What an answer may ask of the catalog. */
export interface NameSource {
  readonly own: ServiceIndex;
  readonly imported: ServiceIndex;
  /** The namespace exists, and the options expose it. */
  isExposed(namespace: string): boolean;
  /** Services with this cluster IP, spelled so. */
  servicesAt(address: string): readonly NamedService[];
  /** Slices with a ready endpoint of this address, spelled so. */
  endpointSetsAt(address: string): readonly EndpointSet[];
  /** How many Pods of that namespace live at this address, spelled so. */
  podCountAt(namespace: string, address: string): number;
  /** A Pod that lives at this address. */
  podAt(address: string): NamedPod | undefined;
  pod(namespace: string, name: string): NamedPod | undefined;
  /** When what the zones hold last changed, in seconds since 1970. */
  serial(isMulticluster: boolean): number;
}

export class DnsCatalog implements NameSource {
  readonly own = new ServiceIndex();
  readonly imported = new ServiceIndex();
  readonly #settings: DnsSettings;
  readonly #objects = new Map<string, DnsObject>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #servicesByAddress = new MultiMap<NamedService>(qualifiedName);
  readonly #setsByAddress = new MultiMap<EndpointSet>(qualifiedName);
  readonly #podsByAddress = new MultiMap<NamedPod>(qualifiedName);
  readonly #pods = new Map<string, NamedPod>();
  readonly #changedAt = { own: 0, imported: 0 };

  constructor(settings: DnsSettings) {
    this.#settings = settings;
    this.#touch('own');
    this.#touch('imported');
  }

  put(object: DnsObject): void {
    const key = objectKey(object.kind, namespaceOf(object), object.value.name);
    const before = this.#objects.get(key);
    if (before !== undefined) this.#unindex(before);
    this.#objects.set(key, object);
    this.#index(object);
    if (this.#isSeen(object) || (before !== undefined && this.#isSeen(before))) this.#noteChange(before, object);
  }

  remove(kind: DnsKind, namespace: string, name: string): void {
    const key = objectKey(kind, namespace, name);
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    this.#unindex(before);
    if (this.#isSeen(before)) this.#noteChange(before, undefined);
  }

  isExposed(namespace: string): boolean {
    const { namespaces, namespaceLabels } = this.#settings;
    const labels = this.#namespaces.get(namespace);
    if (labels === undefined || (namespaces.size > 0 && !namespaces.has(namespace))) return false;
    return namespaceLabels === undefined || namespaceLabels(labels);
  }

  servicesAt(address: string): readonly NamedService[] {
    return this.#servicesByAddress.get(address);
  }

  endpointSetsAt(address: string): readonly EndpointSet[] {
    return this.#setsByAddress.get(address);
  }

  podCountAt(namespace: string, address: string): number {
    return this.#podsByAddress.get(address).filter((pod) => pod.namespace === namespace).length;
  }

  podAt(address: string): NamedPod | undefined {
    return this.#podsByAddress.get(address)[0];
  }

  pod(namespace: string, name: string): NamedPod | undefined {
    return this.#pods.get(`${namespace}/${name}`);
  }

  serial(isMulticluster: boolean): number {
    return this.#settings.serial ?? this.#changedAt[isMulticluster ? 'imported' : 'own'];
  }

  /** The options hide objects by their labels, and endpoints as a whole; Pods stay known as clients. */
  #isSeen({ kind, value }: DnsObject): boolean {
    const { labels, namespaceLabels, noEndpoints } = this.#settings;
    if (noEndpoints && kind === 'EndpointSlice') return false;
    const selector = kind === 'ServiceImport' ? namespaceLabels : labels;
    return kind === 'Namespace' || selector === undefined || selector(value.labels);
  }

  #index(object: DnsObject): void {
    if (object.kind === 'Namespace') this.#namespaces.set(object.value.name, object.value.labels);
    if (object.kind === 'Pod') this.#pods.set(qualifiedName(object.value), object.value);
    if (!this.#isSeen(object)) return;
    const { kind, value } = object;
    if (kind === 'ServiceImport') this.imported.putService(value);
    else if (kind === 'Service') {
      this.own.putService(value);
      for (const address of addressesOf(value)) this.#servicesByAddress.put(address, value);
    } else if (kind === 'EndpointSlice') {
      this.own.putEndpoints(value.service, value);
      this.imported.putEndpoints(value.importedService, value);
      for (const { spelled } of value.endpoints) this.#setsByAddress.put(spelled, value);
    } else if (kind === 'Pod' && value.isAlive && value.ip !== '') this.#podsByAddress.put(value.ip, value);
  }

  #unindex({ kind, value }: DnsObject): void {
    if (kind === 'Namespace') this.#namespaces.delete(value.name);
    else if (kind === 'ServiceImport') this.imported.removeService(value);
    else if (kind === 'Service') {
      this.own.removeService(value);
      for (const address of addressesOf(value)) this.#servicesByAddress.remove(address, value);
    } else if (kind === 'EndpointSlice') {
      this.own.removeEndpoints(value.service, value);
      this.imported.removeEndpoints(value.importedService, value);
      for (const { spelled } of value.endpoints) this.#setsByAddress.remove(spelled, value);
    } else {
      this.#pods.delete(qualifiedName(value));
      this.#podsByAddress.remove(value.ip, value);
    }
  }

  /** Moves the serials of the zones that an object's coming, going or change can be seen in. */
  #noteChange(before: DnsObject | undefined, after: DnsObject | undefined): void {
    const { kind } = before ?? after ?? { kind: 'Namespace' };
    if (kind === 'Namespace' || (kind === 'Pod' && this.#settings.pods !== 'verified')) return;
    if (before !== undefined && after !== undefined && !isChanged(before, after, this.#settings.zonal)) return;
    const sets = [before, after].flatMap((object) => (object?.kind === 'EndpointSlice' ? [object.value] : []));
    if (kind !== 'ServiceImport') this.#touch('own');
    if (kind === 'ServiceImport' || sets.some((set) => set.importedService !== '')) this.#touch('imported');
  }

  #touch(which: 'own' | 'imported'): void {
    this.#changedAt[which] = Math.floor(this.#settings.now() / 1000);
  }
}

function isChanged(before: DnsObject, after: DnsObject, zonal: boolean): boolean {
  if (before.kind === 'EndpointSlice' && after.kind === 'EndpointSlice') return isEndpointSetChanged(before.value, after.value, zonal);
  if (before.kind === 'Pod' && after.kind === 'Pod') return before.value.ip !== after.value.ip;
  const isService = (object: DnsObject) => object.kind === 'Service' || object.kind === 'ServiceImport';
  return isService(before) && isService(after) && isServiceChanged(before.value, after.value);
}

function addressesOf(service: NamedService): string[] {
  return service.type === 'ClusterIP' ? service.addresses.map(({ spelled }) => spelled) : [];
}

function namespaceOf(object: DnsObject): string {
  return object.kind === 'Namespace' ? '' : object.value.namespace;
}

function objectKey(kind: DnsKind, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}

function qualifiedName({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}
