// Tables under construction: words at offsets from 0, and a list of the words that are addresses. Placing the image
// adds the base to those, so tables are built before it is known where they will lie.

export class TableImage {
  #words = new Uint32Array(4096);
  #length = 0;
  readonly #addresses: number[] = [];

  /** Size in bytes. */
  get size(): number {
    return this.#length * 4;
  }

  /** A zeroed record of `size` bytes (a multiple of 4); returns its offset in bytes. */
  reserve(size: number): number {
    const at = this.#length;
    this.#length += size / 4;
    if (this.#length > this.#words.length) {
      const grown = new Uint32Array(Math.max(this.#words.length * 2, this.#length));
      grown.set(this.#words);
      this.#words = grown;
    }
    return at * 4;
  }

  /** A plain word. */
  set(at: number, word: number): void {
    this.#words[at / 4] = word;
  }

  get(at: number): number {
    return this.#words[at / 4] ?? 0;
  }

  /** A word that is the address of the record at `target`. */
  point(at: number, target: number): void {
    this.#words[at / 4] = target;
    this.#addresses.push(at / 4);
  }

  /** Copies the image to `base`, addresses made absolute. */
  place(memory: Uint32Array, base: number): void {
    for (const index of this.#addresses) this.#words[index] = (this.#words[index] ?? 0) + base;
    memory.set(this.#words.subarray(0, this.#length), base / 4);
    for (const index of this.#addresses) this.#words[index] = (this.#words[index] ?? 0) - base;
  }
}
