// Allocation: does processBatch leave anything on the JavaScript heap? A gate, not a timing.
import { establishedWorkload } from './established.ts';
import { VariantProcess } from './variant-process.ts';

export const ALLOCATION = 'allocation';

export interface Allocation {
  readonly packets: number;
  readonly calls: number;
  /** One number a run. */
  readonly bytesPerPacket: readonly number[];
  readonly nsPerPacket: readonly number[];
}

/**
 * The gate, held against the lowest run: what a packet allocates is allocated in every run, what V8 leaves on the heap when it optimizes
 * (some 100 KiB, once or twice) is not. One object a call of processBatch would be ten times this.
 */
export const BYTES_PER_PACKET_MAX = 0.01;

const FLOWS = 1000;
const WARMUP_PASSES = 50;
const RUNS = 7;
/** Room for what there is to be found: nothing may be collected while it is looked for. */
const NO_COLLECTION = ['--min-semi-space-size=64', '--max-semi-space-size=64'];

/** Runs established packets on the wasm engine and looks at the heap before and after. @throws Error when V8 collected in between */
export async function measureAllocation(passCount: number): Promise<Allocation> {
  const workload = establishedWorkload(FLOWS);
  const packets = passCount * workload.packetsPerPass;
  const bytesPerPacket: number[] = [];
  const nsPerPacket: number[] = [];
  const wasm = new VariantProcess('wasm', NO_COLLECTION);
  try {
    await wasm.ask({ kind: 'prepare', variant: 'wasm', workload });
    await wasm.ask({ kind: 'allocate', passCount: WARMUP_PASSES });
    for (let run = 0; run < RUNS; run++) {
      const { heapBytes, collections, elapsedMs } = await wasm.ask({ kind: 'allocate', passCount });
      if (collections > 0) throw new Error(`${ALLOCATION}: ${collections} garbage collections while measuring`);
      bytesPerPacket.push(heapBytes / packets);
      nsPerPacket.push((elapsedMs * 1e6) / packets);
    }
    await wasm.ask({ kind: 'check' });
  } finally {
    wasm[Symbol.dispose]();
  }
  return { packets, calls: packets / workload.batchSize, bytesPerPacket, nsPerPacket };
}

/** Why the gate is not passed; undefined: it is. */
export function allocationFailure({ bytesPerPacket }: Allocation): string | undefined {
  const least = Math.min(...bytesPerPacket);
  return least > BYTES_PER_PACKET_MAX ? `${ALLOCATION}: ${least} bytes a packet, more than ${BYTES_PER_PACKET_MAX}` : undefined;
}
