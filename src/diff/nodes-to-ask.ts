// Which nodes to ask: where a policy is Local, a node with an endpoint and one without answer differently, so both must be heard.

import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster, ClusterConsumer } from '../cluster/cluster.ts';
import { fieldsOf, listOf, textOf } from '../cluster/fields.ts';
import { serviceOfSlice } from '../cluster/service-slices.ts';

/** More nodes than this are not asked: what they could add is rare, and each one costs as much as the first. */
const NODES_MAX = 8;

/**
 * The first node, and as many more as it takes to see each Service of policy Local from both kinds of node, as far as there are any.
 * @param isMeant which Services to look at; default: those of a policy Local.
 */
export function nodesToAsk(cluster: Cluster, isMeant: (service: KubernetesObject) => boolean = isLocal): string[] {
  const names = cluster.objects('Node').map(({ metadata }) => metadata.name);
  const homes = endpointNodes(cluster.objects('EndpointSlice'));
  const chosen = names.slice(0, 1);
  for (const service of cluster.objects('Service').filter(isMeant)) {
    const home = homes.get(objectName(service)) ?? new Set<string>();
    for (const wanted of [true, false]) {
      if (chosen.length >= NODES_MAX || chosen.some((name) => home.has(name) === wanted)) continue;
      chosen.push(...names.filter((name) => home.has(name) === wanted).slice(0, 1));
    }
  }
  return chosen;
}

/** The consumer gets to see these Services (`namespace/name`) and their slices only. */
export function onlyServices(services: ReadonlySet<string>, consumer: ClusterConsumer): ClusterConsumer {
  const isMeant = (object: KubernetesObject) => {
    if (object.kind === 'Service') return services.has(objectName(object));
    return object.kind !== 'EndpointSlice' || services.has(`${namespaceOf(object)}/${serviceOfSlice(object)}`);
  };
  return {
    apply: (objects) => consumer.apply([...objects].filter(isMeant)),
    delete: (refs) => consumer.delete(refs),
  };
}

/** Its traffic policies, or one of them, look at where endpoints run. */
export function isLocal({ spec }: KubernetesObject): boolean {
  const { internalTrafficPolicy, externalTrafficPolicy } = fieldsOf(spec);
  return internalTrafficPolicy === 'Local' || externalTrafficPolicy === 'Local';
}

/** `namespace/name` of a Service → the nodes that run endpoints of it. */
function endpointNodes(slices: readonly KubernetesObject[]): ReadonlyMap<string, ReadonlySet<string>> {
  const homes = new Map<string, Set<string>>();
  for (const slice of slices) {
    const key = `${namespaceOf(slice)}/${serviceOfSlice(slice)}`;
    const nodes = homes.get(key) ?? new Set<string>();
    homes.set(key, nodes);
    for (const endpoint of listOf(slice.endpoints)) nodes.add(textOf(fieldsOf(endpoint).nodeName));
  }
  return homes;
}
