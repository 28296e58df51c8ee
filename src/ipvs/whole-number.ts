// Numbers from outside: whole, and within a range.
import { InvalidArgumentError } from '../errors.ts';

/** The value, when it is a whole number in the range. @throws InvalidArgumentError naming `path` */
export function wholeNumber(value: unknown, low: number, high: number, path: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= low && value <= high) return value;
  throw new InvalidArgumentError(path, value, `is not a whole number from ${low} to ${high}`);
}
