// The parts of an established packet in C with prefetch, on the same kind of table as the core's: what does the hash cost, what the look-up,
// what state, timer and counters, what the verdict? The core does them in one loop, where no workload can tell them apart.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { whyNoNative } from './native/build.ts';
import { alignColumns } from './report.ts';

export const NATIVE_PARTS = 'native-parts';

const SIZES = [1000, 100_000, 1_000_000];
const SIZES_SMOKE = [1000];

/** Nanoseconds a packet that each part adds. */
export interface NativeParts {
  readonly hash: number;
  readonly lookUp: number;
  readonly upkeep: number;
  readonly verdict: number;
}

export interface NativePartsAt extends NativeParts {
  readonly size: number;
}

/** Nothing where there is no gcc. */
export async function measureNativeParts(isSmoke: boolean): Promise<NativePartsAt[]> {
  if (whyNoNative() !== undefined) return [];
  const child = fileURLToPath(new URL('./native-parts-child.ts', import.meta.url));
  const measured: NativePartsAt[] = [];
  for (const size of isSmoke ? SIZES_SMOKE : SIZES) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', child, String(size)]);
    measured.push({ size, ...(JSON.parse(stdout) as NativeParts) });
  }
  return measured;
}

export function nativePartsLine({ size, ...parts }: NativePartsAt): string {
  const rounded = Object.fromEntries(Object.entries(parts).map(([name, ns]) => [name, Number(ns.toFixed(2))]));
  return JSON.stringify({ bench: NATIVE_PARTS, variant: 'native-prefetch', size, unit: 'ns/packet, by part', ...rounded });
}

export function nativePartsText(measured: readonly NativePartsAt[]): string {
  const rows = measured.map(({ size, hash, lookUp, upkeep, verdict }) => [
    size.toLocaleString('en-US'),
    ...[hash, lookUp, upkeep, verdict, hash + lookUp + upkeep + verdict].map((ns) => ns.toFixed(1)),
  ]);
  const header = ['connections', 'hash', 'look-up', 'state, timer, counters', 'verdict', 'all'];
  return `Parts of an established packet in C with prefetch: what does each add? (nanoseconds)\n\n${alignColumns([header, ...rows], new Set())}\n`;
}
