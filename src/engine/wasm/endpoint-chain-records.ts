// Writes the chains of a ServicePort's Endpoints, which are alike but for the Endpoint: the first one from its rules, the others as copies of it
// with their own addresses. They lie one after the other in one block.
import {
  CHAIN_COLUMNS,
  CHAIN_RULES,
  CHAIN_TAGS,
  MATCH_KIND,
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_WORDS,
  RULE_A,
  RULE_B,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SIZE,
  RULE_TARGET,
  TARGET_DNAT,
} from '../../../assembly/shared/layout.ts';
import type { ChainEndpoint, EndpointChains } from '../../program/endpoint-chains.ts';
import { type ChainRecord, type PartSource, writeAlikeChains } from './chain-records.ts';
import type { Block } from './records.ts';
import { swapPort, writeAddress } from './wire.ts';

/** Written chains of Endpoints. */
export interface EndpointChainsRecord {
  readonly chains: EndpointChains;
  /** In the order of the Endpoints. */
  readonly numbers: readonly number[];
  /** Of all of them. */
  readonly block: Block;
  /** Rules of each, and those of its columns. */
  readonly count: number;
  readonly padded: number;
}

/** Words of the first chain, counted from where it begins, in which a copy differs from it. */
interface Differences {
  /** Addresses of what lies in the chain itself. */
  readonly pointers: readonly number[];
  /** Where the address of the Endpoint stands as a source. */
  readonly sources: readonly number[];
  /** Where it stands as a destination, and its port beside it. */
  readonly destinations: readonly { readonly address: number; readonly port: number }[];
}

export function writeEndpointChains(chains: EndpointChains, numbers: readonly number[], source: PartSource): EndpointChainsRecord {
  const { endpoints } = chains;
  const [first] = endpoints;
  const rules = first === undefined ? [] : chains.rules(first, '');
  const { block, count, padded } = writeAlikeChains({ name: chains.key, rules }, endpoints.length, source);
  const { words } = source.records.memory;
  const size = block.size / endpoints.length / 4;
  const differences = differencesOf(words, block.address / 4, count);
  for (let index = 0, at = block.address / 4; index < endpoints.length; index++, at += size) {
    if (index > 0) {
      copyChain(words, block.address / 4, at, size, differences);
      const endpoint = endpoints[index];
      if (endpoint !== undefined) writeEndpoint(words, at, endpoint, source.addressWords, differences);
    }
    source.records.setRecord(numbers[index] ?? 0, at * 4);
  }
  return { chains, numbers, block, count, padded };
}

/** Each of the chains by itself. */
export function singleRecords({ chains, numbers, block, count, padded }: EndpointChainsRecord): ChainRecord[] {
  const size = block.size / numbers.length;
  return numbers.map((number, index) => {
    const chain = chains.chains[index] ?? { name: chains.key, rules: [] };
    return { chain, number, block: { address: block.address + index * size, size }, count, padded, isShared: false, annexes: new Map() };
  });
}

function differencesOf(words: Uint32Array, chain: number, count: number): Differences {
  const pointers = [CHAIN_COLUMNS / 4, CHAIN_TAGS / 4, CHAIN_RULES / 4];
  const sources: number[] = [];
  const destinations: { readonly address: number; readonly port: number }[] = [];
  const offsetOf = (pointer: number): number => (words[chain + pointer] ?? 0) / 4 - chain;
  const rules = offsetOf(CHAIN_RULES / 4);
  for (let row = 0; row < count; row++) {
    const rule = rules + row * (RULE_SIZE / 4);
    const matchCount = words[chain + rule + RULE_MATCH_COUNT / 4] ?? 0;
    if (matchCount > 0) pointers.push(rule + RULE_MATCHES / 4);
    for (let match = 0; match < matchCount; match++) {
      const at = offsetOf(rule + RULE_MATCHES / 4) + match * (MATCH_SIZE / 4);
      if (words[chain + at + MATCH_KIND / 4] === MATCH_SOURCE) sources.push(at + MATCH_WORDS / 4);
    }
    if (words[chain + rule + RULE_TARGET / 4] !== TARGET_DNAT) continue;
    pointers.push(rule + RULE_A / 4);
    destinations.push({ address: offsetOf(rule + RULE_A / 4), port: rule + RULE_B / 4 });
  }
  return { pointers, sources, destinations };
}

function copyChain(words: Uint32Array, from: number, to: number, size: number, { pointers }: Differences): void {
  for (let word = 0; word < size; word++) words[to + word] = words[from + word] ?? 0;
  for (const pointer of pointers) words[to + pointer] = (words[to + pointer] ?? 0) + (to - from) * 4;
}

function writeEndpoint(words: Uint32Array, chain: number, endpoint: ChainEndpoint, addressWords: number, differences: Differences): void {
  for (const { address, port } of differences.destinations) {
    writeAddress(words, chain + address, endpoint.address);
    words[chain + port] = swapPort(endpoint.port);
    for (const source of differences.sources) {
      for (let word = 0; word < addressWords; word++) words[chain + source + word] = words[chain + address + word] ?? 0;
    }
  }
}
