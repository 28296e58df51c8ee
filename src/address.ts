// IP addresses, prefixes and endpoints as text and as numbers. A leaf: everyone may import it.
import { isPlainIPv4, isPlainIPv6, readIPv4, readIPv6, writeIPv6 } from './plain-address.ts';

export type Family = 'IPv4' | 'IPv6';

/** An address: its canonical text, and its bits as host-order 32-bit words, one for IPv4 and four for IPv6, first word first. */
export interface Address {
  readonly family: Family;
  readonly words: readonly number[];
  readonly text: string;
}

/** A CIDR. `address` is as written (canonical text), `words` are those of the network: bits past `length` are 0. */
export interface Prefix {
  readonly family: Family;
  readonly words: readonly number[];
  readonly length: number;
  /** The network's canonical text with its length. */
  readonly text: string;
}

/** Reads an address as Kubernetes does: leading zeros are decimal (`010.0.0.1` is 10.0.0.1), an IPv4-mapped IPv6 address is IPv4. */
export function parseAddress(text: string): Address | undefined {
  const words = parseAddressWords(text);
  if (words === undefined) return undefined;
  const isPlain = words.length === 1 ? isPlainIPv4(text, words[0] ?? 0) : isPlainIPv6(text, words);
  // As most addresses of a cluster are written: a text of their own would be kept beside each.
  return isPlain ? { family: familyOfWords(words), words, text } : addressOf(words);
}

/** The words of an address alone. Text is what types promise and JavaScript may not keep. */
export function parseAddressWords(text: string): readonly number[] | undefined {
  if (typeof text !== 'string') return undefined;
  const word = readIPv4(text);
  if (word !== undefined) return [word];
  const words = readIPv6(text);
  if (words === undefined) return undefined;
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? words.slice(3) : words;
}

/** The address with these words: one for IPv4, four for IPv6. */
export function addressOf(words: readonly number[]): Address {
  return { family: familyOfWords(words), words, text: formatAddress(words) };
}

export function familyOfWords(words: readonly number[]): Family {
  return words.length === 1 ? 'IPv4' : 'IPv6';
}

/** Canonical text of an address given as host-order words: RFC 5952 for IPv6. */
export function formatAddress(words: readonly number[]): string {
  const [first = 0] = words;
  if (words.length === 1) return `${first >>> 24}.${(first >>> 16) & 255}.${(first >>> 8) & 255}.${first & 255}`;
  return writeIPv6(words);
}

/** A text that equal addresses share: 16 bits a character, far cheaper to make and to hash than digits. */
export function addressKey(words: readonly number[]): string {
  let key = '';
  for (const word of words) key += String.fromCharCode(word >>> 16, word & 0xffff);
  return key;
}

/** Reads `10.0.0.0/8` or a plain address (then of full length). */
export function parsePrefix(text: string): Prefix | undefined {
  const slash = text.indexOf('/');
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (address === undefined) return undefined;
  const bits = address.words.length * 32;
  const lengthText = slash < 0 ? String(bits) : text.slice(slash + 1);
  const length = Number(lengthText);
  if (!/^\d{1,3}$/.test(lengthText) || length > bits) return undefined;
  const mask = prefixMask(address.family, length);
  const words = address.words.map((word, index) => (word & (mask[index] ?? 0)) >>> 0);
  return { family: address.family, words, length, text: `${formatAddress(words)}/${length}` };
}

const masks = new Map<number, readonly number[]>();

/** The mask of a prefix length, as host-order words. */
export function prefixMask(family: Family, length: number): readonly number[] {
  const count = family === 'IPv4' ? 1 : 4;
  const known = masks.get(length * 4 + count);
  if (known !== undefined) return known;
  const mask = Array.from({ length: count }, (_, index) => {
    const bits = Math.min(32, Math.max(0, length - index * 32));
    return bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
  });
  masks.set(length * 4 + count, mask);
  return mask;
}

/** True when the address lies inside the prefix; false across families. */
export function prefixContains(prefix: Prefix, address: Address): boolean {
  if (prefix.family !== address.family) return false;
  for (let index = 0, bits = prefix.length; bits > 0; index++, bits -= 32) {
    const different = (prefix.words[index] ?? 0) ^ (address.words[index] ?? 0);
    if ((bits >= 32 ? different : different >>> (32 - bits)) !== 0) return false;
  }
  return true;
}

/** `10.0.0.1:80`, `[fd00::1]:80`. */
export function formatEndpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Most lists are empty: one serves all. */
const NO_TEXTS: readonly string[] = [];

/** The texts of those of the family. */
export function textsOf(items: readonly (Address | Prefix)[], family: Family): readonly string[] {
  if (items.length === 0) return NO_TEXTS;
  return items.filter((item) => item.family === family).map(({ text }) => text);
}
