// How far two names are apart.

/** The nearest name that differs by case, or by a letter or two; none for a name that is there. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  if (names.includes(given)) return undefined;
  let least = given.length < 5 ? 2 : 3;
  let nearest: string | undefined;
  for (const name of names) {
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) [nearest, least] = [name, distance];
  }
  return nearest;
}

/** `, did you mean Service?` when one of the names is near, else nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  const meant = nearestName(given, names);
  return meant === undefined ? '' : `, did you mean ${meant}?`;
}

/** Levenshtein's distance: characters to insert, delete or replace. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
