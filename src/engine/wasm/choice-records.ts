// Writes how a chain chooses among Endpoints: one record, without the rules that say so in words, and behind it the Endpoints.
import {
  ENDPOINT_ADDRESS,
  ENDPOINT_PORT,
  ENDPOINT_SIZE_V4,
  ENDPOINT_SIZE_V6,
  RULE_A,
  RULE_B,
  RULE_C,
  RULE_SERVICE_PORT,
  RULE_TARGET,
  TARGET_DRAW,
  TARGET_RANDOM_ENDPOINT,
} from '../../../assembly/shared/layout.ts';
import type { ChoiceChain } from '../../program/endpoint-chains.ts';
import { swapPort, writeAddress } from './wire.ts';

/** Where a choice lies, and what it refers to. */
export interface ChoicePlace {
  readonly rule: number;
  readonly endpoints: number;
  /** Rules of the chain before the choice. */
  readonly written: number;
  /** The address of the rules that the chains of all these Endpoints have. */
  readonly pattern: number;
  readonly servicePort: number;
  readonly addressWords: number;
}

export function writeChoice(words: Uint32Array, { among, endpoints }: ChoiceChain, place: ChoicePlace): void {
  const { rule, addressWords } = place;
  const size = endpointSize(addressWords);
  words[(rule + RULE_TARGET) / 4] = among.isDrawnInTurn ? TARGET_DRAW : TARGET_RANDOM_ENDPOINT;
  words[(rule + RULE_A) / 4] = place.endpoints - place.written * size;
  words[(rule + RULE_B) / 4] = place.pattern;
  words[(rule + RULE_C) / 4] = endpoints.length;
  words[(rule + RULE_SERVICE_PORT) / 4] = place.servicePort;
  let at = place.endpoints;
  for (const { address, port } of endpoints) {
    words[(at + ENDPOINT_PORT) / 4] = swapPort(port);
    writeAddress(words, (at + ENDPOINT_ADDRESS) / 4, address);
    at += size;
  }
}

/** Bytes of the Endpoints of a choice. */
export function endpointsSize({ endpoints }: ChoiceChain, addressWords: number): number {
  return endpoints.length * endpointSize(addressWords);
}

/** Bytes of one. */
export function endpointSize(addressWords: number): number {
  return addressWords === 1 ? ENDPOINT_SIZE_V4 : ENDPOINT_SIZE_V6;
}
