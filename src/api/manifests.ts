// Manifests → Kubernetes objects that remember file and line. First step of every command; validates only that they are objects.
import { InvalidArgumentError, ManifestError } from '../errors.ts';
import { type Place, parseDocuments } from './documents.ts';
import { rememberPlace } from './places.ts';
import type { KubernetesObject } from './types.ts';

/**
 * Reads multi-document YAML, JSON, or a List of either, as `kubectl get -o yaml` or `-o json` prints it.
 *
 * @example
 * const [service] = parseManifests('{apiVersion: v1, kind: Service, metadata: {name: web}}', 'web.yaml');
 *
 * @param origin names the text in errors: a file name, `<stdin>`.
 * @throws ManifestError when the text is no YAML or JSON, or a document is no Kubernetes object.
 */
export function parseManifests(text: string, origin = '<input>'): KubernetesObject[] {
  if (typeof text !== 'string') throw new InvalidArgumentError('text', text, "is not a string (of a file: readFileSync(name, 'utf8'))");
  return parseDocuments(text, origin).flatMap(({ value, place }) => objectsOf(value, place));
}

/** What the items of a typed list may leave out, as `ServiceList` already says it. */
interface ItemDefaults {
  readonly apiVersion?: string;
  readonly kind?: string;
}

function objectsOf(value: unknown, place: Place, defaults: ItemDefaults = {}): KubernetesObject[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ManifestError(`is ${nameOfType(value)}, expected a Kubernetes object`, place.locate());
  }
  const written: Readonly<Record<string, unknown>> = { ...value };
  if (isList(written)) return itemsOf(written, place);
  const apiVersion = written.apiVersion ?? defaults.apiVersion;
  const kind = written.kind ?? defaults.kind;
  requireText(kind, 'kind', place);
  requireText(apiVersion, 'apiVersion', place);
  const metadata = requireRecord(written.metadata, 'metadata', place);
  requireText(metadata.name, 'metadata.name', place);
  if (metadata.namespace !== undefined && metadata.namespace !== null) requireText(metadata.namespace, 'metadata.namespace', place);
  const object = { ...written, apiVersion, kind, metadata } as unknown as KubernetesObject;
  rememberPlace(object, place);
  return [object];
}

function isList(written: Readonly<Record<string, unknown>>): boolean {
  const { kind, items } = written;
  if (kind === 'List') return true;
  return typeof kind === 'string' && kind.endsWith('List') && (Array.isArray(items) || items === null);
}

function itemsOf(list: Readonly<Record<string, unknown>>, place: Place): KubernetesObject[] {
  const { apiVersion, kind, items } = list;
  if (items === undefined || items === null) return [];
  if (!Array.isArray(items)) throw new ManifestError(`items is ${nameOfType(items)}, expected a list`, place.locate('items'));
  const itemKind = typeof kind === 'string' ? kind.slice(0, -'List'.length) : '';
  const defaults = itemKind !== '' && typeof apiVersion === 'string' ? { apiVersion, kind: itemKind } : {};
  return items.flatMap((item: unknown, index) => objectsOf(item, place.at('items', index), defaults));
}

function requireText(value: unknown, path: string, place: Place): void {
  if (typeof value === 'string' && value !== '') return;
  const problem = value === undefined || value === null || value === '' ? 'is missing' : `is ${nameOfType(value)}, expected a string`;
  throw new ManifestError(`${path} ${problem}`, place.locate(path));
}

function requireRecord(value: unknown, path: string, place: Place): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  const problem = value === undefined || value === null ? 'is missing' : `is ${nameOfType(value)}, expected an object`;
  throw new ManifestError(`${path} ${problem}`, place.locate(path));
}

function nameOfType(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (value === null || value === undefined) return 'empty';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
