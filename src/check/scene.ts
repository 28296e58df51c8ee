// What the checks look at: each Service with the Pods it selects and the endpoints it has, and the nodes.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Fields, fieldsOf, isFields, labelsOf, listOf, textOf, textsOf } from '../cluster/fields.ts';
import { nodeZone } from '../cluster/nodes.ts';
import { groupBy, LabelIndex } from '../cluster/object-index.ts';

import { isFinished } from '../cluster/pods.ts';
import { serviceKey } from '../cluster/service-slices.ts';

export interface EndpointFacts {
  readonly address: string;
  readonly isReady: boolean;
  readonly isServing: boolean;
  readonly isTerminating: boolean;
  readonly node: string;
  readonly zone: string;
  readonly hintedZones: readonly string[];
  readonly hintedNodes: readonly string[];
}

export interface ServiceFacts {
  readonly service: KubernetesObject;
  /** namespace/name. */
  readonly name: string;
  readonly spec: Fields;
  readonly isHeadless: boolean;
  /** Empty: none. */
  readonly selector: Readonly<Record<string, string>>;
  /** Those it selects that have not ended. */
  readonly pods: readonly KubernetesObject[];
  readonly slices: readonly KubernetesObject[];
  /** Of the primary family: a dual-stack Service has the same Pods twice. */
  readonly endpoints: readonly EndpointFacts[];
}

export interface NodeFacts {
  readonly name: string;
  readonly zone: string;
}

export interface Scene {
  readonly objects: readonly KubernetesObject[];
  /** All but those of type ExternalName. */
  readonly services: readonly ServiceFacts[];
  readonly pods: readonly KubernetesObject[];
  readonly podsByLabel: LabelIndex;
  readonly nodes: readonly NodeFacts[];
  /** The nodes stand among the manifests; made-up ones say nothing about zones. */
  readonly areNodesGiven: boolean;
  /** Objects that are missing because they are invalid. */
  readonly refused: readonly KubernetesObject[];
  objectsOf(kind: string): readonly KubernetesObject[];
}

/** @param given the objects that were applied */
export function sceneOf(cluster: Cluster, given: readonly KubernetesObject[], refused: readonly KubernetesObject[]): Scene {
  const objects = cluster.objects();
  const byKind = groupBy(objects, ({ kind }) => kind);
  const objectsOf = (kind: string) => byKind.get(kind) ?? [];
  const pods = objectsOf('Pod');
  const podsByLabel = new LabelIndex(pods);
  const slices = groupBy(objectsOf('EndpointSlice'), serviceKey);
  return {
    objects,
    services: objectsOf('Service')
      .filter((service) => fieldsOf(service.spec).type !== 'ExternalName')
      .map((service) => factsOf(service, podsByLabel, slices.get(objectName(service)) ?? [])),
    pods,
    podsByLabel,
    nodes: objectsOf('Node').map((node) => ({ name: node.metadata.name, zone: nodeZone(node) ?? '' })),
    areNodesGiven: given.some(({ kind }) => kind === 'Node'),
    refused,
    objectsOf,
  };
}

function factsOf(service: KubernetesObject, podsByLabel: LabelIndex, slices: readonly KubernetesObject[]): ServiceFacts {
  const spec = fieldsOf(service.spec);
  const selector = isFields(spec.selector) ? labelsOf(spec.selector) : {};
  const hasSelector = Object.keys(selector).length > 0;
  const family = textsOf(spec.ipFamilies)[0] ?? 'IPv4';
  return {
    service,
    name: objectName(service),
    spec,
    isHeadless: spec.clusterIP === 'None',
    selector,
    pods: hasSelector ? podsByLabel.labelled(namespaceOf(service), selector).filter((pod) => !isFinished(pod)) : [],
    slices,
    endpoints: slices.filter(({ addressType }) => addressType === family).flatMap((slice) => listOf(slice.endpoints).map(endpointFacts)),
  };
}

function endpointFacts(entry: unknown): EndpointFacts {
  const endpoint = fieldsOf(entry);
  const conditions = fieldsOf(endpoint.conditions);
  const hints = fieldsOf(endpoint.hints);
  const names = (list: unknown) => listOf(list).map((each) => textOf(fieldsOf(each).name));
  const isReady = conditions.ready !== false;
  return {
    address: textsOf(endpoint.addresses)[0] ?? '',
    isReady,
    isServing: conditions.serving === undefined ? isReady : conditions.serving === true,
    isTerminating: conditions.terminating === true,
    node: textOf(endpoint.nodeName),
    zone: textOf(endpoint.zone),
    hintedZones: names(hints.forZones),
    hintedNodes: names(hints.forNodes),
  };
}
