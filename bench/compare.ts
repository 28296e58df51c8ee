// `npm run bench:compare BEFORE AFTER`: two files of results side by side, for reviews. Ratios to the twin of the same run are compared, for
// they survive a change of machine; absolute times stand beside them.
import { alignColumns } from './report.ts';
import { keyOf, type ResultLine, readResults } from './results.ts';

export interface Difference {
  readonly before: ResultLine;
  readonly after: ResultLine;
  /** Time after by time before, in units of the twin where both runs have one: below 1 is faster. */
  readonly factor: number;
  /** The factor lies outside what the rounds of either run spread over. */
  readonly isClear: boolean;
}

export function differences(before: readonly ResultLine[], after: readonly ResultLine[]): Difference[] {
  const known = new Map(before.map((line) => [keyOf(line), line]));
  return after.flatMap((line) => {
    const old = known.get(keyOf(line));
    return old === undefined ? [] : [difference(old, line)];
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
        `${differencesText(differences(old.lines, now.lines))}\n\nfactor: time after by time before, in units of the twin of its own run; marked where the rounds do not overlap.\n`,
      );
    } catch (error) {
      process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
      process.exitCode = 3;
    }
  }
}
