import { describe, expect, test } from 'vitest';
import { differences, differencesText } from '../../bench/compare.ts';
import { document } from '../../bench/document.ts';
import { floorsOf, isMet } from '../../bench/floors.ts';
import type { ResultLine } from '../../bench/results.ts';

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
  const { text, charts } = document({ header: { machine: '2 x cores', versions: 'node 20', note: 'shared', measuredAt: 'today' }, lines });

  test('says on which machine, who wins, and what is not reached', () => {
    expect(text).toContain('- 2 x cores\n- node 20\n- measured today; shared');
    expect(text).toContain('**WebAssembly in batches loses to:** native-prefetch at established 1,000 (1.3 times as fast).');
    expect(text).toContain('| established IPv4, 1,000 flows | 120 M/s | 100.0 M/s | **no** |');
    expect(text).toContain('| share of native C with prefetch, 1,000 flows | 60 % | 80.0 % | yes |');
    expect(text).toContain('| frames end to end, 1,000,000 flows | 20 M/s | not measured |  |');
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
  const scan = line('wasm', 3000, 1, 0.05, { bench: 'scan-or-lookup/iptables-last', size: 50_000 });
  const goal = floorsOf([scan]).find(({ isCeiling }) => isCeiling);
  expect(goal).toMatchObject({ reached: 3 });
  expect(goal === undefined ? undefined : isMet(goal)).toBe(true);
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
});
