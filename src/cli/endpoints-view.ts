// Endpoints objects, as the endpoints controller would write them beside the EndpointSlices: `kubectl get endpoints` shows these.
import { parseAddress } from '../address.ts';
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Fields, fieldsOf, isFields, labelsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { groupBy } from '../cluster/object-index.ts';
import { HEADLESS_LABEL, serviceKey } from '../cluster/service-slices.ts';

/** Addresses of one Endpoints object: the ready ones first, the rest is left out (`truncateEndpoints`). */
const CAPACITY = 1000;

/** One for each Service that has slices or a selector, of its primary family alone, as Endpoints are. */
export function endpointsObjects(cluster: Cluster): KubernetesObject[] {
  const slices = groupBy(cluster.objects('EndpointSlice'), serviceKey);
  return cluster.objects('Service').flatMap((service) => {
    const { namespace = 'default', name } = service.metadata;
    const spec = fieldsOf(service.spec);
    const family = textsOf(spec.ipFamilies)[0] ?? 'IPv4';
    const own = (slices.get(objectName(service)) ?? []).filter(({ addressType }) => addressType === family);
    if (spec.type === 'ExternalName' || (own.length === 0 && !isFields(spec.selector))) return [];
    const labels = { ...labelsOf(service.metadata.labels), ...(spec.clusterIP === 'None' ? { [HEADLESS_LABEL]: '' } : {}) };
    // Unlike a slice, a subset has no Pod whose named ports are all unknown.
    const hasPorts = listOf(spec.ports).length > 0;
    const resolved = own.filter(({ ports }) => !hasPorts || listOf(ports).length > 0);
    return [{ apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels }, subsets: subsetsOf(resolved) }];
  });
}

/** Slices are cut by size and by all that a Pod offers; subsets say which ports the same addresses offer (`RepackSubsets`). */
function subsetsOf(slices: readonly KubernetesObject[]): Fields[] {
  const offers = slices.flatMap((slice) => {
    const endpoints = listOf(slice.endpoints).map(fieldsOf).filter(isShown);
    const ports = listOf(slice.ports).map((port) => withoutEmptyName(fieldsOf(port)));
    return (ports.length === 0 ? [undefined] : ports).map((port) => ({ port, endpoints }));
  });
  const byPort = [...groupBy(offers, ({ port }) => JSON.stringify(port ?? {})).values()].map((group) => ({
    ports: group[0]?.port === undefined ? [] : [group[0].port],
    endpoints: group.flatMap(({ endpoints }) => endpoints),
  }));
  const bySharers = groupBy(byPort, ({ endpoints }) => JSON.stringify(addressesOf(endpoints)));
  let room = CAPACITY;
  const take = (endpoints: readonly Fields[]) => {
    const taken = addressesOf(endpoints).slice(0, room);
    room -= taken.length;
    return taken;
  };
  const groups = [...bySharers.values()].map((group) => ({
    ports: group.flatMap(({ ports }) => ports),
    endpoints: group[0]?.endpoints ?? [],
  }));
  const ready = groups.map(({ endpoints }) => take(endpoints.filter(isReady)));
  return groups.flatMap(({ ports, endpoints }, index) => {
    const addresses = ready[index] ?? [];
    const notReadyAddresses = take(endpoints.filter((endpoint) => !isReady(endpoint)));
    if (addresses.length + notReadyAddresses.length === 0) return [];
    return [{ ...(addresses.length > 0 ? { addresses } : {}), ...(notReadyAddresses.length > 0 ? { notReadyAddresses } : {}), ports }];
  });
}

function isReady({ conditions }: Fields): boolean {
  return fieldsOf(conditions).ready !== false;
}

/** Pods on their way out are left out, unless they are published all the same. */
function isShown(endpoint: Fields): boolean {
  return isReady(endpoint) || fieldsOf(endpoint.conditions).terminating !== true;
}

function withoutEmptyName({ name, ...port }: Fields): Fields {
  return name === '' || name === undefined ? port : { name, ...port };
}

function addressesOf(endpoints: readonly Fields[]): Fields[] {
  return endpoints.map(addressOf).sort(byAddress);
}

function addressOf(endpoint: Fields): Fields {
  const { nodeName, targetRef, hostname } = endpoint;
  const optional = Object.entries({ hostname, nodeName, targetRef }).filter(([, value]) => value !== undefined);
  return { ip: textsOf(endpoint.addresses)[0] ?? '', ...Object.fromEntries(optional) };
}

function byAddress(a: Fields, b: Fields): number {
  const left = parseAddress(textOf(a.ip))?.words ?? [];
  const right = parseAddress(textOf(b.ip))?.words ?? [];
  const at = left.findIndex((word, index) => word !== right[index]);
  return at < 0 ? 0 : (left[at] ?? 0) - (right[at] ?? 0);
}
