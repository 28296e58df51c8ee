// Runs a relation between two tellings for many choices.
import fc from 'fast-check';
import type { Pick } from './retold.ts';

const RUNS = { numRuns: 25 };

/** fast-check prints the seed of a failure, and the choices that lead there. */
export function holds(property: (pick: Pick) => void | Promise<void>, runs: { readonly numRuns: number } = RUNS): Promise<void> {
  return Promise.resolve(
    fc.assert(
      fc.asyncProperty(fc.gen(), async (gen) => property((below) => gen(fc.nat, { max: below - 1 }))),
      runs,
    ),
  );
}
