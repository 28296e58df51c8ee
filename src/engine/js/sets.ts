// Named sets and verdict maps as hash tables: one lookup whatever their size, one for each prefix length with networks.
import { addressKey, type Family, prefixMask } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { ElementKey, KeyField } from '../../program/sets.ts';
import { type AddressWords, loadAddress, loadPrefix, maskAddress } from './addresses.ts';
import type { Flight } from './flight.ts';

export type Side = 'src' | 'dst';

/** What a set or map is. `where` names it, for errors. */
export interface TableShape {
  readonly key: readonly KeyField[];
  readonly family: Family;
  readonly where: string;
  /** Elements of a map differ by more than their key: of equal keys the first one stands. */
  readonly isMap: boolean;
}

/** Elements that went, and those that came. A key that is brought more than once is there once for each. */
export interface ElementEdit<Value> {
  readonly removed: readonly ElementKey[];
  readonly added: readonly (readonly [ElementKey, Value])[];
}

/** A change of a table, worked out. */
export interface PreparedEdit<Value> {
  /** All that the table will hold. */
  values(): Iterable<Value>;
  /** Puts it in force, once. */
  apply(): void;
}

/** An element, and how often its key is there. */
interface Entry<Value> {
  value: Value;
  uses: number;
}

type ChangedEntries<Value> = ReadonlyMap<string, Entry<Value | undefined>>;

export class KeyTable<Value> {
  shape: TableShape;
  /** By the key as text. */
  #entries = new Map<string, Entry<Value>>();
  /** For each field that is a network: the prefix lengths that occur, and how often. */
  #lengths: readonly Map<number, number>[];
  #masks: readonly (readonly AddressWords[])[] = [];

  /** @throws InvalidArgumentError */
  constructor(shape: TableShape, elements: Iterable<readonly [ElementKey, Value]>) {
    this.shape = shape;
    this.#lengths = shape.key.map(() => new Map());
    for (const [key, value] of elements) {
      const text = this.#read(key);
      const known = this.#entries.get(text);
      if (known === undefined) this.#entries.set(text, { value, uses: 1 });
      else known.uses++;
      this.#countLengths(key, 1);
    }
    this.#findMasks();
  }

  /**
   * Works out a change; nothing moves yet. Undefined: two elements of a map have the same key, and only all elements in order can tell which one
   * stands. @throws InvalidArgumentError
   */
  prepare({ removed, added }: ElementEdit<Value>): PreparedEdit<Value> | undefined {
    const changed = new Map<string, Entry<Value | undefined>>();
    const change = (key: ElementKey, more: number, value?: Value): boolean => {
      const text = this.#read(key);
      const known = this.#entries.get(text);
      const entry = changed.get(text) ?? { value: known?.value, uses: known?.uses ?? 0 };
      if (value !== undefined) entry.value = value;
      const isClear = !this.shape.isMap || (entry.uses <= 1 && entry.uses + more <= 1);
      entry.uses += more;
      changed.set(text, entry);
      return isClear;
    };
    const isClear = removed.every((key) => change(key, -1)) && added.every(([key, value]) => change(key, 1, value));
    if (!isClear) return undefined;
    return { values: () => this.#valuesWith(changed), apply: () => this.#apply(changed, removed, added) };
  }

  /** The value under the key built from the packet; `sides` as resolveSides gives them. */
  find(flight: Flight, sides: readonly Side[]): Value | undefined {
    return this.#findFrom(flight, sides, 0, '');
  }

  /** Takes over what the other one holds. */
  become(other: KeyTable<Value>): void {
    this.shape = other.shape;
    this.#entries = other.#entries;
    this.#lengths = other.#lengths;
    this.#masks = other.#masks;
  }

  *values(): IterableIterator<Value> {
    for (const { value } of this.#entries.values()) yield value;
  }

  *#valuesWith(changed: ChangedEntries<Value>): IterableIterator<Value> {
    for (const [text, { value }] of this.#entries) if (!changed.has(text)) yield value;
    for (const { value, uses } of changed.values()) if (uses > 0 && value !== undefined) yield value;
  }

  #apply(changed: ChangedEntries<Value>, removed: readonly ElementKey[], added: ElementEdit<Value>['added']): void {
    for (const [text, { value, uses }] of changed) {
      if (uses <= 0 || value === undefined) this.#entries.delete(text);
      else this.#entries.set(text, { value, uses });
    }
    for (const key of removed) this.#countLengths(key, -1);
    for (const [key] of added) this.#countLengths(key, 1);
    this.#findMasks();
  }

  #findFrom(flight: Flight, sides: readonly Side[], index: number, begun: string): Value | undefined {
    const field = this.shape.key[index];
    if (field === undefined) return this.#entries.get(begun)?.value;
    const separator = index === 0 ? '' : ' ';
    const isSource = sides[index] === 'src';
    const address = isSource ? flight.source : flight.destination;
    switch (field) {
      case 'address':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${addressKey(address)}`);
      case 'protocol':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${flight.protocolName}`);
      case 'port':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${isSource ? flight.sourcePort : flight.destinationPort}`);
      case 'network':
        for (const mask of this.#masks[index] ?? []) {
          const part = networkKey(maskAddress(address, mask), mask);
          const found = this.#findFrom(flight, sides, index + 1, `${begun}${separator}${part}`);
          if (found !== undefined) return found;
        }
        return undefined;
    }
  }

  #read(key: ElementKey): string {
    let text = '';
    for (const [index, field] of this.shape.key.entries()) text += `${index === 0 ? '' : ' '}${keyPart(field, key[index], this.shape)}`;
    return text;
  }

  #countLengths(key: ElementKey, more: number): void {
    const { key: fields, family, where } = this.shape;
    for (const [index, field] of fields.entries()) {
      if (field !== 'network') continue;
      const { length } = loadPrefix(String(key[index]), family, where);
      const lengths = this.#lengths[index];
      const uses = (lengths?.get(length) ?? 0) + more;
      if (uses === 0) lengths?.delete(length);
      else lengths?.set(length, uses);
    }
  }

  /** Longest first. */
  #findMasks(): void {
    this.#masks = this.#lengths.map((lengths) =>
      [...lengths.keys()].sort((a, b) => b - a).map((length) => prefixMask(this.shape.family, length)),
    );
  }
}

/**
 * One side for each field of the key. ipset's notation has none for the protocol, which goes with the port: both ways to write
 * `fields` are understood.
 */
export function resolveSides(key: readonly KeyField[], fields: readonly Side[], where: string): readonly Side[] {
  if (fields.length === key.length) return fields;
  const rest = [...fields];
  const sides = key.map((field): Side => (field === 'protocol' ? 'dst' : (rest.shift() ?? 'dst')));
  if (fields.length !== key.filter((field) => field !== 'protocol').length) {
    throw new InvalidArgumentError(where, fields, `does not fit the key ${key.join(', ')}`);
  }
  return sides;
}

function keyPart(field: KeyField, part: string | number | undefined, { family, where }: TableShape): string {
  if (part === undefined) throw new InvalidArgumentError(where, part, `has an element without its ${field}`);
  switch (field) {
    case 'address':
      return addressKey(loadAddress(String(part), family, where));
    case 'network': {
      const { words, mask } = loadPrefix(String(part), family, where);
      return networkKey(words, mask);
    }
    case 'protocol':
    case 'port':
      return String(part);
  }
}

/** The mask is part of the key: 10.0.0.0/8 and 10.0.0.0/16 are two elements. */
function networkKey(words: AddressWords, mask: AddressWords): string {
  return `${addressKey(words)}/${addressKey(mask)}`;
}
