// The controller of StatefulSets: Pods with names of their own, one after the other. A name is free again only when its Pod is gone.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, numberOf, textOf } from './fields.ts';
import { templateHash } from './names.ts';
import { accepts } from './placement.ts';
import { isReady, isTerminating, podPhase } from './pods.ts';
import type { ObjectStore } from './store.ts';
import { terminatePod } from './termination.ts';
import { isOutdated, podFromTemplate, REVISION_LABEL, replicasOf } from './workload-pods.ts';

/** Scales, then updates. A Pod that is not healthy holds up all that would come after it, but for the policy Parallel. */
export function reconcileStatefulSet(store: ObjectStore, statefulSet: KubernetesObject, nowMs: number): void {
  const spec = fieldsOf(statefulSet.spec);
  const isOrdered = spec.podManagementPolicy !== 'Parallel';
  const start = numberOf(fieldsOf(spec.ordinals).start) ?? 0;
  const end = start + replicasOf(statefulSet);
  const revision = `${statefulSet.metadata.name}-${templateHash(spec.template)}`;
  const podAt = (ordinal: number) => store.get('Pod', `${namespaceOf(statefulSet)}/${statefulSet.metadata.name}-${ordinal}`);
  const isPlaceable = store.list('Node').some((node) => accepts(node, fieldsOf(spec.template).spec));
  for (let ordinal = start; ordinal < end; ordinal++) {
    const present = podAt(ordinal);
    if (present === undefined) store.put(podOf(statefulSet, ordinal, revision));
    const isHealthySoon = present === undefined ? isPlaceable : isHealthy(present);
    if (isOrdered && !isHealthySoon) return;
  }
  if (!scaleDown(store, statefulSet, { start, end, isOrdered }, nowMs)) return;

  const { type, rollingUpdate } = fieldsOf(spec.updateStrategy);
  if (type === 'OnDelete') return;
  const partition = numberOf(fieldsOf(rollingUpdate).partition) ?? 0;
  for (let ordinal = end - 1; ordinal >= start + partition; ordinal--) {
    const pod = podAt(ordinal);
    if (pod === undefined) continue;
    const isEnding = isOutdated(store, pod, revision) && !isTerminating(pod);
    if (isEnding) terminatePod(store, pod, nowMs);
    if (isEnding || (!isHealthy(pod) && !store.isGiven(pod))) return;
  }
}

/** Lets Pods beyond the ordinals terminate, the highest first; false: there is still something to wait for. */
function scaleDown(
  store: ObjectStore,
  statefulSet: KubernetesObject,
  { start, end, isOrdered }: { readonly start: number; readonly end: number; readonly isOrdered: boolean },
  nowMs: number,
): boolean {
  const condemned = store
    .controlledBy(statefulSet, 'Pod')
    .map((pod) => ({ pod, ordinal: ordinalOf(pod) }))
    .filter(({ pod, ordinal }) => (ordinal < start || ordinal >= end) && !store.isGiven(pod))
    .sort((a, b) => b.ordinal - a.ordinal);
  for (const { pod } of condemned) {
    terminatePod(store, pod, nowMs);
    if (isOrdered) return false;
  }
  return true;
}

function podOf(statefulSet: KubernetesObject, ordinal: number, revision: string): KubernetesObject {
  const name = `${statefulSet.metadata.name}-${ordinal}`;
  const labels = {
    [REVISION_LABEL]: revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  const subdomain = textOf(fieldsOf(statefulSet.spec).serviceName);
  return podFromTemplate(statefulSet, name, { labels, spec: { hostname: name, subdomain } });
}

function ordinalOf(pod: KubernetesObject): number {
  return Number(pod.metadata.name.slice(pod.metadata.name.lastIndexOf('-') + 1));
}

function isHealthy(pod: KubernetesObject): boolean {
  return podPhase(pod) === 'Running' && isReady(pod) && !isTerminating(pod);
}
