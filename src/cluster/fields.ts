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

/**
 * Without the fields that are null, however deep: to an API server they are not there. The same value when there are none. In maps of text a
 * null stays, for the validators.
 */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) {
    // A hole is null, as JSON has it, so that no loop meets it unawares.
    const items = Array.from(value, (item) => withoutNulls(item) ?? null);
    return items.every((item, index) => item === value[index]) ? value : (items as T);
  }
  if (!isFields(value)) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, TEXT_MAPS.has(key) ? inner : withoutNulls(inner)] as const);
  if (entries.every(([key, inner]) => inner !== null && inner === value[key])) return value;
  return Object.fromEntries(entries.filter(([, inner]) => inner !== null)) as T;
}

const TEXT_MAPS: ReadonlySet<string> = new Set(['annotations', 'labels', 'matchLabels', 'nodeSelector', 'selector']);

/**
 * JSON with the keys in order, without empty lists and maps: what says the same gives the same text.
 * @param defaults by the name of the field, wherever it stands: written out they say nothing new
 */
export function comparableJson(value: unknown, defaults: Fields = {}): string | undefined {
  const comparable = (key: string, inner: unknown) => {
    if (!isFields(inner)) return inner;
    const said = Object.entries(inner).filter(([name, field]) => TEXT_MAPS.has(key) || (isFilled(field) && field !== defaults[name]));
    return Object.fromEntries(said.sort(byKey));
  };
  return JSON.stringify(value, comparable);
}

function isFilled(value: unknown): boolean {
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
