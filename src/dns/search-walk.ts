// A name through the search list of a Pod, with all record types a program asks for at once; and what a trailing dot would save.
import type { ClusterDns } from './cluster-dns.ts';
import type { ResolutionOutcome, ResolutionStep } from './resolution.ts';
import { type PodResolver, searchPath } from './resolv-conf.ts';

/** One name that is tried, with the query of each type. */
export interface Candidate {
  readonly name: string;
  readonly steps: readonly { readonly type: string; readonly step: ResolutionStep }[];
}

export interface SearchWalk {
  /** As the program writes it. */
  readonly name: string;
  readonly types: readonly string[];
  /** It ends in a dot. */
  readonly isAbsolute: boolean;
  readonly resolvConf: PodResolver;
  readonly candidates: readonly Candidate[];
  readonly queryCount: number;
  readonly outcome: ResolutionOutcome;
  /** The name with an answer. */
  readonly found?: string;
  /** At NODATA: the names that glibc would try next, where musl has ended. */
  readonly goesOnWith: readonly string[];
}

export interface TrailingDot {
  /** The name to write, with its dot. */
  readonly name: string;
  readonly outcome: ResolutionOutcome;
  /** Queries less than without it. */
  readonly saves: number;
}

/**
 * Every query that the resolver of a Pod sends.
 * @param pod namespace/name
 * @throws InvalidArgumentError for what is no name or type, and for a Pod that does not exist
 */
export async function searchWalk(dns: ClusterDns, name: string, types: readonly string[], pod: string): Promise<SearchWalk> {
  const walks = await Promise.all(types.map(async (type) => ({ type, walk: await dns.resolve(name, type, { pod }) })));
  const resolvConf = walks[0]?.walk.resolvConf;
  if (resolvConf === undefined) throw new Error(`no resolver for ${pod}`);
  const candidates: Candidate[] = [];
  // NXDOMAIN is the same for all types, so the walks part only where one of them ends.
  for (let index = 0; ; index++) {
    const steps = walks.flatMap(({ type, walk }) => {
      const step = walk.steps[index];
      return step === undefined ? [] : [{ type, step }];
    });
    const [first] = steps;
    if (first === undefined) break;
    candidates.push({ name: first.step.name, steps });
    if (steps.some(({ step }) => step.outcome === 'ANSWER')) break;
  }
  const last = candidates.at(-1);
  const outcomes = (last?.steps ?? []).map(({ step }) => step.outcome);
  const outcome = outcomes.includes('ANSWER') ? 'ANSWER' : (outcomes.find((each) => each !== 'NXDOMAIN') ?? 'NXDOMAIN');
  const path = searchPath(name, resolvConf);
  return {
    name,
    types,
    isAbsolute: name.endsWith('.'),
    resolvConf,
    candidates,
    queryCount: candidates.reduce((sum, { steps }) => sum + steps.length, 0),
    outcome,
    ...(outcome === 'ANSWER' && last !== undefined ? { found: last.name } : {}),
    goesOnWith: outcome === 'NODATA' ? path.slice(candidates.length) : [],
  };
}

/** The name that was found with its dot, or the name itself where the search list did not help. */
export async function trailingDot(dns: ClusterDns, { name, found, isAbsolute, queryCount, types }: SearchWalk): Promise<TrailingDot> {
  const dotted = found ?? (isAbsolute ? name : `${name}.`);
  const outcomes = await Promise.all(types.map(async (type) => (await dns.resolve(dotted, type)).outcome));
  return {
    name: dotted,
    outcome: outcomes.includes('ANSWER') ? 'ANSWER' : (outcomes[0] ?? 'NXDOMAIN'),
    saves: Math.max(0, queryCount - types.length),
  };
}
