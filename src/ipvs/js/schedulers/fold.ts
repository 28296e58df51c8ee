// Addresses as the hashing schedulers see them: one number, and its slot in a table of 256.
import type { Address } from '../../../address.ts';

export const SLOT_COUNT = 256;

/** `GOLDEN_RATIO_32`, the multiplier of the kernel's `hash_32`. */
const GOLDEN_RATIO = 0x61c88647;
const SLOT_BITS = 8;

/** An address as one 32-bit number in host order: that of IPv4, the XOR of IPv6's four words. */
export function foldAddress({ words }: Address): number {
  return words.reduce((folded, word) => folded ^ word, 0) >>> 0;
}

/** The slot of a 32-bit key: the top bits of its product with the golden ratio. */
export function slotOf(key: number): number {
  return Math.imul(key, GOLDEN_RATIO) >>> (32 - SLOT_BITS);
}
