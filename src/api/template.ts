// Templates that nobody has rendered, as they lie in a Helm chart: YAML reads `{{ .Values.port }}` as a mapping whose key is a mapping,
// which no Kubernetes object has.
import type { Node } from 'yaml';
import { isMap, isSeq } from '#yaml';

export const UNRENDERED = 'unrendered template ({{ … }}), expected plain YAML, as `helm template` prints it';

/** The first of a tree. */
export function templateIn(node: unknown): Node | undefined {
  if (isMap(node) && node.items.some(({ key }) => isMap(key))) return node;
  const children: readonly unknown[] = isMap(node) ? node.items.map(({ value }) => value) : isSeq(node) ? node.items : [];
  for (const child of children) {
    const found = templateIn(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where the template begins that a syntax error at `offset` is about: on its line. */
export function templateAt(text: string, offset: number): number | undefined {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(start, end < 0 ? text.length : end);
  const found = line.indexOf('{{');
  return found < 0 ? undefined : start + found;
}
