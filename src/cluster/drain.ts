// A Node that is drained: cordoned, and its Pods evicted, as `kubectl drain --ignore-daemonsets --delete-emptydir-data` goes about it.
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { InvalidArgumentError } from '../errors.ts';
import { mayBeEvicted } from './disruption-budgets.ts';
import { fieldsOf, labelsOf } from './fields.ts';
import { controllerOf } from './owners.ts';
import { isFinished, isTerminating } from './pods.ts';
import type { ObjectStore } from './store.ts';
import { terminatePod } from './termination.ts';

export interface DrainOptions {
  /** Evict also Pods that no controller will make anew. Default: such a Pod keeps the Node from being drained. */
  readonly force?: boolean;
  /** Delete the Pods without asking their PodDisruptionBudgets. */
  readonly disableEviction?: boolean;
}

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/**
 * Cordons the Node.
 * @returns the Pods that have to go
 * @throws InvalidArgumentError naming the Pods that would be lost
 */
export function beginDrain(store: ObjectStore, node: KubernetesObject, { force = false }: DrainOptions): readonly KubernetesObject[] {
  const { name } = node.metadata;
  setSchedulable(store, node, false);
  const leaving = store.podsByNode.at(name).filter((pod) => !staysOnDrain(pod) && !isTerminating(pod));
  const lost = leaving.filter((pod) => controllerOf(pod) === undefined && !isFinished(pod)).map(objectName);
  if (lost.length > 0 && !force)
    throw new InvalidArgumentError(
      'node',
      name,
      `cannot be drained: no controller would make these Pods anew (force: true evicts them): ${lost.join(', ')}`,
    );
  return leaving;
}

/** Evicts, of the Pods of these names, those whose budgets let them go now. @returns the names of the others */
export function evict(store: ObjectStore, names: readonly string[], nowMs: number): readonly string[] {
  return names.filter((name) => {
    const pod = store.get('Pod', name);
    if (pod === undefined || isTerminating(pod)) return false;
    if (!mayBeEvicted(store, pod)) return true;
    terminatePod(store, pod, nowMs);
    return false;
  });
}

/** Cordons a Node, or takes that back. */
export function setSchedulable(store: ObjectStore, node: KubernetesObject, isSchedulable: boolean): void {
  const { unschedulable: _, ...spec } = fieldsOf(node.spec);
  store.put({ ...node, spec: isSchedulable ? spec : { ...spec, unschedulable: true } });
}

/** Those of DaemonSets, and those that a kubelet runs from files of its own. */
function staysOnDrain(pod: KubernetesObject): boolean {
  return controllerOf(pod)?.kind === 'DaemonSet' || labelsOf(pod.metadata.annotations)[MIRROR_ANNOTATION] !== undefined;
}
