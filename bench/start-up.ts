// Start-up: how long from `import` to the verdict of the first packet, in a fresh process, with the package as npm would install it?
import { execFile, execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { alignColumns } from './report.ts';
import { type Summary, summarize } from './statistics.ts';

export const START_UP = 'start-up';

const PROCESSES = 10;
const PROCESSES_SMOKE = 2;
const ENGINES = ['wasm', 'js'] as const;

/** Milliseconds of one process, one after the other; `node` is what passed before the first line of the script. */
export interface StartUpTimes {
  readonly node: number;
  readonly import: number;
  readonly create: number;
  readonly apply: number;
  readonly packet: number;
}

const STAGES = ['import', 'create', 'apply', 'packet'] as const;

export interface StartUp {
  readonly engine: (typeof ENGINES)[number];
  readonly processes: number;
  /** Of all stages but `node`. */
  readonly total: Summary;
  readonly stages: Readonly<Record<keyof StartUpTimes, number>>;
  readonly coreBytes: number;
}

export async function measureStartUp(isSmoke: boolean): Promise<StartUp[]> {
  const folder = installedPackage();
  try {
    const times = new Map<string, StartUpTimes[]>(ENGINES.map((engine) => [engine, []]));
    for (let turn = 0; turn < (isSmoke ? PROCESSES_SMOKE : PROCESSES); turn++) {
      for (const engine of ENGINES) {
        const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'start-up-child.mjs'), engine]);
        times.get(engine)?.push(JSON.parse(stdout));
      }
    }
    const coreBytes = statSync(join(folder, 'dist', 'core.wasm')).size;
    return ENGINES.map((engine) => startUpOf(engine, times.get(engine) ?? [], coreBytes));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function startUpOf(engine: StartUp['engine'], times: readonly StartUpTimes[], coreBytes: number): StartUp {
  const median = (stage: keyof StartUpTimes) => summarize(times.map((one) => one[stage])).median;
  return {
    engine,
    processes: times.length,
    total: summarize(times.map((one) => STAGES.reduce((sum, stage) => sum + one[stage], 0))),
    stages: { node: median('node'), import: median('import'), create: median('create'), apply: median('apply'), packet: median('packet') },
    coreBytes,
  };
}

/** A folder with the built package as `npm pack` bundles it, and the script beside it: there `svcplane` is that package. */
function installedPackage(): string {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'svcplane-start-up-'));
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
  copyFileSync(join(root, 'package.json'), join(folder, 'package.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  execFileSync(process.execPath, [join(root, 'scripts', 'bundle-dist.mjs')], { cwd: folder });
  copyFileSync(join(root, 'bench', 'start-up-child.mjs'), join(folder, 'start-up-child.mjs'));
  return folder;
}

export function startUpLine({ engine, processes, total, stages, coreBytes }: StartUp): string {
  const round = (value: number) => Number(value.toFixed(2));
  const { min, median, p95 } = total;
  const ofStages = Object.fromEntries(Object.entries(stages).map(([stage, ms]) => [`${stage}Ms`, round(ms)]));
  return JSON.stringify({
    bench: START_UP,
    variant: engine,
    size: processes,
    min: round(min),
    median: round(median),
    p95: round(p95),
    unit: 'ms',
    ...ofStages,
    coreBytes,
  });
}

export function startUpText(measured: readonly StartUp[]): string {
  const ms = (value: number) => value.toFixed(1);
  const rows = measured.map(({ engine, total, stages }) => [
    engine,
    ms(total.min),
    ms(total.median),
    ms(total.p95),
    ...[...STAGES, 'node' as const].map((stage) => ms(stages[stage])),
  ]);
  return [
    `Start-up: how long from import to the first verdict? (milliseconds, ${measured[0]?.processes} fresh processes each, the package as it is packed)\n`,
    alignColumns([['engine', 'min', 'median', 'p95', ...STAGES, 'node itself'], ...rows], new Set([0])),
    `\nThe core has ${measured[0]?.coreBytes.toLocaleString('en-US')} bytes. The stages are medians; what node takes before is not in the sum.\n`,
  ].join('\n');
}
