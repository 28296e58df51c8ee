// The generator behind every random choice, the same bits in both engines: xorshift32.
// A state of 0 would stay 0; seedRandom never gives it.

/** The first state for a seed. */
export function seedRandom(seed: u32): u32 {
  const state: u32 = (seed ^ 0x9e3779b9) >>> 0;
  return state == 0 ? 0x6d2b79f5 : state;
}

/** The state after `state`, which is also the random number drawn: 1 to 0xffffffff. @inline */
export function nextRandom(state: u32): u32 {
  let x: u32 = state;
  x = (x ^ (x << 13)) >>> 0;
  x = (x ^ (x >>> 17)) >>> 0;
  x = (x ^ (x << 5)) >>> 0;
  return x;
}
