// `npm run bench`: asks the questions one after the other and prints the answers. Exit codes: 1 wrong results or a failed gate, 2 usage.
import { appendFileSync, writeFileSync } from 'node:fs';
import { costParts } from './cost-parts.ts';
import { established } from './established.ts';
import { frames } from './frames.ts';
import { describeMachine, machineText } from './machine.ts';
import type { Measurement } from './measurement.ts';
import { whyNoNative } from './native/build.ts';
import { newConnections } from './new-connections.ts';
import { type BenchOptions, readOptions, USAGE, UsageError } from './options.ts';
import type { Question } from './question.ts';
import { measurementLine, questionText } from './report.ts';
import { measureCase } from './rounds.ts';
import { scanOrLookup } from './scan-or-lookup.ts';
import { scanRules } from './scan-rules.ts';
import { type Answer, TOPICS } from './topics.ts';
import { isNative, VARIANTS, type VariantName } from './variants.ts';

const QUESTIONS: readonly Question[] = [established, frames, newConnections, scanRules, scanOrLookup, costParts];

async function run(options: BenchOptions): Promise<void> {
  const isAsked = ({ name }: { readonly name: string }): boolean => options.only.length === 0 || options.only.includes(name);
  (options.json ? process.stderr : process.stdout).write(`${machineText()}\n\n`);
  if (options.save !== undefined) {
    const { machine, versions } = describeMachine();
    const measuredAt = new Date().toISOString().slice(0, 16);
    writeFileSync(options.save, `${JSON.stringify({ machine, versions, note: noteOf(options), measuredAt })}\n`);
  }
  for (const question of QUESTIONS.filter(isAsked)) give(await ask(question, options), options);
  for (const topic of TOPICS.filter(isAsked)) {
    progress(topic.name);
    give(await topic.measure(options, (step) => progress(`${topic.name} ${step}`)), options);
  }
}

async function ask(question: Question, options: BenchOptions): Promise<Answer> {
  const { smoke, full, rounds, starts, clock } = options;
  const measurements: Measurement[] = [];
  for (const one of smoke ? question.smokeCases : [...question.cases, ...(full ? question.fullCases : [])]) {
    progress(`${question.name} ${one.name} ${one.size} ${question.sizeOf}`);
    const variants = availableOf(one.variants ?? VARIANTS);
    measurements.push(...(await measureCase(question, one, variants, { roundCount: rounds, starts, clock })));
  }
  return { lines: measurements.map(measurementLine), text: questionText(question, measurements) };
}

/** @throws Error when the answer says that a gate is not passed */
function give({ lines, text, failure }: Answer, { json, save }: BenchOptions): void {
  if (save !== undefined) for (const line of lines) appendFileSync(save, `${line}\n`);
  process.stdout.write(`${json ? lines.join('\n') : text}\n`);
  if (failure !== undefined) throw new Error(failure);
}

/** The native reference is built when the first case asks for it. */
const native: { isAsked: boolean; whyNot?: string | undefined } = { isAsked: false };

/** Without the native reference where it cannot be built, which is said once. */
function availableOf(variants: readonly VariantName[]): readonly VariantName[] {
  if (!variants.some(isNative)) return variants;
  if (!native.isAsked) {
    native.isAsked = true;
    native.whyNot = whyNoNative();
    if (native.whyNot !== undefined) process.stderr.write(`skipped: native, ${native.whyNot}\n`);
  }
  return native.whyNot === undefined ? variants : variants.filter((variant) => !isNative(variant));
}

function noteOf({ note, clock, starts, rounds }: BenchOptions): string {
  const timed = clock === 'cpu' ? 'times are processor time of each process' : 'times are what passed on the clock';
  return `${timed}, of ${rounds} rounds in each of ${starts} starts; ${note}`;
}

/** For who waits. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`… ${text}\n`);
}

try {
  await run(
    readOptions(
      process.argv.slice(2),
      [...QUESTIONS, ...TOPICS].map(({ name }) => name),
    ),
  );
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
