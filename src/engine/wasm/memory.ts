// Linear memory beyond the core's own data: blocks for tables, batches and connections, and the one place that owns views.
// Growing memory detaches every view; ask for them again after each allocation.
import { CapacityError } from '../../errors.ts';

const PAGE = 65536;
/** The memory a 32-bit core can have, as asconfig.json says. */
const PAGES_MAX = 65536;
/** A memory that must grow becomes this much larger at least: to the JavaScript engine each growth looks like garbage to collect. */
const GROWTH = 2;
/** Blocks begin on cache lines. */
const ALIGNMENT_BITS = 6;
const ALIGNMENT = 1 << ALIGNMENT_BITS;

export class LinearMemory {
  readonly #memory: WebAssembly.Memory;
  #end: number;
  #words: Uint32Array;
  #bytes: Uint8Array;
  #data: DataView;
  /** Blocks given back, by size. */
  readonly #free = new Map<number, number[]>();

  constructor(memory: WebAssembly.Memory, heapBase: number) {
    this.#memory = memory;
    this.#end = align(heapBase);
    this.#words = new Uint32Array(memory.buffer);
    this.#bytes = new Uint8Array(memory.buffer);
    this.#data = new DataView(memory.buffer);
  }

  /** All memory as 32-bit words: index = address / 4. */
  get words(): Uint32Array {
    this.#refresh();
    return this.#words;
  }

  get bytes(): Uint8Array {
    this.#refresh();
    return this.#bytes;
  }

  get data(): DataView {
    this.#refresh();
    return this.#data;
  }

  /** A zeroed block of at least `size` bytes on a cache line. Untouched pages of a fresh one cost no real memory. @throws CapacityError */
  allocate(size: number): number {
    const rounded = blockSize(size);
    const reused = this.#free.get(rounded)?.pop();
    if (reused !== undefined) {
      this.bytes.fill(0, reused, reused + rounded);
      return reused;
    }
    const address = this.#end;
    if (address + rounded > this.bytes.length) this.#grow(address + rounded);
    this.#end = address + rounded;
    return address;
  }

  #grow(end: number): void {
    const pages = Math.ceil(end / PAGE);
    const have = this.bytes.length / PAGE;
    if (pages > PAGES_MAX) throw new CapacityError('linear memory in pages of 64 KiB', PAGES_MAX, pages);
    // More than is needed: each growth takes new views, and untouched pages cost nothing.
    this.#memory.grow(Math.min(PAGES_MAX, Math.max(pages, have * GROWTH)) - have);
  }

  /** Gives a block back; `size` as it was asked for. */
  release(address: number, size: number): void {
    const rounded = blockSize(size);
    const blocks = this.#free.get(rounded);
    if (blocks === undefined) this.#free.set(rounded, [address]);
    else blocks.push(address);
  }

  /** Bytes from the start of memory to the end of the last block. */
  get used(): number {
    return this.#end;
  }

  #refresh(): void {
    // Views of a detached buffer are empty. Asking the memory for its buffer takes far longer.
    if (this.#words.length > 0) return;
    this.#words = new Uint32Array(this.#memory.buffer);
    this.#bytes = new Uint8Array(this.#memory.buffer);
    this.#data = new DataView(this.#memory.buffer);
  }
}

/** The next address on a cache line. */
function align(address: number): number {
  return Math.ceil(address / ALIGNMENT) * ALIGNMENT;
}

/** Sizes are rounded to eighths of a power of two, so that a slightly larger table can reuse the block of the one before. */
function blockSize(size: number): number {
  if (size <= ALIGNMENT) return ALIGNMENT;
  const bits = 32 - Math.clz32(size - 1); // of the power of two that is as large or the next one
  const step = 1 << Math.max(ALIGNMENT_BITS, bits - 3);
  return Math.ceil(size / step) * step;
}
