// What stays the same while a packet is walked: the Program, who answers for chance, and how much is written down.
import type { Chooser } from './chance.ts';
import type { ProgramIndex } from './program-index.ts';

export interface Walk {
  readonly index: ProgramIndex;
  readonly chooser: Chooser;
  /** All rules that were asked are steps, not only those that matched or were decided by chance. */
  readonly keepsAll: boolean;
}
