// Addresses as the engine holds them: host-order words, ready to be masked and compared without reading text.
import { addressKey, type Family, parseAddress, parsePrefix, prefixMask } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';

/** One word for IPv4, four for IPv6. */
export type AddressWords = readonly number[];

export interface LoadedPrefix {
  readonly words: AddressWords;
  readonly mask: AddressWords;
}

export function equalAddress(a: AddressWords, b: AddressWords): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

export function maskAddress(words: AddressWords, mask: AddressWords): AddressWords {
  return words.map((word, index) => (word & (mask[index] ?? 0)) >>> 0);
}

/** The test for a prefix. That of IPv4 is one comparison: most of a scan is this. */
export function prefixTest(prefix: LoadedPrefix): (words: AddressWords) => boolean {
  if (prefix.words.length > 1) return (words) => isInside(prefix, words);
  const [network = 0] = prefix.words;
  const [mask = 0] = prefix.mask;
  return (words) => ((words[0] ?? 0) & mask) >>> 0 === network;
}

function isInside(prefix: LoadedPrefix, words: AddressWords): boolean {
  for (let index = 0; index < words.length; index++) {
    if (((words[index] ?? 0) & (prefix.mask[index] ?? 0)) >>> 0 !== prefix.words[index]) return false;
  }
  return true;
}

/** `where` names the place in the Program, for the error. */
export function loadAddress(text: string, family: Family, where: string): AddressWords {
  const address = parseAddress(text);
  if (address?.family !== family) throw new InvalidArgumentError(where, text, `is not an ${family} address`);
  return address.words;
}

export function loadPrefix(text: string, family: Family, where: string): LoadedPrefix {
  const prefix = parsePrefix(text);
  if (prefix?.family !== family) throw new InvalidArgumentError(where, text, `is not an ${family} prefix`);
  return { words: prefix.words, mask: prefixMask(family, prefix.length) };
}

/** The addresses and prefixes that are LOCAL on the node (fib type local). */
export class LocalAddresses {
  #networks = new Map<number, { readonly mask: AddressWords; readonly keys: Set<string> }>();

  constructor(texts: readonly string[], family: Family) {
    for (const text of texts) {
      const prefix = parsePrefix(text);
      if (prefix?.family !== family)
        throw new InvalidArgumentError('program.localAddresses', text, `is not an ${family} address or prefix`);
      const networks = this.#networks.get(prefix.length) ?? { mask: prefixMask(family, prefix.length), keys: new Set() };
      networks.keys.add(addressKey(prefix.words));
      this.#networks.set(prefix.length, networks);
    }
  }

  /** Takes over what the other ones are. */
  become(other: LocalAddresses): void {
    this.#networks = other.#networks;
  }

  has(words: AddressWords): boolean {
    for (const { mask, keys } of this.#networks.values()) if (keys.has(addressKey(maskAddress(words, mask)))) return true;
    return false;
  }
}
