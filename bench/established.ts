// Established connections: what does a packet of one of 1,000 to 1,000,000 connections cost?
import { series, timesAsLong, whereWasmLoses } from './measurement.ts';
import { type Case, type Question, SEED } from './question.ts';
import { NATIVE, VARIANTS, type VariantName } from './variants.ts';
import type { Workload } from './workload.ts';

const PACKETS_PER_PASS = 65_536;
const BATCH_SIZE = 256;

/** Flows are drawn uniformly: the worst case for caches. Where they do not fit, each pass takes other ones. */
export function establishedWorkload(flowCount: number, family: 'IPv4' | 'IPv6' = 'IPv4'): Workload {
  return {
    mode: 'iptables',
    family,
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

function flowCase(flowCount: number, variants: readonly VariantName[], family: 'IPv4' | 'IPv6' = 'IPv4'): Case {
  return {
    name: family === 'IPv4' ? '' : family,
    size: flowCount,
    workload: establishedWorkload(flowCount, family),
    passCount: 4,
    variants,
  };
}

const ALL = [...VARIANTS, ...NATIVE];
/** The TypeScript engine takes minutes to open a million connections. */
const LARGE: readonly VariantName[] = ['wasm', 'wasm-single', 'twin', 'twin-staged', 'map', ...NATIVE];
/** Map code takes IPv4 alone. */
const IPV6: readonly VariantName[] = ['wasm', 'twin', 'twin-staged', ...NATIVE];

export const established: Question = {
  name: 'established',
  text: 'Established connections: what does a packet of one of many connections cost? (batches of 256, uniformly random)',
  sizeOf: 'connections',
  cases: [
    flowCase(1000, ALL),
    flowCase(100_000, ALL),
    flowCase(1_000_000, LARGE),
    flowCase(1000, [...IPV6, 'js'], 'IPv6'),
    flowCase(1_000_000, IPV6, 'IPv6'),
  ],
  fullCases: [flowCase(100_000, IPV6, 'IPv6'), flowCase(4_000_000, ['wasm', 'twin', 'twin-staged', ...NATIVE])],
  smokeCases: [
    { ...flowCase(1000, ALL), passCount: 1 },
    { ...flowCase(1000, ['wasm', 'twin'], 'IPv6'), passCount: 1 },
  ],
  reading: (measurements) => {
    const costs = series(measurements, 'wasm', '').map(({ size, median }) => `${Math.round(median)} ns at ${size.toLocaleString('en-US')}`);
    const others = timesAsLong(measurements, {
      twin: 'the twin',
      'twin-staged': 'the staged twin',
      js: 'the TypeScript engine',
      map: 'Map code',
    });
    return `wasm: ${costs.join(', ')}; ${others}. ${whereWasmLoses(measurements)}.`;
  },
};
