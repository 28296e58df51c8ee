// Why is there no traffic? Everything about manifests that a person would otherwise have to hunt for. A pure function of the objects:
// the command line prints what it finds, and so may a page.
import { givenObjects } from '../api/given-objects.ts';
import { keyOf, objectName, refOf } from '../api/kinds.ts';
import { locationOf } from '../api/places.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Cluster, type ClusterOptions, createCluster, validateObjects } from '../cluster/cluster.ts';
import { withNamespace } from '../cluster/defaults.ts';
import { isNamesake } from '../cluster/groups.ts';
import { compareLocations, formatLocation, type ObjectProblem } from '../errors.ts';
import { checkClashes } from './clashes.ts';
import { type Finding, type Issue, RULES, type RuleId } from './finding.ts';
import { checkHints } from './hints.ts';
import { checkIngresses } from './ingresses.ts';
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
  checkIngresses,
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
  const { namespace = 'default' } = options;
  let accepted = givenObjects(objects).filter((object) => !isNamesake(object));
  // What is refused may have hidden what else is.
  for (let refused = validateObjects(accepted, options); refused.length > 0; refused = validateObjects(accepted, options)) {
    problems.push(...refused);
    const names = new Set(refused.map(({ kind, object }) => `${kind} ${object}`));
    const isRefused = (object: KubernetesObject) => names.has(`${object.kind} ${objectName(withNamespace(object, namespace))}`);
    left.push(...accepted.filter(isRefused).map((object) => withNamespace(object, namespace)));
    accepted = accepted.filter((object) => !isRefused(object));
  }
  const cluster = createCluster(options);
  cluster.apply(accepted);
  const { findings, notes } = checkCluster(cluster, accepted, left, namespace);
  return { findings: [...problems.map(findingOfProblem), ...findings].sort(byPlace), notes };
}

/**
 * Checks a cluster as it stands now.
 * @param given what was applied to it: findings point to where these stand
 * @param refused those that are missing because they are invalid: what leans on them is not to blame
 * @param namespace of those that name none, as the cluster was told it
 */
export function checkCluster(
  cluster: Cluster,
  given: readonly KubernetesObject[],
  refused: readonly KubernetesObject[] = [],
  namespace = 'default',
): CheckResult {
  const own = given.filter((object) => !isNamesake(object));
  const scene = sceneOf(cluster, own, refused);
  const origins = new Map<string, KubernetesObject>();
  const twice: Issue[] = [];
  for (const object of own) {
    const key = keyOf(refOf(withNamespace(object, namespace)));
    const before = origins.get(key);
    if (before !== undefined) twice.push(...checkTwins(before, object, namespace));
    origins.set(key, object);
  }
  const findings = [...twice, ...CHECKS.flatMap((check) => check(scene))].map((issue) => findingOf(issue, origins));
  return { findings: findings.sort(byPlace), notes: notesOn(scene) };
}

/** What was not looked at. */
function notesOn(scene: Scene): string[] {
  const hasSelectors = scene.services.some(({ selector }) => Object.keys(selector).length > 0);
  const policies = scene.objectsOf('NetworkPolicy').length;
  return [
    ...(hasSelectors && !hasCandidates(scene)
      ? ['there are no Pods and no workloads among these objects: selectors and target ports were not checked']
      : []),
    ...(policies > 0
      ? [`${policies} ${policies === 1 ? 'NetworkPolicy was' : 'NetworkPolicies were'} not looked at: the network plugin enforces them`]
      : []),
  ];
}

/** The same object once more: fine when it says the same. */
function checkTwins(before: KubernetesObject, later: KubernetesObject, namespace: string): Issue[] {
  if (JSON.stringify(before) === JSON.stringify(later)) return [];
  const object = withNamespace(later, namespace);
  const location = locationOf(before, 'metadata.name');
  const place = location === undefined ? 'earlier' : `at ${formatLocation(location)}`;
  const reason = `it is defined ${place} as well, and differs: the later one counts`;
  return [{ rule: 'defined-twice', object, path: 'metadata.name', reason, remedy: 'leave one of them out, or give one another name' }];
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

function byPlace(a: Finding, b: Finding): number {
  const text = (finding: Finding) => `${finding.object} ${finding.rule} ${finding.path}`;
  return compareLocations(a.location, b.location) || (text(a) < text(b) ? -1 : 1);
}
