// The native reference as a variant: the twin opens the connections, their tuples go into the C table, and from then on C runs the packets.
import type { Processor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import { ENTRY_IS_DNAT, ENTRY_SERVICE, ENTRY_STATE, ENTRY_TUPLES } from '../twin/connections.ts';
import type { Twin, TwinOptions } from '../twin/twin.ts';
import { loadNative, type NativeReference } from './build.ts';

/** 1: hash; 2: and look-up; 3: and state, timer, counters. */
export type NativePart = 1 | 2 | 3;

export class Native implements Processor {
  readonly #twin: Twin;
  readonly #reference: NativeReference;
  readonly #prefetches: number;
  readonly #nowMs: number;
  #isSettled = false;
  /** Only so many parts of the work, and no verdicts; for native-parts.ts. */
  parts: NativePart | undefined;
  #packets = 0;
  #established = 0;

  constructor(twin: Twin, { family = 'IPv4', flowCount, nowMs }: TwinOptions, prefetches: boolean) {
    this.#twin = twin;
    this.#nowMs = nowMs;
    this.#prefetches = prefetches ? 1 : 0;
    this.#reference = loadNative(family);
    this.#reference.create(flowCount);
  }

  /** The connections stand: C takes them over. */
  settle(): void {
    this.#isSettled = true;
    const { words, entryWords, tuples: shape } = this.#twin.connections;
    const tuples = new Uint32Array(2 * shape.words);
    for (let at = 0; at < words.length; at += entryWords) {
      if (words[at + ENTRY_STATE] === 0) continue;
      for (let word = 0; word < tuples.length; word++) tuples[word] = words[at + ENTRY_TUPLES + word] ?? 0;
      this.#reference.insert(tuples, words[at + ENTRY_IS_DNAT] ?? 0, (words[at + ENTRY_SERVICE] ?? 0) >>> 0, this.#nowMs + 1e9);
    }
  }

  createBatch(capacity: number): ProcessorBatch {
    const batch = this.#twin.createBatch(capacity);
    const process = (): void => {
      if (!this.#isSettled) {
        batch.process();
        return;
      }
      const { words, verdictWords, count } = batch;
      if (this.parts !== undefined) {
        this.#reference.processParts(words, count, this.#nowMs, this.parts);
        return;
      }
      this.#established += this.#reference.process(words, verdictWords, count, this.#nowMs, this.#prefetches);
      this.#packets += count;
    };
    return {
      words: batch.words,
      verdictWords: batch.verdictWords,
      get count() {
        return batch.count;
      },
      set count(count) {
        batch.count = count;
      },
      process,
    };
  }

  counters(): ProcessorCounters {
    const before = this.#twin.counters();
    return { ...before, packets: before.packets + this.#packets, established: before.established + this.#established };
  }
}
