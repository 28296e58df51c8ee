// The arguments of `npm run bench`.
import { parseArgs } from 'node:util';
import type { Clock } from './messages.ts';

export interface BenchOptions {
  /** One JSON line a measurement instead of tables. */
  readonly json: boolean;
  /** The largest sizes, too. */
  readonly full: boolean;
  /** Where the JSON lines go, besides what is printed. */
  readonly save?: string;
  /** What is measured: time that passes, or on a shared machine what each process uses of the processor. */
  readonly clock: Clock;
  /** What a reader of the results must know of the machine. */
  readonly note: string;
  /** The smallest sizes, a few seconds in all. */
  readonly smoke: boolean;
  /** Names of questions; empty: all. */
  readonly only: readonly string[];
  readonly rounds: number;
  /** Times that the processes of a case are started afresh. */
  readonly starts: number;
}

const ROUNDS = 7;
const SMOKE_ROUNDS = 2;
const FULL_ROUNDS = 4;
const FULL_STARTS = 3;

export const USAGE = `usage: npm run bench -- [--json] [--save FILE] [--note TEXT] [--cpu-time] [--smoke | --full] [--only NAME]... [--rounds N] [--starts N]`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function readOptions(args: readonly string[], names: readonly string[]): BenchOptions {
  const { json, smoke, full, only, rounds, starts, save, note, 'cpu-time': isCpuTime } = parse(args);
  for (const name of only) {
    if (!names.includes(name)) throw new UsageError(`--only ${name}: there is no such question; there are ${names.join(', ')}`);
  }
  return {
    json,
    smoke,
    full,
    only,
    rounds: countOf('--rounds', rounds, smoke ? SMOKE_ROUNDS : full ? FULL_ROUNDS : ROUNDS),
    starts: countOf('--starts', starts, full ? FULL_STARTS : 1),
    note,
    clock: isCpuTime ? 'cpu' : 'wall',
    ...(save === undefined ? {} : { save }),
  };
}

function countOf(option: string, text: string | undefined, otherwise: number): number {
  const count = text === undefined ? otherwise : Number(text);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`${option} ${text} is not a positive integer`);
  return count;
}

function parse(args: readonly string[]): {
  json: boolean;
  smoke: boolean;
  full: boolean;
  only: string[];
  rounds?: string;
  starts?: string;
  save?: string;
  note: string;
  'cpu-time': boolean;
} {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        full: { type: 'boolean', default: false },
        'cpu-time': { type: 'boolean', default: false },
        save: { type: 'string' },
        note: { type: 'string', default: 'nothing is known of what else the machine did' },
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
        starts: { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
