// What an explanation comes to: where a new connection can end up, with which odds. Made so that two of them can be compared.
import { formatEndpoint } from '../address.ts';
import type { Explanation, Outcome } from '../dataplane-types.ts';

/** One way in which a connection can end. */
export interface Ending {
  readonly action: Outcome['action'];
  /** `address:port`; absent: no backend gets it. */
  readonly backend?: string;
  readonly masquerade: boolean;
  /** 0-1. */
  readonly probability: number;
}

/** All endings, those with a backend first, sorted by it. Their probabilities add up to 1. */
export type Answer = readonly Ending[];

/**
 * What became of an answer. `lost`: backends no longer get the connection. `gained`: now they do. `refusal`: nobody gets it, in another
 * way than before. `backends`: other backends, or not all of the connections. `source`: the backend sees another source address.
 * `shares`: the same backends with other odds. `affinity`: the same for a new client, but clients stay with their backend for another time.
 */
export type Effect = 'lost' | 'gained' | 'refusal' | 'backends' | 'source' | 'shares' | 'affinity';

/** One word for people. */
export const EFFECT_WORDS: Readonly<Record<Effect, string>> = {
  lost: 'BREAKS',
  backends: 'moves',
  source: 'source',
  gained: 'opens',
  affinity: 'affinity',
  refusal: 'refusal',
  shares: 'shares',
};

const SHARE_TOLERANCE = 1e-6;

export function answerOf({ outcomes }: Explanation): Answer {
  const endings = new Map<string, { action: Outcome['action']; backend?: string; masquerade: boolean; probability: number }>();
  for (const { action, backend, masquerade, probability } of outcomes) {
    const text = backend === undefined ? undefined : formatEndpoint(backend.address, backend.port);
    const key = `${action} ${text} ${masquerade}`;
    const known = endings.get(key);
    if (known !== undefined) known.probability += probability;
    else endings.set(key, { action, ...(text === undefined ? {} : { backend: text }), masquerade, probability });
  }
  return [...endings.values()].sort((a, b) => (keyOfEnding(a) < keyOfEnding(b) ? -1 : 1));
}

/** Undefined: both answers say the same. */
export function effectOf(before: Answer, after: Answer): Effect | undefined {
  if (before.length === after.length && before.every((ending, index) => isSameEnding(ending, after[index]))) return undefined;
  const had = backendsOf(before);
  const has = backendsOf(after);
  if (had.length === 0 && has.length === 0) return 'refusal';
  if (has.length === 0) return 'lost';
  if (had.length === 0) return 'gained';
  const isReachedAlike = Math.abs(reach(before) - reach(after)) < SHARE_TOLERANCE;
  if (!isReachedAlike || had.length !== has.length || had.some((backend, index) => backend !== has[index])) return 'backends';
  const sources = (answer: Answer) => answer.map(({ backend, masquerade }) => `${backend} ${masquerade}`).join();
  return sources(before) === sources(after) ? 'shares' : 'source';
}

/** Each backend once, sorted. */
export function backendsOf(answer: Answer): string[] {
  return [...new Set(answer.flatMap(({ backend }) => backend ?? []))];
}

export function isMasqueraded(answer: Answer): boolean {
  return answer.some(({ masquerade }) => masquerade);
}

/** The probability that a backend gets the connection. */
function reach(answer: Answer): number {
  return answer.reduce((sum, { backend, probability }) => (backend === undefined ? sum : sum + probability), 0);
}

function isSameEnding(one: Ending, other: Ending | undefined): boolean {
  return other !== undefined && keyOfEnding(one) === keyOfEnding(other) && Math.abs(one.probability - other.probability) < SHARE_TOLERANCE;
}

function keyOfEnding({ action, backend, masquerade }: Ending): string {
  return `${backend ?? '~'} ${action} ${masquerade}`;
}
