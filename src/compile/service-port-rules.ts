// The rules of all ServicePorts, kept from one compilation to the next: only those of changed ServicePorts are made anew, and what
// comes out the same again stays the same object, down to single chains. A compiler owns one: one a dataplane and family.
import { applyEdits, diff, type Edit } from '../program/diff.ts';
import { keepSame, sameData } from '../program/same-data.ts';
import type { ServicePort, ServicePortState } from '../state/expected-state.ts';

/** One list of a Program as far as ServicePorts make it: a part for each of them that has items for it, in their order. */
export interface ServicePortList<Item> {
  /** The same object as long as no part changed. */
  readonly parts: readonly (readonly Item[])[];
}

/** A changed stretch of ServicePorts: what was compiled of the new ones, and which old one each of them was. */
interface Compiled<Rules> extends Edit<ServicePortState> {
  readonly rules: readonly Rules[];
  /** Indexes into `removed`, -1 for a ServicePort that was not there. */
  readonly was: readonly number[];
}

/** The new items, each that says the same as one before kept as the object it was. */
type Keep<Item> = (before: readonly Item[], after: readonly Item[]) => readonly Item[];

export class ServicePortRules<Context, Rules> {
  readonly #compileOne: (state: ServicePortState, context: Context) => Rules;
  readonly #lists: { update(compiled: readonly Compiled<Rules>[]): void }[] = [];
  #context: Context | undefined;
  #states: readonly ServicePortState[] = [];

  constructor(compileOne: (state: ServicePortState, context: Context) => Rules) {
    this.#compileOne = compileOne;
  }

  /**
   * The list that `select` takes from each ServicePort's rules. All lists are asked for before the first update. `keep`: what keeps
   * items that say the same, where there is a quicker way than to look at all of their data.
   */
  list<Item>(select: (rules: Rules) => readonly Item[], keep: Keep<Item> = keepSame): ServicePortList<Item> {
    const list = new PartList(select, keep);
    this.#lists.push(list);
    return list;
  }

  /**
   * Brings all lists up to date, or, when a ServicePort cannot be compiled, none. Returns the context: the one of the last time when
   * it says the same. Another one means that every ServicePort is compiled.
   */
  update(states: readonly ServicePortState[], context: Context): Context {
    const isSame = this.#context !== undefined && sameData(this.#context, context);
    const inForce = isSame && this.#context !== undefined ? this.#context : context;
    const before = this.#states;
    const edits = isSame ? diff(before, states) : [{ at: 0, removed: before, added: states }];
    const compiled = edits.map((edit) => ({
      ...edit,
      rules: edit.added.map((state) => this.#compileOne(state, inForce)),
      was: originsOf(edit),
    }));
    for (const list of this.#lists) list.update(compiled);
    this.#states = states;
    this.#context = inForce;
    return inForce;
  }
}

/** Of a large cluster most parts of most lists are empty, and one object. */
export const NO_ITEMS: readonly never[] = [];

class PartList<Rules, Item> implements ServicePortList<Item> {
  parts: readonly (readonly Item[])[] = [];
  readonly #select: (rules: Rules) => readonly Item[];
  readonly #keep: Keep<Item>;
  /** Of every ServicePort. */
  #all: readonly (readonly Item[])[] = [];
  #emptyCount = 0;

  constructor(select: (rules: Rules) => readonly Item[], keep: Keep<Item>) {
    this.#select = select;
    this.#keep = keep;
  }

  update(compiled: readonly Compiled<Rules>[]): void {
    const edits = compiled.map(({ at, removed, rules, was }) => {
      const before = this.#all.slice(at, at + removed.length);
      return { at, removed: before, added: rules.map((one, index) => this.#keep(before[was[index] ?? -1] ?? NO_ITEMS, this.#select(one))) };
    });
    this.#all = applyEdits(this.#all, edits.filter(isChange));
    for (const { removed, added } of edits) this.#emptyCount += emptyCount(added) - emptyCount(removed);
    if (edits.some(isVisible)) this.parts = this.#emptyCount === 0 ? this.#all : this.#all.filter(hasItems);
  }
}

function isChange<Item>({ removed, added }: Edit<Item>): boolean {
  return removed.length !== added.length || added.some((part, index) => part !== removed[index]);
}

/** A change of parts that have items. */
function isVisible<Item>({ at, removed, added }: Edit<readonly Item[]>): boolean {
  if (!removed.some(hasItems)) return added.some(hasItems);
  return isChange({ at, removed: removed.filter(hasItems), added: added.filter(hasItems) });
}

function emptyCount(parts: readonly (readonly unknown[])[]): number {
  let count = 0;
  for (const part of parts) if (!hasItems(part)) count++;
  return count;
}

function hasItems({ length }: readonly unknown[]): boolean {
  return length > 0;
}

function originsOf({ removed, added }: Edit<ServicePortState>): number[] {
  const byKey = new Map(removed.map(({ servicePort }, index) => [keyOf(servicePort), index]));
  return added.map(({ servicePort }) => byKey.get(keyOf(servicePort)) ?? -1);
}

function keyOf({ name, protocol }: ServicePort): string {
  return `${name}/${protocol}`;
}

/** Remembers what was made of the last inputs, and makes it anew only when one of them is another object or value. */
export function rememberLast<Inputs extends readonly unknown[], Made>(make: (...inputs: Inputs) => Made): (...inputs: Inputs) => Made {
  let last: { readonly inputs: Inputs; readonly made: Made } | undefined;
  return (...inputs) => {
    if (last === undefined || !inputs.every((input, index) => input === last?.inputs[index])) last = { inputs, made: make(...inputs) };
    return last.made;
  };
}
