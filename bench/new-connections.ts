// New connections: what does it cost to begin one, when a round begins 10,000 or 100,000 on empty connection state?
import { ratioRange, whereWasmLoses } from './measurement.ts';
import { type Case, type Question, SEED } from './question.ts';
import type { Workload } from './workload.ts';

/** Whole batches of 256. */
const FEW = 10_240;
const MANY = 102_400;
const MILLION = 1_024_000;

function newCase(mode: Workload['mode'], serviceCount: number, flowCount: number): Case {
  return {
    name: mode,
    size: flowCount,
    passCount: flowCount === FEW ? 3 : 1,
    workload: {
      mode,
      serviceCount,
      endpointsPerService: 10,
      aim: 'random',
      connections: 'new',
      flowCount,
      packetCount: flowCount,
      packetsPerPass: flowCount,
      batchSize: 256,
      seed: SEED,
    },
  };
}

export const newConnections: Question = {
  name: 'new-connections',
  text: 'New connections: what does it cost to begin one? (iptables with 10 Services, IPVS with 1,000, 10 endpoints each; a pass starts with no connections)',
  sizeOf: 'connections',
  cases: [newCase('iptables', 10, FEW), newCase('iptables', 10, MANY), newCase('ipvs', 1000, FEW), newCase('ipvs', 1000, MANY)],
  fullCases: [{ ...newCase('ipvs', 1000, MILLION), variants: ['wasm', 'wasm-single', 'twin', 'twin-staged', 'map'] }],
  smokeCases: [newCase('iptables', 10, FEW)],
  reading: (measurements) =>
    `The twin takes ${ratioRange(measurements, 'twin')} times as long as wasm, the TypeScript engine ${ratioRange(measurements, 'js')} times. ` +
    `${whereWasmLoses(measurements)}. The twin skips what is the same for each of these packets, local addresses, filter chains, ipsets, and keeps no connections of IPVS beside those of conntrack.`,
};
