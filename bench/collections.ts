// Garbage collections while something runs: how many, and what they took.
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';

export interface Collections {
  readonly count: number;
  readonly elapsedMs: number;
}

/** Counts from now on, until the returned function is called. */
export function watchCollections(): () => Promise<Collections> {
  const durations: number[] = [];
  const observer = new PerformanceObserver((list) => durations.push(...list.getEntries().map(({ duration }) => duration)));
  observer.observe({ entryTypes: ['gc'] });
  return async () => {
    // V8's notices wait for the loop; what has not reached the observer by then is taken from it.
    await setImmediate();
    durations.push(...observer.takeRecords().map(({ duration }) => duration));
    observer.disconnect();
    return { count: durations.length, elapsedMs: durations.reduce((sum, duration) => sum + duration, 0) };
  };
}
