// The named sets and maps of a family: their numbers, what a change makes of them, and dynamic sets with their timeouts.
import { VALUE_DROP } from '../../../assembly/shared/layout.ts';
import { UnsupportedError } from '../../errors.ts';
import type { Change } from '../../program/change.ts';
import type { ElementKey, KeyField, NamedSet, VerdictMap } from '../../program/sets.ts';
import { type Block, type Records, referenceTo } from './records.ts';
import { keySelectors, type SlotContent, writeSet } from './set-records.ts';
import { TableImage } from './table-image.ts';

interface SetRecord {
  readonly name: string;
  readonly number: number;
  readonly key: readonly KeyField[];
  readonly block: Block;
  readonly isMap: boolean;
}

/** What the elements of maps refer to. */
export interface MapTargets {
  chainReference(name: string): number;
  servicePortId(name: string): number;
}

export class SetTables {
  readonly #records: Records;
  readonly #image = new TableImage();
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
      else this.#writeSet(set, set.elements.map(member), false);
    }
    for (const map of maps.added)
      this.#writeSet(
        map,
        map.elements.map((element) => slotOf(element, targets)),
        true,
      );
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

  #writeSet({ name, key }: Pick<NamedSet, 'name' | 'key'>, contents: readonly SlotContent[], isMap: boolean): void {
    this.#image.clear();
    const at = writeSet(this.#image, name, key, contents);
    const block = this.#records.place(this.#image);
    const before = this.#sets.get(name);
    if (before !== undefined) this.#records.release(before.block);
    const number = before?.number ?? this.#records.takeNumber();
    this.#records.setRecord(number, block.address + at);
    this.#draft?.set(name, { name, number, key, block, isMap });
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

function member(key: ElementKey): SlotContent {
  return { key, servicePort: 0, value: 1 };
}

function slotOf({ key, verdict, servicePort }: VerdictMap['elements'][number], targets: MapTargets): SlotContent {
  const value = verdict.kind === 'drop' ? VALUE_DROP : targets.chainReference(verdict.chain);
  return { key, servicePort: servicePort === undefined ? 0 : targets.servicePortId(servicePort), value };
}
