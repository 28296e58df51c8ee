// Objects found by keys that are read off them: without it, every controller would ask every object. The store keeps its indexes true
// through every change; `LabelIndex` and `SelectorIndex` are the two ways to find by labels.
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { labelsOf } from './fields.ts';
import { matchesLabels } from './selector.ts';

/** What is kept of one object; it stays the same through all updates of the object. */
export interface StoredObject {
  object: KubernetesObject;
  /** It came from outside: controllers neither replace nor remove it. */
  isGiven: boolean;
  /** Numbers creations. */
  readonly order: number;
}

type Labels = Readonly<Record<string, string>>;

export class ObjectIndex {
  readonly #keysOf: (object: KubernetesObject) => readonly string[];
  readonly #groups = new Map<string, Set<StoredObject>>();

  constructor(keysOf: (object: KubernetesObject) => readonly string[]) {
    this.#keysOf = keysOf;
  }

  /** From one state of an object to the next; undefined: it was not there, or is not any more. */
  update(stored: StoredObject, before: KubernetesObject | undefined, after: KubernetesObject | undefined): void {
    const old = before === undefined ? [] : this.#keysOf(before);
    const keys = after === undefined ? [] : this.#keysOf(after);
    for (const key of old) if (!keys.includes(key)) this.#remove(key, stored);
    for (const key of keys) if (!old.includes(key)) this.#add(key, stored);
  }

  /** In the order of creation. */
  at(key: string): KubernetesObject[] {
    const group = this.#groups.get(key);
    if (group === undefined) return [];
    return [...group].sort((a, b) => a.order - b.order).map(({ object }) => object);
  }

  count(key: string): number {
    return this.#groups.get(key)?.size ?? 0;
  }

  #add(key: string, stored: StoredObject): void {
    const group = this.#groups.get(key);
    if (group === undefined) this.#groups.set(key, new Set([stored]));
    else group.add(stored);
  }

  #remove(key: string, stored: StoredObject): void {
    const group = this.#groups.get(key);
    group?.delete(stored);
    if (group?.size === 0) this.#groups.delete(key);
  }
}

/** Finds objects by labels that they have. */
export class LabelIndex extends ObjectIndex {
  constructor(objects: readonly KubernetesObject[] = []) {
    super((object) => labelKeys(namespaceOf(object), labelsOf(object.metadata.labels)));
    for (const [order, object] of objects.entries()) this.update({ object, isGiven: true, order }, undefined, object);
  }

  /** Those that have all of these labels; all of the namespace for none. */
  labelled(namespace: string, labels: Labels): KubernetesObject[] {
    const candidates = this.at(firstKey(namespace, labels));
    return candidates.filter((object) => matchesLabels(labels, labelsOf(object.metadata.labels)));
  }
}

/** Finds objects by what they select. */
export class SelectorIndex extends ObjectIndex {
  /** @param selectorOf labels that a selected object has in any case; undefined: it selects nothing */
  constructor(selectorOf: (object: KubernetesObject) => Labels | undefined) {
    super((object) => {
      const selector = selectorOf(object);
      return selector === undefined ? [] : [firstKey(namespaceOf(object), selector)];
    });
  }

  /** Those that may select an object with these labels; the rest of their selectors is still to be asked. */
  candidates(namespace: string, labels: Labels): KubernetesObject[] {
    return labelKeys(namespace, labels).flatMap((key) => this.at(key));
  }
}

/** Each group keeps the order in which the items come. */
export function groupBy<Item>(items: readonly Item[], keyOfItem: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOfItem(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function firstKey(namespace: string, labels: Labels): string {
  const [first] = Object.entries(labels);
  return first === undefined ? namespace : labelKey(namespace, ...first);
}

function labelKeys(namespace: string, labels: Labels): string[] {
  return [namespace, ...Object.entries(labels).map(([key, value]) => labelKey(namespace, key, value))];
}

function labelKey(namespace: string, key: string, value: string): string {
  return `${namespace}/${key}=${value}`;
}
