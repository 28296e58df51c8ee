// One Pod: what its status says, and how a kubelet changes it. Pods are values; changing one makes a new one.
import type { KubernetesObject } from '../api/types.ts';
import { type Fields, fieldsOf, listOf, textOf } from './fields.ts';

export function podIPs(pod: KubernetesObject): string[] {
  const status = fieldsOf(pod.status);
  const ips = listOf(status.podIPs).map((entry) => textOf(fieldsOf(entry).ip));
  return ips.length > 0 ? ips : [textOf(status.podIP)].filter((ip) => ip !== '');
}

export function podNode(pod: KubernetesObject): string {
  return textOf(fieldsOf(pod.spec).nodeName);
}

export function podPhase(pod: KubernetesObject): string {
  return textOf(fieldsOf(pod.status).phase) || 'Pending';
}

export function isHostNetwork(pod: KubernetesObject): boolean {
  return fieldsOf(pod.spec).hostNetwork === true;
}

/** Containers, then the sidecars among the init containers: whoever runs all the time. */
export function containersOf(pod: KubernetesObject): Fields[] {
  const { containers, initContainers } = fieldsOf(pod.spec);
  const sidecars = listOf(initContainers)
    .map(fieldsOf)
    .filter((container) => container.restartPolicy === 'Always');
  return [...listOf(containers).map(fieldsOf), ...sidecars];
}

export function isReady(pod: KubernetesObject): boolean {
  return listOf(fieldsOf(pod.status).conditions)
    .map(fieldsOf)
    .some((condition) => condition.type === 'Ready' && condition.status === 'True');
}

export function isTerminating(pod: KubernetesObject): boolean {
  return textOf(pod.metadata.deletionTimestamp) !== '';
}

/** Succeeded or Failed: it will never run again. */
export function isFinished(pod: KubernetesObject): boolean {
  return podPhase(pod) === 'Succeeded' || podPhase(pod) === 'Failed';
}

/** What a kubelet reports of a Pod whose containers all run. */
export function runningStatus(ips: readonly string[], hostIPs: readonly string[]): Fields {
  return {
    phase: 'Running',
    conditions: ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'].map((type) => ({ type, status: 'True' })),
    hostIP: hostIPs[0],
    hostIPs: hostIPs.map((ip) => ({ ip })),
    podIP: ips[0],
    podIPs: ips.map((ip) => ({ ip })),
  };
}

/** The Pod as after a change of its readiness probe's answer. */
export function withReadiness(pod: KubernetesObject, ready: boolean): KubernetesObject {
  const status = fieldsOf(pod.status);
  const conditions = listOf(status.conditions).map(fieldsOf);
  const others = conditions.filter((condition) => condition.type !== 'Ready' && condition.type !== 'ContainersReady');
  const answer = { status: ready ? 'True' : 'False', ...(ready ? {} : { reason: 'ContainersNotReady' }) };
  return { ...pod, status: { ...status, conditions: [...others, { type: 'ContainersReady', ...answer }, { type: 'Ready', ...answer }] } };
}
