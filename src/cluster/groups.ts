// The API groups of the kinds that a cluster reads, and what shares a name with one of them and is something else.
import { groupOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';

/** The groups of the kinds that are read here: the one they are in, and the one they came from. */
const kindsOfGroups: readonly (readonly [groups: readonly string[], kinds: readonly string[]])[] = [
  [[''], ['Endpoints', 'Namespace', 'Node', 'Pod', 'ReplicationController', 'Service']],
  [['discovery.k8s.io'], ['EndpointSlice']],
  [
    ['apps', 'extensions'],
    ['DaemonSet', 'Deployment', 'ReplicaSet', 'StatefulSet'],
  ],
  [['batch'], ['CronJob', 'Job']],
  [['policy'], ['PodDisruptionBudget']],
  [
    ['networking.k8s.io', 'extensions'],
    ['Ingress', 'NetworkPolicy'],
  ],
];
const groupsOfKinds: ReadonlyMap<string, readonly string[]> = new Map(
  kindsOfGroups.flatMap(([groups, kinds]) => kinds.map((kind) => [kind, groups] as const)),
);
const nativeGroups: ReadonlySet<string> = new Set(kindsOfGroups.flatMap(([groups]) => groups));

/** The groups of a kind that is read here; none for any other kind. */
export function groupsOf(kind: string): readonly string[] {
  return groupsOfKinds.get(kind) ?? [];
}

/** The kinds that are read here and are in that group. */
export function kindsIn(group: string): readonly string[] {
  return kindsOfGroups.flatMap(([groups, kinds]) => (groups.includes(group) ? kinds : []));
}

/** A group that kinds read here are in, and not one of custom resources. */
export function isNativeGroup(group: string): boolean {
  return nativeGroups.has(group);
}

/**
 * A custom resource that shares its name with a kind that is read here, and nothing else: a Service of Knative, a Job of Volcano.
 * Workloads are no namesakes: a StatefulSet of OpenKruise has selector, template and replicas as well.
 */
export function isNamesake(object: KubernetesObject): boolean {
  const groups = groupsOf(object.kind);
  return groups.length > 0 && !groups.includes('apps') && !isNativeGroup(groupOf(object));
}
