// Arithmetic on CIDRs: the n-th address, the n-th subnet. Ranges count no further than 2^32 addresses, more than is ever handed out.
import { type Address, addressOf, type Family, formatAddress, type Prefix, parsePrefix, prefixContains } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';

const WORD = 0x1_0000_0000;

export function requirePrefix(option: string, text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new InvalidArgumentError(option, text, 'is not a CIDR, expected something like 10.0.0.0/16');
  return prefix;
}

export function familyBits(family: Family): number {
  return family === 'IPv4' ? 32 : 128;
}

/** How many addresses the prefix holds, at most 2^32. */
export function rangeSize(prefix: Prefix): number {
  return 2 ** Math.min(32, familyBits(prefix.family) - prefix.length);
}

/** The network address plus `offset`. */
export function addressAt(prefix: Prefix, offset: number): Address {
  return addressOf(plus(prefix.words, offset));
}

/** Where the address lies in the prefix; undefined outside, or past the 2^32 addresses that a range counts. */
export function offsetIn(prefix: Prefix, address: Address): number | undefined {
  if (!prefixContains(prefix, address)) return undefined;
  const last = address.words.length - 1;
  if (address.words.slice(0, last).some((word, index) => word !== prefix.words[index])) return undefined;
  return (address.words[last] ?? 0) - (prefix.words[last] ?? 0);
}

/** The `index`-th subnet of this length; undefined when the prefix holds fewer. */
export function subnetAt(prefix: Prefix, length: number, index: number): Prefix | undefined {
  if (length < prefix.length || index >= 2 ** (length - prefix.length)) return undefined;
  const bitsBelow = familyBits(prefix.family) - length;
  const words = prefix.words.slice(0, prefix.words.length - Math.floor(bitsBelow / 32));
  const zeros = prefix.words.slice(words.length).map(() => 0);
  return parsePrefix(`${formatAddress([...plus(words, index * 2 ** (bitsBelow % 32)), ...zeros])}/${length}`);
}

function plus(words: readonly number[], amount: number): number[] {
  const sum = [...words];
  let carry = amount;
  for (let index = sum.length - 1; index >= 0 && carry > 0; index--) {
    const total = (sum[index] ?? 0) + carry;
    sum[index] = total % WORD;
    carry = Math.floor(total / WORD);
  }
  return sum;
}
