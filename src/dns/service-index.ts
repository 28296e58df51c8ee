// Services and their EndpointSlices by name: one index for the cluster's own, one for what is imported from a clusterset.
import { MultiMap } from './multi-map.ts';
import type { EndpointSet, NamedEndpoint, NamedService } from './objects.ts';

/** Lookups are one step by name; a change costs what the changed object holds. */
export class ServiceIndex {
  readonly #services = new Map<string, NamedService>();
  readonly #sets = new MultiMap<EndpointSet>((set) => set.name);
  /** By slice, then by name in lower case. Built when a name in the slice is first asked for. */
  readonly #endpoints = new WeakMap<EndpointSet, ReadonlyMap<string, readonly NamedEndpoint[]>>();

  service(namespace: string, name: string): NamedService | undefined {
    return this.#services.get(serviceKey(namespace, name));
  }

  /** All of them, by namespace and name. */
  services(): readonly NamedService[] {
    return [...this.#services.keys()].sort().flatMap((key) => this.#services.get(key) ?? []);
  }

  putService(service: NamedService): void {
    this.#services.set(serviceKey(service.namespace, service.name), service);
  }

  removeService(service: NamedService): void {
    this.#services.delete(serviceKey(service.namespace, service.name));
  }

  endpointSets(namespace: string, service: string): readonly EndpointSet[] {
    return this.#sets.get(serviceKey(namespace, service));
  }

  putEndpoints(service: string, set: EndpointSet): void {
    if (service !== '') this.#sets.put(serviceKey(set.namespace, service), set);
  }

  removeEndpoints(service: string, set: EndpointSet): void {
    if (service !== '') this.#sets.remove(serviceKey(set.namespace, service), set);
  }

  /** @param name in lower case */
  endpointsNamed(set: EndpointSet, name: string): readonly NamedEndpoint[] {
    let byName = this.#endpoints.get(set);
    if (byName === undefined) {
      byName = groupByName(set.endpoints);
      this.#endpoints.set(set, byName);
    }
    return byName.get(name) ?? [];
  }
}

function serviceKey(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

function groupByName(endpoints: readonly NamedEndpoint[]): ReadonlyMap<string, readonly NamedEndpoint[]> {
  const groups = new Map<string, NamedEndpoint[]>();
  for (const endpoint of endpoints) {
    const name = endpoint.name.toLowerCase();
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [endpoint]);
    else group.push(endpoint);
  }
  return groups;
}
