// A file of results: JSON lines, the first about the machine, the others measurements.
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
}

export interface Results {
  readonly header: ResultHeader | undefined;
  readonly lines: readonly ResultLine[];
}

/** @throws Error that names the file and the line */
export function readResults(file: string): Results {
  let header: ResultHeader | undefined;
  const lines: ResultLine[] = [];
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((text, index) => {
      if (text.trim() === '') return;
      const line = parse(text, `${file}:${index + 1}`);
      if ('machine' in line) header = line;
      else if (line.unit === 'ns/packet') lines.push(line);
    });
  return { header, lines };
}

function parse(text: string, where: string): ResultHeader | ResultLine {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && ('machine' in value || ('bench' in value && 'variant' in value)))
      return value as ResultHeader | ResultLine;
  } catch {
    // said below
  }
  throw new Error(`${where}: is no result of npm run bench -- --json`);
}

/** What makes two lines the same measurement. */
export function keyOf({ bench, variant, size }: ResultLine): string {
  return `${bench} ${size} ${variant}`;
}
