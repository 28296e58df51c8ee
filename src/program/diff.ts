// What differs between two lists whose unchanged items are the same objects. Costs a comparison an item.

/** `removed` stood from index `at` of the list before; `added` stands there now. */
export interface Edit<Item> {
  readonly at: number;
  readonly removed: readonly Item[];
  readonly added: readonly Item[];
}

/** The edits that make one list of the other, in order. A list whose items changed places counts as replaced from there on. */
export function diff<Item>(before: readonly Item[], after: readonly Item[]): Edit<Item>[] {
  if (before === after) return [];
  let start = 0;
  const shorter = Math.min(before.length, after.length);
  while (start < shorter && before[start] === after[start]) start++;
  let beforeEnd = before.length;
  let afterEnd = after.length;
  while (beforeEnd > start && afterEnd > start && before[beforeEnd - 1] === after[afterEnd - 1]) {
    beforeEnd--;
    afterEnd--;
  }
  if (start === beforeEnd || start === afterEnd)
    return start === beforeEnd && start === afterEnd
      ? []
      : [{ at: start, removed: before.slice(start, beforeEnd), added: after.slice(start, afterEnd) }];
  const edits: Edit<Item>[] = [];
  let stays: ReadonlySet<Item> | undefined;
  let stood: ReadonlySet<Item> | undefined;
  let i = start;
  let j = start;
  while (i < beforeEnd || j < afterEnd) {
    if (i < beforeEnd && j < afterEnd && before[i] === after[j]) {
      i++;
      j++;
      continue;
    }
    const at = i;
    const from = j;
    if (i < beforeEnd && j < afterEnd && (before[i + 1] === after[j + 1] || (i + 1 === beforeEnd && j + 1 === afterEnd))) {
      i++; // one for one: most changes are
      j++;
    } else {
      stays ??= new Set(after.slice(j, afterEnd));
      stood ??= new Set(before.slice(i, beforeEnd));
      i = firstOf(stays, before, i, beforeEnd);
      j = firstOf(stood, after, j, afterEnd);
      if (i === at && j === from) {
        i = beforeEnd;
        j = afterEnd;
      }
    }
    edits.push({ at, removed: before.slice(at, i), added: after.slice(from, j) });
  }
  return edits;
}

/** The index of the first item from `start` on that is one of `items`, or `end`. */
function firstOf<Item>(items: ReadonlySet<Item | undefined>, list: readonly Item[], start: number, end: number): number {
  for (let index = start; index < end; index++) if (items.has(list[index])) return index;
  return end;
}

/** Up to here, handing all pieces to one concat is safe, and it copies them whole. */
const PIECES_MAX = 1000;

/** The list after the edits. With few of them it costs no more than a copy. */
export function applyEdits<Item>(before: readonly Item[], edits: readonly Edit<Item>[]): readonly Item[] {
  if (edits.length === 0) return before;
  const pieces: (readonly Item[])[] = [];
  let next = 0;
  for (const { at, removed, added } of edits) {
    pieces.push(before.slice(next, at), added);
    next = at + removed.length;
  }
  pieces.push(before.slice(next));
  const none: readonly Item[] = [];
  return pieces.length > PIECES_MAX ? pieces.flat() : none.concat(...pieces);
}
