// The objects of a case told another way: what every reader of them must take for the same.
import { keyOf, refOf } from '../../src/api/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../../src/api/types.ts';

export interface Consumer {
  apply(objects: readonly KubernetesObject[]): void;
  delete(refs: readonly ObjectRef[]): void;
}

/** A number of 0 … below - 1. */
export type Pick = (below: number) => number;

/** Tells a consumer of objects that are new or changed, in more than one breath or in other words. */
export type Telling = (consumer: Consumer, objects: readonly KubernetesObject[], pick: Pick) => void;

/** Lists whose order says nothing. Of `addresses` only the first counts to kube-proxy. */
const SETS = ['endpoints', 'externalIPs', 'forNodes', 'forZones', 'ingress', 'loadBalancerSourceRanges', 'ports'];
const PROXY_NAME = 'service.kubernetes.io/service-proxy-name';

export const TELLINGS: Readonly<Record<string, Telling>> = {
  'in another order': (consumer, objects, pick) => consumer.apply(shuffled(reordered(objects, pick), pick)),
  'one by one, and each twice': (consumer, objects, pick) => {
    for (const object of shuffled(objects, pick)) consumer.apply([object, structuredClone(object)]);
  },
  'with an update of each that is taken back': (consumer, objects, pick) => {
    consumer.apply(objects);
    for (const object of shuffled(objects, pick)) for (const each of [astray(object, pick), object]) consumer.apply([each]);
  },
  'with each deleted and made anew': (consumer, objects, pick) => {
    consumer.apply(objects);
    for (const object of shuffled(objects, pick)) {
      consumer.delete([refOf(object), refOf(object)]);
      consumer.apply([object]);
    }
  },
  'with others that are gone again': (consumer, objects) => {
    const others = objects.map((object) => ({ ...object, metadata: { ...object.metadata, namespace: 'elsewhere' } }));
    const gone = others.filter((other) => !objects.some((object) => keyOf(refOf(object)) === keyOf(refOf(other))));
    consumer.apply(gone);
    consumer.apply(objects);
    consumer.delete(gone.map(refOf));
  },
  'beside some that another proxy serves': (consumer, objects) => {
    const hidden = objects.map(({ metadata, ...object }) => ({
      ...object,
      metadata: { ...metadata, name: `${metadata.name}-hidden`, labels: { ...metadata.labels, [PROXY_NAME]: '' } },
    }));
    consumer.apply([...hidden.filter(isOfService), ...objects]);
  },
};

/** Each endpoint and each port in a slice of its own, twice, beside slices that say nothing. Changes of slices are not told so. */
export function inManySlices(objects: readonly KubernetesObject[], pick: Pick): KubernetesObject[] {
  return objects.flatMap((object) => {
    if (object.kind !== 'EndpointSlice') return [object];
    const { endpoints, ports } = object as unknown as { endpoints?: readonly unknown[] | null; ports?: readonly unknown[] | null };
    const parts = (endpoints ?? []).flatMap((endpoint) => (ports ?? []).map((port) => ({ endpoints: [endpoint], ports: [port] })));
    const said = [...parts, { endpoints: [], ports }, { endpoints, ports: [] }, { endpoints: null, ports: null }, ...parts];
    const named = said.map((content, index) => ({
      ...object,
      ...content,
      metadata: { ...object.metadata, name: `${object.metadata.name}-${index}` },
    }));
    return shuffled(named, pick);
  });
}

export function shuffled<T>(items: readonly T[], pick: Pick): T[] {
  const rest = [...items];
  return items.flatMap(() => rest.splice(pick(rest.length), 1));
}

/** Keys, and lists that are sets, in another order. */
export function reordered<T>(value: T, pick: Pick, key = ''): T {
  if (Array.isArray(value)) {
    const items = value.map((item) => reordered(item, pick));
    return (SETS.includes(key) && !(key === 'endpoints' && hasDoubles(items)) ? shuffled(items, pick) : items) as T;
  }
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(shuffled(Object.entries(value), pick).map(([name, inner]) => [name, reordered(inner, pick, name)])) as T;
}

/** Of two endpoints with one address that both terminate the first one stays: their order says something. */
function hasDoubles(endpoints: readonly { readonly addresses?: unknown }[]): boolean {
  return new Set(endpoints.map(({ addresses }) => JSON.stringify(addresses))).size < endpoints.length;
}

/** The object with something else in it. */
function astray(object: KubernetesObject, pick: Pick): KubernetesObject {
  const labels = { ...object.metadata.labels, [PROXY_NAME]: 'other' };
  const services = [
    { spec: { type: 'ExternalName', externalName: 'www.example.com' } },
    {
      spec: {
        clusterIP: '172.31.9.9',
        ports: [{ name: 'astray', port: 9, protocol: 'UDP', nodePort: 32999 }],
        sessionAffinity: 'ClientIP',
      },
    },
    { metadata: { ...object.metadata, labels } },
  ];
  const slices = [
    { endpoints: [], ports: [] },
    { metadata: { ...object.metadata, labels: { 'kubernetes.io/service-name': 'astray' } } },
    { metadata: { ...object.metadata, labels } },
  ];
  const change =
    object.kind === 'Service' ? services : object.kind === 'EndpointSlice' ? slices : [{ metadata: { ...object.metadata, labels } }];
  return { ...object, ...change[pick(change.length)] };
}

function isOfService({ kind }: KubernetesObject): boolean {
  return kind === 'Service' || kind === 'EndpointSlice';
}
