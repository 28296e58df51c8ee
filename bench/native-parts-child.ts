// The parts of C's work in one process: passes with the first part alone, with two, and so on, in turn. The number of connections is the
// first argument; what each part adds leaves as JSON.
import { twinOptions } from './create-processor.ts';
import { establishedWorkload } from './established.ts';
import { Native, type NativePart } from './native/native.ts';
import type { NativeParts } from './native-parts.ts';
import { Passes } from './passes.ts';
import { median } from './statistics.ts';
import { Twin } from './twin/twin.ts';

const TURNS = 41;
const PARTS: readonly (NativePart | undefined)[] = [1, 2, 3, undefined];

function measure(flowCount: number): NativeParts {
  const workload = establishedWorkload(flowCount);
  const options = twinOptions(workload);
  const native = new Native(new Twin(options), options, true);
  const passes = new Passes(native, workload);
  const samples = PARTS.map((): number[] => []);
  for (let turn = 0; turn < TURNS; turn++) {
    PARTS.forEach((parts, index) => {
      native.parts = parts;
      const start = performance.now();
      passes.run();
      samples[index]?.push(((performance.now() - start) * 1e6) / workload.packetsPerPass);
    });
  }
  const [hash = 0, found = 0, updated = 0, all = 0] = samples.map(median);
  return { hash, lookUp: found - hash, upkeep: updated - found, verdict: all - updated };
}

process.stdout.write(JSON.stringify(measure(Number(process.argv[2]))));
