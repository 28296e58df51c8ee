// IPVS's schedulers: what does picking a server cost, for 3 to 1,000 servers, and what a packet of a connection that stands?
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { SCHEDULERS, type SchedulerName } from '../src/ipvs/keys.ts';
import type { Clock } from './messages.ts';
import { alignColumns } from './report.ts';
import type { ResultLine } from './results.ts';
import type { SchedulerRound, SchedulerSetup } from './scheduler-child.ts';
import { type Summary, summarize } from './statistics.ts';

export const SCHEDULER_COSTS = 'schedulers';

const SIZES: readonly number[] = [3, 10, 100, 1000];
const SMOKE_SIZES: readonly number[] = [3, 100];
const SMOKE_SCHEDULERS: readonly SchedulerName[] = ['rr', 'wlc', 'mh'];
/** Rounds before those that count. */
const WARMUP_ROUNDS = 2;

/** Of one scheduler on one engine with so many servers; nanoseconds a packet. */
export interface SchedulerCost {
  readonly scheduler: SchedulerName;
  readonly engine: SchedulerRound['engine'];
  readonly size: number;
  /** The first packet of a connection: the choice, and all else that a new connection takes. */
  readonly first: Summary;
  readonly established: Summary;
}

/** @throws Error when the engines choose differently */
export async function measureSchedulers(smoke: boolean, roundCount: number, clock: Clock): Promise<SchedulerCost[]> {
  const schedulers = smoke ? SMOKE_SCHEDULERS : SCHEDULERS;
  const sizes = smoke ? SMOKE_SIZES : SIZES;
  const children: { readonly scheduler: SchedulerName; readonly child: ChildProcess; readonly rounds: SchedulerRound[][] }[] = [];
  try {
    // One after the other: a machine of two cores starts no faster with fourteen at once.
    for (const scheduler of schedulers) children.push({ scheduler, child: await start({ scheduler, sizes }), rounds: [] });
    for (let round = 0; round < WARMUP_ROUNDS + roundCount; round++) {
      for (const { child, rounds } of children) {
        const answered = answer(child);
        child.send(clock);
        const measured = (await answered) as SchedulerRound[];
        if (round >= WARMUP_ROUNDS) rounds.push(measured);
      }
    }
    return children.flatMap(({ scheduler, rounds }) => costsOf(scheduler, rounds));
  } finally {
    for (const { child } of children) if (child.connected) child.disconnect();
  }
}

async function start(setup: SchedulerSetup): Promise<ChildProcess> {
  const child = fork(fileURLToPath(new URL('./scheduler-child.ts', import.meta.url)), [JSON.stringify(setup)], {
    execArgv: ['--import', 'tsx'],
  });
  await answer(child);
  return child;
}

/** The next message of a child. @throws Error when it ends instead */
async function answer(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  try {
    return await Promise.race([
      once(child, 'message', ended).then(([message]) => message),
      once(child, 'exit', ended).then(([code, signal]) => {
        throw new Error(`${SCHEDULER_COSTS}: a process ended (${signal ?? code})`);
      }),
    ]);
  } finally {
    ended.abort();
  }
}

function costsOf(scheduler: SchedulerName, rounds: readonly (readonly SchedulerRound[])[]): SchedulerCost[] {
  return (rounds[0] ?? []).map(({ engine, size }, which) => {
    const of = (read: (round: SchedulerRound) => number) => summarize(rounds.flatMap((round) => round[which] ?? []).map(read));
    return { scheduler, engine, size, first: of(({ first }) => first), established: of(({ established }) => established) };
  });
}

/** One line of JSON a figure: `schedulers/rr`, and `schedulers/rr-established`. */
export function schedulerLines(costs: readonly SchedulerCost[]): string[] {
  return costs.flatMap(({ scheduler, engine, size, first, established }) => [
    line(`${SCHEDULER_COSTS}/${scheduler}`, engine, size, first),
    line(`${SCHEDULER_COSTS}/${scheduler}${ESTABLISHED}`, engine, size, established),
  ]);
}

const ESTABLISHED = '-established';

function line(bench: string, variant: string, size: number, { min, median, p95 }: Summary): string {
  const round = (value: number) => Number(value.toFixed(2));
  const [least, middle, most] = [round(min), round(median), round(p95)];
  return JSON.stringify({ bench, variant, size, nsPerPacket: middle, min: least, median: middle, p95: most, unit: 'ns/packet' });
}

/** What a table shows of a cost, in nanoseconds. */
export interface SchedulerFigure {
  readonly scheduler: string;
  readonly engine: string;
  readonly size: number;
  readonly first: number;
  readonly established: number;
}

/** Of lines that were written before. */
export function figuresOf(lines: readonly ResultLine[]): SchedulerFigure[] {
  const own = lines.filter(({ bench }) => bench.startsWith(`${SCHEDULER_COSTS}/`));
  return own
    .filter(({ bench }) => !bench.endsWith(ESTABLISHED))
    .map(({ bench, variant, size, nsPerPacket }) => {
      const standing = own.find((other) => other.bench === bench + ESTABLISHED && other.variant === variant && other.size === size);
      const scheduler = bench.slice(SCHEDULER_COSTS.length + 1);
      return { scheduler, engine: variant, size, first: nsPerPacket, established: standing?.nsPerPacket ?? Number.NaN };
    });
}

/** A row for each engine and scheduler: the first packet by number of servers, and packets of connections that stand. The first row names the columns. */
export function schedulerTable(figures: readonly SchedulerFigure[]): string[][] {
  const sizes = [...new Set(figures.map(({ size }) => size))].toSorted((a, b) => a - b);
  const variants = [...new Set(figures.map(({ scheduler, engine }) => `${engine} ${scheduler}`))];
  const header = ['engine', 'scheduler', ...sizes.map((size) => `first, ${size.toLocaleString('en-US')}`), 'growth', 'established'];
  const rows = variants.map((variant) => {
    const own = figures.filter(({ scheduler, engine }) => `${engine} ${scheduler}` === variant).toSorted((a, b) => a.size - b.size);
    const growth = (own.at(-1)?.first ?? Number.NaN) / (own[0]?.first ?? Number.NaN);
    const standing = own.map(({ established }) => established);
    const range = `${Math.min(...standing).toFixed(0)}-${Math.max(...standing).toFixed(0)}`;
    return [...variant.split(' '), ...own.map(({ first }) => first.toFixed(0)), `x ${growth.toFixed(1)}`, range];
  });
  return [header, ...rows.toSorted(([a = ''], [b = '']) => b.localeCompare(a))];
}

export const SCHEDULERS_READING =
  'Nanoseconds, medians. A first packet is the choice and two new entries, in conntrack and in IPVS. `growth` is from the fewest servers to the most: about 1 where the choice ' +
  'is a step or a lookup (rr, sh, dh, mh; mostly wrr), more where all servers are compared. Packets of connections that stand ask no scheduler: their range, over all numbers of servers, is that of the noise.';

export function schedulersText(costs: readonly SchedulerCost[]): string {
  const figures = costs.map(({ scheduler, engine, size, first, established }) => {
    return { scheduler, engine, size, first: first.median, established: established.median };
  });
  return [
    'Schedulers of IPVS: what does the first packet of a connection cost, by number of servers, and what one of a connection that stands?\n',
    alignColumns(schedulerTable(figures), new Set([0, 1])),
    `\nReading: ${SCHEDULERS_READING}\n`,
  ].join('\n');
}
