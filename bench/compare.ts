// `npm run bench:compare BEFORE AFTER`: two files of results side by side, for reviews. Ratios to the twin of the same run are compared, for
// they survive a change of machine; absolute times stand beside them.
import { alignColumns } from './report.ts';
import { type Figure, keyOf, numberOf, type ResultLine, readResults } from './results.ts';
import { median } from './statistics.ts';

export interface Difference {
  readonly before: ResultLine;
  readonly after: ResultLine;
  /** Time after by time before, in units of the twin where both runs have one: below 1 is faster. */
  readonly factor: number;
  /** The factor lies outside what the starts, or else the rounds, of either run spread over. */
  readonly isClear: boolean;
}

export function differences(before: readonly ResultLine[], after: readonly ResultLine[]): Difference[] {
  const [known, unitsBefore, unitsAfter] = [new Map(before.map((line) => [keyOf(line), line])), twins(before), twins(after)];
  return after.flatMap((line) => {
    const old = known.get(keyOf(line));
    if (old === undefined) return [];
    return [startDifference(old, line, unitsBefore, unitsAfter) ?? difference(old, line)];
  });
}

function difference(before: ResultLine, after: ResultLine): Difference {
  const old = before.ratioToTwin;
  const now = after.ratioToTwin;
  if (old === undefined || now === undefined || after.variant === 'twin') {
    const factor = after.nsPerPacket / before.nsPerPacket;
    return { before, after, factor, isClear: after.min > before.p95 || after.p95 < before.min };
  }
  return { before, after, factor: now.median / old.median, isClear: now.min > old.max || now.max < old.min };
}

/** The twin of each case. */
function twins(lines: readonly ResultLine[]): ReadonlyMap<string, ResultLine> {
  return new Map(lines.filter(({ variant }) => variant === 'twin').map((line) => [`${line.bench} ${line.size}`, line]));
}

/**
 * Start by start, where both runs started their processes several times: one build differs by a fifth from start to start, which rounds of
 * one start never show.
 */
function startDifference(
  before: ResultLine,
  after: ResultLine,
  unitsBefore: ReadonlyMap<string, ResultLine>,
  unitsAfter: ReadonlyMap<string, ResultLine>,
): Difference | undefined {
  const key = `${after.bench} ${after.size}`;
  const units = after.variant === 'twin' ? [undefined, undefined] : [unitsBefore.get(key), unitsAfter.get(key)];
  const isRelative = units[0] !== undefined && units[1] !== undefined;
  const old = inUnits(before.startMedians, isRelative ? units[0]?.startMedians : undefined);
  const now = inUnits(after.startMedians, isRelative ? units[1]?.startMedians : undefined);
  if (old.length < 2 || now.length < 2) return undefined;
  const isClear = Math.min(...now) > Math.max(...old) || Math.max(...now) < Math.min(...old);
  return { before, after, factor: median(now) / median(old), isClear };
}

function inUnits(medians: readonly number[] = [], units: readonly number[] | undefined): number[] {
  return units === undefined ? [...medians] : medians.map((value, start) => value / (units[start] ?? Number.NaN));
}

/** What is not a cost of packets, name by name: before, after, and how many times as much. */
export function figureDifferences(before: readonly Figure[], after: readonly Figure[]): string[][] {
  const keyOfFigure = ({ bench, variant, size, case: name = '' }: Figure) => [bench, name, variant, size].join(' ');
  const known = new Map(before.map((one) => [keyOfFigure(one), one]));
  return after.flatMap((one) => {
    const old = known.get(keyOfFigure(one));
    const names = Object.keys(one).filter((name) => name !== 'size' && name !== 'nsPerPacket' && numberOf(one, name) !== undefined);
    return names.flatMap((name) => {
      const [was, is] = [numberOf(old, name), numberOf(one, name)];
      if (was === undefined || is === undefined) return [];
      return [[keyOfFigure(one), name, String(was), String(is), was === 0 ? '' : (is / was).toFixed(2)]];
    });
  });
}

export function differencesText(list: readonly Difference[]): string {
  const header = ['bench', 'size', 'variant', 'before ns', 'after ns', 'before x twin', 'after x twin', 'factor', ''];
  const rows = list.map(({ before, after, factor, isClear }) => [
    after.bench,
    after.size.toLocaleString('en-US'),
    after.variant,
    before.nsPerPacket.toFixed(1),
    after.nsPerPacket.toFixed(1),
    before.ratioToTwin?.median.toFixed(2) ?? '',
    after.ratioToTwin?.median.toFixed(2) ?? '',
    factor.toFixed(2),
    isClear ? (factor < 1 ? 'faster' : 'SLOWER') : '',
  ]);
  return alignColumns([header, ...rows], new Set([0, 2, 8]));
}

if (process.argv[1]?.endsWith('compare.ts')) {
  const [before, after] = process.argv.slice(2);
  if (before === undefined || after === undefined) {
    process.stderr.write('usage: npm run bench:compare BEFORE.jsonl AFTER.jsonl\n');
    process.exitCode = 2;
  } else {
    try {
      const [old, now] = [readResults(before), readResults(after)];
      process.stdout.write(`before: ${old.header?.machine ?? 'unknown machine'}\nafter:  ${now.header?.machine ?? 'unknown machine'}\n\n`);
      process.stdout.write(
        `${differencesText(differences(old.lines, now.lines))}\n\nfactor: time after by time before, in units of the twin of its own run; marked where the starts (with --starts 2 or more), or else the rounds, do not overlap.\n`,
      );
      const figures = figureDifferences(old.figures, now.figures);
      if (figures.length > 0) {
        process.stdout.write(`\n${alignColumns([['figure', '', 'before', 'after', 'factor'], ...figures], new Set([0, 1]))}\n`);
      }
    } catch (error) {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 3;
    }
  }
}
