// Loads the conformance data, byte for byte as given. No expectation stands in a test of its own.
import { readFileSync } from 'node:fs';
import type { KubernetesObject } from '../../src/api/types.ts';

/** The parsed content of a file of conformance/. The caller names its shape, as FORMAT.md describes it. */
export function loadConformance<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../../conformance/${file}`, import.meta.url), 'utf8')) as T;
}

/** Every Kubernetes object with metadata that stands anywhere in a file. */
export function objectsIn(file: string): KubernetesObject[] {
  const found: KubernetesObject[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('kind' in value && 'apiVersion' in value && 'metadata' in value) found.push(value as KubernetesObject);
    else for (const child of Object.values(value)) visit(child);
  };
  visit(loadConformance<unknown>(file));
  return found;
}
