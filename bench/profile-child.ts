// One workload on the WebAssembly engine under V8's profiler, in a process of its own. The setup comes as JSON in the first argument, the
// time of each function of the core leaves as JSON.
import { readFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { EngineProcessor } from './engine-processor.ts';
import { FramePasses } from './frame-passes.ts';
import { Passes } from './passes.ts';
import type { Workload } from './workload.ts';

export interface ProfileSetup {
  /** The file of a core with names. */
  readonly core: string;
  readonly workload: Workload;
  readonly passCount: number;
}

export interface ProfileFigures {
  readonly nsPerPacket: number;
  /** By function of the core. */
  readonly microseconds: Readonly<Record<string, number>>;
}

const WARMUP_PASSES = 6;
const INTERVAL_US = 100;

async function measure({ core, workload, passCount }: ProfileSetup): Promise<ProfileFigures> {
  const processor = new EngineProcessor('wasm', workload, false, readFileSync(core));
  const passes = workload.frames === undefined ? new Passes(processor, workload) : new FramePasses(processor, workload);
  const pass = (): number => {
    passes.reset();
    const start = performance.now();
    passes.run();
    return performance.now() - start;
  };
  for (let warm = 0; warm < WARMUP_PASSES; warm++) pass();
  const alone = Array.from({ length: passCount }, pass).toSorted((a, b) => a - b);
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: INTERVAL_US });
  const microseconds: Record<string, number> = {};
  for (let turn = 0; turn < passCount; turn++) {
    passes.reset();
    await session.post('Profiler.start');
    passes.run();
    const { profile } = await session.post('Profiler.stop');
    const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
    profile.samples?.forEach((id, index) => {
      const frame = frames.get(id);
      if (frame?.url.startsWith('wasm:') !== true) return;
      microseconds[frame.functionName] = (microseconds[frame.functionName] ?? 0) + (profile.timeDeltas?.[index] ?? 0);
    });
  }
  const middle = alone[Math.floor(passCount / 2)] ?? Number.NaN;
  return { nsPerPacket: (middle * 1e6) / workload.packetsPerPass, microseconds };
}

process.stdout.write(JSON.stringify(await measure(JSON.parse(process.argv[2] ?? ''))));
