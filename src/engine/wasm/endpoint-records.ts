// Writes the chains of a ServicePort's Endpoints: one short record for each, and, for all Endpoints whose rules are alike, those rules once,
// as a pattern.
import {
  CHAIN_RULES,
  ENDPOINT_ADDRESS,
  ENDPOINT_BIT,
  ENDPOINT_PATTERN,
  ENDPOINT_PORT,
  ENDPOINT_SERVICE_PORT,
  ENDPOINT_SIZE_V4,
  ENDPOINT_SIZE_V6,
  MATCH_KIND,
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_SOURCE_ENDPOINT,
  RULE_A,
  RULE_B,
  RULE_MATCH_COUNT,
  RULE_MATCHES,
  RULE_SERVICE_PORT,
  RULE_SIZE,
  RULE_TARGET,
  TARGET_DNAT,
  TARGET_DNAT_ENDPOINT,
} from '../../../assembly/shared/layout.ts';
import type { EndpointChains } from '../../program/endpoint-chains.ts';
import { type ChainRecord, newChainRecord, type PartSource, writeChain } from './chain-records.ts';
import type { Block } from './records.ts';
import { swapPort, writeAddress } from './wire.ts';

/** Written chains of Endpoints. */
export interface EndpointsRecord {
  readonly chains: EndpointChains;
  /** In the order of the Endpoints, as their records lie in the block. */
  readonly numbers: readonly number[];
  readonly block: Block;
  /** The rules of each. */
  readonly pattern: ChainRecord;
}

export function writeEndpoints(
  chains: EndpointChains,
  numbers: readonly number[],
  pattern: ChainRecord,
  source: PartSource,
): EndpointsRecord {
  const { records } = source;
  const { endpoints } = chains;
  const size = endpointSize(source.addressWords);
  const servicePort = source.servicePortId(chains.servicePort);
  const block = records.allocate(endpoints.length * size);
  const { words } = records.memory;
  for (let index = 0, at = block.address; index < endpoints.length; index++, at += size) {
    const endpoint = endpoints[index];
    if (endpoint === undefined) continue;
    words[(at + ENDPOINT_PATTERN) / 4] = pattern.block.address;
    words[(at + ENDPOINT_SERVICE_PORT) / 4] = servicePort;
    words[(at + ENDPOINT_PORT) / 4] = swapPort(endpoint.port);
    writeAddress(words, (at + ENDPOINT_ADDRESS) / 4, endpoint.address);
    records.setRecord(numbers[index] ?? 0, at + ENDPOINT_BIT);
  }
  return { chains, numbers, block, pattern };
}

/** The rules of chains like these, for whichever Endpoint and ServicePort: a chain without a number. */
export function writePattern(chains: EndpointChains, source: PartSource): ChainRecord {
  const [first] = chains.endpoints;
  const record = newChainRecord({ name: `like ${chains.key}`, rules: first === undefined ? [] : chains.rules(first, '') }, 0);
  writeChain(record, undefined, source);
  const { words } = source.records.memory;
  const rules = words[(record.block.address + CHAIN_RULES) / 4] ?? 0;
  for (let row = 0; row < record.count; row++) nameNoEndpoint(words, rules + row * RULE_SIZE);
  return record;
}

/** In place of the Endpoint that the rule was made for: the one whose chain it is. */
function nameNoEndpoint(words: Uint32Array, rule: number): void {
  const matches = words[(rule + RULE_MATCHES) / 4] ?? 0;
  const end = matches + (words[(rule + RULE_MATCH_COUNT) / 4] ?? 0) * MATCH_SIZE;
  for (let match = matches; match < end; match += MATCH_SIZE) {
    if (words[(match + MATCH_KIND) / 4] === MATCH_SOURCE) words[(match + MATCH_KIND) / 4] = MATCH_SOURCE_ENDPOINT;
  }
  words[(rule + RULE_SERVICE_PORT) / 4] = 0;
  if (words[(rule + RULE_TARGET) / 4] !== TARGET_DNAT) return;
  words[(rule + RULE_TARGET) / 4] = TARGET_DNAT_ENDPOINT;
  words[(rule + RULE_A) / 4] = 0;
  words[(rule + RULE_B) / 4] = 0;
}

/** Bytes of the record of an Endpoint. */
export function endpointSize(addressWords: number): number {
  return addressWords === 1 ? ENDPOINT_SIZE_V4 : ENDPOINT_SIZE_V6;
}
