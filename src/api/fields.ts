// A cursor over the JSON of an object: reads a field with its type, and refuses a wrong one with its path.
// The readers of api/ are written with it; nothing past api/ sees JSON.
import { type Address, type Prefix, parseAddress, parsePrefix } from '../address.ts';
import { InvalidArgumentError, InvalidObjectError } from '../errors.ts';
import { objectName } from './kinds.ts';
import { locationOf } from './places.ts';
import type { KubernetesObject } from './types.ts';

const NO_ITEMS: readonly never[] = [];

/** Makes the error about the field at `path`; `message` reads on after the value: `is outside 1-65535`. */
type Refusal = (path: string, value: unknown, message: string) => Error;

/** One field: its value, and how it was reached. `undefined` and `null` both mean absent, as in the API. */
export class Field {
  readonly value: unknown;
  readonly #refusal: Refusal;
  readonly #parent: Field | undefined;
  /** The name of the field, its place in a list, or the key in a map in brackets. */
  readonly #segment: string | number;

  constructor(value: unknown, refusal: Refusal, parent?: Field, segment: string | number = '') {
    this.value = value;
    this.#refusal = refusal;
    this.#parent = parent;
    this.#segment = segment;
  }

  /** As kubectl writes it. Built only for an error: most fields never need it. */
  get path(): string {
    const parent = this.#parent?.path ?? '';
    const segment = typeof this.#segment === 'number' ? `[${this.#segment}]` : this.#segment;
    const isJoined = parent === '' || segment === '' || segment.startsWith('[');
    return isJoined ? parent + segment : `${parent}.${segment}`;
  }

  get isAbsent(): boolean {
    return this.value === undefined || this.value === null;
  }

  invalid(expectation: string): Error {
    return this.#refusal(this.path, this.value, this.isAbsent ? 'is missing' : expectation);
  }

  /** A field of this object; absent when this one is. */
  at(name: string): Field {
    return new Field(this.#record()[name], this.#refusal, this, name);
  }

  /** A hole, which `map` would pass over, is an item that is missing. */
  items(): Field[] {
    return Array.from(this.#values(), (item, index) => new Field(item, this.#refusal, this, index));
  }

  /** The first item, where there is one. */
  first(): Field | undefined {
    const values = this.#values();
    return values.length === 0 ? undefined : new Field(values[0], this.#refusal, this, 0);
  }

  /** What `read` makes of each item. Absent and empty lists are one and the same, however many objects have them. */
  list<Item>(read: (item: Field) => Item): readonly Item[] {
    return this.#values().length === 0 ? NO_ITEMS : this.items().map(read);
  }

  /** The fields of a map, by key. */
  entries(): [string, Field][] {
    return Object.entries(this.#record()).map(([key, value]) => [key, new Field(value, this.#refusal, this, `[${key}]`)]);
  }

  /** This field, absent when it is the empty string: where Go has no pointer, both are the zero value. */
  unlessEmpty(): Field {
    return this.value === '' ? new Field(undefined, this.#refusal, this.#parent, this.#segment) : this;
  }

  text(): string | undefined {
    if (this.isAbsent) return undefined;
    if (typeof this.value !== 'string') throw this.invalid('is not a string');
    return this.value;
  }

  /** Labels and the like. A null value is an empty text to the API. */
  texts(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.entries().map(([key, field]) => [key, field.text() ?? '']));
  }

  boolean(): boolean | undefined {
    if (this.isAbsent) return undefined;
    if (typeof this.value !== 'boolean') throw this.invalid('is not true or false');
    return this.value;
  }

  integer(least: number, most: number): number | undefined {
    if (this.isAbsent) return undefined;
    if (typeof this.value !== 'number' || !Number.isInteger(this.value)) throw this.invalid('is not a whole number');
    if (this.value < least || this.value > most) throw this.invalid(`is outside ${least}-${most}`);
    return this.value;
  }

  oneOf<const T extends string>(choices: readonly T[]): T | undefined {
    if (this.isAbsent) return undefined;
    const choice = choices.find((candidate) => candidate === this.value);
    if (choice === undefined) throw this.invalid(`is not one of ${choices.join(', ')}`);
    return choice;
  }

  address(): Address | undefined {
    const text = this.text();
    if (text === undefined) return undefined;
    const address = parseAddress(text);
    if (address === undefined) throw this.invalid('is not an IP address');
    return address;
  }

  /** A CIDR; blanks around it are allowed, as the API allows them. */
  prefix(): Prefix | undefined {
    const text = this.text()?.trim();
    if (text === undefined) return undefined;
    const prefix = text.includes('/') ? parsePrefix(text) : undefined;
    if (prefix === undefined) throw this.invalid('is not a CIDR');
    return prefix;
  }

  #values(): readonly unknown[] {
    if (this.isAbsent) return NO_ITEMS;
    if (!Array.isArray(this.value)) throw this.invalid('is not a list');
    return this.value;
  }

  #record(): Readonly<Record<string, unknown>> {
    if (this.isAbsent) return {};
    if (!isRecord(this.value)) throw this.invalid('is not an object');
    return this.value;
  }
}

/** The value of a field that must be there: `required(field, field.text())`. */
export function required<T>(field: Field, value: T | undefined): T {
  if (value === undefined) throw field.invalid('is missing');
  return value;
}

/** The cursor over a Kubernetes object; a wrong field is an InvalidObjectError with its location. */
export function fieldsOf(object: KubernetesObject): Field {
  return new Field(object, (path, value, message) => {
    const location = locationOf(object, path);
    return new InvalidObjectError({
      kind: object.kind,
      object: objectName(object),
      path,
      value,
      message: problemMessage(value, message),
      ...(location === undefined ? {} : { location }),
    });
  });
}

/** The cursor over an option of the public API; a wrong field is an InvalidArgumentError under the option's name. */
export function argumentFields(name: string, value: unknown): Field {
  const refusal: Refusal = (path, wrong, message) => new InvalidArgumentError(path, wrong, message);
  return new Field(value, refusal, new Field(undefined, refusal, undefined, name));
}

/** The message of an InvalidObjectError: the value, then what is wrong with it. What is missing has no value. */
export function problemMessage(value: unknown, message: string): string {
  return value === undefined || value === null ? message : `${describe(value)} ${message}`;
}

/** A value in an error message: short, and whole where it is a scalar. */
export function describe(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isRecord(value)) return 'an object';
  return JSON.stringify(value) ?? String(value);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
