// Numbers about samples: order statistics, never a mean, for the noise of a machine lies on one side.

export interface Summary {
  readonly min: number;
  readonly median: number;
  readonly p95: number;
}

/** @throws RangeError without samples. */
export function summarize(samples: readonly number[]): Summary {
  const sorted = ascending(samples);
  return { min: quantile(sorted, 0), median: quantile(sorted, 0.5), p95: quantile(sorted, 0.95) };
}

export interface Ratio {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** How much larger `of` is than `to`, round by round: what disturbed both in a round cancels. @throws RangeError for unpaired rounds. */
export function pairedRatio(of: readonly number[], to: readonly number[]): Ratio {
  if (of.length !== to.length) throw new RangeError(`${of.length} rounds do not pair with ${to.length}`);
  const sorted = ascending(of.map((value, round) => value / (to[round] ?? Number.NaN)));
  return { median: quantile(sorted, 0.5), min: quantile(sorted, 0), max: quantile(sorted, 1) };
}

export function median(samples: readonly number[]): number {
  return quantile(ascending(samples), 0.5);
}

function ascending(samples: readonly number[]): number[] {
  if (samples.length === 0) throw new RangeError('no samples');
  return samples.toSorted((a, b) => a - b);
}

/** Linear between neighbours. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] ?? Number.NaN;
  const above = sorted[Math.ceil(place)] ?? Number.NaN;
  return below + (above - below) * (place - Math.floor(place));
}
