// The controller of DaemonSets: one Pod on each Node that takes it, drained or not.
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf } from './fields.ts';
import { templateHash } from './names.ts';
import { accepts } from './placement.ts';
import { isReady, isTerminating, podNode } from './pods.ts';
import type { ObjectStore } from './store.ts';
import { terminatePod } from './termination.ts';
import { freshPodName, isOutdated, podFromTemplate, REVISION_LABEL } from './workload-pods.ts';

export function reconcileDaemonSet(store: ObjectStore, daemonSet: KubernetesObject, nowMs: number): void {
  const spec = fieldsOf(daemonSet.spec);
  const template = fieldsOf(spec.template);
  const revision = templateHash(template);
  const eligible = new Set(store.list('Node').flatMap((node) => (accepts(node, template.spec, true) ? [node.metadata.name] : [])));
  /** Node → the Pod that stands for it; a terminating one keeps the next away until it is gone. */
  const running = new Map<string, KubernetesObject>();
  for (const pod of store.controlledBy(daemonSet, 'Pod')) {
    if (isSurging(spec) && isTerminating(pod) && isOutdated(store, pod, revision)) continue;
    const isSurplus = !eligible.has(podNode(pod)) || running.has(podNode(pod));
    if (isSurplus && !store.isGiven(pod)) terminatePod(store, pod, nowMs);
    else if (!running.has(podNode(pod))) running.set(podNode(pod), pod);
  }
  for (const name of eligible) {
    if (running.has(name)) continue;
    const own = { labels: { [REVISION_LABEL]: revision }, spec: { nodeName: name } };
    store.put(podFromTemplate(daemonSet, freshPodName(store, daemonSet), own));
  }
  const outdated = [...running.values()].filter((pod) => isOutdated(store, pod, revision) && !isTerminating(pod));
  const unavailable = [...running.values()].filter((pod) => isTerminating(pod) || !isReady(pod));
  const mayEnd = updateLimit(spec, eligible.size) - unavailable.filter((pod) => !outdated.includes(pod)).length;
  // Those that are not ready lose nothing.
  outdated.sort((a, b) => Number(isReady(a)) - Number(isReady(b)));
  for (const pod of outdated.slice(0, Math.max(0, mayEnd))) terminatePod(store, pod, nowMs);
}

/** With maxSurge the next Pod of a Node comes before the old one goes, and is ready at once. */
function isSurging(spec: Fields): boolean {
  const { maxSurge = 0 } = fieldsOf(fieldsOf(spec.updateStrategy).rollingUpdate);
  return maxSurge !== 0 && maxSurge !== '0%';
}

/** How many Pods an update may take away at a time: maxUnavailable, by default 1. */
function updateLimit(spec: Fields, nodeCount: number): number {
  const { type, rollingUpdate } = fieldsOf(spec.updateStrategy);
  if (type === 'OnDelete') return 0;
  if (isSurging(spec)) return nodeCount;
  const { maxUnavailable = 1 } = fieldsOf(rollingUpdate);
  const percent = /^(\d+)%$/.exec(String(maxUnavailable))?.[1];
  return Math.max(1, percent === undefined ? Number(maxUnavailable) : Math.ceil((Number(percent) * nodeCount) / 100));
}
