// The arguments of `npm run bench`.
import { parseArgs } from 'node:util';

export interface BenchOptions {
  /** One JSON line a measurement instead of tables. */
  readonly json: boolean;
  /** The smallest sizes, a few seconds in all. */
  readonly smoke: boolean;
  /** Names of questions; empty: all. */
  readonly only: readonly string[];
  readonly rounds: number;
}

const ROUNDS = 7;
const SMOKE_ROUNDS = 2;

export const USAGE = `usage: npm run bench -- [--json] [--smoke] [--only NAME]... [--rounds N]`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws UsageError */
export function readOptions(args: readonly string[], names: readonly string[]): BenchOptions {
  const { json, smoke, only, rounds } = parse(args);
  for (const name of only) {
    if (!names.includes(name)) throw new UsageError(`--only ${name}: there is no such question; there are ${names.join(', ')}`);
  }
  const count = rounds === undefined ? (smoke ? SMOKE_ROUNDS : ROUNDS) : Number(rounds);
  if (!Number.isInteger(count) || count < 1) throw new UsageError(`--rounds ${rounds} is not a positive integer`);
  return { json, smoke, only, rounds: count };
}

function parse(args: readonly string[]): { json: boolean; smoke: boolean; only: string[]; rounds?: string } {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean', default: false },
        smoke: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
