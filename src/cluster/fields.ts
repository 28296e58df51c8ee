// Reads single fields of raw objects without trusting their shape. The controllers work on objects as the API hands them out;
// what is absent or of another type reads as empty, because validation has already complained where it matters.

export type Fields = Readonly<Record<string, unknown>>;

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function textsOf(value: unknown): string[] {
  return listOf(value).filter((item) => typeof item === 'string');
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

/** Absent, null or empty: the same to an API server in every field that is no pointer. */
export function isUnset(value: unknown): boolean {
  return value === undefined || value === null || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
}

/** Labels, selectors, annotations: the entries whose value is text. */
export function labelsOf(value: unknown): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {};
  for (const [key, label] of Object.entries(fieldsOf(value))) {
    if (typeof label === 'string') labels[key] = label;
  }
  return labels;
}

/** Without the fields that are undefined or null: to an API server they are not there. */
export function compact(fields: Fields): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** JSON with the keys in order: maps that say the same in another order give the same text. */
export function orderedJson(value: unknown): string | undefined {
  return JSON.stringify(value, (_key, inner: unknown) => (isFields(inner) ? Object.fromEntries(Object.entries(inner).sort(byKey)) : inner));
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
