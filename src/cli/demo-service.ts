// Which Service the demo shows, and how to make its choice of backends worth looking at.
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { fieldsOf, listOf, textOf } from '../cluster/fields.ts';
import { controllerOf } from '../cluster/owners.ts';
import { serviceOfSlice } from '../cluster/service-slices.ts';
import { InputError } from './io.ts';

const PREFERRED_NAME = 'frontend';
const REPLICAS_TO_SHOW = 3;

export interface ReadyEndpoint {
  readonly address: string;
  /** namespace/name; empty when the endpoint is no Pod of the cluster. */
  readonly pod: string;
}

/** The Service with the most ready endpoints; among equals one called frontend, then the first. */
export function chooseService(cluster: Cluster): KubernetesObject {
  const candidates = cluster.objects('Service').filter((service) => {
    const { clusterIP, type } = fieldsOf(service.spec);
    return type !== 'ExternalName' && textOf(clusterIP) !== '' && clusterIP !== 'None' && readyEndpoints(cluster, service).length > 0;
  });
  const rank = (service: KubernetesObject) =>
    readyEndpoints(cluster, service).length * 2 + (service.metadata.name === PREFERRED_NAME ? 1 : 0);
  const [best] = candidates.toSorted((a, b) => rank(b) - rank(a));
  if (best === undefined) throw new InputError('no Service with a cluster IP and a ready endpoint in these manifests: nothing to show');
  return best;
}

/** Of the Service's primary family. */
export function readyEndpoints(cluster: Cluster, service: KubernetesObject): ReadyEndpoint[] {
  const family = listOf(fieldsOf(service.spec).ipFamilies)[0] ?? 'IPv4';
  const { name, namespace } = service.metadata;
  const slices = cluster
    .objects('EndpointSlice')
    .filter((slice) => serviceOfSlice(slice) === name && slice.metadata.namespace === namespace && slice.addressType === family);
  const endpoints = slices.flatMap((slice) => listOf(slice.endpoints).map(fieldsOf));
  return endpoints
    .filter((endpoint) => fieldsOf(endpoint.conditions).ready !== false)
    .map((endpoint) => {
      const target = fieldsOf(endpoint.targetRef);
      const pod = target.kind === 'Pod' ? `${textOf(target.namespace) || namespace}/${textOf(target.name)}` : '';
      return { address: String(listOf(endpoint.addresses)[0]), pod };
    });
}

/** Gives a Service with a single Pod of a Deployment two more, and returns the Deployment's name; undefined when there was no need or no way. */
export function scaleForShow(cluster: Cluster, service: KubernetesObject): string | undefined {
  const [only, ...others] = readyEndpoints(cluster, service);
  if (only === undefined || others.length > 0) return undefined;
  const find = (kind: string, name: string) =>
    cluster.objects(kind).find((each) => `${each.metadata.namespace}/${each.metadata.name}` === name);
  const pod = find('Pod', only.pod);
  const owner = pod === undefined ? undefined : controllerOf(pod);
  const replicaSet = owner?.kind === 'ReplicaSet' ? find('ReplicaSet', `${service.metadata.namespace}/${owner.name}`) : undefined;
  const deployment = replicaSet === undefined ? undefined : controllerOf(replicaSet);
  if (deployment?.kind !== 'Deployment') return undefined;
  cluster.scale(`Deployment/${service.metadata.namespace}/${deployment.name}`, REPLICAS_TO_SHOW);
  return deployment.name;
}
