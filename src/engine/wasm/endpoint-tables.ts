// The chains of Endpoints of one table: which numbers they have, and what a change makes of them. An Endpoint that stays keeps its number, so
// that chains which lead there need not be written again.
import { CoreError, UnsupportedError } from '../../errors.ts';
import { type ChainEndpoint, type ChainItem, type ChoiceChain, EndpointChains } from '../../program/endpoint-chains.ts';
import { type ChainRecord, dropRules, type PartSource } from './chain-records.ts';
import { type EndpointsRecord, writeEndpoints, writePattern } from './endpoint-records.ts';
import type { Records } from './records.ts';

interface Numbered {
  readonly chains: EndpointChains;
  readonly numbers: readonly number[];
}

/** The rules of chains that are alike, and how many ServicePorts have such. */
interface Pattern {
  readonly record: ChainRecord;
  readonly uses: number;
}

export class EndpointTables {
  readonly #records: Records;
  /** In force, by key. */
  readonly #known = new Map<string, EndpointsRecord>();
  /** By likeness. */
  #patterns = new Map<string, Pattern>();
  // Of the change at hand.
  #numbered = new Map<string, Numbered>();
  #written: EndpointsRecord[] = [];
  #gone: string[] = [];
  /** Those in force, until `write` makes a copy. */
  #draftPatterns = this.#patterns;

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

  /** Writes numbered chains, and drops those that are gone. */
  write(removed: readonly ChainItem[], source: PartSource): void {
    this.#draftPatterns = new Map(this.#patterns);
    for (const { chains, numbers } of this.#numbered.values()) {
      this.#written.push(writeEndpoints(chains, numbers, this.#patternOf(chains, source), source));
      this.#release(this.#known.get(chains.key));
    }
    for (const item of removed) {
      const record = item instanceof EndpointChains && !this.#numbered.has(item.key) ? this.#known.get(item.key) : undefined;
      if (record === undefined) continue;
      this.#release(record);
      for (const number of record.numbers) this.#records.giveNumber(number);
      this.#gone.push(record.chains.key);
    }
    for (const [likeness, { record, uses }] of this.#draftPatterns) {
      if (uses > 0) continue;
      dropRules(record, source);
      this.#draftPatterns.delete(likeness);
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
    this.#patterns = this.#draftPatterns;
    this.abort();
    return more;
  }

  abort(): void {
    this.#numbered = new Map();
    this.#written = [];
    this.#gone = [];
    this.#draftPatterns = this.#patterns;
  }

  all(): IterableIterator<EndpointsRecord> {
    return this.#known.values();
  }

  *patterns(): IterableIterator<ChainRecord> {
    for (const { record } of this.#patterns.values()) yield record;
  }

  #patternOf(chains: EndpointChains, source: PartSource): ChainRecord {
    const { key, likeness } = chains;
    if (likeness === undefined) throw new CoreError(`the chains of the endpoints of ${key} are not alike`);
    const known = this.#draftPatterns.get(likeness);
    const record = known?.record ?? writePattern(chains, source);
    this.#draftPatterns.set(likeness, { record, uses: (known?.uses ?? 0) + 1 });
    return record;
  }

  #release(record: EndpointsRecord | undefined): void {
    if (record === undefined) return;
    this.#records.release(record.block);
    const likeness = record.chains.likeness ?? '';
    const pattern = this.#draftPatterns.get(likeness);
    if (pattern !== undefined) this.#draftPatterns.set(likeness, { ...pattern, uses: pattern.uses - 1 });
  }

  #rulesOf(key: string): number {
    const known = this.#known.get(key);
    return known === undefined ? 0 : known.pattern.count * known.numbers.length;
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
