// Numbers for names, from 1 in order of first sight: records of packets and verdicts carry numbers. 0 is no name.
import { CapacityError } from '../../errors.ts';

export class NameTable {
  readonly #what: string;
  readonly #limit: number;
  readonly #ids = new Map<string, number>();
  readonly #names: string[] = [];

  /** `what` is counted here, and at most `limit` of them. */
  constructor(what: string, limit: number) {
    this.#what = what;
    this.#limit = limit;
  }

  id(name: string): number {
    const known = this.#ids.get(name);
    if (known !== undefined) return known;
    if (this.#names.length === this.#limit) throw new CapacityError(this.#what, this.#limit, this.#limit + 1);
    this.#names.push(name);
    this.#ids.set(name, this.#names.length);
    return this.#names.length;
  }

  name(id: number): string | undefined {
    return this.#names[id - 1];
  }
}
