// What filter chains do with packets of known connections: a constant number of rules where the Program allows the proof,
// otherwise the chains must run for each packet. Both engines ask this at load time and never at packet time.
import type { Program } from './program.ts';

/** For each PATH_* of the layout: the rules evaluated, or `run` where a rule might drop or reject. */
export type EstablishedPaths = readonly (number | 'run')[];

/**
 * Walks the chains of the hooks of each path (nat chains left out) with a packet of state ESTABLISHED of which nothing else is known.
 * A match is certain only when the state decides it; a rule none of whose matches is certainly false, but not all certainly
 * true, may go either way: if its target is drop, reject or leads (jump, goto, vmap) to one that might be reached, the path is `run`;
 * if it accepts, returns or only marks, it counts as not matched.
 */
export declare function establishedPaths(program: Program): EstablishedPaths;
