import { describe, expect, test } from 'vitest';
import { document } from '../../bench/page/document.ts';
import type { ResultLine } from '../../bench/results.ts';
import { figuresOf, type SchedulerCost, schedulerLines, schedulersText, schedulerTable } from '../../bench/schedulers.ts';

const summary = (median: number) => ({ min: median * 0.9, median, p95: median * 1.1 });

const costs: readonly SchedulerCost[] = (['js', 'wasm'] as const).flatMap((engine) =>
  (['rr', 'wlc'] as const).flatMap((scheduler) =>
    [3, 1000].map((size) => ({
      scheduler,
      engine,
      size,
      first: summary((engine === 'js' ? 1000 : 100) + (scheduler === 'wlc' ? size : 0)),
      established: summary(size === 3 ? 20 : 30),
    })),
  ),
);

describe('what schedulers cost', () => {
  const lines: readonly ResultLine[] = schedulerLines(costs).map((line) => JSON.parse(line));

  test('is a line for each figure, of which the table can be made again', () => {
    expect(lines).toHaveLength(16);
    expect(schedulerTable(figuresOf(lines))).toEqual([
      ['engine', 'scheduler', 'first, 3', 'first, 1,000', 'growth', 'established'],
      ['wasm', 'rr', '100', '100', 'x 1.0', '20-30'],
      ['wasm', 'wlc', '103', '1100', 'x 10.7', '20-30'],
      ['js', 'rr', '1000', '1000', 'x 1.0', '20-30'],
      ['js', 'wlc', '1003', '2000', 'x 2.0', '20-30'],
    ]);
  });

  test('stands in the text and on the page of figures', () => {
    expect(schedulersText(costs)).toMatch(/wasm +wlc +103 +1100 +x 10\.7 +20-30/);
    expect(document({ header: undefined, lines, figures: [] }).text).toContain('## IPVS schedulers');
    expect(document({ header: undefined, lines, figures: [] }).text).toContain('| wasm | wlc | 103 | 1100 | x 10.7 | 20-30 |');
    expect(document({ header: undefined, lines: [], figures: [] }).text).not.toContain('IPVS schedulers');
  });
});
