// Servers as numbers, in the order in which they are added: a large cluster has hundreds of thousands of them, and an object for each
// would cost more than its record.
import { addressOf, type Family, formatEndpoint, parseAddressWords } from '../address.ts';
import { readIPv4 } from '../plain-address.ts';
import type { ServerKey, ServerSettings } from './keys.ts';

export class ServerList {
  length = 0;
  /** Words of an address. */
  readonly wordCount: number;
  /** Of each server its address as host-order words, its port and its weight. */
  readonly #numbers: Uint32Array;

  constructor(family: Family, limit: number) {
    this.wordCount = family === 'IPv4' ? 1 : 4;
    this.#numbers = new Uint32Array(limit * (this.wordCount + 2));
  }

  /** Adds a server; false when the text is no address of the list's family. */
  add(address: string, port: number, weight: number): boolean {
    const at = this.#at(this.length);
    const word = this.wordCount === 1 ? readIPv4(address) : undefined;
    if (word === undefined) {
      const words = parseAddressWords(address);
      if (words?.length !== this.wordCount) return false;
      this.#numbers.set(words, at);
    } else this.#numbers[at] = word;
    this.#numbers[at + this.wordCount] = port;
    this.#numbers[at + this.wordCount + 1] = weight;
    this.length++;
    return true;
  }

  /** A word of a server's address, in host order. */
  word(server: number, index: number): number {
    return this.#numbers[this.#at(server) + index] ?? 0;
  }

  port(server: number): number {
    return this.#numbers[this.#at(server) + this.wordCount] ?? 0;
  }

  weight(server: number): number {
    return this.#numbers[this.#at(server) + this.wordCount + 1] ?? 0;
  }

  key(server: number): ServerKey {
    const at = this.#at(server);
    const address = addressOf(Array.from(this.#numbers.subarray(at, at + this.wordCount)));
    const port = this.port(server);
    return { id: formatEndpoint(address.text, port), address, port };
  }

  /** A text that is another one for each address and port, and cheap to make. */
  name(server: number): string {
    let name = '';
    for (let word = 0; word < this.wordCount; word++)
      name += String.fromCharCode(this.word(server, word) >>> 16, this.word(server, word) & 0xffff);
    return name + String.fromCharCode(this.port(server));
  }

  #at(server: number): number {
    return server * (this.wordCount + 2);
  }
}

/** Some servers of a list: those of one service. */
export interface ServerRun {
  readonly list: ServerList;
  readonly first: number;
  readonly count: number;
}

/** A server of this weight, without thresholds. */
export function weighted(weight: number): ServerSettings {
  return { weight, upperThreshold: 0, lowerThreshold: 0 };
}
