// How many rules a Program has, counted without making those that nobody has read.
import { type ChainItem, ChoiceChain, EndpointChains } from './endpoint-chains.ts';
import { chainsOf, itemsOf, rulesOf } from './joined.ts';
import type { Program } from './program.ts';

export function ruleCountOf(program: Program): number {
  let count = 0;
  for (const table of program.tables) {
    // Of the chains of one Endpoint, by likeness.
    const lengths = new Map<string, number>();
    for (const item of itemsOf(chainsOf(table))) count += item instanceof EndpointChains ? endpointRules(item, lengths) : chainRules(item);
  }
  return count;
}

function endpointRules(chains: EndpointChains, lengths: Map<string, number>): number {
  const { endpoints, likeness = '' } = chains;
  const [first] = endpoints;
  const length = lengths.get(likeness) ?? (first === undefined ? 0 : chains.rules(first, '').length);
  lengths.set(likeness, length);
  return endpoints.length * length;
}

function chainRules(chain: Exclude<ChainItem, EndpointChains>): number {
  return chain instanceof ChoiceChain ? chain.ruleCount : itemsOf(rulesOf(chain)).length;
}
