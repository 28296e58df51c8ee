// What the API server refuses about one object, all of it at once: names, Services, workloads, Pods and slices.
// Rules that need other objects, such as an address given twice, are allocation's.

import { groupOf, objectName } from '../api/kinds.ts';
import { locationOf } from '../api/places.ts';
import type { KubernetesObject } from '../api/types.ts';
import { didYouMean } from '../edit-distance.ts';
import type { ObjectProblem } from '../errors.ts';
import { type Complaint, complaint, isDnsLabel, isDnsSubdomain, quoted } from './complaint.ts';
import { type DefaultingContext, withDefaults } from './defaults.ts';
import { budgetProblems } from './disruption-budgets.ts';
import { groupsOf, isNativeGroup, kindsIn } from './groups.ts';
import { annotationProblems, labelProblems } from './label-validation.ts';
import { serviceProblems } from './service-validation.ts';
import { endpointsProblems, sliceProblems } from './slice-validation.ts';
import { jobProblems, podProblems, workloadProblems } from './workload-validation.ts';
import { EXPANDED_KINDS } from './workloads.ts';

const SINGLE_STACK: DefaultingContext = { families: ['IPv4'], namespace: 'default' };

/** All that is wrong with a Service as it stands in a manifest, after the defaults the API server would fill in. */
export function validateService(service: KubernetesObject, context: DefaultingContext = SINGLE_STACK): ObjectProblem[] {
  return validateDefaulted(withDefaults(service, context), context, service);
}

/** All that is wrong with an object that has its defaults. `origin`: the object of the manifest it was made of. */
export function validateDefaulted(
  object: KubernetesObject,
  context: DefaultingContext,
  origin: KubernetesObject = object,
): ObjectProblem[] {
  const complaints =
    object.kind === 'Service' ? serviceProblems(object, context.families) : [...nameProblems(object), ...kindProblems(object)];
  return problemsOf([...groupProblems(object), ...complaints, ...metadataProblems(object)], object, origin);
}

/** Complaints about an object, with its name and the place in its manifest. */
export function problemsOf(complaints: readonly Complaint[], object: KubernetesObject, origin: KubernetesObject): ObjectProblem[] {
  return complaints.map((each) => {
    const location = locationOf(origin, each.path);
    const problem = { kind: object.kind, object: objectName(object), ...each };
    return location === undefined ? problem : { ...problem, location };
  });
}

/** A kind in a group that does not have it, and a kind that is spelled nearly as one of its group: `no matches for kind`. */
function groupProblems(object: KubernetesObject): Complaint[] {
  const { apiVersion, kind } = object;
  const group = groupOf(object);
  const groups = groupsOf(kind);
  if (groups.includes(group) || !isNativeGroup(group)) return [];
  if (groups.length > 0) {
    const expected = groups[0] === '' ? 'v1' : `${groups[0]}/v1`;
    return [complaint('apiVersion', apiVersion, `${quoted(apiVersion)} has no kind ${kind}, expected ${expected}`)];
  }
  const meant = didYouMean(kind, kindsIn(group));
  return meant === '' ? [] : [complaint('kind', kind, `${quoted(kind)} is unknown in ${apiVersion}${meant}`)];
}

function kindProblems(object: KubernetesObject): Complaint[] {
  switch (object.kind) {
    case 'Deployment':
    case 'ReplicaSet':
    case 'ReplicationController':
    case 'StatefulSet':
    case 'DaemonSet':
      return workloadProblems(object);
    case 'Job':
      return jobProblems(object);
    case 'Pod':
      return podProblems(object);
    case 'EndpointSlice':
      return sliceProblems(object);
    case 'Endpoints':
      return endpointsProblems(object);
    case 'PodDisruptionBudget':
      return budgetProblems(object);
    default:
      return [];
  }
}

function metadataProblems({ metadata }: KubernetesObject): Complaint[] {
  return [...labelProblems('metadata.labels', metadata.labels), ...annotationProblems('metadata.annotations', metadata.annotations)];
}

function nameProblems(object: KubernetesObject): Complaint[] {
  const { name, namespace } = object.metadata;
  const complaints: Complaint[] = [];
  if (object.kind === 'Namespace' && !isDnsLabel(name)) {
    complaints.push(complaint('metadata.name', name, `${quoted(name)} is not a DNS label`));
  } else if (isStrictlyNamed(object.kind) && !isDnsSubdomain(name)) {
    complaints.push(complaint('metadata.name', name, `${quoted(name)} is not a DNS subdomain: lower-case letters, digits, - and . only`));
  }
  if (namespace !== undefined && !isDnsLabel(namespace)) {
    complaints.push(complaint('metadata.namespace', namespace, `${quoted(namespace)} is not a DNS label`));
  }
  return complaints;
}

// RBAC names, for example, may hold colons: only kinds that this cluster reads are held to the rule.
function isStrictlyNamed(kind: string): boolean {
  return [...EXPANDED_KINDS, 'Endpoints', 'EndpointSlice', 'Node'].includes(kind);
}
