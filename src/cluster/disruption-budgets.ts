// PodDisruptionBudgets: how many of their Pods may be evicted now, as the disruption controller counts and the eviction API asks.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Complaint, complaint, quoted } from './complaint.ts';
import { type Fields, fieldsOf, labelsOf } from './fields.ts';
import { controllerOf } from './owners.ts';
import { isFinished, isReady, isTerminating, podPhase } from './pods.ts';
import { matchesSelector } from './selector.ts';
import type { ObjectStore } from './store.ts';
import { replicasOf } from './workload-pods.ts';
import { SCALABLE_KINDS } from './workloads.ts';

const KIND = 'PodDisruptionBudget';

/** Whether the budgets of its namespace let a Pod be evicted now. One that has no connections to lose may always go. */
export function mayBeEvicted(store: ObjectStore, pod: KubernetesObject): boolean {
  if (isFinished(pod) || isTerminating(pod) || podPhase(pod) === 'Pending') return true;
  return budgetsOf(store, pod).every((budget) => allows(store, fieldsOf(budget.spec), namespaceOf(budget), pod));
}

/** The budgets that select a Pod. */
function budgetsOf(store: ObjectStore, pod: KubernetesObject): KubernetesObject[] {
  const isAbout = (budget: KubernetesObject) =>
    namespaceOf(budget) === namespaceOf(pod) && matchesSelector(fieldsOf(budget.spec).selector, labelsOf(pod.metadata.labels));
  return store.list(KIND).filter(isAbout);
}

function allows(store: ObjectStore, spec: Fields, namespace: string, pod: KubernetesObject): boolean {
  const pods = store.podsByLabel
    .labelled(namespace, labelsOf(fieldsOf(spec.selector).matchLabels))
    .filter((each) => matchesSelector(spec.selector, labelsOf(each.metadata.labels)));
  const healthyCount = pods.filter((each) => isReady(each) && !isTerminating(each)).length;
  const desired = desiredHealthy(store, spec, pods);
  if (desired === undefined) return false;
  // A Pod that is not ready takes nothing away, as long as enough others are.
  if (!isReady(pod))
    return spec.unhealthyPodEvictionPolicy === 'AlwaysAllow' || (desired > 0 && healthyCount >= desired) || healthyCount > desired;
  return healthyCount > desired;
}

/** How many must stay; undefined when that cannot be told, and then none may go: a share of Pods that nobody counts. */
function desiredHealthy(
  store: ObjectStore,
  { minAvailable, maxUnavailable }: Fields,
  pods: readonly KubernetesObject[],
): number | undefined {
  if (typeof minAvailable === 'number') return minAvailable;
  const expected = expectedCount(store, pods);
  if (expected === undefined || expected === 0) return undefined;
  if (minAvailable !== undefined) return scaled(minAvailable, expected);
  return Math.max(0, expected - scaled(maxUnavailable ?? 0, expected));
}

/** The replicas of all that control these Pods. */
function expectedCount(store: ObjectStore, pods: readonly KubernetesObject[]): number | undefined {
  const workloads = new Map<string, KubernetesObject>();
  for (const pod of pods) {
    const workload = topmost(store, pod);
    if (workload === undefined || !SCALABLE_KINDS.includes(workload.kind)) return undefined;
    workloads.set(`${workload.kind} ${objectName(workload)}`, workload);
  }
  return [...workloads.values()].reduce((sum, workload) => sum + replicasOf(workload), 0);
}

function topmost(store: ObjectStore, object: KubernetesObject): KubernetesObject | undefined {
  const owner = controllerOf(object);
  const found = owner === undefined ? undefined : store.get(owner.kind, `${namespaceOf(object)}/${owner.name}`);
  return found === undefined ? undefined : (topmost(store, found) ?? found);
}

/** `25%` of so many, rounded up, or the number itself. */
function scaled(value: unknown, whole: number): number {
  const percent = /^(\d+)%$/.exec(String(value))?.[1];
  return percent === undefined ? Number(value) : Math.ceil((Number(percent) * whole) / 100);
}

/** The API server's rules for a budget. */
export function budgetProblems(budget: KubernetesObject): Complaint[] {
  const spec = fieldsOf(budget.spec);
  const complaints = ['minAvailable', 'maxUnavailable'].flatMap((field) => {
    const value = spec[field];
    const isCount = typeof value === 'number' && Number.isInteger(value) && value >= 0;
    const isShare = typeof value === 'string' && /^(\d|[1-9]\d|100)%$/.test(value);
    if (value === undefined || isCount || isShare) return [];
    return [complaint(`spec.${field}`, value, `${quoted(value)} is neither a number of Pods nor a share of them, such as 50%`)];
  });
  if (spec.minAvailable === undefined || spec.maxUnavailable === undefined) return complaints;
  return [...complaints, complaint('spec.maxUnavailable', spec.maxUnavailable, 'may not be set beside spec.minAvailable')];
}
