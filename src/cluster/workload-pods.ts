// The Pods that workloads make of their templates, and which of them count.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, labelsOf, numberOf } from './fields.ts';
import { generatedName } from './names.ts';
import { ownerReference } from './owners.ts';
import { isFinished, isTerminating } from './pods.ts';
import type { ObjectStore } from './store.ts';

/** Tells from which template a Pod of a StatefulSet or DaemonSet was made. */
export const REVISION_LABEL = 'controller-revision-hash';

export function replicasOf(workload: KubernetesObject): number {
  return numberOf(fieldsOf(workload.spec).replicas) ?? 1;
}

/** Counts towards the replicas: neither ended nor ending. */
export function isActive(pod: KubernetesObject): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

/** Made by us from an older template. */
export function isOutdated(store: ObjectStore, pod: KubernetesObject, revision: string): boolean {
  return !store.isGiven(pod) && labelsOf(pod.metadata.labels)[REVISION_LABEL] !== revision;
}

export function podFromTemplate(
  owner: KubernetesObject,
  name: string,
  own: { readonly labels?: Readonly<Record<string, string>>; readonly spec?: Fields } = {},
): KubernetesObject {
  const template = fieldsOf(fieldsOf(owner.spec).template);
  const { labels, annotations } = fieldsOf(template.metadata);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: owner.metadata.namespace ?? 'default',
      labels: { ...labelsOf(labels), ...own.labels },
      ...(annotations === undefined ? {} : { annotations: labelsOf(annotations) }),
      ownerReferences: [ownerReference(owner)],
    },
    spec: { ...fieldsOf(template.spec), ...own.spec },
  };
}

export function freshPodName(store: ObjectStore, owner: KubernetesObject, prefix = `${owner.metadata.name}-`): string {
  const seed = `${owner.kind}/${objectName(owner)}`;
  while (true) {
    const name = generatedName(prefix, `${seed}/${store.nextCount(`pods of ${seed}`)}`);
    if (store.get('Pod', `${namespaceOf(owner)}/${name}`) === undefined) return name;
  }
}
