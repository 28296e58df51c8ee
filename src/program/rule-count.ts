// How many rules a Program has, counted without making those that nobody has read.
import { type ChainItem, ChoiceChain, EndpointChains } from './endpoint-chains.ts';
import { chainsOf, type Joined, rulesOf } from './joined.ts';
import type { Program } from './program.ts';

export function ruleCountOf(program: Program): number {
  let count = 0;
  for (const table of program.tables) {
    // Of the chains of one Endpoint, by likeness.
    const lengths = new Map<string, number>();
    eachItem(chainsOf(table), (item) => {
      count += item instanceof EndpointChains ? endpointRules(item, lengths) : chainRules(item);
    });
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
  if (chain instanceof ChoiceChain) return chain.ruleCount;
  let count = 0;
  const { head, parts, tail } = rulesOf(chain);
  for (const part of parts) count += part.length;
  return count + head.length + tail.length;
}

function eachItem<Item>({ head, parts, tail }: Joined<Item>, visit: (item: Item) => void): void {
  for (const part of [head, ...parts, tail]) for (const item of part) visit(item);
}
