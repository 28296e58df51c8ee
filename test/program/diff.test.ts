import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyEdits, diff } from '../../src/program/diff.ts';

const pool = Array.from({ length: 12 }, (_, id) => ({ id }));
const list = fc.uniqueArray(fc.nat(11), { maxLength: 12 }).map((ids) => ids.flatMap((id) => pool[id] ?? []));

describe('the edits between two lists', () => {
  test('make one of the other, whatever was moved', () => {
    fc.assert(
      fc.property(list, list, (before, after) => {
        expect(applyEdits(before, diff(before, after))).toEqual(after);
      }),
    );
  });

  test('name only what came and went when the others kept their order', () => {
    fc.assert(
      fc.property(list, fc.infiniteStream(fc.boolean()), (all, choices) => {
        const choose = (): typeof all => all.filter(() => choices.next().value === true);
        const before = choose();
        const after = choose();
        const edits = diff(before, after);
        const both = before.filter((item) => after.includes(item));
        const moved = edits.flatMap(({ removed, added }) => [...removed, ...added]).filter((item) => both.includes(item));
        expect(moved).toEqual([]);
      }),
    );
  });

  test('are none for the same items', () => {
    expect(diff(pool, [...pool])).toEqual([]);
  });
});
