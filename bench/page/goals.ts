// What the project wants to reach, and whether results reach it. Absolute goals hold for a quiet machine, ratios for any.
import { type Figure, numberOf, type ResultLine, type Results } from '../results.ts';
import { count, figure, table } from './markdown.ts';

export interface Goal {
  readonly goal: string;
  readonly unit: 'M/s' | 'x' | '%' | 'us' | 'bytes' | 'KiB' | 'ms';
  readonly floor: number;
  readonly stretch?: number;
  /** Undefined: it was not measured. */
  readonly reached: number | undefined;
  /** Less is better. */
  readonly isCeiling?: true;
  /** What C with prefetch reaches with the same work on this machine. */
  readonly native?: number | undefined;
}

const FLOWS = [1000, 100_000, 1_000_000] as const;
const MILLION = 1_000_000;
const MODES = ['iptables', 'nftables', 'ipvs'] as const;
/** The goals of the control plane are for so many Services. */
const SERVICES = 10_000;

export function goalsOf({ lines, figures }: Pick<Results, 'lines' | 'figures'>): Goal[] {
  return [...packetGoals(lines), ...memoryGoals(figures), ...startGoals(figures), ...controlPlaneGoals(figures)];
}

function packetGoals(lines: readonly ResultLine[]): Goal[] {
  const find = (bench: string, size: number, variant: string) =>
    lines.find((line) => line.bench === bench && line.size === size && line.variant === variant);
  const speed = (bench: string, size: number, variant = 'wasm'): number | undefined => perSecond(find(bench, size, variant));
  const times = (bench: string, size: number, variant: string): number | undefined => find(bench, size, variant)?.ratioToWasm?.median;
  /** The same ratio, of C with prefetch. */
  const nativeTimes = (bench: string, size: number, variant: string): number | undefined => {
    const [other, native] = [times(bench, size, variant), times(bench, size, 'native-prefetch')];
    return other === undefined || native === undefined ? undefined : other / native;
  };
  const microseconds = (bench: string, size: number, variant = 'wasm'): number | undefined => {
    const line = find(bench, size, variant);
    return line === undefined ? undefined : line.nsPerPacket / 1000;
  };
  const atFlows = (goal: string, bench: string, goals: readonly (readonly [size: number, floor: number, stretch: number])[]) =>
    goals.map(([size, floor, stretch]): Goal => {
      const native = speed(bench, size, 'native-prefetch');
      return { goal: `${goal}, ${count(size)} flows`, unit: 'M/s', floor, stretch, reached: speed(bench, size), native };
    });
  const against = (goal: string, variant: string, goals: readonly (readonly [size: number, floor: number, stretch: number])[]) =>
    goals.map(([size, floor, stretch]): Goal => {
      const [reached, native] = [times('established', size, variant), nativeTimes('established', size, variant)];
      return { goal: `${goal}, ${count(size)} flows`, unit: 'x', floor, stretch, reached, native };
    });
  return [
    ...atFlows('established IPv4', 'established', [
      [1000, 120, 180],
      [100_000, 75, 110],
      [MILLION, 45, 60],
    ]),
    ...atFlows('established IPv6', 'established/IPv6', [
      [1000, 60, 100],
      [MILLION, 30, 50],
    ]),
    ...FLOWS.map((size): Goal => {
      const ratio = times('established', size, 'native-prefetch');
      const reached = ratio === undefined ? undefined : ratio * 100;
      return { goal: `share of native C with prefetch, ${count(size)} flows`, unit: '%', floor: 60, stretch: 75, reached };
    }),
    ...against('against the twin, one packet at a time', 'twin', [
      [1000, 2.2, 2.6],
      [100_000, 3.5, 4.5],
      [MILLION, 5, 6.5],
    ]),
    ...against(
      'against the staged twin',
      'twin-staged',
      FLOWS.map((size) => [size, 2.2, 3] as const),
    ),
    ...against(
      'against Map code',
      'map',
      FLOWS.slice(1).map((size) => [size, 90, 120] as const),
    ),
    {
      goal: 'frames end to end, 1,000,000 flows',
      unit: 'M/s',
      floor: 20,
      stretch: 30,
      reached: speed('frames', MILLION),
      native: speed('frames', MILLION, 'native-prefetch'),
    },
    {
      goal: 'frames against the twin, 1,000,000 flows',
      unit: 'x',
      floor: 6,
      stretch: 8,
      reached: times('frames', MILLION, 'twin'),
      native: nativeTimes('frames', MILLION, 'twin'),
    },
    ...(
      [
        ['rr', 15, 30],
        ['mh', 8, 15],
      ] as const
    ).map(([scheduler, floor, stretch]): Goal => {
      const bench = `new-connections/ipvs-${scheduler}-beside`;
      const goal = `new connections into a table of 1,000,000, ${scheduler}`;
      return { goal, unit: 'M/s', floor, stretch, reached: speed(bench, MILLION), native: speed(bench, MILLION, 'native-prefetch') };
    }),
    ...(
      [
        ['exact', 4, 2],
        ['masked', 8, 5],
      ] as const
    ).map(([kind, floor, stretch]): Goal => {
      const [bench, goal] = [`scan-rules/${kind}`, `first packet past 50,000 rules, ${kind}`];
      const [reached, native] = [microseconds(bench, 50_000), microseconds(bench, 50_000, 'native-prefetch')];
      return { goal, unit: 'us', floor, stretch, reached, native, isCeiling: true };
    }),
    ...(['exact', 'masked'] as const).map(
      (kind): Goal => ({
        goal: `that scan against the twin, ${kind}`,
        unit: 'x',
        floor: 20,
        reached: times(`scan-rules/${kind}`, 50_000, 'twin'),
        native: nativeTimes(`scan-rules/${kind}`, 50_000, 'twin'),
      }),
    ),
  ];
}

function memoryGoals(figures: readonly Figure[]): Goal[] {
  return (
    [
      ['IPv4', 128, 96],
      ['IPv6', 208, 144],
    ] as const
  ).flatMap(([family, floor, stretch]): Goal[] => {
    const tables = figures.filter((one) => one.bench === 'connection-table' && one.case === family);
    const largest = tables.toSorted((a, b) => b.size - a.size)[0];
    const read = (name: string) => numberOf(largest, name);
    const [flood, calm] = [read('nsPerEstablishedInFlood'), read('nsPerEstablished')];
    const slowdown = flood === undefined || calm === undefined ? undefined : flood / calm;
    const isCeiling = true;
    return [
      { goal: `memory a tracked connection, ${family}`, unit: 'bytes', floor, stretch, reached: read('bytesPerConnection'), isCeiling },
      { goal: `growing pauses at most, ${family}`, unit: 'ms', floor: 5, reached: read('longestPauseMs'), isCeiling },
      { goal: `a flood slows established ones, ${family}`, unit: 'x', floor: 2, reached: slowdown, isCeiling },
    ];
  });
}

function startGoals(figures: readonly Figure[]): Goal[] {
  const start = figures.find(({ bench, variant }) => bench === 'start-up' && variant === 'wasm');
  const bytes = numberOf(start, 'coreBytes');
  const kibibytes = bytes === undefined ? undefined : bytes / 1024;
  return [
    { goal: 'size of the core, raw', unit: 'KiB', floor: 48, stretch: 32, reached: kibibytes, isCeiling: true },
    { goal: 'start-up, import to first packet', unit: 'ms', floor: 25, stretch: 10, reached: numberOf(start, 'median'), isCeiling: true },
  ];
}

function controlPlaneGoals(figures: readonly Figure[]): Goal[] {
  return MODES.flatMap((mode): Goal[] => {
    const own = figures.find(
      ({ bench, variant, size }) => bench === `control-plane/${mode}-IPv4` && variant === 'wasm' && size === SERVICES,
    );
    const isCeiling = true;
    return [
      { goal: `10,000 Services x 10 endpoints applied, ${mode}`, unit: 'ms', floor: 1500, reached: numberOf(own, 'applyMs'), isCeiling },
      { goal: `of that the tables, ${mode}`, unit: 'ms', floor: 5, reached: numberOf(own, 'tablesMs'), isCeiling },
      { goal: `a changed slice to the next packet, ${mode}`, unit: 'ms', floor: 1, reached: numberOf(own, 'median'), isCeiling },
    ];
  });
}

function perSecond(line: ResultLine | undefined): number | undefined {
  return line === undefined ? undefined : 1000 / line.nsPerPacket;
}

export function isMet({ floor, reached, isCeiling }: Goal): boolean | undefined {
  return isWithin(floor, reached, isCeiling);
}

function isWithin(goal: number, reached: number | undefined, isCeiling: true | undefined): boolean | undefined {
  if (reached === undefined) return undefined;
  return isCeiling ? reached <= goal : reached >= goal;
}

export function goalTable(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => {
    const limit = (value: number | undefined) => (value === undefined ? '' : `${goal.isCeiling ? '≤ ' : ''}${value}`);
    return [
      goal.goal,
      goal.unit,
      limit(goal.floor),
      limit(goal.stretch),
      goal.reached === undefined ? 'not measured' : figure(goal.reached),
      verdict(goal),
      goal.native === undefined ? '' : figure(goal.native),
    ];
  });
  return table(['goal', 'unit', 'floor', 'stretch', 'reached', 'met', 'C with prefetch, same machine'], rows);
}

/** Plainly, and beside it whether C with prefetch could do it on this machine at all. */
function verdict(goal: Goal): string {
  const { floor, stretch, reached, isCeiling } = goal;
  if (reached === undefined) return '';
  if (stretch !== undefined && isWithin(stretch, reached, isCeiling)) return 'yes, and the stretch';
  if (isWithin(floor, reached, isCeiling)) return 'yes';
  return isBeyondNative(goal) ? '**no**; C does not either' : '**no**';
}

/** C with prefetch does not meet it on this machine. */
function isBeyondNative({ floor, native, isCeiling }: Goal): boolean {
  return isWithin(floor, native, isCeiling) === false;
}

/** How many goals are met, in a sentence. */
export function goalsText(goals: readonly Goal[]): string {
  const measured = goals.filter(({ reached }) => reached !== undefined);
  const met = measured.filter(isMet);
  const hopeless = measured.filter((goal) => !isMet(goal) && isBeyondNative(goal));
  const beyond =
    hopeless.length === 0
      ? ''
      : ` ${hopeless.length} of those that are not met lie beyond this machine: C with prefetch, which does the bare work alone, does not reach them either.`;
  return `${met.length} of ${measured.length} floors that were measured are met.${beyond} Absolute goals were set for a quiet machine of this kind; ratios hold on any.`;
}
