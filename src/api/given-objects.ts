// What callers hand to `apply` and `delete`, looked at before anything is read of it: the types forbid all else, and JavaScript does not.
import { InvalidArgumentError } from '../errors.ts';
import { isRecord } from './fields.ts';
import type { KubernetesObject, ObjectRef } from './types.ts';

/** All of the objects. @throws InvalidArgumentError for what is none: an object alone, a List that is still folded, text */
export function givenObjects(objects: Iterable<KubernetesObject>): KubernetesObject[] {
  return listOf('objects', objects, ({ apiVersion, kind, metadata, items }) => {
    if (Array.isArray(items) && kind === 'List') return 'is a List, expected its items';
    const isObject = typeof apiVersion === 'string' && typeof kind === 'string' && isRecord(metadata) && metadata.name !== undefined;
    return isObject || 'is not a Kubernetes object, expected apiVersion, kind and metadata.name';
  });
}

/** All of the references. @throws InvalidArgumentError */
export function givenRefs(refs: Iterable<ObjectRef>): ObjectRef[] {
  return listOf(
    'refs',
    refs,
    ({ kind, name }) => (typeof kind === 'string' && typeof name === 'string') || 'is not a reference, expected kind and name',
  );
}

/** @param judge true, or what an item is instead */
function listOf<Item>(path: string, given: Iterable<Item>, judge: (item: Readonly<Record<string, unknown>>) => true | string): Item[] {
  if (typeof given !== 'object' || !given?.[Symbol.iterator]) throw new InvalidArgumentError(path, given, `is not a list of ${path}`);
  const list = [...given];
  for (const [index, item] of list.entries()) {
    const judged = judge(isRecord(item) ? item : {});
    if (judged !== true) throw new InvalidArgumentError(`${path}[${index}]`, item, judged);
  }
  return list;
}
