// What `check` finds: one thing a person would otherwise have to hunt for, with its place, its reason and its remedy.
import type { KubernetesObject } from '../api/types.ts';
import type { SourceLocation } from '../errors.ts';

/** error: traffic is lost. warning: some of it is, or takes another way than asked for. note: as designed, and easily forgotten. */
export type Level = 'error' | 'warning' | 'note';

interface Rule {
  readonly level: Level;
  /** What is wrong, in general. */
  readonly title: string;
}

/** All rules, by the name under which they are reported. */
export const RULES = {
  'invalid-object': { level: 'error', title: 'An API server would refuse the object' },
  'defined-twice': { level: 'warning', title: 'An object is defined twice, in different ways' },
  'node-port-clash': { level: 'error', title: 'Two Services ask for one node port' },
  'address-clash': { level: 'error', title: 'Two objects claim one address' },
  'selector-matches-nothing': { level: 'error', title: 'The selector of a Service matches no Pod' },
  'no-replicas': { level: 'warning', title: 'The workload behind a Service has no Pods' },
  'target-port-unknown': { level: 'error', title: 'No Pod has the named target port of a Service' },
  'target-port-missing': { level: 'warning', title: 'Some Pods lack the named target port of a Service' },
  'target-port-undeclared': { level: 'note', title: 'No container lists the target port of a Service' },
  'port-without-endpoints': { level: 'error', title: 'No EndpointSlice has a port of the Service' },
  'no-endpoints': { level: 'error', title: 'A Service without selector has no endpoints' },
  'no-ready-pods': { level: 'error', title: 'No Pod behind a Service is ready' },
  'headless-no-ready-pods': { level: 'error', title: 'The name of a headless Service does not resolve' },
  'pods-not-ready': { level: 'warning', title: 'Some Pods behind a Service are not ready' },
  'local-policy-gap': { level: 'warning', title: 'A traffic policy Local drops traffic on nodes without an endpoint' },
  'local-policy-node-ports': { level: 'note', title: 'A load balancer must leave out the nodes without an endpoint' },
  'hints-ignored': { level: 'warning', title: 'Topology hints are not made, or not heeded' },
  'side-door': { level: 'warning', title: 'Source ranges of a load balancer can be walked around' },
  'dangling-slice': { level: 'warning', title: 'An EndpointSlice belongs to no Service' },
  'service-name-unknown': { level: 'warning', title: 'The Pods of a StatefulSet get no names' },
  'ingress-backend-unknown': { level: 'warning', title: 'An Ingress names a Service or a port that is not there' },
  'external-name-address': { level: 'error', title: 'An external name is an address' },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleId = keyof typeof RULES;

/** A finding before it has a place. */
export interface Issue {
  readonly rule: RuleId;
  /** As the cluster holds it, or as it was given. */
  readonly object: KubernetesObject;
  /** The field that is to blame: `spec.selector`. */
  readonly path: string;
  /** What is the matter, a whole sentence without its dot. */
  readonly reason: string;
  /** What to do about it. */
  readonly remedy: string;
}

export interface Finding {
  readonly rule: RuleId;
  readonly level: Level;
  readonly kind: string;
  /** namespace/name, or the name alone. */
  readonly object: string;
  readonly path: string;
  /** Where the field stands, or what comes nearest; absent for objects that were not read from text. */
  readonly location?: SourceLocation;
  readonly reason: string;
  readonly remedy: string;
}
