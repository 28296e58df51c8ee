// What callers hand to `apply` and `delete`, looked at before anything is read of it: the types forbid all else, and JavaScript does not.
import { InvalidArgumentError } from '../errors.ts';
import { isRecord } from './fields.ts';
import type { KubernetesObject, ObjectRef } from './types.ts';

/** All of the objects. @throws InvalidArgumentError for what is none: an object alone, a List that is still folded, text */
export function givenObjects(objects: Iterable<KubernetesObject>): KubernetesObject[] {
  return listOf('objects', objects, ({ apiVersion, kind, metadata, items }) => {
    if (Array.isArray(items) && String(kind).endsWith('List')) return 'is a List, expected its items';
    const isObject = [apiVersion, kind].every(isText) && isRecord(metadata) && metadata.name !== undefined;
    return isObject ? undefined : 'is not a Kubernetes object, expected apiVersion, kind and metadata.name';
  });
}

/** All of the references. @throws InvalidArgumentError */
export function givenRefs(refs: Iterable<ObjectRef>): ObjectRef[] {
  return listOf('refs', refs, ({ kind, name }) => ([kind, name].every(isText) ? undefined : 'is not a reference, expected kind and name'));
}

function listOf<Item>(
  path: string,
  given: Iterable<Item>,
  problemOf: (item: Readonly<Record<string, unknown>>) => string | undefined,
): Item[] {
  if (!(Symbol.iterator in Object(given)) || isText(given)) throw new InvalidArgumentError(path, given, `is not a list of ${path}`);
  const list = [...given];
  for (const [index, item] of list.entries()) {
    const problem = problemOf(isRecord(item) ? item : {});
    if (problem !== undefined) throw new InvalidArgumentError(`${path}[${index}]`, item, problem);
  }
  return list;
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
