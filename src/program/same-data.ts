// Equality of plain data, as Programs are made of.

/** True when both hold the same, however deep; absent fields and fields that are undefined are the same. */
export function sameData(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false;
  if (Array.isArray(one)) {
    if (!Array.isArray(other) || one.length !== other.length) return false;
    return one.every((item: unknown, index) => sameData(item, other[index]));
  }
  const a: Readonly<Record<string, unknown>> = { ...one };
  const b: Readonly<Record<string, unknown>> = { ...other };
  for (const key in a) if (!sameData(a[key], b[key])) return false;
  for (const key in b) if (a[key] === undefined && b[key] !== undefined) return false;
  return true;
}

/** Items to look ahead for one that stood before: those in between are gone. */
const LOOK_AHEAD = 16;

/** The new list with each item that stood in the list before kept as the object it was, and the list before when nothing changed. */
export function keepSame<Item>(
  before: readonly Item[],
  after: readonly Item[],
  isSame: (one: Item, other: Item) => boolean = sameData,
): readonly Item[] {
  if (before.length === 0) return after.length === 0 ? before : after;
  let next = 0;
  const kept = after.map((item) => {
    for (let index = next; index < Math.min(next + LOOK_AHEAD, before.length); index++) {
      const known = before[index];
      if (known === undefined || !isSame(known, item)) continue;
      next = index + 1;
      return known;
    }
    return item;
  });
  return kept.length === before.length && kept.every((item, index) => item === before[index]) ? before : kept;
}
