import { describe, expect, test } from 'vitest';
import { median, pairedRatio, summarize } from '../../bench/statistics.ts';

describe('statistics of samples', () => {
  test('quantiles lie between neighbours, whatever the order of the samples', () => {
    expect(summarize([4, 1, 3, 2])).toEqual({ min: 1, median: 2.5, p95: 3.8499999999999996 });
    expect(summarize([7])).toEqual({ min: 7, median: 7, p95: 7 });
    expect(median([5, 1, 9])).toBe(5);
  });

  test('a paired ratio cancels what disturbed both variants in a round', () => {
    const calm = [10, 10, 10];
    const disturbed = [30, 90, 30]; // the second round took three times as long for both
    expect(pairedRatio(disturbed, [10, 30, 10])).toEqual({ median: 3, min: 3, max: 3 });
    expect(pairedRatio(disturbed, calm)).toEqual({ median: 3, min: 3, max: 9 });
  });

  test('no samples and unpaired rounds are errors, not numbers', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => pairedRatio([1, 2], [1])).toThrow(RangeError);
  });
});
