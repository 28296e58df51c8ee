// Established connections: what does a packet of one of 1,000 to 1,000,000 connections cost?
import { ratioRange, series, whereWasmLoses } from './measurement.ts';
import { VARIANTS, type VariantName } from './processor.ts';
import { type Case, type Question, SEED } from './question.ts';
import type { Workload } from './workload.ts';

const PACKETS_PER_PASS = 65_536;
const BATCH_SIZE = 256;

/** Flows are drawn uniformly: the worst case for caches. Where they do not fit, each pass takes other ones. */
export function establishedWorkload(flowCount: number): Workload {
  return {
    mode: 'iptables',
    serviceCount: 10,
    endpointsPerService: 10,
    aim: 'random',
    connections: 'established',
    flowCount,
    packetCount: (flowCount > PACKETS_PER_PASS ? 16 : 1) * PACKETS_PER_PASS,
    packetsPerPass: PACKETS_PER_PASS,
    batchSize: BATCH_SIZE,
    seed: SEED,
  };
}

function flowCase(flowCount: number): Case {
  return {
    name: '',
    size: flowCount,
    workload: establishedWorkload(flowCount),
    passCount: 4,
    variants: [...VARIANTS, 'native', 'native-prefetch'],
  };
}

/** The TypeScript engine takes minutes to open a million connections. */
const LARGE: readonly VariantName[] = ['wasm', 'wasm-single', 'twin', 'twin-staged', 'map', 'native', 'native-prefetch'];

export const established: Question = {
  name: 'established',
  text: 'Established connections: what does a packet of one of many connections cost? (batches of 256, uniformly random)',
  sizeOf: 'connections',
  cases: [flowCase(1000), flowCase(100_000), { ...flowCase(1_000_000), variants: LARGE }],
  fullCases: [{ ...flowCase(4_000_000), variants: LARGE.filter((variant) => variant !== 'map') }],
  smokeCases: [{ ...flowCase(1000), passCount: 1 }],
  reading: (measurements) => {
    const costs = series(measurements, 'wasm', '').map(({ size, median }) => `${Math.round(median)} ns at ${size.toLocaleString('en-US')}`);
    const others = `the twin takes ${ratioRange(measurements, 'twin')} times as long, the TypeScript engine ${ratioRange(measurements, 'js')} times`;
    return `wasm: ${costs.join(', ')}; ${others}. ${whereWasmLoses(measurements)}.`;
  },
};
