// The controller of Jobs: as many Pods as work at the same time. How their work ends nobody here can know, so they run on.
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, labelsOf, listOf, numberOf } from './fields.ts';
import { giveUpPods } from './replica-sets.ts';
import type { ObjectStore } from './store.ts';
import { freshPodName, isActive, podFromTemplate } from './workload-pods.ts';

const JOB_INDEX_LABEL = 'batch.kubernetes.io/job-completion-index';

export function reconcileJob(store: ObjectStore, job: KubernetesObject, nowMs: number): void {
  const { parallelism, completions, completionMode, suspend } = fieldsOf(job.spec);
  const atOnce = numberOf(parallelism) ?? 1;
  const wanted = suspend === true || isJobFinished(job) ? 0 : Math.min(atOnce, numberOf(completions) ?? atOnce);
  const active = store.controlledBy(job, 'Pod').filter(isActive);
  giveUpPods(store, active, active.length - wanted, nowMs);
  const taken = new Set(active.map((pod) => labelsOf(pod.metadata.labels)[JOB_INDEX_LABEL]));
  for (let index = 0, count = active.length; count < wanted; index++) {
    const isIndexed = completionMode === 'Indexed';
    if (isIndexed && taken.has(String(index))) continue;
    store.put(jobPod(store, job, isIndexed ? index : undefined));
    count++;
  }
}

function jobPod(store: ObjectStore, job: KubernetesObject, index: number | undefined): KubernetesObject {
  const { name } = job.metadata;
  const labels = { 'batch.kubernetes.io/job-name': name, 'job-name': name };
  if (index === undefined) return podFromTemplate(job, freshPodName(store, job), { labels });
  const own = { labels: { ...labels, [JOB_INDEX_LABEL]: String(index) }, spec: { hostname: `${name}-${index}` } };
  return podFromTemplate(job, freshPodName(store, job, `${name}-${index}-`), own);
}

function isJobFinished(job: KubernetesObject): boolean {
  const conditions = listOf(fieldsOf(job.status).conditions).map(fieldsOf);
  return conditions.some(({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True');
}
