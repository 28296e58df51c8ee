// The shape of a question: cases that differ in size, each with one workload for all variants, and how its figures are read.
import type { Measurement } from './measurement.ts';
import type { VariantName } from './variants.ts';
import type { Workload } from './workload.ts';

export interface Case {
  /** What is done, in a word or two, e.g. `ipvs any`; empty when the question has one kind of case. */
  readonly name: string;
  readonly size: number;
  readonly workload: Workload;
  /** Passes in one round: enough for a few milliseconds of the fastest variant. */
  readonly passCount: number;
  /** Who takes part; default: all that run everywhere. */
  readonly variants?: readonly VariantName[];
}

export interface Question {
  /** For --only and for the field `bench`. */
  readonly name: string;
  readonly text: string;
  /** What `size` counts. */
  readonly sizeOf: string;
  readonly cases: readonly Case[];
  /** Added by --full: what takes long. */
  readonly fullCases: readonly Case[];
  /** The smallest ones, for CI. */
  readonly smokeCases: readonly Case[];
  /** One honest sentence about the figures. */
  reading(measurements: readonly Measurement[]): string;
}

export const SEED = 20_240_501;
