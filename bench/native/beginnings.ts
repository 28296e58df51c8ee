// The native reference for new connections: C opens those that stand, begins and takes back the others, all by itself.
import { PACKET_LAYOUT, VERDICT_LAYOUT } from 'svcplane';
import type { Processor, ProcessorBatch, ProcessorCounters } from '../processor.ts';
import type { TwinOptions } from '../twin/twin.ts';
import { loadNative, type NativeReferenceV4 } from './build.ts';
import { serve } from './services.ts';

/** How C finds a Service, by its numbers. */
const FINDERS = { lookUp: 0, scanExact: 1, scanMasked: 2 } as const;

export class NativeBeginnings implements Processor {
  readonly #reference: NativeReferenceV4;
  readonly #finder: number;
  readonly #prefetches: number;
  readonly #nowMs: number;
  #packets = 0;
  #newConnections = 0;

  /** Of IPv4, in IPVS mode, or past rules with one backend each: C knows no chances. */
  constructor(options: TwinOptions, prefetches: boolean) {
    const { services, mode, flowCount, nowMs } = options;
    const isScanned = mode === 'iptables';
    if (mode === 'nftables' || (isScanned && services.some(({ endpoints }) => endpoints.length > 1))) {
      throw new Error(`the native reference does not choose backends as ${mode} mode does`);
    }
    this.#finder = !isScanned ? FINDERS.lookUp : services.some(({ range }) => range !== undefined) ? FINDERS.scanMasked : FINDERS.scanExact;
    this.#prefetches = prefetches ? 1 : 0;
    this.#nowMs = nowMs;
    this.#reference = loadNative('IPv4');
    this.#reference.create(flowCount);
    serve(this.#reference, options);
  }

  createBatch(capacity: number): ProcessorBatch {
    const words = new Uint32Array(capacity * PACKET_LAYOUT.IPv4.words);
    const verdictWords = new Uint32Array(capacity * VERDICT_LAYOUT.IPv4.words);
    const batch = {
      words,
      verdictWords,
      count: 0,
      process: () => {
        const { count } = batch;
        this.#newConnections += this.#reference.processBeginnings(words, verdictWords, count, this.#nowMs, this.#prefetches, this.#finder);
        this.#packets += count;
      },
    };
    return batch;
  }

  counters(): ProcessorCounters {
    return { packets: this.#packets, newConnections: this.#newConnections, established: 0, connections: 0 };
  }
}
