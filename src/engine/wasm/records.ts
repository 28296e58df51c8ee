// The root of a family's tables and the memory of its records. Every record that others refer to has a number: its address stands in
// the root, and a reference is the place of that address, counted from the root. A change writes new records and a copy of the root
// beside the old ones; one store, of the new root's address, puts all of it in force. What the old root alone used is given back then.
import { ROOT_SIZE } from '../../../assembly/shared/layout.ts';
import type { LinearMemory } from './memory.ts';
import type { TableImage } from './table-image.ts';

/** A stretch of memory. */
export interface Block {
  readonly address: number;
  readonly size: number;
}

const NUMBERS_AT_FIRST = 64;

export const NO_BLOCK: Block = { address: 0, size: 0 };

export class Records {
  readonly memory: LinearMemory;
  readonly #publish: (root: number) => void;
  /** In force, and, during a change, the one that will be. */
  #root: Block = NO_BLOCK;
  #draft: Block = NO_BLOCK;
  #capacity = NUMBERS_AT_FIRST;
  #next = 0;
  #freeNumbers: number[] = [];
  #usedBytes = 0;
  // Of the change at hand.
  #allocated: Block[] = [];
  #released: Block[] = [];
  #moreBytes = 0;
  #taken: number[] = [];
  #given: number[] = [];

  /** `publish` stores the address of the root that is in force from then on. */
  constructor(memory: LinearMemory, publish: (root: number) => void) {
    this.memory = memory;
    this.#publish = publish;
  }

  /** Bytes of all records in force, with the root. */
  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** The address of the root in force. */
  get root(): number {
    return this.#root.address;
  }

  get rootBlock(): Block {
    return this.#root;
  }

  /** The numbers in use. */
  get count(): number {
    return this.#next - this.#freeNumbers.length;
  }

  /** Begins a change. */
  begin(): void {
    this.#draft = this.#copyRoot(this.#root);
    this.release(this.#root);
  }

  /** Everything written since `begin` comes into force. */
  commit(): void {
    this.#publish(this.#draft.address);
    this.#root = this.#draft;
    for (const { address, size } of this.#released) this.memory.release(address, size);
    this.#usedBytes += this.#moreBytes;
    for (const number of this.#given) this.#freeNumbers.push(number);
    this.#forget();
  }

  /** Nothing of it does. */
  abort(): void {
    for (const { address, size } of this.#allocated) this.memory.release(address, size);
    for (const number of this.#taken) this.#freeNumbers.push(number);
    this.#forget();
  }

  allocate(size: number): Block {
    const block = { address: this.memory.allocate(size), size };
    this.#allocated.push(block);
    this.#moreBytes += size;
    return block;
  }

  /** Gives a block back once the change is in force. */
  release(block: Block): void {
    if (block.size === 0) return;
    this.#released.push(block);
    this.#moreBytes -= block.size;
  }

  /** A block that holds the image; none for an empty one. */
  place(image: TableImage): Block {
    if (image.size === 0) return NO_BLOCK;
    const block = this.allocate(image.size);
    image.place(this.memory.words, block.address);
    return block;
  }

  takeNumber(): number {
    const number = this.#freeNumbers.pop() ?? this.#next++;
    this.#taken.push(number);
    if (number >= this.#capacity) {
      this.#capacity *= 2;
      const small = this.#draft;
      this.#draft = this.#copyRoot(small);
      this.release(small);
    }
    return number;
  }

  #copyRoot(from: Block): Block {
    const root = this.allocate(ROOT_SIZE + this.#capacity * 4);
    this.memory.words.copyWithin(root.address / 4, from.address / 4, (from.address + from.size) / 4);
    return root;
  }

  giveNumber(number: number): void {
    this.#given.push(number);
  }

  /** The record of that number is at this address, once the change is in force. */
  setRecord(number: number, address: number): void {
    this.memory.words[(this.#draft.address + referenceTo(number)) / 4] = address;
  }

  setField(offset: number, word: number): void {
    this.memory.words[(this.#draft.address + offset) / 4] = word;
  }

  #forget(): void {
    this.#draft = NO_BLOCK;
    this.#allocated = [];
    this.#released = [];
    this.#moreBytes = 0;
    this.#taken = [];
    this.#given = [];
  }
}

/** How other records refer to the record of that number. */
export function referenceTo(number: number): number {
  return ROOT_SIZE + number * 4;
}
