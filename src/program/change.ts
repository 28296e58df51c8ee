// What changed from one Program to the next, as an engine needs it: chains, sets, maps and virtual services that went and that came.
// Found by identity: equal objects that are not the same one count as changed.
import { diff } from './diff.ts';
import type { ChainItem } from './endpoint-chains.ts';
import { chainsOf, type Joined, listsOf } from './joined.ts';
import type { Program } from './program.ts';
import type { Rule, Table } from './ruleset.ts';
import type { NamedSet, VerdictMap } from './sets.ts';
import type { VirtualService } from './virtual-service.ts';

/** Items of one list that are no longer there, and new ones. A changed item is in both. */
export interface Change<Item> {
  readonly removed: readonly Item[];
  readonly added: readonly Item[];
}

export interface ProgramChange {
  readonly tables: readonly TableChange[];
  readonly sets: Change<NamedSet>;
  readonly maps: Change<VerdictMap>;
  readonly virtualServices: Change<VirtualService>;
  /** Address by address: one that several ServicePorts bind is there once for each of them. */
  readonly localAddresses: Change<string>;
}

export interface TableChange extends Change<ChainItem> {
  readonly name: string;
}

/** Rows of a chain that went, and the rules that stand there now. `at` counts in the chain before. */
export interface RowEdit {
  readonly at: number;
  readonly removed: readonly (readonly Rule[])[];
  readonly added: readonly (readonly Rule[])[];
}

export function changeOf(before: Program, after: Program): ProgramChange {
  const names = new Set([...before.tables, ...after.tables].map(({ name }) => name));
  const was = listsOf(before);
  const is = listsOf(after);
  return {
    tables: [...names].flatMap((name) => tableChange(name, before.tables, after.tables)),
    sets: joinedChange(was.sets, is.sets),
    maps: plainChange(before.maps, after.maps),
    virtualServices: joinedChange(was.virtualServices, is.virtualServices),
    localAddresses: itemEdits(was.localAddresses, is.localAddresses),
  };
}

function tableChange(name: string, before: readonly Table[], after: readonly Table[]): TableChange[] {
  const was = before.find((table) => table.name === name);
  const is = after.find((table) => table.name === name);
  if (was === is) return [];
  const none: Joined<ChainItem> = { head: [], parts: [], tail: [] };
  const change = joinedChange(was === undefined ? none : chainsOf(was), is === undefined ? none : chainsOf(is));
  return [{ name, ...change }];
}

/** The rows that make one chain of the other. */
export function rowEdits(before: Joined<Rule>, after: Joined<Rule>): RowEdit[] {
  const edits: RowEdit[] = [];
  const replace = (at: number, was: readonly Rule[], is: readonly Rule[]): void => {
    if (was !== is && was.length + is.length > 0) edits.push({ at, removed: [was], added: [is] });
  };
  replace(0, before.head, after.head);
  let row = before.head.length;
  let part = 0;
  const skipTo = (end: number): void => {
    for (; part < end; part++) row += before.parts[part]?.length ?? 0;
  };
  for (const { at, removed, added } of diff(before.parts, after.parts)) {
    skipTo(at);
    edits.push({ at: row, removed, added });
  }
  skipTo(before.parts.length);
  replace(row, before.tail, after.tail);
  return edits;
}

/** Each item that left a list, and each that came; one that changed places is in both, as often as it did. */
export function itemEdits<Item>(before: Joined<Item>, after: Joined<Item>): Change<Item> {
  const parts = diff(before.parts, after.parts);
  const { removed, added } = plainEdits([...before.head, ...before.tail], [...after.head, ...after.tail]);
  for (const edit of parts) {
    for (const part of edit.removed) for (const item of part) removed.push(item);
    for (const part of edit.added) for (const item of part) added.push(item);
  }
  return { removed, added };
}

function joinedChange<Item>(before: Joined<Item>, after: Joined<Item>): Change<Item> {
  return withoutKept(itemEdits(before, after));
}

function plainChange<Item>(before: readonly Item[], after: readonly Item[]): Change<Item> {
  return withoutKept(plainEdits(before, after));
}

function plainEdits<Item>(before: readonly Item[], after: readonly Item[]): { readonly removed: Item[]; readonly added: Item[] } {
  const edits = diff(before, after);
  return { removed: edits.flatMap(({ removed }) => removed), added: edits.flatMap(({ added }) => added) };
}

/** An item that left one place and stands in another one did not change. */
function withoutKept<Item>(change: Change<Item>): Change<Item> {
  const { removed, added } = change;
  if (removed.length === 0 || added.length === 0) return change;
  const gone = new Set(removed);
  const kept = new Set(added.filter((item) => gone.has(item)));
  return kept.size === 0 ? change : { removed: removed.filter((item) => !kept.has(item)), added: added.filter((item) => !kept.has(item)) };
}
