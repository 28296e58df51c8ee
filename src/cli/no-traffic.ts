// What `check` says about one Service, for a trace that finds nobody behind it.

import type { KubernetesObject } from '../api/types.ts';
import { checkCluster } from '../check/check.ts';
import type { Finding, RuleId } from '../check/finding.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { Outcome } from '../dataplane-types.ts';
import { findingText } from './check.ts';
import type { Paint } from './io.ts';

/** Findings about traffic that arrives, and should not, or elsewhere. */
const OTHER_MATTERS: readonly RuleId[] = ['side-door', 'hints-ignored'];

/** The Service that a packet is for and does not get to, `namespace/name`; undefined when it gets somewhere, or is for none. */
export function unreachedService(name: string | undefined, outcomes: readonly Outcome[]): string | undefined {
  if (outcomes.some(({ backend }) => backend !== undefined)) return undefined;
  if (name !== undefined) return name.split('.').toReversed().join('/');
  const [servicePort] = outcomes.flatMap((outcome) => outcome.servicePort ?? []);
  return servicePort?.split(':')[0];
}

/** What keeps traffic away from a Service, `namespace/name`. */
export function findingsAbout(
  service: string | undefined,
  cluster: Cluster,
  given: readonly KubernetesObject[],
  namespace?: string,
): Finding[] {
  if (service === undefined) return [];
  const own = checkCluster(cluster, given, [], namespace).findings.filter(({ kind, object }) => kind === 'Service' && object === service);
  return own.filter(({ rule, level }) => level !== 'note' && !OTHER_MATTERS.includes(rule));
}

/** A paragraph of its own, or nothing. */
export function whyText(findings: readonly Finding[], paint: Paint): string {
  if (findings.length === 0) return '';
  return `\n${paint.bold('Why (svcplane check):')}\n${findings.map((finding) => findingText(finding, paint)).join('')}`;
}
