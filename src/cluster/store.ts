// The objects of a cluster, by kind and name: those that were given and those that the controllers made of them.
// A change works on a clone, which takes the place of the original only when everything went well.
import { keyOf, namespaceOf, objectName, refOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { fieldsOf, listOf } from './fields.ts';

/** The owner that controls an object, as its ownerReferences say. */
export function controllerOf(object: KubernetesObject): { readonly kind: string; readonly name: string } | undefined {
  const owner = listOf(object.metadata.ownerReferences)
    .map(fieldsOf)
    .find((reference) => reference.controller === true);
  return owner === undefined ? undefined : { kind: String(owner.kind), name: String(owner.name) };
}

export function isControlledBy(object: KubernetesObject, owner: KubernetesObject): boolean {
  const controller = controllerOf(object);
  return controller?.kind === owner.kind && controller.name === owner.metadata.name && namespaceOf(object) === namespaceOf(owner);
}

/** Each group keeps the order in which the objects come. */
export function groupBy(
  objects: readonly KubernetesObject[],
  keyOfObject: (object: KubernetesObject) => string,
): Map<string, KubernetesObject[]> {
  const groups = new Map<string, KubernetesObject[]>();
  for (const object of objects) {
    const key = keyOfObject(object);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [object]);
    else group.push(object);
  }
  return groups;
}

export class ObjectStore {
  readonly #kinds: Map<string, Map<string, KubernetesObject>> = new Map();
  readonly #given: Set<string> = new Set();
  readonly #counters: Map<string, number> = new Map();

  clone(): ObjectStore {
    const copy = new ObjectStore();
    for (const [kind, objects] of this.#kinds) copy.#kinds.set(kind, new Map(objects));
    for (const key of this.#given) copy.#given.add(key);
    for (const [name, count] of this.#counters) copy.#counters.set(name, count);
    return copy;
  }

  /** `name` is namespace/name, or the name alone for kinds of no namespace. */
  get(kind: string, name: string): KubernetesObject | undefined {
    return this.#kinds.get(kind)?.get(name);
  }

  /** An object that came from outside: controllers neither replace nor remove it. */
  putGiven(object: KubernetesObject): void {
    this.put(object);
    this.#given.add(keyOf(refOf(object)));
  }

  /** Creates or updates, and leaves open whose object it is. */
  put(object: KubernetesObject): void {
    const objects = this.#kinds.get(object.kind) ?? new Map<string, KubernetesObject>();
    this.#kinds.set(object.kind, objects.set(objectName(object), object));
  }

  isGiven(object: KubernetesObject): boolean {
    return this.#given.has(keyOf(refOf(object)));
  }

  /** From here on the controllers may remove it. */
  release(object: KubernetesObject): void {
    this.#given.delete(keyOf(refOf(object)));
  }

  remove(object: KubernetesObject): void {
    this.release(object);
    this.#kinds.get(object.kind)?.delete(objectName(object));
  }

  /** In the order of creation. */
  list(kind: string): KubernetesObject[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])];
  }

  kinds(): string[] {
    return [...this.#kinds.keys()];
  }

  count(kind: string): number {
    return this.#kinds.get(kind)?.size ?? 0;
  }

  /** Sorted by kind, then by name: the order of creation is nobody's business outside. */
  sorted(kind?: string): KubernetesObject[] {
    const kinds = kind === undefined ? this.kinds().sort() : [kind];
    return kinds.flatMap((each) => this.list(each).sort(byName));
  }

  /** 0, 1, 2 … for each name; goes on after a deletion, so that what it numbers is never named twice. */
  nextCount(name: string): number {
    const count = this.#counters.get(name) ?? 0;
    this.#counters.set(name, count + 1);
    return count;
  }

  counter(name: string): number | undefined {
    return this.#counters.get(name);
  }

  setCounter(name: string, value: number): void {
    this.#counters.set(name, value);
  }
}

function byName(a: KubernetesObject, b: KubernetesObject): number {
  const [left, right] = [objectName(a), objectName(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}
