// Endpoints objects, as the endpoints controller would write them beside the EndpointSlices: `kubectl get endpoints` shows these.
import { parseAddress } from '../address.ts';
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Fields, fieldsOf, isFields, labelsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { groupBy } from '../cluster/object-index.ts';
import { serviceKey } from '../cluster/service-slices.ts';

/** One for each Service that has slices or a selector, of its primary family alone, as Endpoints are. */
export function endpointsObjects(cluster: Cluster): KubernetesObject[] {
  const slices = groupBy(cluster.objects('EndpointSlice'), serviceKey);
  return cluster.objects('Service').flatMap((service) => {
    const { namespace = 'default', name } = service.metadata;
    const spec = fieldsOf(service.spec);
    const family = textsOf(spec.ipFamilies)[0] ?? 'IPv4';
    const own = (slices.get(objectName(service)) ?? []).filter(({ addressType }) => addressType === family);
    if (spec.type === 'ExternalName' || (own.length === 0 && !isFields(spec.selector))) return [];
    const labels = labelsOf(service.metadata.labels);
    // Unlike a slice, a subset has no Pod whose named ports are all unknown.
    const hasPorts = listOf(spec.ports).length > 0;
    const resolved = own.filter(({ ports }) => !hasPorts || listOf(ports).length > 0);
    return [{ apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels }, subsets: subsetsOf(resolved) }];
  });
}

/** Slices are cut by size, subsets are not: one for each set of ports. */
function subsetsOf(slices: readonly KubernetesObject[]): Fields[] {
  return [...groupBy(slices, ({ ports }) => JSON.stringify(ports)).values()].flatMap((group) => {
    const endpoints = group.flatMap((slice) => listOf(slice.endpoints).map(fieldsOf));
    if (endpoints.length === 0) return [];
    const isReady = (endpoint: Fields) => fieldsOf(endpoint.conditions).ready !== false;
    const addresses = (each: readonly Fields[]) => each.map(addressOf).sort(byAddress);
    const ready = addresses(endpoints.filter(isReady));
    const notReady = addresses(endpoints.filter((endpoint) => !isReady(endpoint) && fieldsOf(endpoint.conditions).terminating !== true));
    return [
      {
        ...(ready.length > 0 ? { addresses: ready } : {}),
        ...(notReady.length > 0 ? { notReadyAddresses: notReady } : {}),
        ports: listOf(group[0]?.ports).map((port) => withoutEmptyName(fieldsOf(port))),
      },
    ];
  });
}

function withoutEmptyName({ name, ...port }: Fields): Fields {
  return name === '' || name === undefined ? port : { name, ...port };
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
