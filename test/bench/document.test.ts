import { describe, expect, test } from 'vitest';
import { differences, differencesText, figureDifferences } from '../../bench/compare.ts';
import { document } from '../../bench/page/document.ts';
import { goalsOf, isMet } from '../../bench/page/goals.ts';
import { sharesOf } from '../../bench/profile.ts';
import type { Figure, ResultLine } from '../../bench/results.ts';

const ratio = (median: number): { median: number; min: number; max: number } => ({ median, min: median * 0.9, max: median * 1.1 });

function line(variant: string, nsPerPacket: number, toWasm: number, toTwin: number, parts: Partial<ResultLine> = {}): ResultLine {
  return {
    bench: 'established',
    variant,
    size: 1000,
    nsPerPacket,
    min: nsPerPacket * 0.9,
    p95: nsPerPacket * 1.1,
    unit: 'ns/packet',
    ratioToWasm: ratio(toWasm),
    ratioToTwin: ratio(toTwin),
    ...parts,
  };
}

const lines = [line('wasm', 10, 1, 0.4), line('twin', 25, 2.5, 1), line('native-prefetch', 8, 0.8, 0.32)];

describe('the page of benchmarks', () => {
  const { text, charts } = document({
    header: { machine: '2 x cores', versions: 'node 20', note: 'shared', measuredAt: 'today' },
    lines,
    figures: [],
  });

  test('says on which machine, who wins, and what is not reached', () => {
    expect(text).toContain('- 2 x cores\n- node 20\n- measured today; shared');
    expect(text).toContain('**WebAssembly in batches loses to:** native-prefetch at established 1,000 (1.3 times as fast).');
    expect(text).toContain('| established IPv4, 1,000 flows | M/s | 120 | 180 | 100 | **no** | 125 |');
    expect(text).toContain('| share of native C with prefetch, 1,000 flows | % | 60 | 75 | 80.0 | yes, and the stretch |  |');
    expect(text).toContain('| frames end to end, 1,000,000 flows | M/s | 20 | 30 | not measured |  |  |');
    expect(text).toContain('2 of 3 floors that were measured are met.');
  });

  test('has a chart for each question, as long as the figures are', () => {
    expect([...charts.keys()]).toEqual(['established.svg']);
    const svg = charts.get('established.svg') ?? '';
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    const widths = [...svg.matchAll(/<rect x="150" y="\d+" width="([\d.]+)"/g)].map(([, width]) => Number(width));
    expect(widths).toHaveLength(3);
    expect(widths[2]).toBeGreaterThan(widths[0] ?? 0);
    expect(widths[0]).toBeGreaterThan(widths[1] ?? 0);
  });
});

test('a goal that is a ceiling is met from below', () => {
  const scan = line('wasm', 3000, 1, 0.05, { bench: 'scan-rules/exact', size: 50_000 });
  const goal = goalsOf({ lines: [scan], figures: [] }).find(({ isCeiling }) => isCeiling);
  expect(goal).toMatchObject({ reached: 3 });
  expect(goal === undefined ? undefined : isMet(goal)).toBe(true);
});

test('where C with prefetch does not reach a floor either, the page says so', () => {
  const slow = [line('wasm', 20, 1, 0.4), line('native-prefetch', 16, 0.8, 0.32)];
  const { text } = document({ header: undefined, lines: slow, figures: [] });
  expect(text).toContain('| established IPv4, 1,000 flows | M/s | 120 | 180 | 50.0 | **no**; C does not either | 62.5 |');
});

describe('figures that are no cost of packets', () => {
  const table: Figure = {
    bench: 'connection-table',
    variant: 'wasm',
    case: 'IPv4',
    size: 1024,
    unit: 'as named',
    bytesPerConnection: 104.2,
    longestPauseMs: 6,
    nsPerEstablished: 20,
    nsPerEstablishedInFlood: 30,
  };
  const starts: Figure[] = ['wasm', 'js'].map((variant) => {
    const stages = { importMs: 8, createMs: variant === 'wasm' ? 6 : 2, applyMs: 1, packetMs: 1 };
    return { bench: 'start-up', variant, size: 10, unit: 'ms', median: variant === 'wasm' ? 16 : 12, coreBytes: 40_960, ...stages };
  });
  const { text, charts } = document({ header: undefined, lines: [], figures: [table, ...starts] });

  test('are goals like others', () => {
    expect(text).toContain('| memory a tracked connection, IPv4 | bytes | ≤ 128 | ≤ 96 | 104 | yes |  |');
    expect(text).toContain('| growing pauses at most, IPv4 | ms | ≤ 5 |  | 6.00 | **no** |  |');
    expect(text).toContain('| size of the core, raw | KiB | ≤ 48 | ≤ 32 | 40.0 | yes |  |');
    expect(text).toContain('| start-up, import to first packet | ms | ≤ 25 | ≤ 10 | 16.0 | yes |  |');
  });

  test('have sections that say who wins', () => {
    expect(text).toContain('## Connection table');
    expect(text).toContain('**js starts faster** than wasm, 1.3 times.');
    expect([...charts.keys()]).toEqual(['start-up.svg']);
  });

  test('are compared by name', () => {
    expect(figureDifferences([table], [{ ...table, longestPauseMs: 3 }])).toContainEqual([
      'connection-table IPv4 wasm 1024',
      'longestPauseMs',
      '6',
      '3',
      '0.50',
    ]);
  });
});

describe('what costs what', () => {
  test('is what is left when a workload without the part is taken away', () => {
    const parts = [
      line('wasm', 12, 1, 1, { bench: 'cost-parts/established,-all-in-the-first-cache', size: 64 }),
      line('wasm', 17, 1, 1, { bench: 'cost-parts/established,-to-no-Service' }),
      line('wasm', 30, 1, 1, { bench: 'cost-parts/established,-of-IPVS' }),
      line('wasm', 20, 1, 1),
      line('wasm-single', 220, 1, 1),
    ];
    const { text } = document({ header: undefined, lines: parts, figures: [] });
    expect(text).toContain('| 1,000 | 20.0 | 12.0 | 8.00 | 3.00 | 10.0 | 200 | – |');
  });

  test('counts a sample for the file of its function', () => {
    const shares = sharesOf({
      'assembly/sets/find': 30,
      'assembly/ruleset/runHook<assembly/address/V4>': 60,
      'assembly/sets/lookup<assembly/address/V4>': 10,
    });
    expect(shares).toEqual([
      ['ruleset.ts', 0.6],
      ['sets.ts', 0.4],
    ]);
  });
});

describe('a comparison', () => {
  test('speaks in units of the twin of each run, so that a slower machine changes nothing', () => {
    const slower = lines.map((one) => ({ ...one, nsPerPacket: one.nsPerPacket * 3 }));
    expect(differences(lines, slower).find(({ after }) => after.variant === 'wasm')).toMatchObject({ factor: 1, isClear: false });
  });

  test('marks what lies outside the spread of both runs', () => {
    const after = [line('wasm', 20, 1, 0.8), line('new', 1, 1, 1)];
    const [only, ...others] = differences(lines, after);
    expect(others).toEqual([]);
    expect(only).toMatchObject({ factor: 2, isClear: true });
    expect(differencesText(only === undefined ? [] : [only])).toMatch(
      /established +1,000 +wasm +10\.0 +20\.0 +0\.40 +0\.80 +2\.00 +SLOWER$/,
    );
  });

  test('goes by the starts where there are several: rounds of one start do not show how starts differ', () => {
    const started = (medians: readonly number[]) => [line('wasm', medians[1] ?? 0, 1, 0.5, { startMedians: medians })];
    const [inside] = differences(started([10, 11, 12]), started([11.5, 13, 14]));
    expect(inside).toMatchObject({ factor: 13 / 11, isClear: false });
    const [outside] = differences(started([10, 11, 12]), started([8, 8.8, 9]));
    expect(outside).toMatchObject({ factor: 0.8, isClear: true });
  });
});
