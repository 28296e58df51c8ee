// The controller of Deployments: a ReplicaSet for each template. A rollout is over at once, for new Pods are ready at once; the old ones
// terminate. With the strategy Recreate the new ones wait until the old ones are gone.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, labelsOf, numberOf } from './fields.ts';
import { templateHash } from './names.ts';
import { controllerOf, ownerReference } from './owners.ts';
import { isFinished } from './pods.ts';
import { matchesSelector } from './selector.ts';
import type { ObjectStore } from './store.ts';
import { replicasOf } from './workload-pods.ts';

const TEMPLATE_HASH_LABEL = 'pod-template-hash';
const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision';
const HISTORY_LIMIT = 10;

export function reconcileDeployment(store: ObjectStore, deployment: KubernetesObject): void {
  const owned = store.controlledBy(deployment, 'ReplicaSet');
  if (owned.some((replicaSet) => store.isGiven(replicaSet))) return;
  const wanted = replicaSetFor(deployment, adoptedReplicaSetName(store, deployment), owned);
  const old = owned.filter(({ metadata }) => metadata.name !== wanted.metadata.name);
  for (const replicaSet of old) {
    if (replicasOf(replicaSet) > 0) store.put({ ...replicaSet, spec: { ...fieldsOf(replicaSet.spec), replicas: 0 } });
  }
  const runs = (replicaSet: KubernetesObject) => store.controlledBy(replicaSet, 'Pod').some((pod) => !isFinished(pod));
  const isRecreated = fieldsOf(fieldsOf(deployment.spec).strategy).type === 'Recreate';
  if (isRecreated && old.some(runs)) return;
  const present = store.get('ReplicaSet', objectName(wanted));
  if (JSON.stringify(present) !== JSON.stringify(wanted)) store.put(wanted);
  forgetOldest(
    store,
    deployment,
    old.filter((replicaSet) => !runs(replicaSet)),
  );
}

/** The ReplicaSet through which a Deployment runs now. */
export function currentReplicaSet(store: ObjectStore, deployment: KubernetesObject): KubernetesObject | undefined {
  return store.controlledBy(deployment, 'ReplicaSet').sort(byRevision).at(-1);
}

/** The Deployment's ReplicaSet of its present template, with a revision above all others. */
function replicaSetFor(deployment: KubernetesObject, adopted: string | undefined, owned: readonly KubernetesObject[]): KubernetesObject {
  const spec = fieldsOf(deployment.spec);
  const template = fieldsOf(spec.template);
  const templateLabels = labelsOf(fieldsOf(template.metadata).labels);
  const hash = adopted?.slice(deployment.metadata.name.length + 1) ?? templateHash(template);
  const labels = { ...templateLabels, [TEMPLATE_HASH_LABEL]: hash };
  const selector = fieldsOf(spec.selector);
  const name = `${deployment.metadata.name}-${hash}`;
  const above = Math.max(0, ...owned.filter(({ metadata }) => metadata.name !== name).map(revisionOf));
  const present = owned.find(({ metadata }) => metadata.name === name);
  const revision = Math.max(above + 1, present === undefined ? 0 : revisionOf(present));
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name,
      namespace: namespaceOf(deployment),
      labels,
      annotations: { [REVISION_ANNOTATION]: String(revision) },
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
function adoptedReplicaSetName(store: ObjectStore, deployment: KubernetesObject): string | undefined {
  const { selector } = fieldsOf(deployment.spec);
  for (const pod of store.podsByLabel.labelled(namespaceOf(deployment), labelsOf(fieldsOf(selector).matchLabels))) {
    const owner = store.isGiven(pod) ? controllerOf(pod) : undefined;
    const isOurs = owner?.kind === 'ReplicaSet' && matchesSelector(selector, labelsOf(pod.metadata.labels));
    if (isOurs && owner.name.startsWith(`${deployment.metadata.name}-`)) return owner.name;
  }
  return undefined;
}

/** Old ReplicaSets without Pods are kept for a way back, as many as revisionHistoryLimit says. */
function forgetOldest(store: ObjectStore, deployment: KubernetesObject, idle: readonly KubernetesObject[]): void {
  const limit = numberOf(fieldsOf(deployment.spec).revisionHistoryLimit) ?? HISTORY_LIMIT;
  for (const replicaSet of [...idle].sort(byRevision).slice(0, Math.max(0, idle.length - limit))) store.remove(replicaSet);
}

function byRevision(a: KubernetesObject, b: KubernetesObject): number {
  return revisionOf(a) - revisionOf(b);
}

function revisionOf(replicaSet: KubernetesObject): number {
  return Number(labelsOf(replicaSet.metadata.annotations)[REVISION_ANNOTATION] ?? 0);
}
