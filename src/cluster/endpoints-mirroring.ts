// The EndpointSlice mirroring controller: Endpoints written by hand for a Service without selector become EndpointSlices.
// Slices that were given for the Service win, as everywhere.
import { type Family, parseAddress } from '../address.ts';
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { putMade } from './endpoint-slices.ts';
import { compact, type Fields, fieldsOf, isFields, labelsOf, listOf, textOf } from './fields.ts';
import { generatedName } from './names.ts';
import { ownerReference } from './owners.ts';
import { MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './service-slices.ts';
import type { ObjectStore } from './store.ts';

const MANAGED_BY = 'endpointslicemirroring-controller.k8s.io';
const SKIP_LABEL = 'endpointslice.kubernetes.io/skip-mirror';
const LEADER_ANNOTATION = 'control-plane.alpha.kubernetes.io/leader';
/** --mirroring-max-endpoints-per-subset. */
const ENDPOINTS_PER_SUBSET = 1000;

/** Brings the mirrored slices of one Service in line with the Endpoints of its name. */
export function reconcileMirroredSlices(store: ObjectStore, name: string): void {
  const service = store.get('Service', name);
  const endpoints = store.get('Endpoints', name);
  const present = store.slicesByService.at(name);
  const made = present.filter((slice) => labelsOf(slice.metadata.labels)[MANAGED_BY_LABEL] === MANAGED_BY && !store.isGiven(slice));
  const isMirrored =
    service !== undefined &&
    endpoints !== undefined &&
    !isFields(fieldsOf(service.spec).selector) &&
    fieldsOf(service.spec).type !== 'ExternalName' &&
    labelsOf(endpoints.metadata.labels)[SKIP_LABEL] !== 'true' &&
    labelsOf(endpoints.metadata.annotations)[LEADER_ANNOTATION] === undefined &&
    !present.some((slice) => store.isGiven(slice));
  putMade(store, made, isMirrored ? mirroredSlices(store, endpoints, made) : []);
}

/** One slice for each set of ports and each family; an address that stands there twice counts once. */
function mirroredSlices(store: ObjectStore, endpoints: KubernetesObject, present: readonly KubernetesObject[]): KubernetesObject[] {
  const groups = new Map<string, { readonly family: Family; readonly ports: readonly Fields[]; readonly endpoints: Map<string, Fields> }>();
  for (const subset of listOf(endpoints.subsets).map(fieldsOf)) {
    const ports = listOf(subset.ports).map((port) => mirroredPort(fieldsOf(port)));
    const addresses = [
      ...listOf(subset.addresses).map((address) => ({ address: fieldsOf(address), ready: true })),
      ...listOf(subset.notReadyAddresses).map((address) => ({ address: fieldsOf(address), ready: false })),
    ];
    for (const { address, ready } of addresses.slice(0, ENDPOINTS_PER_SUBSET)) {
      const family = parseAddress(textOf(address.ip))?.family;
      if (family === undefined) continue;
      const key = `${family} ${JSON.stringify(ports)}`;
      const group = groups.get(key) ?? { family, ports, endpoints: new Map<string, Fields>() };
      groups.set(key, group);
      if (!group.endpoints.has(textOf(address.ip))) group.endpoints.set(textOf(address.ip), mirroredEndpoint(address, ready));
    }
  }
  const idle = [...present];
  return [...groups.values()].map((group) => {
    const at = idle.findIndex(
      ({ addressType, ports }) => addressType === group.family && JSON.stringify(ports) === JSON.stringify(group.ports),
    );
    const [same] = at < 0 ? [] : idle.splice(at, 1);
    return {
      ...metadataOf(endpoints, same?.metadata.name ?? freshName(store, endpoints)),
      addressType: group.family,
      endpoints: [...group.endpoints.values()],
      ports: group.ports,
    };
  });
}

function metadataOf(endpoints: KubernetesObject, name: string): KubernetesObject {
  const { labels } = endpoints.metadata;
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      generateName: `${endpoints.metadata.name}-`,
      namespace: namespaceOf(endpoints),
      labels: { ...labelsOf(labels), [MANAGED_BY_LABEL]: MANAGED_BY, [SERVICE_NAME_LABEL]: endpoints.metadata.name },
      ownerReferences: [ownerReference(endpoints)],
    },
  };
}

function mirroredEndpoint({ ip, hostname, nodeName, targetRef }: Fields, ready: boolean): Fields {
  return compact({ addresses: [ip], conditions: { ready }, hostname: textOf(hostname) || undefined, nodeName, targetRef });
}

function mirroredPort({ name, port, protocol, appProtocol }: Fields): Fields {
  return compact({ name: textOf(name), port, protocol: textOf(protocol) || 'TCP', appProtocol });
}

function freshName(store: ObjectStore, endpoints: KubernetesObject): string {
  const count = store.nextCount(`mirrored slices of ${objectName(endpoints)}`);
  return generatedName(`${endpoints.metadata.name}-`, `${objectName(endpoints)}/mirrored slice ${count}`);
}
