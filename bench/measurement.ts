// One measured variant of one case, and the sentence parts that several questions make of such figures.
import type { Ratio } from './statistics.ts';
import type { VariantName } from './variants.ts';

export interface Measurement {
  readonly bench: string;
  /** The name of the case. */
  readonly case: string;
  readonly variant: VariantName;
  readonly size: number;
  /** Nanoseconds a packet: the first pass of a fresh process; minimum and 95th percentile of all warm passes; median of the starts' medians. */
  readonly cold: number;
  readonly min: number;
  readonly median: number;
  readonly p95: number;
  /** The median of each start of the processes. */
  readonly startMedians: readonly number[];
  /** Time of this variant by time of wasm, round by round: above 1, wasm is faster. Undefined where wasm takes no part. */
  readonly ratioToWasm: Ratio | undefined;
  /** Time of this variant by time of the twin: below 1, it is faster than the twin. */
  readonly ratioToTwin: Ratio | undefined;
  /** Mean of the verdicts' rulesEvaluated; the twin counts the rows of its scan alone. */
  readonly rulesEvaluated: number;
  /** Of each start. */
  readonly rounds: number;
}

/** A difference smaller than this is none. */
const TIE = 0.05;

/** This many rows are named one by one. */
const NAMED_ROWS = 3;

/** Where another variant beats WebAssembly and by how much, or that none does. */
export function whereWasmLoses(measurements: readonly Measurement[]): string {
  const parts = (['twin', 'js'] as const).flatMap((variant) => {
    const rows = measurements.filter((one) => one.variant === variant);
    const lost = rows.filter(({ ratioToWasm }) => (ratioToWasm?.median ?? 1) < 1 - TIE);
    if (lost.length === 0) return [];
    const speeds = lost.map(({ ratioToWasm }) => (1 / (ratioToWasm?.median ?? 1)).toFixed(1)).toSorted((a, b) => Number(a) - Number(b));
    const range = [...new Set([speeds.at(0), speeds.at(-1)])].join('-');
    const where = lost.length > NAMED_ROWS ? `in ${lost.length} of ${rows.length} rows` : `at ${lost.map(describeCase).join(', ')}`;
    return [`${variant} ${where} (${range} times faster)`];
  });
  if (parts.length === 0) return 'WebAssembly does not lose in any row';
  return `WebAssembly does not win everywhere: it loses to ${parts.join(' and ')}`;
}

/** The figures of one variant of one case, by size. */
export function series(measurements: readonly Measurement[], variant: VariantName, name: string): readonly Measurement[] {
  return measurements.filter((one) => one.variant === variant && one.case === name).toSorted((a, b) => a.size - b.size);
}

/** The range of a variant's ratios: `2.1-3.4`. */
function ratioRange(measurements: readonly Measurement[], variant: VariantName): string {
  const ratios = measurements.filter((one) => one.variant === variant).flatMap(({ ratioToWasm }) => ratioToWasm?.median ?? []);
  const [low, high] = [Math.min(...ratios), Math.max(...ratios)].map((ratio) => ratio.toFixed(1));
  return low === high ? `${low}` : `${low}-${high}`;
}

/** How much longer others take than wasm: those of them that were measured. */
export function timesAsLong(measurements: readonly Measurement[], others: Readonly<Partial<Record<VariantName, string>>>): string {
  const parts = (Object.entries(others) as [VariantName, string][])
    .filter(([variant]) => measurements.some((one) => one.variant === variant))
    .map(([variant, name]) => `${name} ${ratioRange(measurements, variant)}`);
  return parts.length === 0 ? 'nothing else was measured' : `in times of wasm's time: ${parts.join(', ')}`;
}

function describeCase({ case: name, size }: Measurement): string {
  return [name, size.toLocaleString('en-US')].filter((part) => part !== '').join(' ');
}
