// Measures one case: a process for each variant, results compared before a figure counts, then rounds in turn.
import type { ResultDigest } from './digest.ts';
import type { Measurement } from './measurement.ts';
import type { Clock } from './messages.ts';
import { ENGINES, type VariantName } from './processor.ts';
import type { Case, Question } from './question.ts';
import { median, pairedRatio, summarize } from './statistics.ts';
import { VariantProcess } from './variant-process.ts';

/** Rounds before those that count: V8 has optimized by then. */
const WARMUP_ROUNDS = 2;

/** Variants disagree on what happens to packets: a wrong engine has no speed. */
export class MismatchError extends Error {
  override readonly name = 'MismatchError';
}

/** @throws MismatchError; Error when a variant fails */
export async function measureCase(
  question: Question,
  one: Case,
  variants: readonly VariantName[],
  { roundCount, clock }: { readonly roundCount: number; readonly clock: Clock },
): Promise<Measurement[]> {
  const processes = variants.map((variant) => new VariantProcess(variant));
  try {
    await Promise.all(processes.map((each) => each.ask({ kind: 'prepare', variant: each.variant, workload: one.workload })));
    const where = `${question.name} ${one.name} ${one.size}`;
    const cold = await checkInTurn(processes, `${where}, first pass`);
    const rounds = new Map<VariantName, (readonly number[])[]>(variants.map((variant) => [variant, []]));
    for (let round = 0; round < WARMUP_ROUNDS + roundCount; round++) {
      for (const each of processes) {
        const { samples } = await each.ask({ kind: 'round', passCount: one.passCount, clock });
        if (round >= WARMUP_ROUNDS) rounds.get(each.variant)?.push(samples);
      }
    }
    await checkInTurn(processes, `${where}, last pass`);
    const medians = (variant: VariantName): number[] => (rounds.get(variant) ?? []).map(median);
    return variants.map((variant, index) => ({
      bench: question.name,
      case: one.name,
      variant,
      size: one.size,
      cold: cold[index]?.nsPerPacket ?? Number.NaN,
      ...summarize((rounds.get(variant) ?? []).flat()),
      ratioToWasm: pairedRatio(medians(variant), medians('wasm')),
      ratioToTwin: pairedRatio(medians(variant), medians('twin')),
      rulesEvaluated: cold[index]?.result.meanRules ?? Number.NaN,
      rounds: roundCount,
    }));
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
