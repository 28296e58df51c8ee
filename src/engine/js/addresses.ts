// Addresses as the engine holds them: host-order words, ready to be masked and compared without reading text.
import { addressKey, type Family, familyOfWords, parseAddressWords, parsePrefix, prefixMask } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { readIPv4 } from '../../plain-address.ts';
import type { Change } from '../../program/change.ts';

/** One word for IPv4, four for IPv6. */
export type AddressWords = readonly number[];

export interface LoadedPrefix {
  readonly words: AddressWords;
  readonly mask: AddressWords;
  readonly length: number;
}

export function equalAddress(a: AddressWords, b: AddressWords): boolean {
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false;
  return true;
}

export function maskAddress(words: AddressWords, mask: AddressWords): AddressWords {
  return words.map((word, index) => (word & (mask[index] ?? 0)) >>> 0);
}

/** The test for a prefix. */
export function prefixTest(prefix: LoadedPrefix): (words: AddressWords) => boolean {
  return (words) => isInside(prefix, words);
}

function isInside(prefix: LoadedPrefix, words: AddressWords): boolean {
  for (let index = 0; index < words.length; index++) {
    if (((words[index] ?? 0) & (prefix.mask[index] ?? 0)) >>> 0 !== prefix.words[index]) return false;
  }
  return true;
}

/** Names a place in the Program, for errors: made into text only then. */
export type Where = string | { toString(): string };

/** `field`: which one of the place. @throws InvalidArgumentError */
export function loadAddress(text: string, family: Family, where: Where, field?: string): AddressWords {
  const words = parseAddressWords(text);
  if (words === undefined || familyOfWords(words) !== family)
    throw new InvalidArgumentError(fieldText(where, field), text, `is not an ${family} address`);
  return words;
}

/** `field`: which one of the place. @throws InvalidArgumentError */
export function loadPrefix(text: string, family: Family, where: Where, field?: string): LoadedPrefix {
  // Compiled rules name single addresses, mostly.
  const word = text.endsWith('/32') && family === 'IPv4' ? readIPv4(text, text.length - 3) : undefined;
  if (word !== undefined) return { words: [word], mask: prefixMask(family, 32), length: 32 };
  const prefix = parsePrefix(text);
  if (prefix?.family !== family) throw new InvalidArgumentError(fieldText(where, field), text, `is not an ${family} prefix`);
  return { words: prefix.words, mask: prefixMask(family, prefix.length), length: prefix.length };
}

function fieldText(where: Where, field: string | undefined): string {
  return field === undefined ? String(where) : `${where}: ${field}`;
}

/** The addresses and prefixes that are LOCAL on the node (fib type local). */
export class LocalAddresses {
  readonly #family: Family;
  /** By prefix length: the networks, and how often each is given. */
  readonly #networks = new Map<number, { readonly mask: AddressWords; readonly uses: Map<string, number> }>();

  constructor(family: Family) {
    this.#family = family;
  }

  /** Works out a change; what it returns puts it in force. @throws InvalidArgumentError */
  prepare({ removed, added }: Change<string>): () => void {
    const load = (text: string): LoadedPrefix => loadPrefix(text, this.#family, 'program.localAddresses');
    const gone = removed.map(load);
    const come = added.map(load);
    return () => {
      for (const prefix of gone) this.#count(prefix, -1);
      for (const prefix of come) this.#count(prefix, 1);
    };
  }

  has(words: AddressWords): boolean {
    for (const { mask, uses } of this.#networks.values()) if (uses.has(addressKey(maskAddress(words, mask)))) return true;
    return false;
  }

  #count({ words, mask, length }: LoadedPrefix, more: number): void {
    const networks = this.#networks.get(length) ?? { mask, uses: new Map<string, number>() };
    this.#networks.set(length, networks);
    const key = addressKey(words);
    const uses = (networks.uses.get(key) ?? 0) + more;
    if (uses > 0) networks.uses.set(key, uses);
    else networks.uses.delete(key);
    if (networks.uses.size === 0) this.#networks.delete(length);
  }
}
