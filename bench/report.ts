// Figures as text: one line of JSON a measurement for programs, aligned columns for people.
import { ALLOCATION, type Allocation, BYTES_PER_PACKET_MAX } from './allocation.ts';
import type { Measurement } from './measurement.ts';
import type { Question } from './question.ts';
import { median, type Ratio, summarize } from './statistics.ts';
import { ENGINES } from './variants.ts';

/** The eight fields that every line about packets has, in this order; more follow. */
export function measurementLine(measurement: Measurement): string {
  const { bench, variant, size, cold, min, median, p95, ratioToWasm, ratioToTwin, startMedians, rulesEvaluated, rounds } = measurement;
  const name = measurement.case === '' ? bench : `${bench}/${measurement.case.replaceAll(' ', '-')}`;
  return JSON.stringify({
    bench: name,
    variant,
    size,
    nsPerPacket: round(median),
    min: round(min),
    median: round(median),
    p95: round(p95),
    unit: 'ns/packet',
    cold: round(cold),
    packetsPerSecond: Math.round(1e9 / median),
    ...(ratioToWasm === undefined ? {} : { ratioToWasm: roundedRatio(ratioToWasm, 2) }),
    ...(ratioToTwin === undefined ? {} : { ratioToTwin: roundedRatio(ratioToTwin, 3) }),
    rulesEvaluated: round(rulesEvaluated),
    rounds,
    startMedians: startMedians.map((one) => round(one)),
  });
}

function roundedRatio(ratio: Ratio, digits: number): Ratio {
  return { median: round(ratio.median, digits), min: round(ratio.min, digits), max: round(ratio.max, digits) };
}

export function allocationLine({ packets, calls, bytesPerPacket, nsPerPacket }: Allocation): string {
  const { min, median: middle, p95 } = summarize(bytesPerPacket);
  return JSON.stringify({
    bench: ALLOCATION,
    variant: 'wasm',
    size: packets,
    nsPerPacket: round(median(nsPerPacket)),
    min: round(min, 6),
    median: round(middle, 6),
    p95: round(p95, 6),
    unit: 'bytes/packet',
    calls,
    limit: BYTES_PER_PACKET_MAX,
  });
}

/** A question, its figures in columns, and how to read them. */
export function questionText(question: Question, measurements: readonly Measurement[]): string {
  const header = ['', question.sizeOf, 'variant', 'cold ns', 'min', 'median', 'p95', 'packets/s', 'x wasm', 'spread', 'x twin', 'rules'];
  const rows = measurements.map((one) => [
    one.case,
    one.size.toLocaleString('en-US'),
    one.variant,
    nanoseconds(one.cold),
    nanoseconds(one.min),
    nanoseconds(one.median),
    nanoseconds(one.p95),
    perSecond(1e9 / one.median),
    one.ratioToWasm?.median.toFixed(2) ?? '',
    one.variant === 'wasm' || one.ratioToWasm === undefined ? '' : `${one.ratioToWasm.min.toFixed(2)}-${one.ratioToWasm.max.toFixed(2)}`,
    one.ratioToTwin?.median.toFixed(2) ?? '',
    ENGINES.has(one.variant) && one.rulesEvaluated > 0 ? String(Math.round(one.rulesEvaluated)) : '',
  ]);
  const used = header.map((_, column) => rows.some((row) => row[column] !== ''));
  const shown = [header, ...rows].map((row) => row.filter((_, column) => used[column]));
  const textColumns = new Set([used[0] ? 0 : -1, used[0] ? 2 : 1]);
  return `${question.text}\n\n${alignColumns(shown, textColumns)}\n\nReading: ${question.reading(measurements)}\n`;
}

export function allocationText({ packets, calls, bytesPerPacket }: Allocation): string {
  const { min, median: middle, p95 } = summarize(bytesPerPacket);
  const [least, usual, most] = [min, middle, p95].map((bytes) => bytes.toFixed(4));
  return [
    'Allocation: does processBatch leave anything on the JavaScript heap?\n',
    `${packets.toLocaleString('en-US')} established packets in ${calls.toLocaleString('en-US')} calls of processBatch (wasm), ${bytesPerPacket.length} runs:`,
    `bytes a packet: min ${least}, median ${usual}, p95 ${most}; the gate is min at most ${BYTES_PER_PACKET_MAX}. What is above 0 is V8 optimizing.\n`,
  ].join('\n');
}

/** Two spaces between columns; numbers end in line, text begins in line. */
export function alignColumns(rows: readonly (readonly string[])[], textColumns: ReadonlySet<number>): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  const cell = (text: string, column: number): string =>
    textColumns.has(column) ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0);
  return rows.map((row) => row.map(cell).join('  ').trimEnd()).join('\n');
}

function nanoseconds(value: number): string {
  return value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString('en-US');
}

function perSecond(value: number): string {
  return value >= 1e6 ? `${(value / 1e6).toFixed(1)} M` : `${Math.round(value / 1e3)} k`;
}

function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
