// Rules in words before it is known where they will lie: a stretch of ROW_WORDS each, with the words that point into the annex marked.
// One image serves many chains; nothing is allocated for a rule.
import { CLASSES_ANY, PORTS_ANY } from '../../../assembly/shared/layout.ts';

/** Words of an encoded rule. Networks and masks have four words, of which IPv4 uses the first. */
export const ROW_WORDS = 16;
export const ROW_NETWORK = 0;
export const ROW_MASK = 4;
/** PORTS_*, or `lowest | ~highest << 16`. */
export const ROW_PORTS = 8;
/** Bits of the classes that match, or CLASSES_ANY. */
export const ROW_CLASSES = 9;
export const ROW_TARGET = 10;
export const ROW_A = 11;
export const ROW_B = 12;
export const ROW_MATCHES = 13;
export const ROW_MATCH_COUNT = 14;
export const ROW_SERVICE_PORT = 15;

export class RowImage {
  #words = new Uint32Array(256 * ROW_WORDS);
  #length = 0;
  /** Indexes of words that are offsets in the annex, since the last `settle`. */
  #pointers: number[] = [];

  get words(): Uint32Array {
    return this.#words;
  }

  /** Rows since the last `clear`. */
  get count(): number {
    return this.#length / ROW_WORDS;
  }

  /** None of the first `count` rows asks anything of a packet that stands in columns: neither its destination nor its ports or class. */
  arePlain(count: number): boolean {
    for (let row = 0; row < count * ROW_WORDS; row += ROW_WORDS) {
      if (this.#words[row + ROW_PORTS] !== PORTS_ANY || this.#words[row + ROW_CLASSES] !== CLASSES_ANY) return false;
      for (let mask = row + ROW_MASK; mask < row + ROW_PORTS; mask++) if (this.#words[mask] !== 0) return false;
    }
    return true;
  }

  /** Begins another chain. */
  clear(): void {
    this.#length = 0;
    this.#pointers.length = 0;
  }

  /** A new row that matches every packet and does nothing; returns the index of its first word. */
  add(): number {
    const row = this.#length;
    this.#length += ROW_WORDS;
    if (this.#length > this.#words.length) {
      const grown = new Uint32Array(this.#words.length * 2);
      grown.set(this.#words);
      this.#words = grown;
    }
    // A call to fill them takes longer than to write them.
    for (let word = row; word < this.#length; word++) this.#words[word] = 0;
    this.#words[row + ROW_PORTS] = PORTS_ANY;
    this.#words[row + ROW_CLASSES] = CLASSES_ANY;
    return row;
  }

  set(index: number, word: number): void {
    this.#words[index] = word;
  }

  setTarget(row: number, kind: number, a = 0, b = 0): void {
    this.#words[row + ROW_TARGET] = kind;
    this.#words[row + ROW_A] = a;
    this.#words[row + ROW_B] = b;
  }

  /** A word that is the address of what lies at that offset of the annex. */
  point(index: number, offset: number): void {
    this.#words[index] = offset;
    this.#pointers.push(index);
  }

  /** The annex of all rows since the last call lies there. */
  settle(annex: number): void {
    for (const index of this.#pointers) this.#words[index] = (this.#words[index] ?? 0) + annex;
    this.#pointers.length = 0;
  }
}
