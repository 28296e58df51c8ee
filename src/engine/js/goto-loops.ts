// A loop of jumps ends at CHAIN_DEPTH_MAX; one of gotos alone would never end, and the kernel refuses both. A new loop has a new rule or
// a new element of a map: only from there on it is looked for.
import { InvalidArgumentError } from '../../errors.ts';
import type { LoadedChain, LoadedElement, LoadedRule, LoadedTarget } from './ruleset.ts';
import type { KeyTable } from './sets.ts';

/** Rules and maps as they will be. */
export interface GotoGraph {
  rulesOf(chain: LoadedChain): readonly LoadedRule[];
  elementsOf(map: KeyTable<LoadedElement>): Iterable<LoadedElement>;
}

/** @param starts chains with new rules, and those that new elements of maps lead to. @throws InvalidArgumentError */
export function refuseEndlessGotos(starts: Iterable<LoadedChain>, graph: GotoGraph): void {
  const finished = new Set<LoadedChain>();
  const open = new Set<LoadedChain>();
  const visit = (chain: LoadedChain): void => {
    const rules = graph.rulesOf(chain);
    if (!rules.some(leadsOn) || finished.has(chain)) return;
    if (open.has(chain)) throw new InvalidArgumentError('chain', chain.name, 'goes to itself in a loop');
    open.add(chain);
    for (const { target } of rules) for (const next of gotoTargets(target, graph)) visit(next);
    open.delete(chain);
    finished.add(chain);
  };
  for (const chain of starts) visit(chain);
}

function leadsOn({ target: { kind } }: LoadedRule): boolean {
  return kind === 'goto' || kind === 'randomVerdictMap' || kind === 'verdictMap';
}

function gotoTargets(target: LoadedTarget, graph: GotoGraph): readonly LoadedChain[] {
  if (target.kind === 'goto') return [target.chain];
  if (target.kind === 'randomVerdictMap') return target.chains;
  if (target.kind !== 'verdictMap') return [];
  return [...graph.elementsOf(target.elements)].flatMap(({ chain }) => chain ?? []);
}
