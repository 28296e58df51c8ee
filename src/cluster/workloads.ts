// The controllers of workloads: Deployments keep a ReplicaSet; ReplicaSets, StatefulSets and DaemonSets keep their Pods.
// A rollout is over at once, and a Pod that a controller removes is gone at once: only `terminate` shows the time between.

import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, labelsOf, listOf, numberOf, textOf } from './fields.ts';
import { generatedName, templateHash } from './names.ts';
import { ObjectIndex } from './object-index.ts';
import { accepts } from './placement.ts';
import { isFinished, isReady, isTerminating, ownerReference, podFromTemplate, podNode } from './pods.ts';
import { matchesSelector } from './selector.ts';
import { controllerOf, isControlledBy, type ObjectStore } from './store.ts';

export const WORKLOAD_KINDS = ['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet'] as const;
/** Kinds that become Pods here. */
export const EXPANDED_KINDS: readonly string[] = [...WORKLOAD_KINDS, 'Job', 'Pod'];
const TEMPLATE_HASH_LABEL = 'pod-template-hash';
const JOB_INDEX_LABEL = 'batch.kubernetes.io/job-completion-index';
const REVISION_LABEL = 'controller-revision-hash';

/** Brings ReplicaSets and Pods in line with the workloads. */
export function reconcileWorkloads(store: ObjectStore): void {
  reconcileDeployments(store);
  collectGarbage(store, 'ReplicaSet');
  collectGarbage(store, 'Pod');
  const pods = new ObjectIndex(store.list('Pod'));
  for (const replicaSet of store.list('ReplicaSet')) reconcileReplicaSet(store, replicaSet, pods);
  for (const statefulSet of store.list('StatefulSet')) reconcileStatefulSet(store, statefulSet, pods.controlledBy(statefulSet));
  for (const daemonSet of store.list('DaemonSet')) reconcileDaemonSet(store, daemonSet, pods.controlledBy(daemonSet));
  for (const job of store.list('Job')) reconcileJob(store, job, pods.controlledBy(job));
}

/** The ReplicaSet through which a Deployment runs now. */
export function currentReplicaSet(store: ObjectStore, deployment: KubernetesObject): KubernetesObject | undefined {
  const owned = store.list('ReplicaSet').filter((replicaSet) => isControlledBy(replicaSet, deployment));
  return owned.sort((a, b) => revisionOf(a) - revisionOf(b)).at(-1);
}

function revisionOf(replicaSet: KubernetesObject): number {
  return Number(labelsOf(replicaSet.metadata.annotations)['deployment.kubernetes.io/revision'] ?? 0);
}

function reconcileDeployments(store: ObjectStore): void {
  const replicaSets = new ObjectIndex(store.list('ReplicaSet'));
  const givenPods = new ObjectIndex(store.list('Pod').filter((pod) => store.isGiven(pod)));
  for (const deployment of store.list('Deployment')) {
    const owned = replicaSets.controlledBy(deployment);
    if (owned.some((replicaSet) => store.isGiven(replicaSet))) continue;
    const wanted = replicaSetFor(deployment, adoptedReplicaSetName(deployment, givenPods));
    for (const replicaSet of owned) {
      if (replicaSet.metadata.name !== wanted.metadata.name) store.remove(replicaSet);
    }
    const present = store.get('ReplicaSet', objectName(wanted));
    if (JSON.stringify(present) !== JSON.stringify(wanted)) store.put(wanted);
  }
}

function replicaSetFor(deployment: KubernetesObject, adopted: string | undefined): KubernetesObject {
  const spec = fieldsOf(deployment.spec);
  const template = fieldsOf(spec.template);
  const templateLabels = labelsOf(fieldsOf(template.metadata).labels);
  const hash = adopted?.slice(deployment.metadata.name.length + 1) ?? templateHash(template);
  const labels = { ...templateLabels, [TEMPLATE_HASH_LABEL]: hash };
  const selector = fieldsOf(spec.selector);
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${deployment.metadata.name}-${hash}`,
      namespace: namespaceOf(deployment),
      labels,
      ownerReferences: [ownerReference(deployment)],
    },
    spec: {
      replicas: replicasOf(deployment),
      selector: { ...selector, matchLabels: { ...labelsOf(selector.matchLabels), [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...template, metadata: { ...fieldsOf(template.metadata), labels } },
    },
  };
}

/** A dump may hold a Deployment's Pods without its ReplicaSet: then the Pods tell its name, and are not made a second time. */
function adoptedReplicaSetName(deployment: KubernetesObject, givenPods: ObjectIndex): string | undefined {
  const { selector } = fieldsOf(deployment.spec);
  for (const pod of givenPods.labelled(namespaceOf(deployment), labelsOf(fieldsOf(selector).matchLabels))) {
    const owner = controllerOf(pod);
    const isOurs = owner?.kind === 'ReplicaSet' && matchesSelector(selector, labelsOf(pod.metadata.labels));
    if (isOurs && owner.name.startsWith(`${deployment.metadata.name}-`)) return owner.name;
  }
  return undefined;
}

function reconcileReplicaSet(store: ObjectStore, replicaSet: KubernetesObject, index: ObjectIndex): void {
  const { selector } = fieldsOf(replicaSet.spec);
  const adoptable = index.uncontrolled(namespaceOf(replicaSet)).filter((pod) => matchesSelector(selector, labelsOf(pod.metadata.labels)));
  const pods = [...index.controlledBy(replicaSet), ...adoptable].filter((pod) => !isFinished(pod) && !isTerminating(pod));
  const replicas = replicasOf(replicaSet);
  for (let count = pods.length; count < replicas; count++) {
    store.put(podFromTemplate(replicaSet, freshPodName(store, replicaSet)));
  }
  removeSurplus(store, pods, pods.length - replicas);
}

// The order in which the ReplicaSet controller gives up Pods, as far as it can be seen here: those that are not ready, then the youngest.
function removeSurplus(store: ObjectStore, pods: readonly KubernetesObject[], surplus: number): void {
  if (surplus <= 0) return;
  const youngestFirst = pods.filter((pod) => !store.isGiven(pod)).reverse();
  const ranked = [...youngestFirst.filter((pod) => !isReady(pod)), ...youngestFirst.filter(isReady)];
  for (const pod of ranked.slice(0, surplus)) store.remove(pod);
}

function reconcileStatefulSet(store: ObjectStore, statefulSet: KubernetesObject, pods: readonly KubernetesObject[]): void {
  const spec = fieldsOf(statefulSet.spec);
  const start = numberOf(fieldsOf(spec.ordinals).start) ?? 0;
  const revision = `${statefulSet.metadata.name}-${templateHash(spec.template)}`;
  const wanted = new Set<string>();
  for (let ordinal = start; ordinal < start + replicasOf(statefulSet); ordinal++) {
    const name = `${statefulSet.metadata.name}-${ordinal}`;
    wanted.add(name);
    const present = store.get('Pod', `${namespaceOf(statefulSet)}/${name}`);
    if (present !== undefined && !isOutdated(store, present, revision)) continue;
    const labels = {
      [REVISION_LABEL]: revision,
      'statefulset.kubernetes.io/pod-name': name,
      'apps.kubernetes.io/pod-index': String(ordinal),
    };
    store.put(podFromTemplate(statefulSet, name, { labels, spec: { hostname: name, subdomain: textOf(spec.serviceName) } }));
  }
  for (const pod of pods) {
    if (!wanted.has(pod.metadata.name) && !store.isGiven(pod) && !isTerminating(pod)) store.remove(pod);
  }
}

function reconcileDaemonSet(store: ObjectStore, daemonSet: KubernetesObject, pods: readonly KubernetesObject[]): void {
  const template = fieldsOf(fieldsOf(daemonSet.spec).template);
  const revision = templateHash(template);
  const eligible = store.list('Node').filter((node) => accepts(node, template.spec, true));
  const covered = new Set<string>();
  for (const pod of pods) {
    const runsHere = eligible.some((node) => node.metadata.name === podNode(pod)) && !covered.has(podNode(pod));
    if ((runsHere && !isOutdated(store, pod, revision)) || store.isGiven(pod) || isTerminating(pod)) covered.add(podNode(pod));
    else store.remove(pod);
  }
  for (const node of eligible.filter((each) => !covered.has(each.metadata.name))) {
    const own = { labels: { [REVISION_LABEL]: revision }, spec: { nodeName: node.metadata.name } };
    store.put(podFromTemplate(daemonSet, freshPodName(store, daemonSet), own));
  }
}

/** As many Pods as work at the same time. How their work ends nobody here can know, so they run on. */
function reconcileJob(store: ObjectStore, job: KubernetesObject, pods: readonly KubernetesObject[]): void {
  const { parallelism, completions, completionMode, suspend } = fieldsOf(job.spec);
  const atOnce = numberOf(parallelism) ?? 1;
  const wanted = suspend === true || isJobFinished(job) ? 0 : Math.min(atOnce, numberOf(completions) ?? atOnce);
  const active = pods.filter((pod) => !isFinished(pod) && !isTerminating(pod));
  removeSurplus(store, active, active.length - wanted);
  const taken = new Set(active.map((pod) => labelsOf(pod.metadata.labels)[JOB_INDEX_LABEL]));
  for (let index = 0, count = active.length; count < wanted; index++) {
    const isIndexed = completionMode === 'Indexed';
    if (isIndexed && taken.has(String(index))) continue;
    store.put(jobPod(store, job, isIndexed ? index : undefined));
    count++;
  }
}

function jobPod(store: ObjectStore, job: KubernetesObject, index: number | undefined): KubernetesObject {
  const { name } = job.metadata;
  const labels = { 'batch.kubernetes.io/job-name': name, 'job-name': name };
  if (index === undefined) return podFromTemplate(job, freshPodName(store, job), { labels });
  const own = { labels: { ...labels, [JOB_INDEX_LABEL]: String(index) }, spec: { hostname: `${name}-${index}` } };
  return podFromTemplate(job, freshPodName(store, job, `${name}-${index}-`), own);
}

function isJobFinished(job: KubernetesObject): boolean {
  const conditions = listOf(fieldsOf(job.status).conditions).map(fieldsOf);
  return conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}

/** Made by us from an older template. */
function isOutdated(store: ObjectStore, pod: KubernetesObject, revision: string): boolean {
  return !store.isGiven(pod) && !isTerminating(pod) && labelsOf(pod.metadata.labels)[REVISION_LABEL] !== revision;
}

/** Pods of Nodes that are gone, and what the controllers made for owners that are gone. */
function collectGarbage(store: ObjectStore, kind: 'ReplicaSet' | 'Pod'): void {
  for (const object of store.list(kind)) {
    const owner = controllerOf(object);
    const isOrphan =
      owner !== undefined && !store.isGiven(object) && store.get(owner.kind, `${namespaceOf(object)}/${owner.name}`) === undefined;
    const lostNode = kind === 'Pod' && podNode(object) !== '' && store.get('Node', podNode(object)) === undefined;
    if (isOrphan || lostNode) store.remove(object);
  }
}

function replicasOf(workload: KubernetesObject): number {
  return numberOf(fieldsOf(workload.spec).replicas) ?? 1;
}

function freshPodName(store: ObjectStore, owner: KubernetesObject, prefix = `${owner.metadata.name}-`): string {
  const seed = `${owner.kind}/${objectName(owner)}`;
  while (true) {
    const name = generatedName(prefix, `${seed}/${store.nextCount(`pods of ${seed}`)}`);
    if (store.get('Pod', `${namespaceOf(owner)}/${name}`) === undefined) return name;
  }
}
