// Services whose selector finds no Pod, and the labels that would have matched.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, isFields, labelsOf, numberOf } from '../cluster/fields.ts';
import { isFinished } from '../cluster/pods.ts';
import { matchesLabels } from '../cluster/selector.ts';
import { EXPANDED_KINDS } from '../cluster/workloads.ts';
import { editDistance } from '../edit-distance.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';
import { labelText, listed } from './words.ts';

type Labels = Readonly<Record<string, string>>;

/** Pods, or the template of a workload, that a selector may mean. */
interface Candidate {
  readonly object: KubernetesObject;
  readonly labels: Labels;
}

export function checkSelectors(scene: Scene): Issue[] {
  const candidates = candidatesIn(scene);
  // Without any Pod there is nothing that a selector could be wrong about.
  if (candidates.length === 0) return [];
  return scene.services
    .filter(({ selector, pods, endpoints }) => Object.keys(selector).length > 0 && pods.length === 0 && endpoints.length === 0)
    .filter((facts) => !isForRefused(facts, scene))
    .flatMap((facts) => issueOf(facts, scene, candidates));
}

/** Its Pods would be there, were their workload valid: that is a finding already. */
function isForRefused({ service, selector }: ServiceFacts, { refused }: Scene): boolean {
  return refused.some((object) => {
    const spec = fieldsOf(object.spec);
    const { labels } = object.kind === 'Pod' ? object.metadata : fieldsOf(fieldsOf(spec.template).metadata);
    const meant = [labels, fieldsOf(spec.selector).matchLabels].filter(isFields).map(labelsOf);
    return namespaceOf(object) === namespaceOf(service) && meant.some((each) => matchesLabels(selector, each));
  });
}

/** Whether there is anything that a Service could select. */
export function hasCandidates(scene: Scene): boolean {
  return candidatesIn(scene).length > 0;
}

function issueOf(facts: ServiceFacts, scene: Scene, candidates: readonly Candidate[]): Issue[] {
  const { service, selector, isHeadless } = facts;
  const namespace = namespaceOf(service);
  const meant = candidates.filter(({ labels }) => matchesLabels(selector, labels));
  const own = meant.filter(({ object }) => namespaceOf(object) === namespace && object.kind !== 'Pod');
  // What nobody here turns into Pods may well have some in a cluster.
  if (own.some(({ object }) => !EXPANDED_KINDS.includes(object.kind))) return [];
  const [idle] = own;
  if (idle !== undefined) return [idleIssue(service, idle.object)];
  const ended = scene.podsByLabel.labelled(namespace, selector).filter(isFinished);
  const nameless = isHeadless ? ', so its name does not resolve (NXDOMAIN)' : '';
  const reason =
    ended.length > 0
      ? `all Pods with the labels ${labelText(selector)} have ended (${listed(ended.map(({ metadata }) => metadata.name))})${nameless}`
      : `no Pod in namespace ${namespace} has the labels ${labelText(selector)}${nameless}`;
  const elsewhere = [...new Set(meant.map(({ object }) => namespaceOf(object)).filter((each) => each !== namespace))];
  const remedy = elsewhere.length > 0 ? otherNamespace(elsewhere) : nearestRemedy(selector, candidates, namespace);
  return [{ rule: 'selector-matches-nothing', object: service, path: 'spec.selector', reason, remedy }];
}

function idleIssue(service: KubernetesObject, workload: KubernetesObject): Issue {
  const name = `${workload.kind} ${workload.metadata.name}`;
  const replicas = numberOf(fieldsOf(workload.spec).replicas);
  const why = replicas === 0 ? 'has 0 replicas' : 'has no Pods';
  return {
    rule: 'no-replicas',
    object: service,
    path: 'spec.selector',
    reason: `${name}, whose Pods it selects, ${why}`,
    remedy:
      replicas === 0
        ? `scale it up: kubectl scale ${workload.kind.toLowerCase()} ${workload.metadata.name} --replicas=1`
        : `look at the events of ${name}`,
  };
}

function otherNamespace(namespaces: readonly string[]): string {
  return `Pods in namespace ${listed(namespaces)} have these labels, and a Service selects in its own namespace only: put them together`;
}

function nearestRemedy(selector: Labels, candidates: readonly Candidate[], namespace: string): string {
  const near = candidates
    .filter(({ object }) => namespaceOf(object) === namespace)
    .map((candidate) => ({ ...candidate, cost: distance(selector, candidate.labels) }))
    .filter(({ cost }) => cost < Object.keys(selector).length)
    .sort((a, b) => a.cost - b.cost);
  const [best] = near;
  if (best === undefined) return 'give the Pods these labels, or the Service a selector that matches them';
  const owner =
    best.object.kind === 'Pod'
      ? `Pod ${best.object.metadata.name} has`
      : `the Pods of ${best.object.kind} ${best.object.metadata.name} have`;
  return `nearest, ${owner} ${labelText(best.labels)}: ${corrections(selector, best.labels)}`;
}

/** `write app: web instead of app: wbe`, pair by pair. */
function corrections(selector: Labels, labels: Labels): string {
  const wrong = Object.entries(selector).filter(([key, value]) => labels[key] !== value);
  return wrong
    .map(([key, value]) => {
      const meant = nearestLabel(key, value, labels);
      return meant === undefined ? `leave out ${key}: ${value}` : `write ${meant[0]}: ${meant[1]} instead of ${key}: ${value}`;
    })
    .join(', ');
}

/** How far labels are from what a selector wants, from 0 to the number of its pairs. */
function distance(selector: Labels, labels: Labels): number {
  return Object.entries(selector).reduce((sum, [key, value]) => sum + (labels[key] === value ? 0 : pairDistance(key, value, labels)), 0);
}

function pairDistance(key: string, value: string, labels: Labels): number {
  const meant = nearestLabel(key, value, labels);
  return meant === undefined ? 1 : Math.min(1, 0.1 + unlikeness(value, meant[1]) + unlikeness(key, meant[0]) / 2);
}

/** The label that a pair may stand for: the same key, else the same value, else a key that is spelled nearly so. */
function nearestLabel(key: string, value: string, labels: Labels): readonly [string, string] | undefined {
  const same = labels[key];
  if (same !== undefined) return [key, same];
  const entries = Object.entries(labels);
  const nearKey = (limit: number) => entries.find(([other]) => editDistance(key.toLowerCase(), other.toLowerCase()) <= limit);
  return entries.find(([, other]) => other === value) ?? nearKey(2);
}

function unlikeness(a: string, b: string): number {
  return a === b ? 0 : editDistance(a, b) / Math.max(a.length, b.length, 1);
}

/** Pods that no controller made, and the templates of everything that makes Pods. */
function candidatesIn({ objects }: Scene): Candidate[] {
  return objects
    .flatMap((object) => {
      if (object.kind === 'Pod') return [{ object, labels: labelsOf(object.metadata.labels) }];
      const spec = fieldsOf(object.spec);
      const template = object.kind === 'CronJob' ? fieldsOf(fieldsOf(fieldsOf(spec.jobTemplate).spec).template) : fieldsOf(spec.template);
      // ReplicaSets repeat their Deployment's template.
      if (spec.template === undefined && object.kind !== 'CronJob') return [];
      const labels = labelsOf(fieldsOf(template.metadata).labels);
      return Object.keys(labels).length === 0 ? [] : [{ object, labels }];
    })
    .sort((a, b) => rank(a.object) - rank(b.object) || (objectName(a.object) < objectName(b.object) ? -1 : 1));
}

/** Whom to name when several are equally near: who wrote the labels, before what was made of them. */
function rank({ kind, metadata }: KubernetesObject): number {
  if (kind === 'Pod') return metadata.ownerReferences === undefined ? 1 : 3;
  return kind === 'ReplicaSet' ? 2 : 0;
}
