// The order in which netfilter asks a rule's matches, which is also the one that iptables-save prints.
import type { Match } from './ruleset.ts';

/** What the kernel asks before any module, in this order, wherever it stood in the words. */
const HEADER_KINDS: readonly Match['kind'][] = ['source', 'destination', 'inInterface', 'outInterface', 'protocol'];

/** Header first, then the modules in their order. A prefix that holds every address says nothing and is left out. */
export function kernelOrder(matches: readonly Match[]): readonly Match[] {
  const [only] = matches;
  if (only === undefined || (matches.length === 1 && !isEverything(only))) return matches;
  const header: Match[] = [];
  const modules: Match[] = [];
  for (const match of matches) {
    if (isEverything(match)) continue;
    const rank = HEADER_KINDS.indexOf(match.kind);
    if (rank < 0) {
      modules.push(match);
      continue;
    }
    let at = header.length;
    while (at > 0 && HEADER_KINDS.indexOf(header[at - 1]?.kind ?? match.kind) > rank) at--;
    header.splice(at, 0, match);
  }
  for (const match of modules) header.push(match);
  return header;
}

function isEverything(match: Match): boolean {
  return (match.kind === 'source' || match.kind === 'destination') && match.negated === undefined && match.prefix.endsWith('/0');
}
