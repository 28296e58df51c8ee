// SipHash-1-3 of one 32-bit number, as mh uses it: one compression round, three finalization rounds, the low half of the result.

/** The message's length in bytes, in the top byte of its last block. */
const LENGTH_TAG: u64 = 0x0400000000000000;

/** Of compression and finalization. */
const ROUNDS: u32 = 4;

/** The hash of `value` under a key of which both 64-bit words are `key`. */
export function sipHash(key: u64, value: u32): u32 {
  const block = LENGTH_TAG | <u64>value;
  // "somepseudorandomlygeneratedbytes"
  let v0: u64 = 0x736f6d6570736575 ^ key;
  let v1: u64 = 0x646f72616e646f6d ^ key;
  let v2: u64 = 0x6c7967656e657261 ^ key;
  let v3: u64 = 0x7465646279746573 ^ key ^ block;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    v0 += v1;
    v1 = rotl<u64>(v1, 13) ^ v0;
    v0 = rotl<u64>(v0, 32);
    v2 += v3;
    v3 = rotl<u64>(v3, 16) ^ v2;
    v0 += v3;
    v3 = rotl<u64>(v3, 21) ^ v0;
    v2 += v1;
    v1 = rotl<u64>(v1, 17) ^ v2;
    v2 = rotl<u64>(v2, 32);
    if (round == 0) {
      v0 ^= block;
      v2 ^= 0xff;
    }
  }
  return <u32>(v0 ^ v1 ^ v2 ^ v3);
}
