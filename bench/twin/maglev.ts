// Maglev for the twin: one table of 16-bit numbers for all Services, and SipHash-1-3 of one word in local variables.
import { swapBytes } from '../../src/engine/packet-record.ts';
import { MH_SLOT_COUNT } from '../../src/ipvs/js/schedulers/mh.ts';
import { sipHash } from '../../src/ipvs/js/schedulers/siphash.ts';
import type { TwinServices } from './balancing.ts';

const KEY_1 = 2654435761;
const KEY_2 = 2654446892;

/** For each Service in turn its slots: which of its endpoints, all of the same weight. Filled as ip_vs_mh does. */
export function maglevSlots({ count, endpointsFrom, endpointCounts, backends, backendPorts }: TwinServices): Uint16Array {
  const [hash1, hash2] = [sipHash(KEY_1), sipHash(KEY_2)];
  const all = new Uint16Array(count * MH_SLOT_COUNT);
  for (let service = 0; service < count; service++) {
    const slots = all.subarray(service * MH_SLOT_COUNT, (service + 1) * MH_SLOT_COUNT).fill(FREE);
    const permutations = Array.from({ length: endpointCounts[service] ?? 0 }, (_, endpoint) => {
      const number = (endpointsFrom[service] ?? 0) + endpoint;
      const value = (swapBytes(backends[number] ?? 0) + (swapBytes(backendPorts[number] ?? 0) >>> 16)) >>> 0;
      return { endpoint, at: hash1(value) % MH_SLOT_COUNT, skip: (hash2(value) % (MH_SLOT_COUNT - 1)) + 1 };
    });
    for (let taken = 0; taken < MH_SLOT_COUNT; taken++) {
      const permutation = permutations[taken % permutations.length];
      if (permutation === undefined) break;
      while (slots[permutation.at] !== FREE) permutation.at = (permutation.at + permutation.skip) % MH_SLOT_COUNT;
      slots[permutation.at] = permutation.endpoint;
    }
  }
  return all;
}

const FREE = 0xffff;

/** SipHash-1-3 of a word under the scheduler's first key: v0 to v3 as pairs of halves, 64-bit additions with their carry. */
export function sipHash1(value: number): number {
  let l0 = 0x70736575 ^ KEY_1;
  let h0 = 0x736f6d65;
  let l1 = 0x6e646f6d ^ KEY_1;
  let h1 = 0x646f7261;
  let l2 = 0x6e657261 ^ KEY_1;
  let h2 = 0x6c796765;
  let l3 = 0x79746573 ^ KEY_1 ^ value;
  let h3 = 0x74656462 ^ LENGTH_TAG;
  let other = 0;
  for (let round = 0; round < ROUNDS; round++) {
    // After the one round of compression.
    if (round === 1) {
      l0 ^= value;
      h0 ^= LENGTH_TAG;
      l2 ^= 0xff;
    }
    // v0 += v1; v1 = v1 <<< 13 ^ v0; v0 <<<= 32
    l0 = (l0 + l1) | 0;
    h0 = (h0 + h1 + (l0 >>> 0 < l1 >>> 0 ? 1 : 0)) | 0;
    other = (l1 << 13) | (h1 >>> 19);
    h1 = ((h1 << 13) | (l1 >>> 19)) ^ h0;
    l1 = other ^ l0;
    other = l0;
    l0 = h0;
    h0 = other;
    // v2 += v3; v3 = v3 <<< 16 ^ v2
    l2 = (l2 + l3) | 0;
    h2 = (h2 + h3 + (l2 >>> 0 < l3 >>> 0 ? 1 : 0)) | 0;
    other = (l3 << 16) | (h3 >>> 16);
    h3 = ((h3 << 16) | (l3 >>> 16)) ^ h2;
    l3 = other ^ l2;
    // v0 += v3; v3 = v3 <<< 21 ^ v0
    l0 = (l0 + l3) | 0;
    h0 = (h0 + h3 + (l0 >>> 0 < l3 >>> 0 ? 1 : 0)) | 0;
    other = (l3 << 21) | (h3 >>> 11);
    h3 = ((h3 << 21) | (l3 >>> 11)) ^ h0;
    l3 = other ^ l0;
    // v2 += v1; v1 = v1 <<< 17 ^ v2; v2 <<<= 32
    l2 = (l2 + l1) | 0;
    h2 = (h2 + h1 + (l2 >>> 0 < l1 >>> 0 ? 1 : 0)) | 0;
    other = (l1 << 17) | (h1 >>> 15);
    h1 = ((h1 << 17) | (l1 >>> 15)) ^ h2;
    l1 = other ^ l2;
    other = l2;
    l2 = h2;
    h2 = other;
  }
  return (l0 ^ l1 ^ l2 ^ l3) >>> 0;
}

const ROUNDS = 4;
const LENGTH_TAG = 0x04000000;
