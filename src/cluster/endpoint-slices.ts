// The EndpointSlice controller: Services with a selector, and the Pods it selects, become EndpointSlices, one set for each family.
// Slices that were given for a Service win: the controller then leaves that Service alone.
import { type Family, parseAddress } from '../address.ts';
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { compact, type Fields, fieldsOf, isFields, labelsOf, listOf, numberOf, textOf, textsOf } from './fields.ts';
import { generatedName } from './names.ts';
import { nodeZone } from './nodes.ts';
import { ObjectIndex } from './object-index.ts';
import { isFinished, isReady, isTerminating, ownerReference, podIPs, podNode } from './pods.ts';
import type { ObjectStore } from './store.ts';

/** kube-controller-manager's --max-endpoints-per-slice. */
const ENDPOINTS_PER_SLICE = 100;
const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const MANAGED_BY_LABEL = 'endpointslice.kubernetes.io/managed-by';
const MANAGED_BY = 'endpointslice-controller.k8s.io';
const HEADLESS_LABEL = 'service.kubernetes.io/headless';

/** The name of the Service that a slice belongs to; empty for none. */
export function serviceOfSlice(slice: KubernetesObject): string {
  return labelsOf(slice.metadata.labels)[SERVICE_NAME_LABEL] ?? '';
}

/** Brings the slices of all Services in line with the Pods. A slice that says the same as before stays the same object. */
export function reconcileEndpointSlices(store: ObjectStore): void {
  const slices = store.list('EndpointSlice');
  const given = new Set(slices.filter((slice) => store.isGiven(slice)).map((slice) => `${namespaceOf(slice)}/${serviceOfSlice(slice)}`));
  const pods = new ObjectIndex(store.list('Pod'));
  const wanted = new Set<string>();
  for (const service of store.list('Service')) {
    if (!isSelecting(service) || given.has(objectName(service))) continue;
    for (const slice of slicesOf(store, service, pods)) {
      wanted.add(objectName(slice));
      const present = store.get('EndpointSlice', objectName(slice));
      if (JSON.stringify(present) !== JSON.stringify(slice)) store.put(slice);
    }
  }
  for (const slice of slices) {
    if (!store.isGiven(slice) && !wanted.has(objectName(slice))) store.remove(slice);
  }
}

function isSelecting(service: KubernetesObject): boolean {
  const spec = fieldsOf(service.spec);
  return spec.type !== 'ExternalName' && isFields(spec.selector);
}

function slicesOf(store: ObjectStore, service: KubernetesObject, pods: ObjectIndex): KubernetesObject[] {
  const spec = fieldsOf(service.spec);
  const publishesNotReady = spec.publishNotReadyAddresses === true;
  const selected = pods
    .labelled(namespaceOf(service), labelsOf(spec.selector))
    .filter((pod) => !isFinished(pod) && (publishesNotReady || store.get('Node', podNode(pod)) !== undefined));
  return familiesOf(service).flatMap((family) => {
    // Pods whose named target ports mean different numbers cannot share a slice.
    const groups = new Map<string, { ports: readonly Fields[]; endpoints: Fields[] }>();
    for (const pod of selected) {
      const address = podIPs(pod).find((ip) => parseAddress(ip)?.family === family);
      if (address === undefined) continue;
      const ports = slicePorts(service, pod);
      const key = JSON.stringify(ports);
      const group = groups.get(key) ?? { ports, endpoints: [] };
      group.endpoints.push(endpointOf(service, pod, address, store.get('Node', podNode(pod))));
      groups.set(key, group);
    }
    if (groups.size === 0) return [sliceOf(service, family, [], [], 'placeholder')];
    return [...groups].flatMap(([key, { ports, endpoints }]) =>
      chunks(endpoints).map((chunk, index) => sliceOf(service, family, ports, chunk, `${key}/${index}`)),
    );
  });
}

function chunks(endpoints: readonly Fields[]): Fields[][] {
  const count = Math.ceil(endpoints.length / ENDPOINTS_PER_SLICE);
  return Array.from({ length: count }, (_, index) => endpoints.slice(index * ENDPOINTS_PER_SLICE, (index + 1) * ENDPOINTS_PER_SLICE));
}

function familiesOf(service: KubernetesObject): Family[] {
  return textsOf(fieldsOf(service.spec).ipFamilies).filter((family) => family === 'IPv4' || family === 'IPv6');
}

function sliceOf(
  service: KubernetesObject,
  family: Family,
  ports: readonly Fields[],
  endpoints: readonly Fields[],
  seed: string,
): KubernetesObject {
  const isHeadless = fieldsOf(service.spec).clusterIP === 'None';
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: generatedName(`${service.metadata.name}-`, `${objectName(service)}/${family}/${seed}`),
      generateName: `${service.metadata.name}-`,
      namespace: namespaceOf(service),
      labels: {
        ...labelsOf(service.metadata.labels),
        [MANAGED_BY_LABEL]: MANAGED_BY,
        [SERVICE_NAME_LABEL]: service.metadata.name,
        ...(isHeadless ? { [HEADLESS_LABEL]: '' } : {}),
      },
      ownerReferences: [ownerReference(service)],
    },
    addressType: family,
    endpoints,
    ports,
  };
}

function endpointOf(service: KubernetesObject, pod: KubernetesObject, address: string, node: KubernetesObject | undefined): Fields {
  const publishesNotReady = fieldsOf(service.spec).publishNotReadyAddresses === true;
  const serving = isReady(pod);
  const terminating = isTerminating(pod);
  const { hostname, subdomain } = fieldsOf(pod.spec);
  return compact({
    addresses: [address],
    conditions: { ready: publishesNotReady || (serving && !terminating), serving, terminating },
    hostname: textOf(hostname) !== '' && subdomain === service.metadata.name ? hostname : undefined,
    nodeName: podNode(pod) || undefined,
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: pod.metadata.name },
    zone: node === undefined ? undefined : nodeZone(node),
  });
}

function slicePorts(service: KubernetesObject, pod: KubernetesObject): Fields[] {
  return listOf(fieldsOf(service.spec).ports).flatMap((entry) => {
    const port = fieldsOf(entry);
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    return [compact({ name: textOf(port.name), port: number, protocol: port.protocol, appProtocol: port.appProtocol })];
  });
}

/** A number stands for itself; a name for the first container port of that name and protocol, sidecars after the containers. */
function targetPort(port: Fields, pod: KubernetesObject): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const { containers, initContainers } = fieldsOf(pod.spec);
  const sidecars = listOf(initContainers)
    .map(fieldsOf)
    .filter((container) => container.restartPolicy === 'Always');
  const containerPorts = [...listOf(containers).map(fieldsOf), ...sidecars].flatMap((container) => listOf(container.ports).map(fieldsOf));
  const named = containerPorts.find((each) => each.name === target && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
  return numberOf(named?.containerPort);
}
