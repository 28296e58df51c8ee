// Encodes how a chain chooses among the chains of a ServicePort's Endpoints: from their numbers, without the rules that say so in words.
import { DRAW_CHAIN, DRAW_SIZE, DRAW_THRESHOLD, TARGET_DRAW, TARGET_RANDOM_CHAIN } from '../../../assembly/shared/layout.ts';
import type { ChoiceChain } from '../../program/endpoint-chains.ts';
import { referenceTo } from './records.ts';
import { ROW_A, type RowImage } from './row-image.ts';
import type { TableImage } from './table-image.ts';

/** Adds one row behind those of the rules before the choice. Returns how many rules it stands for as draws; 0: it is a rule like any other. */
export function encodeChoice(chain: ChoiceChain, numbers: readonly number[], rows: RowImage, annex: TableImage): number {
  const { threshold } = chain;
  const count = numbers.length;
  if (threshold === undefined) {
    const list = annex.reserve(count * 4);
    for (let index = 0; index < count; index++) annex.set(list + index * 4, referenceTo(numbers[index] ?? 0));
    const row = rows.add();
    rows.setTarget(row, TARGET_RANDOM_CHAIN, 0, count);
    rows.point(row + ROW_A, list);
    return 0;
  }
  if (count === 0) return 0;
  const draws = annex.reserve(count * DRAW_SIZE);
  for (let index = 0, at = draws; index < count; index++, at += DRAW_SIZE) {
    annex.set(at + DRAW_THRESHOLD, threshold(count - index));
    annex.set(at + DRAW_CHAIN, referenceTo(numbers[index] ?? 0));
  }
  const written = rows.count;
  const row = rows.add();
  rows.setTarget(row, TARGET_DRAW);
  rows.point(row + ROW_A, draws - written * DRAW_SIZE);
  return count;
}
