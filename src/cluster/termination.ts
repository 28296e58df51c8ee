// The end of a Pod: between its deletion and the end of its grace period it is terminating, and serves on as long as it is ready.
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, numberOf, textOf } from './fields.ts';
import { isFinished, isTerminating, podNode } from './pods.ts';
import type { ObjectStore } from './store.ts';

const GRACE_SECONDS = 30;

/** Begins the deletion of a Pod. One that runs nowhere, or asks for no grace, is gone at once. */
export function terminatePod(store: ObjectStore, pod: KubernetesObject, nowMs: number): void {
  if (isTerminating(pod)) return;
  const graceSeconds = graceSecondsOf(pod);
  if (graceSeconds === 0) {
    store.remove(pod);
    return;
  }
  const deletionTimestamp = new Date(nowMs + graceSeconds * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
  store.put({ ...pod, metadata: { ...pod.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds } });
}

/** Removes the Pods whose grace period is over. */
export function removeExpiredPods(store: ObjectStore, nowMs: number): void {
  for (const pod of store.terminatingPods()) if (expiryMs(pod) <= nowMs) store.remove(pod);
}

/** When the next grace period ends, in milliseconds since 1970; undefined: no Pod is terminating. */
export function nextExpiryMs(store: ObjectStore): number | undefined {
  const ends = store
    .terminatingPods()
    .map(expiryMs)
    .filter((end) => !Number.isNaN(end));
  return ends.length === 0 ? undefined : Math.min(...ends);
}

function expiryMs(pod: KubernetesObject): number {
  return Date.parse(textOf(pod.metadata.deletionTimestamp));
}

/** As the API server settles it (`CheckGracefulDelete`). */
function graceSecondsOf(pod: KubernetesObject): number {
  if (podNode(pod) === '' || isFinished(pod)) return 0;
  const graceSeconds = numberOf(fieldsOf(pod.spec).terminationGracePeriodSeconds) ?? GRACE_SECONDS;
  return graceSeconds < 0 ? 1 : graceSeconds;
}
