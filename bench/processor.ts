// What the variants have in common: batches of packet and verdict records, processed in order, and counters.
import { createDataplaneSync } from 'svcplane';
import { Twin } from './twin/twin.ts';
import { benchObjects, benchServices, type Workload } from './workload.ts';

/** `wasm` and `js`: the library's engines through createBatch and processBatch. `twin`: typed arrays in TypeScript, made for the benchmark. */
export type VariantName = 'wasm' | 'js' | 'twin';

export const VARIANTS: readonly VariantName[] = ['wasm', 'js', 'twin'];

export interface ProcessorBatch {
  /** Records of packets and of verdicts, as PACKET_LAYOUT and VERDICT_LAYOUT say. */
  readonly words: Uint32Array;
  readonly verdictWords: Uint32Array;
  count: number;
  process(): void;
}

export interface ProcessorCounters {
  readonly packets: number;
  readonly newConnections: number;
  readonly established: number;
  /** Connections that stand. */
  readonly connections: number;
}

export interface Processor {
  createBatch(capacity: number): ProcessorBatch;
  counters(): ProcessorCounters;
}

/** The clock stands still: nothing expires, and no variant pays for asking the time. */
const NOW_MS = 1000;

export function createProcessor(variant: VariantName, workload: Workload): Processor {
  const services = benchServices(workload);
  const { mode, seed, flowCount } = workload;
  if (variant === 'twin') return new Twin({ mode, services, seed, flowCount, nowMs: NOW_MS });
  const dataplane = createDataplaneSync({
    engine: variant,
    mode,
    seed,
    nodeName: 'bench',
    nodeIPs: ['192.168.0.11'],
    conntrackMax: Math.max(flowCount, 1024),
    now: () => NOW_MS,
  });
  dataplane.apply(benchObjects(services));
  return {
    createBatch: (capacity) => {
      const batch = dataplane.createBatch(capacity);
      const process = (): void => dataplane.processBatch(batch);
      return {
        get words(): Uint32Array {
          return batch.words;
        },
        get verdictWords(): Uint32Array {
          return batch.verdictWords;
        },
        get count(): number {
          return batch.count;
        },
        set count(count: number) {
          batch.count = count;
        },
        process,
      };
    },
    counters: () => dataplane.counters(),
  };
}
