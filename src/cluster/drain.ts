// A Node that is drained: cordoned, and its Pods evicted, as `kubectl drain --ignore-daemonsets --delete-emptydir-data` goes about it.
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { InvalidArgumentError } from '../errors.ts';
import { fieldsOf, labelsOf } from './fields.ts';
import { controllerOf } from './owners.ts';
import { isFinished, isTerminating } from './pods.ts';
import type { ObjectStore } from './store.ts';
import { terminatePod } from './termination.ts';

export interface DrainOptions {
  /** Evict also Pods that no controller will make anew. Default: such a Pod keeps the Node from being drained. */
  readonly force?: boolean;
}

const MIRROR_ANNOTATION = 'kubernetes.io/config.mirror';

/** @throws InvalidArgumentError naming the Pods that would be lost */
export function drainNode(store: ObjectStore, node: KubernetesObject, { force = false }: DrainOptions, nowMs: number): void {
  const { name } = node.metadata;
  setSchedulable(store, node, false);
  const evicted = store.podsByNode.at(name).filter((pod) => !staysOnDrain(pod));
  const lost = evicted.filter((pod) => controllerOf(pod) === undefined && !isFinished(pod) && !isTerminating(pod)).map(objectName);
  if (lost.length > 0 && !force)
    throw new InvalidArgumentError(
      'node',
      name,
      `cannot be drained: no controller would make these Pods anew (force: true evicts them): ${lost.join(', ')}`,
    );
  for (const pod of evicted) terminatePod(store, pod, nowMs);
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
