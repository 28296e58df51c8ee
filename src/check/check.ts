// Why is there no traffic? Everything about manifests that a person would otherwise have to hunt for. A pure function of the objects:
// the command line prints what it finds, and so may a page.
import { keyOf, objectName, refOf } from '../api/kinds.ts';
import { locationOf } from '../api/places.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Cluster, type ClusterOptions, createCluster, validateObjects } from '../cluster/cluster.ts';
import type { ObjectProblem } from '../errors.ts';
import { checkClashes } from './clashes.ts';
import { type Finding, type Issue, RULES, type RuleId } from './finding.ts';
import { checkHints } from './hints.ts';
import { checkLocalPolicies } from './local-policies.ts';
import { checkReadiness } from './readiness.ts';
import { checkReferences } from './references.ts';
import { type Scene, sceneOf } from './scene.ts';
import { checkSelectors, hasCandidates } from './selectors.ts';
import { checkSideDoors } from './side-doors.ts';
import { checkTargetPorts } from './target-ports.ts';

const CHECKS: readonly ((scene: Scene) => readonly Issue[])[] = [
  checkSelectors,
  checkTargetPorts,
  checkReadiness,
  checkLocalPolicies,
  checkHints,
  checkClashes,
  checkSideDoors,
  checkReferences,
];

export interface CheckResult {
  /** By place, then by object. */
  readonly findings: readonly Finding[];
  /** What could not be looked at, and why. */
  readonly notes: readonly string[];
}

/**
 * Checks manifests as a cluster with these options would take them. What an API server would refuse is a finding, and the rest is
 * checked without it.
 *
 * @example
 * const manifest = '{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}';
 * checkManifests(parseManifests(manifest)).findings; // no-endpoints: it has neither a selector nor an EndpointSlice
 */
export function checkManifests(objects: readonly KubernetesObject[], options: ClusterOptions = {}): CheckResult {
  const problems: ObjectProblem[] = [];
  const left: KubernetesObject[] = [];
  let accepted = objects;
  // What is refused may have hidden what else is.
  for (let refused = validateObjects(accepted, options); refused.length > 0; refused = validateObjects(accepted, options)) {
    problems.push(...refused);
    const names = new Set(refused.map(({ kind, object }) => `${kind} ${object}`));
    const isRefused = (object: KubernetesObject) => names.has(`${object.kind} ${objectName(inNamespace(object, options))}`);
    left.push(...accepted.filter(isRefused).map((object) => inNamespace(object, options)));
    accepted = accepted.filter((object) => !isRefused(object));
  }
  const cluster = createCluster(options);
  cluster.apply(accepted);
  const { findings, notes } = checkCluster(cluster, accepted, left);
  return { findings: [...problems.map(findingOfProblem), ...findings].sort(byPlace), notes };
}

/**
 * Checks a cluster as it stands now.
 * @param given what was applied to it: findings point to where these stand
 * @param refused those that are missing because they are invalid: what leans on them is not to blame
 */
export function checkCluster(cluster: Cluster, given: readonly KubernetesObject[], refused: readonly KubernetesObject[] = []): CheckResult {
  const scene = sceneOf(cluster, given, refused);
  const origins = new Map(given.map((object) => [keyOf(refOf(object)), object]));
  const findings = CHECKS.flatMap((check) => check(scene)).map((issue) => findingOf(issue, origins));
  const hasSelectors = scene.services.some(({ selector }) => Object.keys(selector).length > 0);
  const notes =
    hasSelectors && !hasCandidates(scene)
      ? ['there are no Pods and no workloads among these objects: selectors and target ports were not checked']
      : [];
  return { findings: findings.sort(byPlace), notes };
}

function findingOf({ rule, object, path, reason, remedy }: Issue, origins: ReadonlyMap<string, KubernetesObject>): Finding {
  const origin = origins.get(keyOf(refOf(object))) ?? object;
  const location = locationOf(origin, path);
  const finding = { ...headOf(rule), kind: object.kind, object: objectName(object), path, reason, remedy };
  return location === undefined ? finding : { ...finding, location };
}

function findingOfProblem({ kind, object, path, message, location, owner }: ObjectProblem): Finding {
  const isPort = path.toLowerCase().includes('nodeport');
  const rule: RuleId = owner === undefined ? 'invalid-object' : isPort ? 'node-port-clash' : 'address-clash';
  const remedy =
    owner === undefined
      ? 'mend the field: an API server refuses the object as it is'
      : 'choose another one, or leave the field out: the cluster then chooses';
  const finding = { ...headOf(rule), kind, object, path, reason: `${path} ${message}`, remedy };
  return location === undefined ? finding : { ...finding, location };
}

function headOf(rule: RuleId): Pick<Finding, 'rule' | 'level'> {
  return { rule, level: RULES[rule].level };
}

/** As problems name it: with the namespace of objects that name none. */
function inNamespace(object: KubernetesObject, { namespace = 'default' }: ClusterOptions): KubernetesObject {
  return { ...object, metadata: { ...object.metadata, namespace: object.metadata.namespace || namespace } };
}

function byPlace(a: Finding, b: Finding): number {
  const origin = (finding: Finding) => finding.location?.origin ?? '';
  const text = (finding: Finding) => `${finding.object} ${finding.rule} ${finding.path}`;
  if (origin(a) !== origin(b)) return origin(a) < origin(b) ? -1 : 1;
  const lines = (a.location?.line ?? 0) - (b.location?.line ?? 0);
  return lines !== 0 ? lines : text(a) < text(b) ? -1 : 1;
}
