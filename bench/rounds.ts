// Measures one case: a process for each variant, results compared before a figure counts, then rounds in turn.
import type { ResultDigest } from './digest.ts';
import type { Measurement } from './measurement.ts';
import type { Clock } from './messages.ts';
import type { Case, Question } from './question.ts';
import { median, pairedRatio, summarize } from './statistics.ts';
import { VariantProcess } from './variant-process.ts';
import { ENGINES, type VariantName } from './variants.ts';

/** Rounds before those that count: V8 has optimized by then. */
const WARMUP_ROUNDS = 2;

/** Variants disagree on what happens to packets: a wrong engine has no speed. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError';
}

export interface Measuring {
  /** Times that all processes are started afresh: one build differs by a fifth from start to start, by where V8 and the kernel put things. */
  readonly starts: number;
  /** Rounds of each start that count. */
  readonly roundCount: number;
  readonly clock: Clock;
}

/** What one variant showed in one start: the first pass, and the samples of each round. */
interface Started {
  readonly cold: Checked;
  readonly rounds: readonly (readonly number[])[];
}

/** @throws MismatchError; Error when a variant fails */
export async function measureCase(
  question: Question,
  one: Case,
  variants: readonly VariantName[],
  measuring: Measuring,
): Promise<Measurement[]> {
  const starts: ReadonlyMap<VariantName, Started>[] = [];
  for (let start = 0; start < measuring.starts; start++) starts.push(await measureStart(question, one, variants, measuring));
  const startedOf = (variant: VariantName): Started[] => starts.flatMap((start) => start.get(variant) ?? []);
  const medians = (variant: VariantName): number[] => startedOf(variant).flatMap(({ rounds }) => rounds.map(median));
  return variants.map((variant) => {
    const started = startedOf(variant);
    const [first] = started;
    const startMedians = started.map(({ rounds }) => median(rounds.flat()));
    const comparedTo = (other: VariantName) => (variants.includes(other) ? pairedRatio(medians(variant), medians(other)) : undefined);
    return {
      bench: question.name,
      case: one.name,
      variant,
      size: one.size,
      cold: first?.cold.nsPerPacket ?? Number.NaN,
      ...summarize(started.flatMap(({ rounds }) => rounds.flat())),
      median: median(startMedians),
      startMedians,
      ratioToWasm: comparedTo('wasm'),
      ratioToTwin: comparedTo('twin'),
      rulesEvaluated: first?.cold.result.meanRules ?? Number.NaN,
      rounds: measuring.roundCount,
    };
  });
}

async function measureStart(
  question: Question,
  one: Case,
  variants: readonly VariantName[],
  { roundCount, clock }: Measuring,
): Promise<ReadonlyMap<VariantName, Started>> {
  const processes = variants.map((variant) => new VariantProcess(variant));
  try {
    await Promise.all(processes.map((each) => each.ask({ kind: 'prepare', variant: each.variant, workload: one.workload })));
    const where = `${question.name} ${one.name} ${one.size}`;
    const cold = await checkInTurn(processes, `${where}, first pass`);
    const rounds = processes.map((): (readonly number[])[] => []);
    for (let round = 0; round < WARMUP_ROUNDS + roundCount; round++) {
      for (const [index, each] of processes.entries()) {
        const { samples } = await each.ask({ kind: 'round', passCount: one.passCount, clock });
        if (round >= WARMUP_ROUNDS) rounds[index]?.push(samples);
      }
    }
    await checkInTurn(processes, `${where}, last pass`);
    return new Map(processes.map(({ variant }, index) => [variant, { cold: cold[index] as Checked, rounds: rounds[index] ?? [] }]));
  } finally {
    for (const each of processes) each[Symbol.dispose]();
  }
}

interface Checked {
  readonly nsPerPacket: number;
  readonly result: ResultDigest;
}

async function checkInTurn(processes: readonly VariantProcess[], where: string): Promise<Checked[]> {
  const checked: Checked[] = [];
  for (const each of processes) checked.push(await each.ask({ kind: 'check' }));
  compareResults(
    processes.map(({ variant }, index) => ({ variant, result: checked[index]?.result })),
    where,
  );
  return checked;
}

/** Tuples must agree among all, evaluated rules between the two engines. @throws MismatchError */
export function compareResults(
  results: readonly { readonly variant: VariantName; readonly result: ResultDigest | undefined }[],
  where: string,
): void {
  const [first] = results;
  for (const { variant, result } of results) {
    const isSame =
      result !== undefined &&
      result.packets === first?.result?.packets &&
      result.tuples === first.result.tuples &&
      (!ENGINES.has(variant) || result.rules === first.result.rules);
    if (!isSame) {
      throw new MismatchError(
        `${where}: ${variant} gave ${JSON.stringify(result)}, ${first?.variant} gave ${JSON.stringify(first?.result)}`,
      );
    }
  }
}
