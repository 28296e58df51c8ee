// Whether a rule matches, as far as the state of a packet's connection decides it.
import type { Match, Rule } from './ruleset.ts';

export type Certainty = 'yes' | 'no' | 'maybe';

export type CertainState = 'NEW' | 'ESTABLISHED';

/** Of a packet with that ctstate, of which nothing else is known. DNAT and SNAT are not known either. */
export function certaintyOf({ matches }: Rule, state: CertainState): Certainty {
  const certainties = matches.map((match) => matchCertainty(match, state));
  if (certainties.includes('no')) return 'no';
  return certainties.includes('maybe') ? 'maybe' : 'yes';
}

export function matchCertainty(match: Match, state: CertainState): Certainty {
  switch (match.kind) {
    case 'comment':
    case 'nfacct':
      return 'yes';
    case 'physdevIn':
      return match.negated ? 'yes' : 'no';
    case 'inert':
    case 'unmodelled':
      return 'no';
    case 'conntrackState':
      if (match.states.includes(state)) return match.negated ? 'no' : 'yes';
      if (match.states.includes('DNAT') || match.states.includes('SNAT')) return 'maybe';
      return match.negated ? 'yes' : 'no';
    default:
      return 'maybe';
  }
}
