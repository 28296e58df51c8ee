// Options of one spelling: JavaScript passes over what it does not know, and a misspelt mode would be iptables.
import { didYouMean } from './edit-distance.ts';
import { InvalidArgumentError } from './errors.ts';

/** Refuses what is no object, and an option that is spelled nearly as a known one. What is like none may be somebody else's. */
export function requireKnownOptions(options: unknown, known: readonly string[]): void {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('options', options, 'is not an object');
  for (const name of Object.keys(options)) {
    const meant = didYouMean(name, known);
    if (meant !== '') throw new InvalidArgumentError('option', name, `is unknown${meant}`);
  }
}

/** An option that is a function, such as a clock; the fallback where it is left out. @throws InvalidArgumentError */
export function functionOption<F extends (...given: never[]) => unknown>(name: string, given: F | undefined, fallback: F): F {
  if (given === undefined) return fallback;
  if (typeof given !== 'function') throw new InvalidArgumentError(name, given, 'is not a function');
  return given;
}

/** An option that is a clock in milliseconds. What one that is given says is checked, as it ends up in timers. @throws InvalidArgumentError */
export function clockOption(name: string, given: (() => number) | undefined, fallback: () => number): () => number {
  const now = functionOption(name, given, fallback);
  if (given === undefined) return now;
  return () => {
    const moment = now();
    if (Number.isFinite(moment) && moment >= 0) return moment;
    throw new InvalidArgumentError(`${name}()`, moment, 'is not a number of milliseconds from 0');
  };
}
