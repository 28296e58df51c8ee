// A map from a key to several values, kept in the order of their own names, so that the same objects always give the same answer.

/** Values are told apart by what `nameOf` says. Lookups are one step; a change costs the number of values beside it. */
export class MultiMap<V> {
  readonly #lists = new Map<string, readonly V[]>();
  readonly #nameOf: (value: V) => string;

  constructor(nameOf: (value: V) => string) {
    this.#nameOf = nameOf;
  }

  get(key: string): readonly V[] {
    return this.#lists.get(key) ?? [];
  }

  has(key: string): boolean {
    return this.#lists.has(key);
  }

  /** Takes the place of a value of the same name. */
  put(key: string, value: V): void {
    const list = this.#lists.get(key);
    if (list === undefined) {
      this.#lists.set(key, [value]);
      return;
    }
    const at = this.#place(list, value);
    const replaced = at < list.length && this.#isNamed(list[at], value) ? 1 : 0;
    this.#lists.set(key, list.toSpliced(at, replaced, value));
  }

  remove(key: string, value: V): void {
    const list = this.#lists.get(key) ?? [];
    const at = this.#place(list, value);
    if (at >= list.length || !this.#isNamed(list[at], value)) return;
    if (list.length === 1) this.#lists.delete(key);
    else this.#lists.set(key, list.toSpliced(at, 1));
  }

  /** Where a value of that name stands, or would stand. */
  #place(list: readonly V[], value: V): number {
    const name = this.#nameOf(value);
    let low = 0;
    let high = list.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = list[middle];
      if (other !== undefined && this.#nameOf(other) < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #isNamed(other: V | undefined, value: V): boolean {
    return other !== undefined && this.#nameOf(other) === this.#nameOf(value);
  }
}
