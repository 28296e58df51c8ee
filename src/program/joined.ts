// Lists of a Program that are joined from parts, one for each ServicePort: flat for whoever reads them, and only once somebody does.
// An unchanged part is the same object in the next Program: whoever follows changes compares parts and looks only into others.
import { type ChainItem, chainsIn } from './endpoint-chains.ts';
import type { Program } from './program.ts';
import type { Chain, Rule, Table } from './ruleset.ts';
import type { ElementKey, NamedSet, VerdictMap } from './sets.ts';
import type { VirtualService } from './virtual-service.ts';

/** Head, then the parts in order, then tail. */
export interface Joined<Item> {
  readonly head: readonly Item[];
  readonly parts: readonly (readonly Item[])[];
  readonly tail: readonly Item[];
}

export type MapElement = VerdictMap['elements'][number];

const tableChains = new WeakMap<Table, Joined<ChainItem>>();
const chainRules = new WeakMap<Chain, Joined<Rule>>();
const setElements = new WeakMap<NamedSet, Joined<ElementKey>>();
const mapElements = new WeakMap<VerdictMap, Joined<MapElement>>();
const programLists = new WeakMap<Program, ProgramLists>();

/** The joined lists of a Program itself. */
export interface ProgramLists {
  readonly sets: Joined<NamedSet>;
  readonly virtualServices: Joined<VirtualService>;
  readonly localAddresses: Joined<string>;
}

/** A list of parts alone. */
export function joined<Item>(parts: Joined<Item>['parts'], around: { head?: readonly Item[]; tail?: readonly Item[] } = {}): Joined<Item> {
  return { head: around.head ?? [], parts, tail: around.tail ?? [] };
}

/** All of them, in order. */
export function itemsOf<Item>({ head, parts, tail }: Joined<Item>): readonly Item[] {
  const items = [...head];
  for (const part of parts) for (const item of part) items.push(item);
  for (const item of tail) items.push(item);
  return items;
}

export function joinTable(fields: Omit<Table, 'chains'>, chains: Joined<ChainItem>): Table {
  let flat: readonly Chain[] | undefined;
  return known(tableChains, chains, {
    ...fields,
    get chains() {
      flat ??= chainsIn(itemsOf(chains));
      return flat;
    },
  });
}

export function joinChain(fields: Omit<Chain, 'rules'>, rules: Joined<Rule>): Chain {
  const flat = flattened(rules);
  return known(chainRules, rules, {
    ...fields,
    get rules() {
      return flat();
    },
  });
}

/** Several ServicePorts may bring the same element: it is in the set once, where it came first. */
export function joinSet(fields: Omit<NamedSet, 'elements'>, elements: Joined<ElementKey>): NamedSet {
  const flat = flattened(elements, (key) => key.join(' '));
  return known(setElements, elements, {
    ...fields,
    get elements() {
      return flat();
    },
  });
}

export function joinMap(fields: Omit<VerdictMap, 'elements'>, elements: Joined<MapElement>): VerdictMap {
  const flat = flattened(elements);
  return known(mapElements, elements, {
    ...fields,
    get elements() {
      return flat();
    },
  });
}

export function joinProgram(fields: Omit<Program, keyof ProgramLists>, lists: ProgramLists): Program {
  const sets = flattened(lists.sets);
  const virtualServices = flattened(lists.virtualServices);
  const localAddresses = flattened(lists.localAddresses, (address) => address);
  return known(programLists, lists, {
    ...fields,
    get sets() {
      return sets();
    },
    get virtualServices() {
      return virtualServices();
    },
    get localAddresses() {
      return localAddresses();
    },
  });
}

/** A list that nobody joined is all head. */
export function chainsOf(table: Table): Joined<ChainItem> {
  return tableChains.get(table) ?? { head: table.chains, parts: [], tail: [] };
}

/** Its rules come from many parts. */
export function isJoined(chain: Chain): boolean {
  return chainRules.has(chain);
}

export function rulesOf(chain: Chain): Joined<Rule> {
  return chainRules.get(chain) ?? { head: chain.rules, parts: [], tail: [] };
}

export function elementsOf(set: NamedSet): Joined<ElementKey> {
  return setElements.get(set) ?? { head: set.elements, parts: [], tail: [] };
}

export function mapElementsOf(map: VerdictMap): Joined<MapElement> {
  return mapElements.get(map) ?? { head: map.elements, parts: [], tail: [] };
}

export function listsOf(program: Program): ProgramLists {
  const plain = <Item>(head: readonly Item[]): Joined<Item> => ({ head, parts: [], tail: [] });
  return (
    programLists.get(program) ?? {
      sets: plain(program.sets),
      virtualServices: plain(program.virtualServices),
      localAddresses: plain(program.localAddresses),
    }
  );
}

function known<Owner extends object, List>(lists: WeakMap<Owner, List>, list: List, owner: Owner): Owner {
  lists.set(owner, list);
  return owner;
}

/** Joins at the first call. `key`: items of an equal key are one, the first. */
function flattened<Item>(list: Joined<Item>, key?: (item: Item) => string): () => readonly Item[] {
  let flat: readonly Item[] | undefined;
  return () => {
    flat ??= key === undefined ? itemsOf(list) : distinct(itemsOf(list), key);
    return flat;
  };
}

function distinct<Item>(items: readonly Item[], keyOf: (item: Item) => string): Item[] {
  const byKey = new Map<string, Item>();
  for (const item of items) {
    const key = keyOf(item);
    if (!byKey.has(key)) byKey.set(key, item);
  }
  return [...byKey.values()];
}
