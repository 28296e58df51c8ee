// Named sets and verdict maps as hash tables: one lookup whatever their size, one for each prefix length with networks.
import { addressKey, type Family, parsePrefix, prefixMask } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { ElementKey, KeyField } from '../../program/sets.ts';
import { type AddressWords, loadAddress, maskAddress } from './addresses.ts';
import type { Flight } from './flight.ts';

export type Side = 'src' | 'dst';

interface Field {
  readonly field: KeyField;
  /** Networks: the masks that occur, longest first. */
  readonly masks: AddressWords[];
}

export class KeyTable<Value> {
  readonly key: readonly KeyField[];
  #fields: readonly Field[];
  #values = new Map<string, Value>();

  /** `where` names the set, for errors. Of equal keys the first one stands. */
  constructor(key: readonly KeyField[], elements: Iterable<readonly [ElementKey, Value]>, family: Family, where: string) {
    this.key = key;
    const lengths = key.map(() => new Set<number>());
    for (const [element, value] of elements) {
      const parts = key.map((field, index) => keyPart(field, element[index], family, where, lengths[index]));
      const text = parts.join(' ');
      if (!this.#values.has(text)) this.#values.set(text, value);
    }
    this.#fields = key.map((field, index) => ({
      field,
      masks: [...(lengths[index] ?? [])].sort((a, b) => b - a).map((length) => prefixMask(family, length)),
    }));
  }

  /** The value under the key built from the packet; `sides` as resolveSides gives them. */
  find(flight: Flight, sides: readonly Side[]): Value | undefined {
    return this.#findFrom(flight, sides, 0, '');
  }

  /** Takes over what the other one holds. */
  become(other: KeyTable<Value>): void {
    this.#fields = other.#fields;
    this.#values = other.#values;
  }

  values(): IterableIterator<Value> {
    return this.#values.values();
  }

  #findFrom(flight: Flight, sides: readonly Side[], index: number, begun: string): Value | undefined {
    const field = this.#fields[index];
    if (field === undefined) return this.#values.get(begun);
    const separator = index === 0 ? '' : ' ';
    const isSource = sides[index] === 'src';
    const address = isSource ? flight.source : flight.destination;
    switch (field.field) {
      case 'address':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${addressKey(address)}`);
      case 'protocol':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${flight.protocolName}`);
      case 'port':
        return this.#findFrom(flight, sides, index + 1, `${begun}${separator}${isSource ? flight.sourcePort : flight.destinationPort}`);
      case 'network':
        for (const mask of field.masks) {
          const part = networkKey(maskAddress(address, mask), mask);
          const found = this.#findFrom(flight, sides, index + 1, `${begun}${separator}${part}`);
          if (found !== undefined) return found;
        }
        return undefined;
    }
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

function keyPart(field: KeyField, part: string | number | undefined, family: Family, where: string, lengths?: Set<number>): string {
  if (part === undefined) throw new InvalidArgumentError(where, part, `has an element without its ${field}`);
  switch (field) {
    case 'address':
      return addressKey(loadAddress(String(part), family, where));
    case 'network': {
      const prefix = parsePrefix(String(part));
      if (prefix?.family !== family) throw new InvalidArgumentError(where, part, `is not an ${family} prefix`);
      lengths?.add(prefix.length);
      return networkKey(prefix.words, prefixMask(family, prefix.length));
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
