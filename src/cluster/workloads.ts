// Kinds that become Pods, each with the controller that keeps its Pods.
import type { KubernetesObject } from '../api/types.ts';
import { reconcileDaemonSet } from './daemon-sets.ts';
import { reconcileDeployment } from './deployments.ts';
import { reconcileJob } from './jobs.ts';
import { reconcileReplicas } from './replica-sets.ts';
import { reconcileStatefulSet } from './stateful-sets.ts';
import type { ObjectStore } from './store.ts';

type Controller = (store: ObjectStore, workload: KubernetesObject, nowMs: number) => void;

/** In the order in which they act: Deployments before their ReplicaSets. */
const CONTROLLERS: Readonly<Record<string, Controller>> = {
  Deployment: reconcileDeployment,
  ReplicaSet: reconcileReplicas,
  ReplicationController: reconcileReplicas,
  StatefulSet: reconcileStatefulSet,
  DaemonSet: reconcileDaemonSet,
  Job: reconcileJob,
};

export const WORKLOAD_KINDS: readonly string[] = Object.keys(CONTROLLERS);
/** Those with a number of replicas that may be changed. */
export const SCALABLE_KINDS: readonly string[] = ['Deployment', 'ReplicaSet', 'ReplicationController', 'StatefulSet'];
/** Kinds that become Pods here. */
export const EXPANDED_KINDS: readonly string[] = [...WORKLOAD_KINDS, 'Pod'];

export function reconcileWorkload(store: ObjectStore, workload: KubernetesObject, nowMs: number): void {
  CONTROLLERS[workload.kind]?.(store, workload, nowMs);
}
