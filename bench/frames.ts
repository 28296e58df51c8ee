// Frames: what does an Ethernet frame of an established connection cost, from parsing to the rewritten copy in the transmit ring?
import { establishedWorkload } from './established.ts';
import { series, timesAsLong } from './measurement.ts';
import type { Case, Question } from './question.ts';
import { NATIVE } from './variants.ts';

function frameCase(flowCount: number): Case {
  return {
    name: '',
    size: flowCount,
    workload: { ...establishedWorkload(flowCount), frames: 'transmit' },
    passCount: 3,
    // The TypeScript engine takes seconds a round.
    variants: flowCount > 1000 ? ['wasm', 'twin', ...NATIVE] : ['wasm', 'js', 'twin', ...NATIVE],
  };
}

export const frames: Question = {
  name: 'frames',
  text: 'Frames: what does one cost end to end: parse, conntrack, DNAT, checksums, counters, copy to the transmit ring? (54 bytes, rings of 256, uniformly random)',
  sizeOf: 'connections',
  cases: [1000, 100_000, 1_000_000].map(frameCase),
  fullCases: [],
  smokeCases: [{ ...frameCase(1000), passCount: 1 }],
  reading: (measurements) => {
    const speeds = series(measurements, 'wasm', '').map(
      ({ size, median }) => `${(1000 / median).toFixed(1)} M frames/s at ${size.toLocaleString('en-US')}`,
    );
    return `wasm: ${speeds.join(', ')}; ${timesAsLong(measurements, { twin: 'the twin', js: 'the TypeScript engine' })}.`;
  },
};
