// Holds the outcomes of a connection against what a routing case claims.
import { formatEndpoint, parseAddress } from '../address.ts';
import type { Outcome } from '../dataplane-types.ts';
import type { Backend } from '../packet.ts';
import type { ExpectedOutcome, RoutingCase } from './routing-cases.ts';
import { percent } from './rule-words.ts';

/** Whose address a backend has, as far as the cluster knows. */
export interface BackendOwner {
  /** namespace/name */
  readonly pod: string;
  /** kind/namespace/name of what controls the Pod; absent: nothing does. */
  readonly workload?: string;
}

export interface JudgeContext {
  readonly namespace: string;
  /** A Service was named: going on as it is does not count as allowed. */
  readonly isToService: boolean;
  owner(address: string): BackendOwner | undefined;
}

type Claims = Pick<RoutingCase, 'expect' | 'backends' | 'workloads' | 'shares' | 'tolerance' | 'masquerade'>;

/** What does not hold, a sentence each. Empty: all of it holds. */
export function judge(claims: Claims, outcomes: readonly Outcome[], context: JudgeContext): string[] {
  const reached = outcomes.flatMap(({ backend, probability }) => (backend === undefined ? [] : [{ backend, probability }]));
  return [
    ...outcomeFailures(claims.expect, outcomes, context),
    ...setFailures(claims.backends, isBackend, reached, context),
    ...setFailures(claims.workloads, isOfWorkload, reached, context),
    ...shareFailures(claims, reached, context),
    ...masqueradeFailures(claims.masquerade, outcomes),
  ];
}

interface Reached {
  readonly backend: Backend;
  readonly probability: number;
}

function outcomeFailures(expected: ExpectedOutcome | undefined, outcomes: readonly Outcome[], { isToService }: JudgeContext): string[] {
  if (expected === undefined) return [];
  const holds = ({ action }: Outcome): boolean => {
    switch (expected) {
      case 'allowed':
        return action === 'DNAT' || (action === 'ACCEPT' && !isToService);
      case 'refused':
        return action === 'REJECT' || action === 'DROP';
      case 'rejected':
        return action === 'REJECT';
      case 'dropped':
        return action === 'DROP';
      case 'unanswered':
        return action === 'ACCEPT';
    }
  };
  return outcomes.every(holds) ? [] : [`expected ${expected}, but the connection is ${outcomeWords(outcomes)}`];
}

/** How connections end: `dropped`, `sent to a backend 50%, rejected 50%`. */
export function outcomeWords(outcomes: readonly Outcome[]): string {
  const chances = new Map<string, number>();
  for (const { action, probability } of outcomes) chances.set(WORDS[action], (chances.get(WORDS[action]) ?? 0) + probability);
  if (chances.size === 1) return [...chances.keys()].join();
  return [...chances].map(([words, chance]) => `${words} ${percent(chance)}`).join(', ');
}

const WORDS: Readonly<Record<Outcome['action'], string>> = {
  DNAT: 'sent to a backend',
  REJECT: 'rejected',
  DROP: 'dropped',
  ACCEPT: 'unanswered (no Service takes it)',
};

/** Every entry gets connections, and nobody else. */
function setFailures(
  entries: readonly string[] | undefined,
  matches: (entry: string, backend: Backend, context: JudgeContext) => boolean,
  reached: readonly Reached[],
  context: JudgeContext,
): string[] {
  if (entries === undefined) return [];
  const missing = entries.filter((entry) => !reached.some(({ backend }) => matches(entry, backend, context)));
  const surplus = reached.filter(({ backend }) => !entries.some((entry) => matches(entry, backend, context)));
  return [
    ...missing.map((entry) => `no connection reaches ${entry}`),
    ...surplus.map(({ backend, probability }) => `${named(backend, context)} gets ${percent(probability)} and is not expected`),
  ];
}

function shareFailures({ shares, tolerance }: Claims, reached: readonly Reached[], context: JudgeContext): string[] {
  return shares.flatMap(({ name, share }) => {
    const own = reached.filter(({ backend }) => isBackend(name, backend, context) || isOfWorkload(name, backend, context));
    const actual = own.reduce((sum, { probability }) => sum + probability, 0);
    // A little more than the tolerance: 0.5 - 0.49 is not 0.01.
    if (Math.abs(actual - share) <= tolerance + 1e-9) return [];
    return [`${name} gets ${percent(actual)}, expected ${percent(share)} ± ${percent(tolerance)}`];
  });
}

function masqueradeFailures(expected: boolean | undefined, outcomes: readonly Outcome[]): string[] {
  if (expected === undefined) return [];
  const wrong = outcomes.filter(({ masquerade }) => masquerade !== expected);
  if (wrong.length === 0) return [];
  const backends = wrong.flatMap(({ backend }) => (backend === undefined ? [] : [formatEndpoint(backend.address, backend.port)]));
  const where = wrong.length === outcomes.length ? '' : ` to ${backends.join(', ')}`;
  return [
    `expected ${expected ? 'masquerade' : 'no masquerade'}, but the source address ${expected ? 'stays' : "becomes the node's"}${where}`,
  ];
}

/** An address, an address with port, or a Pod. */
function isBackend(entry: string, { address, port }: Backend, { owner, namespace }: JudgeContext): boolean {
  if (parseAddress(entry)?.text === address || entry === formatEndpoint(address, port)) return true;
  const pod = owner(address)?.pod;
  return pod !== undefined && (entry.includes('/') ? entry : `${namespace}/${entry}`) === pod;
}

/** `name`, `namespace/name`, `kind/name`, `kind/namespace/name`. */
function isOfWorkload(entry: string, { address }: Backend, { owner, namespace }: JudgeContext): boolean {
  const [kind = '', space = '', name = ''] = owner(address)?.workload?.split('/') ?? [];
  if (name === '') return false;
  const parts = entry.split('/');
  const own = [
    parts.length === 1 && space === namespace ? name : undefined,
    parts.length === 2 ? `${space}/${name}` : undefined,
    parts.length === 2 && space === namespace ? `${kind.toLowerCase()}/${name}` : undefined,
    parts.length === 3 ? `${kind.toLowerCase()}/${space}/${name}` : undefined,
  ];
  const asked = parts.length === 1 ? entry : [parts[0]?.toLowerCase(), ...parts.slice(1)].join('/');
  return own.includes(asked);
}

function named(backend: Backend, { owner }: JudgeContext): string {
  const text = formatEndpoint(backend.address, backend.port);
  const pod = owner(backend.address)?.pod;
  return pod === undefined ? text : `${text} (${pod})`;
}
