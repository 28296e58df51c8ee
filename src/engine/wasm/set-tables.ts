// The named sets and maps of a family: their numbers, what a change makes of them, and dynamic sets with their timeouts.
import { VALUE_DROP } from '../../../assembly/shared/layout.ts';
import { UnsupportedError } from '../../errors.ts';
import { type Change, itemEdits } from '../../program/change.ts';
import { elementsOf, itemsOf, type Joined, type MapElement, mapElementsOf } from '../../program/joined.ts';
import { sameData } from '../../program/same-data.ts';
import type { ElementKey, NamedSet, VerdictMap } from '../../program/sets.ts';
import { type Records, referenceTo } from './records.ts';
import { keySelectors } from './set-keys.ts';
import { editSet, isWorthEditing, member, type SetShape, type SlotContent, type WrittenSet, writeSet } from './set-records.ts';

interface SetRecord extends SetShape, WrittenSet {
  readonly number: number;
  readonly elements: Joined<Element>;
}

type Element = ElementKey | MapElement;

/** What the elements of maps refer to. */
export interface MapTargets {
  chainReference(name: string): number;
  servicePortId(name: string): number;
}

export class SetTables {
  readonly #records: Records;
  #sets: ReadonlyMap<string, SetRecord> = new Map();
  /** Dynamic sets, and how long their elements live in seconds. */
  readonly #timeouts = new Map<string, number>();
  /** The sets with those of a change being written. */
  #draft: Map<string, SetRecord> | undefined;
  #retimed: { readonly name: string; readonly before: number | undefined }[] = [];

  constructor(records: Records) {
    this.#records = records;
  }

  /** Writes changed sets and maps. Returns the names of dynamic sets that were there with another timeout. */
  write(sets: Change<NamedSet>, maps: Change<VerdictMap>, targets: MapTargets): readonly string[] {
    this.#draft = sets.added.length + sets.removed.length + maps.added.length + maps.removed.length === 0 ? undefined : new Map(this.#sets);
    const kept = new Set([...sets.added, ...maps.added].map(({ name }) => name));
    for (const { name } of [...sets.removed, ...maps.removed]) if (!kept.has(name)) this.#drop(name);
    for (const set of sets.added) {
      if (set.timeoutSeconds !== undefined) this.#setTimeout(set.name, set.timeoutSeconds);
      else this.#write({ name: set.name, key: set.key, isMap: false }, elementsOf(set), targets);
    }
    for (const map of maps.added) this.#write({ name: map.name, key: map.key, isMap: true }, mapElementsOf(map), targets);
    return this.#retimed.filter(({ before }) => before !== undefined).map(({ name }) => name);
  }

  commit(): void {
    this.#sets = this.#draft ?? this.#sets;
    this.#draft = undefined;
    this.#retimed = [];
  }

  abort(): void {
    for (const { name, before } of this.#retimed.reverse()) {
      if (before === undefined) this.#timeouts.delete(name);
      else this.#timeouts.set(name, before);
    }
    this.#draft = undefined;
    this.#retimed = [];
  }

  /** @throws UnsupportedError */
  reference(name: string): number {
    return referenceTo(this.#set(name).number);
  }

  selectors(name: string, sides: readonly ('src' | 'dst')[]): number {
    return keySelectors(this.#set(name).key, sides);
  }

  /** Undefined for a set that is not dynamic. */
  timeoutOf(name: string): number | undefined {
    return this.#timeouts.get(name);
  }

  all(): IterableIterator<SetRecord> {
    return this.#sets.values();
  }

  #write(shape: SetShape, elements: Joined<Element>, targets: MapTargets): void {
    const before = this.#sets.get(shape.name);
    const contentOf = (element: Element): SlotContent => contentOfSlot(element, targets);
    const written = this.#edit(shape, before, elements, contentOf) ?? writeSet(this.#records, shape, itemsOf(elements).map(contentOf));
    if (before !== undefined) this.#records.release(before.block);
    const number = before?.number ?? this.#records.takeNumber();
    this.#records.setRecord(number, written.block.address);
    this.#draft?.set(shape.name, { ...shape, ...written, number, elements });
  }

  #edit(
    shape: SetShape,
    before: SetRecord | undefined,
    elements: Joined<Element>,
    contentOf: (element: Element) => SlotContent,
  ): WrittenSet | undefined {
    if (before === undefined || before.isMap !== shape.isMap || !sameData(before.key, shape.key)) return undefined;
    const change = itemEdits(before.elements, elements);
    if (!isWorthEditing(before, change)) return undefined;
    return editSet(this.#records, shape, before, { removed: change.removed.map(keyOf), added: change.added.map(contentOf) });
  }

  #drop(name: string): void {
    if (this.#timeouts.has(name)) {
      this.#noteTimeout(name);
      this.#timeouts.delete(name);
      return;
    }
    const record = this.#sets.get(name);
    if (record === undefined) return;
    this.#records.release(record.block);
    this.#records.giveNumber(record.number);
    this.#draft?.delete(name);
  }

  #setTimeout(name: string, seconds: number): void {
    if (this.#timeouts.get(name) === seconds) return;
    this.#noteTimeout(name);
    this.#timeouts.set(name, seconds);
  }

  #noteTimeout(name: string): void {
    this.#retimed.push({ name, before: this.#timeouts.get(name) });
  }

  #set(name: string): SetRecord {
    const set = (this.#draft ?? this.#sets).get(name);
    if (set === undefined) throw new UnsupportedError(`the program has no set or map ${name}, but a rule names it`);
    return set;
  }
}

function keyOf(element: Element): ElementKey {
  return 'verdict' in element ? element.key : element;
}

function contentOfSlot(element: Element, targets: MapTargets): SlotContent {
  if (!('verdict' in element)) return member(element);
  const { key, verdict, servicePort } = element;
  const value = verdict.kind === 'drop' ? VALUE_DROP : targets.chainReference(verdict.chain);
  return { key, servicePort: servicePort === undefined ? 0 : targets.servicePortId(servicePort), value };
}
