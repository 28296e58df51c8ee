// Base chains that do the same with all packets of new connections: let them pass, after a number of rules. Most are of that kind: they
// look at marks that hardly any packet has, and jump to chains that have no rules for now. An engine then counts, and walks no chain.
import { CHAIN_DEPTH_MAX } from '../../assembly/shared/layout.ts';
import type { Base, ChainIndex } from './base-chains.ts';
import { matchCertainty } from './certainty.ts';
import type { Chain, Match, Rule } from './ruleset.ts';

/** Holds for packets with ctstate NEW that have none of the bits `marks` in their mark. */
export interface ConstantWalk {
  readonly rules: number;
  readonly marks: number;
  /** What it rests on. */
  readonly reads: readonly Chain[];
}

/** A walk that is still going on after so many rules is no longer followed. */
const RULES_MAX = 64;

/** Undefined: what happens may hang on more than the mark, or changes something. */
export function constantWalk({ chain, policy }: Base, chains: ChainIndex): ConstantWalk | undefined {
  const remembered: { readonly rules: readonly Rule[]; readonly next: number }[] = [];
  let { rules } = chain;
  let next = 0;
  let count = 0;
  let marks = 0;
  const reads = [chain];
  const passes = (): ConstantWalk => ({ rules: count, marks: marks >>> 0, reads });
  while (true) {
    const rule = rules[next++];
    if (rule === undefined) {
      const place = remembered.pop();
      if (place === undefined) return policy === 'accept' ? passes() : undefined;
      ({ rules, next } = place);
      continue;
    }
    if (++count > RULES_MAX) return undefined;
    for (const match of rule.matches) if (match.kind === 'mark') marks |= match.mask;
    const isMatch = holds(rule);
    if (isMatch === undefined) return undefined;
    if (!isMatch) continue;
    switch (rule.target.kind) {
      case 'none':
        break;
      case 'accept':
        return rule.servicePort === undefined ? passes() : undefined;
      case 'return':
        next = rules.length;
        break;
      case 'jump':
      case 'goto': {
        const target = chains.get(rule.target.chain);
        if (target === undefined || remembered.length === CHAIN_DEPTH_MAX) return undefined;
        if (rule.target.kind === 'jump') remembered.push({ rules, next });
        reads.push(target);
        ({ rules } = target);
        next = 0;
        break;
      }
      default:
        return undefined;
    }
  }
}

/** Undefined: it hangs on the packet, or asking changes something. */
function holds({ matches }: Rule): boolean | undefined {
  let isMaybe = false;
  for (const match of matches) {
    if (match.kind === 'statistic' || match.kind === 'recent') return undefined;
    const certainty = certaintyWithoutMark(match);
    if (certainty === 'no') return false;
    isMaybe ||= certainty === 'maybe';
  }
  return isMaybe ? undefined : true;
}

function certaintyWithoutMark(match: Match): 'yes' | 'no' | 'maybe' {
  if (match.kind !== 'mark') return matchCertainty(match, 'NEW');
  return (match.value === 0) !== (match.negated === true) ? 'yes' : 'no';
}
