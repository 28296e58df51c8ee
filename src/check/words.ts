// Lists and counts in sentences.

const LISTED_MAX = 5;

/** `a, b and c`; after five, `and 4 more`. */
export function listed(names: readonly string[]): string {
  if (names.length > LISTED_MAX) return `${names.slice(0, LISTED_MAX).join(', ')} and ${names.length - LISTED_MAX} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `1 Pod`, `3 Pods`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `app=web,tier=front`, as kubectl writes labels. */
export function labelText(labels: Readonly<Record<string, string>>): string {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}
