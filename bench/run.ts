// `npm run bench`: asks the questions one after the other and prints the answers. Exit codes: 1 wrong results or a failed gate, 2 usage.
import { appendFileSync, writeFileSync } from 'node:fs';
import { ALLOCATION, BYTES_PER_PACKET_MAX, measureAllocation } from './allocation.ts';
import { CLUSTER, clusterLines, clusterText, measureCluster } from './cluster.ts';
import { CONNECTION_TABLE, measureConnectionTables, TABLE_SIZES, TABLE_SMOKE_SIZES, tableLine, tableText } from './connection-table.ts';
import { CONTROL_PLANE, controlPlaneLine, controlPlaneText, measureControlPlane } from './control-plane.ts';
import { DNS, dnsLines, dnsText, measureDns } from './dns.ts';
import { established } from './established.ts';
import { frames } from './frames.ts';
import { describeMachine, machineText } from './machine.ts';
import { MAGLEV, MAGLEV_SIZES, MAGLEV_SMOKE_SIZES, maglevLine, maglevText, measureMaglev } from './maglev.ts';
import type { Measurement } from './measurement.ts';
import { whyNoNative } from './native/build.ts';
import { newConnections } from './new-connections.ts';
import { type BenchOptions, readOptions, USAGE, UsageError } from './options.ts';
import { isNative, VARIANTS, type VariantName } from './processor.ts';
import type { Question } from './question.ts';
import { allocationLine, allocationText, measurementLine, questionText } from './report.ts';
import { measureCase } from './rounds.ts';
import { scanOrLookup } from './scan-or-lookup.ts';
import { measureSchedulers, SCHEDULER_COSTS, schedulerLines, schedulersText } from './schedulers.ts';

const QUESTIONS: readonly Question[] = [established, frames, newConnections, scanOrLookup];

/** Passes of 65,536 packets between two looks at the heap. */
const ALLOCATION_PASSES = 100;
const ALLOCATION_SMOKE_PASSES = 30;

async function run(options: BenchOptions): Promise<void> {
  const isAsked = (name: string): boolean => options.only.length === 0 || options.only.includes(name);
  (options.json ? process.stderr : process.stdout).write(`${machineText()}\n\n`);
  if (options.save !== undefined) {
    const { machine, versions } = describeMachine();
    writeFileSync(
      options.save,
      `${JSON.stringify({ machine, versions, note: noteOf(options), measuredAt: new Date().toISOString().slice(0, 16) })}\n`,
    );
  }
  for (const question of QUESTIONS) if (isAsked(question.name)) await ask(question, options);
  if (isAsked(CONNECTION_TABLE)) askForConnectionTable(options);
  if (isAsked(CONTROL_PLANE)) await askForControlPlane(options);
  if (isAsked(CLUSTER)) await askForCluster(options);
  if (isAsked(SCHEDULER_COSTS)) await askForSchedulers(options);
  if (isAsked(DNS)) await askForDns(options);
  if (isAsked(MAGLEV)) askForMaglev(options);
  if (isAsked(ALLOCATION)) await askForAllocation(options);
}

async function ask(question: Question, options: BenchOptions): Promise<void> {
  const { json, smoke, full, rounds, clock } = options;
  const measurements: Measurement[] = [];
  for (const one of smoke ? question.smokeCases : [...question.cases, ...(full ? question.fullCases : [])]) {
    progress(`${question.name} ${one.name} ${one.size} ${question.sizeOf}`);
    const measured = await measureCase(question, one, availableOf(one.variants ?? VARIANTS), { roundCount: rounds, clock });
    measurements.push(...measured);
    for (const measurement of measured) save(options, measurementLine(measurement));
    if (json) for (const measurement of measured) print(measurementLine(measurement));
  }
  if (!json) print(questionText(question, measurements));
}

async function askForAllocation({ json, smoke }: BenchOptions): Promise<void> {
  progress(ALLOCATION);
  const allocation = await measureAllocation(smoke ? ALLOCATION_SMOKE_PASSES : ALLOCATION_PASSES);
  print(json ? allocationLine(allocation) : allocationText(allocation));
  const least = Math.min(...allocation.bytesPerPacket);
  if (least > BYTES_PER_PACKET_MAX) throw new Error(`${ALLOCATION}: ${least} bytes a packet, more than ${BYTES_PER_PACKET_MAX}`);
}

async function askForDns({ json, smoke, rounds }: BenchOptions): Promise<void> {
  progress(DNS);
  const figures = await measureDns(smoke, rounds);
  print(json ? dnsLines(figures) : dnsText(figures));
}

async function askForSchedulers(options: BenchOptions): Promise<void> {
  const { json, smoke, rounds, clock } = options;
  progress(SCHEDULER_COSTS);
  const costs = await measureSchedulers(smoke, rounds, clock);
  const lines = schedulerLines(costs);
  for (const line of lines) save(options, line);
  print(json ? lines.join('\n') : schedulersText(costs));
}

async function askForControlPlane({ json, smoke }: BenchOptions): Promise<void> {
  const measured = await measureControlPlane(smoke, (name) => progress(`${CONTROL_PLANE} ${name}`));
  if (json) for (const one of measured) print(controlPlaneLine(one));
  else print(controlPlaneText(measured));
}

async function askForCluster({ json, smoke }: BenchOptions): Promise<void> {
  progress(CLUSTER);
  const figures = await measureCluster(smoke);
  print(json ? clusterLines(figures) : clusterText(figures));
}

function askForConnectionTable({ json, smoke }: BenchOptions): void {
  progress(CONNECTION_TABLE);
  const measured = measureConnectionTables(smoke ? TABLE_SMOKE_SIZES : TABLE_SIZES);
  if (json) for (const one of measured) print(tableLine(one));
  else print(tableText(measured));
}

/** Counts, which need no rounds and no processes. */
function askForMaglev({ json, smoke }: BenchOptions): void {
  progress(MAGLEV);
  const measured = measureMaglev(smoke ? MAGLEV_SMOKE_SIZES : MAGLEV_SIZES);
  if (json) for (const one of measured) print(maglevLine(one));
  else print(maglevText(measured));
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

function noteOf({ note, clock }: BenchOptions): string {
  return `${clock === 'cpu' ? 'times are processor time of each process' : 'times are what passed on the clock'}; ${note}`;
}

function save({ save: file }: BenchOptions, line: string): void {
  if (file !== undefined) appendFileSync(file, `${line}\n`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** For who waits at a terminal. */
function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`… ${text}\n`);
}

try {
  const others = [CONNECTION_TABLE, CONTROL_PLANE, CLUSTER, SCHEDULER_COSTS, DNS, MAGLEV, ALLOCATION];
  await run(readOptions(process.argv.slice(2), [...QUESTIONS.map(({ name }) => name), ...others]));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n${isUsage ? `${USAGE}\n` : ''}`);
  process.exitCode = isUsage ? 2 : 1;
}
