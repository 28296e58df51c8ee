// A record under construction with what it points to: words at offsets from 0, and a list of the words that are addresses. Placing
// the image adds the base to those, so records are written before it is known where they will lie. One image serves many records.

export class TableImage {
  #words = new Uint32Array(4096);
  #length = 0;
  #addresses: number[] = [];

  /** Size in bytes. */
  get size(): number {
    return this.#length * 4;
  }

  /** All words, until the next `reserve`: index = offset / 4. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** Begins another one. */
  clear(): void {
    this.#words.fill(0, 0, this.#length);
    this.#length = 0;
    if (this.#addresses.length > 0) this.#addresses = [];
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
    const at = base / 4;
    if (this.#length <= SHORT) for (let index = 0; index < this.#length; index++) memory[at + index] = this.#words[index] ?? 0;
    else memory.set(this.#words.subarray(0, this.#length), at);
    for (const index of this.#addresses) memory[at + index] = (this.#words[index] ?? 0) + base;
  }
}

/** Words up to which copying them one by one is quicker than a call. */
const SHORT = 64;
