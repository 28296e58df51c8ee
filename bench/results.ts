// A file of results: JSON lines, the first about the machine, the others measurements of packets and other figures.
import { readFileSync } from 'node:fs';
import type { Ratio } from './statistics.ts';

export interface ResultHeader {
  readonly machine: string;
  readonly versions: string;
  /** What a reader must know of how it was measured. */
  readonly note: string;
  readonly measuredAt: string;
}

export interface ResultLine {
  /** Question, or question/case. */
  readonly bench: string;
  readonly variant: string;
  readonly size: number;
  readonly nsPerPacket: number;
  readonly min: number;
  readonly p95: number;
  readonly unit: string;
  readonly ratioToWasm?: Ratio;
  /** Time of this variant by time of the twin: below 1, it is faster than the twin. */
  readonly ratioToTwin?: Ratio;
  readonly rounds?: number;
  /** The median of each start of the processes. */
  readonly startMedians?: readonly number[];
}

/** What is not a cost of packets: named figures of one topic. */
export interface Figure {
  readonly bench: string;
  readonly variant: string;
  readonly size: number;
  readonly unit: string;
  readonly case?: string;
  readonly [name: string]: unknown;
}

export interface Results {
  readonly header: ResultHeader | undefined;
  readonly lines: readonly ResultLine[];
  readonly figures: readonly Figure[];
}

/** @throws Error that names the file and the line */
export function readResults(file: string): Results {
  let header: ResultHeader | undefined;
  const lines: ResultLine[] = [];
  const figures: Figure[] = [];
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      if (text.trim() === '') return;
      const line = parse(text, `${file}:${index + 1}`);
      if ('machine' in line) header = line as ResultHeader;
      else if (line.unit === 'ns/packet') lines.push(line as ResultLine);
      else figures.push(line as Figure);
    });
  return { header, lines, figures };
}

function parse(text: string, where: string): ResultHeader | ResultLine | Figure {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && ('machine' in value || ('bench' in value && 'variant' in value)))
      return value as ResultHeader | ResultLine;
  } catch {
    // said below
  }
  throw new Error(`${where}: is no result of npm run bench -- --json`);
}

/** A named figure, where there is one. */
export function numberOf(figure: Figure | undefined, name: string): number | undefined {
  const value = figure?.[name];
  return typeof value === 'number' ? value : undefined;
}

/** The figures of a topic: `name`, or `name/part`. */
export function figuresNamed(figures: readonly Figure[], name: string): Figure[] {
  return figures.filter(({ bench }) => bench === name || bench.startsWith(`${name}/`));
}

/** What makes two lines the same measurement. */
export function keyOf({ bench, variant, size }: ResultLine): string {
  return `${bench} ${size} ${variant}`;
}
