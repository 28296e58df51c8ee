// CRC32c (SCTP's checksum) after a change of one word: a CRC is linear, so what a change adds depends on the changed bits and on
// how many bytes follow, not on the bytes themselves. Polynomials are reflected: bit 31 is x^0.

const POLYNOMIAL: u32 = 0x82f63b78;
const ONE: u32 = 0x80000000;
const BYTE: u32 = 0x00800000; // x^8

/** The product of two polynomials modulo CRC32c's. */
function multiply(a: u32, b: u32): u32 {
  let product: u32 = 0;
  let factor: u32 = b;
  for (let bit: u32 = ONE; bit != 0; bit = bit >>> 1) {
    if ((a & bit) != 0) product = (product ^ factor) >>> 0;
    factor = (factor & 1) != 0 ? ((factor >>> 1) ^ POLYNOMIAL) >>> 0 : factor >>> 1;
  }
  return product;
}

/** What to xor into a CRC32c when `changed` was xored into the first word (as it lies, little-endian) of `length` bytes, 4 or more. */
export function crc32cChange(changed: u32, length: u32): u32 {
  let change: u32 = changed;
  let power: u32 = BYTE;
  for (let left: u32 = length; left != 0; left = left >>> 1) {
    if ((left & 1) != 0) change = multiply(power, change);
    power = multiply(power, power);
  }
  return change;
}
