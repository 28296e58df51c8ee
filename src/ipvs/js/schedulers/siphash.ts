// SipHash-1-3 of one 32-bit number, as mh uses it: one compression round, three finalization rounds, the low half of the result.
// 64-bit words are pairs of 32-bit halves, so that a hash allocates nothing.

/** A hash of 32-bit numbers into 32-bit numbers. */
export type NumberHash = (value: number) => number;

const COMPRESSION_ROUNDS = 1;
const FINALIZATION_ROUNDS = 3;

/** The message's length in bytes, in the top byte of its last block. */
const LENGTH_TAG = 0x04000000;

/** The hash under a key of which both 64-bit words are `key`, a number of 32 bits. */
export function sipHash(key: number): NumberHash {
  const state = new Uint32Array(8);
  return (value) => {
    // "somepseudorandomlygeneratedbytes", xored with the key: v0 to v3, low half first.
    state.set([0x70736575 ^ key, 0x736f6d65, 0x6e646f6d ^ key, 0x646f7261, 0x6e657261 ^ key, 0x6c796765, 0x79746573 ^ key, 0x74656462]);
    flip(state, 6, value, LENGTH_TAG);
    rounds(state, COMPRESSION_ROUNDS);
    flip(state, 0, value, LENGTH_TAG);
    flip(state, 4, 0xff, 0);
    rounds(state, FINALIZATION_ROUNDS);
    return (half(state, 0) ^ half(state, 2) ^ half(state, 4) ^ half(state, 6)) >>> 0;
  };
}

const V0 = 0;
const V1 = 2;
const V2 = 4;
const V3 = 6;

function rounds(state: Uint32Array, count: number): void {
  for (let round = 0; round < count; round++) {
    mix(state, V0, V1, 13);
    turn(state, V0, 32);
    mix(state, V2, V3, 16);
    mix(state, V0, V3, 21);
    mix(state, V2, V1, 17);
    turn(state, V2, 32);
  }
}

/** a += b; b = (b <<< bits) ^ a. */
function mix(state: Uint32Array, a: number, b: number, bits: number): void {
  const low = half(state, a) + half(state, b);
  state[a] = low;
  state[a + 1] = half(state, a + 1) + half(state, b + 1) + (low > 0xffffffff ? 1 : 0);
  turn(state, b, bits);
  flip(state, b, half(state, a), half(state, a + 1));
}

/** Rotates a 64-bit word left by 1 to 32 bits. */
function turn(state: Uint32Array, at: number, bits: number): void {
  const low = half(state, at);
  const high = half(state, at + 1);
  state[at] = bits === 32 ? high : (low << bits) | (high >>> (32 - bits));
  state[at + 1] = bits === 32 ? low : (high << bits) | (low >>> (32 - bits));
}

function flip(state: Uint32Array, at: number, low: number, high: number): void {
  state[at] = half(state, at) ^ low;
  state[at + 1] = half(state, at + 1) ^ high;
}

function half(state: Uint32Array, at: number): number {
  return state[at] ?? 0;
}
