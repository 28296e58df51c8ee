// The controllers of ReplicaSets and ReplicationControllers: as many Pods as there should be, and which of them go first.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, labelsOf } from './fields.ts';
import { controllerOf } from './owners.ts';
import { isReady, podNode, podPhase } from './pods.ts';
import { matchesLabels, matchesSelector } from './selector.ts';
import type { ObjectStore } from './store.ts';
import { terminatePod } from './termination.ts';
import { freshPodName, isActive, podFromTemplate, replicasOf } from './workload-pods.ts';

const DELETION_COST = 'controller.kubernetes.io/pod-deletion-cost';

/** Brings the Pods of a ReplicaSet or a ReplicationController to its replicas. */
export function reconcileReplicas(store: ObjectStore, owner: KubernetesObject, nowMs: number): void {
  const pods = [...store.controlledBy(owner, 'Pod'), ...adoptablePods(store, owner)].filter(isActive);
  const replicas = replicasOf(owner);
  for (let count = pods.length; count < replicas; count++) store.put(podFromTemplate(owner, freshPodName(store, owner)));
  giveUpPods(store, pods, pods.length - replicas, nowMs);
}

/** True when the owner takes a Pod with these labels that nobody controls as its own. */
export function adopts(owner: KubernetesObject, labels: Readonly<Record<string, string>>): boolean {
  const { selector } = fieldsOf(owner.spec);
  return owner.kind === 'ReplicaSet' ? matchesSelector(selector, labels) : matchesLabels(labelsOf(selector), labels);
}

/** Lets surplus Pods terminate, but none that was given. */
export function giveUpPods(store: ObjectStore, pods: readonly KubernetesObject[], surplus: number, nowMs: number): void {
  if (surplus <= 0) return;
  const ranked = rankedForDeletion(store, pods).filter((pod) => !store.isGiven(pod));
  for (const pod of ranked.slice(0, surplus)) terminatePod(store, pod, nowMs);
}

function adoptablePods(store: ObjectStore, owner: KubernetesObject): KubernetesObject[] {
  const { selector } = fieldsOf(owner.spec);
  const labels = labelsOf(owner.kind === 'ReplicaSet' ? fieldsOf(selector).matchLabels : selector);
  return store.podsByLabel
    .labelled(namespaceOf(owner), labels)
    .filter((pod) => controllerOf(pod) === undefined && adopts(owner, labelsOf(pod.metadata.labels)));
}

/** First those that run nowhere, wait or are not ready; then the cheapest, those that share their node with others, the youngest. */
function rankedForDeletion(store: ObjectStore, pods: readonly KubernetesObject[]): KubernetesObject[] {
  const neighbours = neighbourCounts(store, pods);
  const ranks = pods.map((pod, age) => ({
    pod,
    rank: [
      podNode(pod) === '' ? 0 : 1,
      podPhase(pod) === 'Pending' ? 0 : 1,
      isReady(pod) ? 1 : 0,
      Number(labelsOf(pod.metadata.annotations)[DELETION_COST] ?? 0),
      -(neighbours.get(podNode(pod)) ?? 0),
      -age,
    ],
  }));
  return ranks.sort((a, b) => compareRanks(a.rank, b.rank)).map(({ pod }) => pod);
}

/** Node → active Pods there of the same owner, or of the other ReplicaSets of its Deployment. */
function neighbourCounts(store: ObjectStore, pods: readonly KubernetesObject[]): Map<string, number> {
  const [first] = pods;
  const owner = first === undefined ? undefined : controllerOf(first);
  const set = first === undefined || owner === undefined ? undefined : store.get(owner.kind, `${namespaceOf(first)}/${owner.name}`);
  const above = set === undefined ? undefined : controllerOf(set);
  const deployment = set === undefined || above === undefined ? undefined : store.get(above.kind, `${namespaceOf(set)}/${above.name}`);
  const others = deployment === undefined ? [] : store.controlledBy(deployment, 'ReplicaSet').filter((each) => each !== set);
  const counts = new Map<string, number>();
  for (const pod of [...pods, ...others.flatMap((each) => store.controlledBy(each, 'Pod').filter(isActive))]) {
    counts.set(podNode(pod), (counts.get(podNode(pod)) ?? 0) + 1);
  }
  return counts;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
