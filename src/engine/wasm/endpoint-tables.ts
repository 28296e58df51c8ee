// The chains of Endpoints of one table: which numbers they have, and what a change makes of them. An Endpoint that stays keeps its number, so
// that chains which lead there need not be written again.
import { UnsupportedError } from '../../errors.ts';
import { type ChainEndpoint, type ChainItem, type ChoiceChain, EndpointChains } from '../../program/endpoint-chains.ts';
import type { PartSource } from './chain-records.ts';
import { type EndpointChainsRecord, writeEndpointChains } from './endpoint-chain-records.ts';
import type { Records } from './records.ts';

interface Numbered {
  readonly chains: EndpointChains;
  readonly numbers: readonly number[];
}

export class EndpointTables {
  readonly #records: Records;
  /** In force, by key. */
  readonly #known = new Map<string, EndpointChainsRecord>();
  // Of the change at hand.
  #numbered = new Map<string, Numbered>();
  #written: EndpointChainsRecord[] = [];
  #gone: string[] = [];

  constructor(records: Records) {
    this.#records = records;
  }

  /** Gives new chains their numbers. */
  number(chains: EndpointChains): void {
    const before = this.#known.get(chains.key);
    this.#numbered.set(chains.key, { chains, numbers: this.#numbersFor(chains.endpoints, before) });
  }

  /** The numbers of the chains that a chain chooses from. */
  numbersOf({ key, endpoints }: ChoiceChain): readonly number[] {
    const known = this.#numbered.get(key) ?? this.#known.get(key);
    if (known === undefined)
      throw new UnsupportedError(`the program has no chains of the endpoints of ${key}, but a chain chooses from them`);
    const { chains, numbers } = known;
    // Some of all of them, in the same order.
    if (endpoints.length === numbers.length) return numbers;
    const byText = new Map(chains.endpoints.map(({ text }, index) => [text, numbers[index] ?? 0]));
    return endpoints.map(({ text }) => byText.get(text) ?? 0);
  }

  write(source: PartSource): void {
    for (const { chains, numbers } of this.#numbered.values()) {
      this.#written.push(writeEndpointChains(chains, numbers, source));
      const before = this.#known.get(chains.key);
      if (before !== undefined) this.#records.release(before.block);
    }
  }

  drop(removed: readonly ChainItem[]): void {
    for (const item of removed) {
      const record = item instanceof EndpointChains && !this.#numbered.has(item.key) ? this.#known.get(item.key) : undefined;
      if (record === undefined) continue;
      this.#records.release(record.block);
      for (const number of record.numbers) this.#records.giveNumber(number);
      this.#gone.push(record.chains.key);
    }
  }

  /** Returns how many rules there are more. */
  commit(): number {
    let more = 0;
    for (const key of this.#gone) {
      more -= this.#rulesOf(key);
      this.#known.delete(key);
    }
    for (const record of this.#written) {
      more -= this.#rulesOf(record.chains.key);
      this.#known.set(record.chains.key, record);
      more += this.#rulesOf(record.chains.key);
    }
    this.abort();
    return more;
  }

  abort(): void {
    this.#numbered = new Map();
    this.#written = [];
    this.#gone = [];
  }

  all(): IterableIterator<EndpointChainsRecord> {
    return this.#known.values();
  }

  #rulesOf(key: string): number {
    const known = this.#known.get(key);
    return known === undefined ? 0 : known.count * known.numbers.length;
  }

  /** Both lists of Endpoints are sorted by text. */
  #numbersFor(endpoints: readonly ChainEndpoint[], before: Numbered | undefined): number[] {
    const known = before?.chains.endpoints ?? [];
    let old = 0;
    const giveUntil = (text: string | undefined): void => {
      for (let is = known[old]; is !== undefined && (text === undefined || is.text < text); is = known[++old]) {
        const number = before?.numbers[old];
        if (number !== undefined) this.#records.giveNumber(number);
      }
    };
    const numbers = endpoints.map(({ text }) => {
      giveUntil(text);
      const kept = known[old]?.text === text ? before?.numbers[old++] : undefined;
      return kept ?? this.#records.takeNumber();
    });
    giveUntil(undefined);
    return numbers;
  }
}
