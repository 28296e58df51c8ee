// The objects of a cluster, by kind and name: those that were given and those that the controllers made of them, with the indexes by
// which controllers find each other's objects. A change is a transaction: what it touches is remembered, and can be taken back whole.
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { heldBy } from './allocation.ts';
import { fieldsOf, isFields, labelsOf } from './fields.ts';
import { LabelIndex, ObjectIndex, SelectorIndex, type StoredObject } from './object-index.ts';
import { controllerOf } from './owners.ts';
import { isFinished, isTerminating, podIPs, podNode } from './pods.ts';
import { serviceKey } from './service-slices.ts';

/** An object before and after; undefined: it was not there, or is not any more. */
export interface Change {
  readonly before: KubernetesObject | undefined;
  readonly after: KubernetesObject | undefined;
}

/** What a transaction found of an object when it touched it first. */
interface Touched {
  readonly kind: string;
  readonly name: string;
  readonly before: Readonly<StoredObject> | undefined;
}

export class ObjectStore {
  readonly #kinds = new Map<string, Map<string, StoredObject>>();
  readonly #counters = new Map<string, number>();
  #created = 0;

  readonly #indexes = new Map<string, ObjectIndex[]>();
  readonly podsByLabel = this.#index(['Pod'], new LabelIndex());
  readonly podsByNode = this.#index(['Pod'], new ObjectIndex((pod) => [podNode(pod)]));
  readonly unfinishedPodsByNode = this.#index(['Pod'], new ObjectIndex((pod) => (isFinished(pod) ? [] : [podNode(pod)])));
  /** Finished Pods have given their address back. */
  readonly podsByAddress = this.#index(['Pod'], new ObjectIndex((pod) => (isFinished(pod) ? [] : podIPs(pod))));
  readonly #terminatingPods = this.#index(['Pod'], new ObjectIndex((pod) => (isTerminating(pod) ? [''] : [])));
  readonly slicesByService = this.#index(['EndpointSlice'], new ObjectIndex((slice) => [serviceKey(slice)]));
  readonly servicesBySelector = this.#index(['Service'], new SelectorIndex(serviceSelector));
  /** By cluster IP and by node port. */
  readonly servicesByHolding = this.#index(['Service'], new ObjectIndex((service) => heldBy(service).map(String)));
  /** Those that take Pods of nobody as their own. */
  readonly adoptersBySelector = this.#index(['ReplicaSet', 'ReplicationController'], new SelectorIndex(adopterSelector));
  readonly #byController = new ObjectIndex(controllerKeys);

  #touched = new Map<string, Touched>();
  #countersBefore = new Map<string, number | undefined>();
  #changes: Change[] = [];

  /** `name` is namespace/name, or the name alone for kinds of no namespace. */
  get(kind: string, name: string): KubernetesObject | undefined {
    return this.#kinds.get(kind)?.get(name)?.object;
  }

  /** An object that came from outside: controllers neither replace nor remove it. */
  putGiven(object: KubernetesObject): void {
    this.#put(object, true);
  }

  /** Creates or updates, and leaves open whose object it is. */
  put(object: KubernetesObject): void {
    this.#put(object, this.isGiven(object));
  }

  isGiven(object: KubernetesObject): boolean {
    return this.#kinds.get(object.kind)?.get(objectName(object))?.isGiven ?? false;
  }

  /** From here on the controllers may remove it. */
  release(object: KubernetesObject): void {
    this.#put(object, false);
  }

  remove(object: KubernetesObject): void {
    this.#set(object.kind, objectName(object), undefined);
  }

  /** In the order of creation. */
  list(kind: string): KubernetesObject[] {
    return [...(this.#kinds.get(kind)?.values() ?? [])].map(({ object }) => object);
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
    return kinds.flatMap((each) => [...(this.#kinds.get(each) ?? [])].sort(byKey).map(([, { object }]) => object));
  }

  /** What this object controls, of one kind or of all, in the order of creation. */
  controlledBy(owner: KubernetesObject, kind?: string): KubernetesObject[] {
    const all = this.#byController.at(`${namespaceOf(owner)}/${owner.kind}/${owner.metadata.name}`);
    return kind === undefined ? all : all.filter((object) => object.kind === kind);
  }

  terminatingPods(): KubernetesObject[] {
    return this.#terminatingPods.at('');
  }

  /** 0, 1, 2 … for each name; goes on after a deletion, so that what it numbers is never named twice. */
  nextCount(name: string): number {
    const count = this.counter(name) ?? 0;
    this.setCounter(name, count + 1);
    return count;
  }

  counter(name: string): number | undefined {
    return this.#counters.get(name);
  }

  setCounter(name: string, value: number): void {
    if (!this.#countersBefore.has(name)) this.#countersBefore.set(name, this.#counters.get(name));
    this.#counters.set(name, value);
  }

  /** What was put and removed since this was asked last, in that order. */
  takeChanges(): readonly Change[] {
    const changes = this.#changes;
    this.#changes = [];
    return changes;
  }

  /** Ends the transaction: what it came to, sorted by kind and name. */
  commit(): readonly Change[] {
    const touched = [...this.#touched].sort(byKey).map(([, { kind, name, before }]) => ({
      before: before?.object,
      after: this.get(kind, name),
    }));
    this.#beginAnew();
    return touched.filter(({ before, after }) => before !== after);
  }

  /** Ends the transaction: everything is as before. */
  rollback(): void {
    for (const { kind, name, before } of this.#touched.values()) this.#set(kind, name, before);
    // What came back stands at the end now; lists go by creation.
    for (const kind of new Set([...this.#touched.values()].map((each) => each.kind))) {
      const objects = [...(this.#kinds.get(kind) ?? [])].sort(([, a], [, b]) => a.order - b.order);
      this.#kinds.set(kind, new Map(objects));
    }
    for (const [name, value] of this.#countersBefore) {
      if (value === undefined) this.#counters.delete(name);
      else this.#counters.set(name, value);
    }
    this.#beginAnew();
  }

  #beginAnew(): void {
    this.#touched = new Map();
    this.#countersBefore = new Map();
    this.#changes = [];
  }

  #put(object: KubernetesObject, isGiven: boolean): void {
    const name = objectName(object);
    const order = this.#kinds.get(object.kind)?.get(name)?.order ?? this.#created++;
    this.#set(object.kind, name, { object, isGiven, order });
  }

  #set(kind: string, name: string, next: Readonly<StoredObject> | undefined): void {
    const objects = this.#kinds.get(kind) ?? new Map<string, StoredObject>();
    this.#kinds.set(kind, objects);
    const known = objects.get(name);
    const stored = known ?? (next && { ...next });
    if (stored === undefined) return;
    const before = known?.object;
    const after = next?.object;
    const key = `${kind}/${name}`;
    if (!this.#touched.has(key)) this.#touched.set(key, { kind, name, before: known && { ...known } });
    if (next === undefined) objects.delete(name);
    else objects.set(name, Object.assign(stored, next));
    if (before === after) return;
    for (const index of this.#indexes.get(kind) ?? []) index.update(stored, before, after);
    this.#byController.update(stored, before, after);
    this.#changes.push({ before, after });
  }

  #index<Index extends ObjectIndex>(kinds: readonly string[], index: Index): Index {
    for (const kind of kinds) this.#indexes.set(kind, [...(this.#indexes.get(kind) ?? []), index]);
    return index;
  }
}

/** Undefined: the Service selects nothing, its slices are made by others. */
export function serviceSelector(service: KubernetesObject): Readonly<Record<string, string>> | undefined {
  const spec = fieldsOf(service.spec);
  return spec.type !== 'ExternalName' && isFields(spec.selector) ? labelsOf(spec.selector) : undefined;
}

function adopterSelector(owner: KubernetesObject): Readonly<Record<string, string>> {
  const { selector } = fieldsOf(owner.spec);
  return labelsOf(owner.kind === 'ReplicaSet' ? fieldsOf(selector).matchLabels : selector);
}

function controllerKeys(object: KubernetesObject): string[] {
  const controller = controllerOf(object);
  return controller === undefined ? [] : [`${namespaceOf(object)}/${controller.kind}/${controller.name}`];
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
