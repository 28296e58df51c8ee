// The EndpointSlice controller: Services with a selector, and the Pods it selects, become EndpointSlices, one set for each family.
// Slices that were given for a Service win: the controller then leaves that Service alone.
import { type Family, parseAddress } from '../address.ts';
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { compact, type Fields, fieldsOf, labelsOf, listOf, numberOf, textOf, textsOf } from './fields.ts';
import { generatedName } from './names.ts';
import { nodeZone } from './nodes.ts';
import { ownerReference } from './owners.ts';
import { containersOf, isFinished, isReady, isTerminating, podIPs, podNode } from './pods.ts';
import { HEADLESS_LABEL, MANAGED_BY_LABEL, SERVICE_NAME_LABEL } from './service-slices.ts';
import { type Packed, pack } from './slice-packing.ts';
import { type ObjectStore, serviceSelector } from './store.ts';
import { type NodeShare, topologyMode, withHints } from './topology-hints.ts';

const MANAGED_BY = 'endpointslice-controller.k8s.io';

/** Brings the slices of one Service in line with the Pods. A slice that says the same as before stays the same object. */
export function reconcileEndpointSlices(store: ObjectStore, name: string, nodes: () => readonly NodeShare[]): void {
  const service = store.get('Service', name);
  const present = store.slicesByService.at(name);
  const made = present.filter((slice) => labelsOf(slice.metadata.labels)[MANAGED_BY_LABEL] === MANAGED_BY && !store.isGiven(slice));
  const hasGiven = present.some((slice) => store.isGiven(slice));
  const isLeftAlone = service === undefined || serviceSelector(service) === undefined || hasGiven;
  const wanted = isLeftAlone ? [] : slicesOf(store, service, nodes, made);
  putMade(store, made, wanted);
}

/** Replaces the slices that were made before by those that are wanted now. */
export function putMade(store: ObjectStore, made: readonly KubernetesObject[], wanted: readonly KubernetesObject[]): void {
  const names = new Set(wanted.map(objectName));
  for (const slice of wanted) {
    const before = store.get('EndpointSlice', objectName(slice));
    if (JSON.stringify(before) !== JSON.stringify(slice)) store.put(slice);
  }
  for (const slice of made) if (!names.has(objectName(slice))) store.remove(slice);
}

function slicesOf(
  store: ObjectStore,
  service: KubernetesObject,
  nodes: () => readonly NodeShare[],
  present: readonly KubernetesObject[],
): KubernetesObject[] {
  const spec = fieldsOf(service.spec);
  const publishesNotReady = spec.publishNotReadyAddresses === true;
  const selected = store.podsByLabel
    .labelled(namespaceOf(service), labelsOf(spec.selector))
    .filter((pod) => !isFinished(pod) && (publishesNotReady || store.get('Node', podNode(pod)) !== undefined));
  return familiesOf(service).flatMap((family) => {
    const own = present.filter(({ addressType }) => addressType === family);
    const packed = packedOf(store, service, selected, family, nodes, own);
    const used = new Set(packed.map(({ slice }) => slice));
    // A slice that would go serves as the one that would come.
    const idle = own.filter((slice) => !used.has(slice));
    return packed.map((content) => {
      const slice = content.slice ?? idle.shift();
      return sliceOf(service, family, content, slice?.metadata.name ?? freshSliceName(store, service));
    });
  });
}

/** What the slices of one family hold; one without endpoints when there are none at all. */
function packedOf(
  store: ObjectStore,
  service: KubernetesObject,
  selected: readonly KubernetesObject[],
  family: Family,
  nodes: () => readonly NodeShare[],
  present: readonly KubernetesObject[],
): readonly Packed[] {
  const addressed = selected.flatMap((pod) => {
    const address = podIPs(pod).find((ip) => parseAddress(ip)?.family === family);
    return address === undefined ? [] : [{ pod, endpoint: endpointOf(service, pod, address, store.get('Node', podNode(pod))) }];
  });
  const endpoints = withHints(
    addressed.map(({ endpoint }) => endpoint),
    topologyMode(service),
    nodes,
  );
  // Pods whose named target ports mean different numbers cannot share a slice.
  const groups = new Map<string, { ports: readonly Fields[]; endpoints: Fields[] }>();
  for (const [index, { pod, endpoint }] of addressed.entries()) {
    const ports = slicePorts(service, pod);
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(endpoints[index] ?? endpoint);
    groups.set(key, group);
  }
  if (groups.size === 0) return [{ ports: [], endpoints: [] }];
  return [...groups].flatMap(([key, group]) => pack({ ...group, slices: present.filter(({ ports }) => JSON.stringify(ports) === key) }));
}

function familiesOf(service: KubernetesObject): Family[] {
  return textsOf(fieldsOf(service.spec).ipFamilies).filter((family) => family === 'IPv4' || family === 'IPv6');
}

function freshSliceName(store: ObjectStore, service: KubernetesObject): string {
  while (true) {
    const count = store.nextCount(`slices of ${objectName(service)}`);
    const name = generatedName(`${service.metadata.name}-`, `${objectName(service)}/slice ${count}`);
    if (store.get('EndpointSlice', `${namespaceOf(service)}/${name}`) === undefined) return name;
  }
}

function sliceOf(service: KubernetesObject, family: Family, { ports, endpoints }: Packed, name: string): KubernetesObject {
  const isHeadless = fieldsOf(service.spec).clusterIP === 'None';
  const { [HEADLESS_LABEL]: _reserved, ...labels } = labelsOf(service.metadata.labels);
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      generateName: `${service.metadata.name}-`,
      namespace: namespaceOf(service),
      labels: {
        ...labels,
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
export function targetPort(port: Fields, pod: KubernetesObject): number | undefined {
  const target = port.targetPort ?? port.port;
  if (typeof target === 'number') return target;
  const containerPorts = containersOf(pod).flatMap((container) => listOf(container.ports).map(fieldsOf));
  const named = containerPorts.find((each) => each.name === target && (each.protocol ?? 'TCP') === (port.protocol ?? 'TCP'));
  return numberOf(named?.containerPort);
}
