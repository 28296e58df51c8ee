// The process of one variant: prepares its workload, then runs what the parent asks for until the parent goes away.
import { setImmediate } from 'node:timers/promises';
import { Bench } from 'tinybench';
import { CLOCKS } from './clocks.ts';
import { watchCollections } from './collections.ts';
import { createFrameProcessor, createProcessor } from './create-processor.ts';
import { FramePasses } from './frame-passes.ts';
import type { Clock, Replies, Reply, Request } from './messages.ts';
import { Passes, type Runner } from './passes.ts';
import type { Workload } from './workload.ts';

interface Prepared {
  readonly passes: Runner;
  readonly workload: Workload;
}

let prepared: Prepared | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (request: Request) => {
  answer(request)
    .catch(
      (error: unknown): Reply => ({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    )
    .then((reply) => process.send?.(reply));
});

async function answer(request: Request): Promise<Reply> {
  if (request.kind === 'prepare') {
    const { variant, workload } = request;
    const passes =
      workload.frames !== undefined
        ? new FramePasses(createFrameProcessor(variant, workload), workload)
        : new Passes(createProcessor(variant, workload), workload);
    prepared = { passes, workload };
    return { kind: 'prepare' };
  }
  if (prepared === undefined) throw new Error(`${request.kind} was asked for before prepare`);
  switch (request.kind) {
    case 'check':
      return check(prepared);
    case 'round':
      return round(prepared, request.passCount, request.clock);
    case 'allocate':
      return await allocate(prepared, request.passCount);
  }
}

function check({ passes }: Prepared): Replies['check'] {
  passes.reset();
  const checked = passes.runChecked();
  passes.verifyCounters();
  return { kind: 'check', ...checked };
}

function round({ passes, workload }: Prepared, passCount: number, clock: Clock): Replies['round'] {
  const bench = new Bench({ now: CLOCKS[clock], time: 0, iterations: passCount, warmup: false, retainSamples: true, throws: true });
  bench.add('pass', () => passes.run(), { async: false, beforeEach: () => passes.reset() });
  const [task] = bench.runSync();
  if (task?.result.state !== 'completed') throw new Error(`the round ended as ${task?.result.state}`);
  const milliseconds = task.result.latency.samples ?? [];
  if (milliseconds.length !== passCount) throw new Error(`${milliseconds.length} passes were timed instead of ${passCount}`);
  return { kind: 'round', samples: milliseconds.map((ms) => (ms * 1e6) / workload.packetsPerPass) };
}

/** How much more of the heap is in use after the passes; any garbage collection in between makes the answer worthless and is counted. */
async function allocate({ passes }: Prepared, passCount: number): Promise<Replies['allocate']> {
  globalThis.gc?.();
  await setImmediate();
  const stop = watchCollections();
  const start = performance.now();
  const before = process.memoryUsage().heapUsed;
  for (let pass = 0; pass < passCount; pass++) passes.run();
  const heapBytes = process.memoryUsage().heapUsed - before;
  const elapsedMs = performance.now() - start;
  const { count: collections } = await stop();
  return { kind: 'allocate', heapBytes, collections, elapsedMs };
}
