// What the project wants to reach, and whether results reach it. Absolute floors hold for a quiet machine; ratios hold on any.
import type { ResultLine } from './results.ts';

export interface Floor {
  readonly goal: string;
  readonly unit: 'M/s' | 'x' | '%' | 'us';
  readonly floor: number;
  /** Undefined: it was not measured. */
  readonly reached: number | undefined;
  /** Less is better. */
  readonly isCeiling?: true;
}

type Find = (bench: string, size: number, variant: string) => ResultLine | undefined;

const FLOWS = [1000, 100_000, 1_000_000] as const;

export function floorsOf(lines: readonly ResultLine[]): Floor[] {
  const find: Find = (bench, size, variant) => lines.find((line) => line.bench === bench && line.size === size && line.variant === variant);
  const speed = (bench: string, size: number): number | undefined => {
    const line = find(bench, size, 'wasm');
    return line === undefined ? undefined : 1000 / line.nsPerPacket;
  };
  const times = (bench: string, size: number, variant: string): number | undefined => find(bench, size, variant)?.ratioToWasm?.median;
  const ofNative = (size: number): number | undefined => {
    const ratio = times('established', size, 'native-prefetch');
    return ratio === undefined ? undefined : ratio * 100;
  };
  const scan = find('scan-or-lookup/iptables-last', 50_000, 'wasm');
  return [
    ...FLOWS.map(
      (size, index) =>
        ({
          goal: `established IPv4, ${count(size)} flows`,
          unit: 'M/s',
          floor: [120, 75, 45][index] ?? 0,
          reached: speed('established', size),
        }) as const,
    ),
    ...FLOWS.map(
      (size) => ({ goal: `share of native C with prefetch, ${count(size)} flows`, unit: '%', floor: 60, reached: ofNative(size) }) as const,
    ),
    ...FLOWS.map(
      (size, index) =>
        ({
          goal: `against the twin, ${count(size)} flows`,
          unit: 'x',
          floor: [2.2, 3.5, 5][index] ?? 0,
          reached: times('established', size, 'twin'),
        }) as const,
    ),
    ...FLOWS.map(
      (size) =>
        ({
          goal: `against the staged twin, ${count(size)} flows`,
          unit: 'x',
          floor: 2.2,
          reached: times('established', size, 'twin-staged'),
        }) as const,
    ),
    ...FLOWS.slice(1).map(
      (size) =>
        ({ goal: `against Map code, ${count(size)} flows`, unit: 'x', floor: 90, reached: times('established', size, 'map') }) as const,
    ),
    { goal: 'frames end to end, 1,000,000 flows', unit: 'M/s', floor: 20, reached: speed('frames', 1_000_000) },
    { goal: 'frames against the twin, 1,000,000 flows', unit: 'x', floor: 6, reached: times('frames', 1_000_000, 'twin') },
    { goal: 'new connections into a table of 1,024,000, rr', unit: 'M/s', floor: 15, reached: speed('new-connections/ipvs', 1_024_000) },
    {
      goal: 'first packet past 50,000 Services, scanned',
      unit: 'us',
      floor: 4,
      reached: scan === undefined ? undefined : scan.nsPerPacket / 1000,
      isCeiling: true,
    },
    { goal: 'that scan against the twin', unit: 'x', floor: 20, reached: times('scan-or-lookup/iptables-last', 50_000, 'twin') },
  ];
}

export function isMet({ floor, reached, isCeiling }: Floor): boolean | undefined {
  if (reached === undefined) return undefined;
  return isCeiling ? reached <= floor : reached >= floor;
}

function count(size: number): string {
  return size.toLocaleString('en-US');
}
