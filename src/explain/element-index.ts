// The elements of sets and maps by what a packet must have exactly, so that a look-up does not go through them all.
import { parsePrefix, prefixContains } from '../address.ts';
import type { ElementKey, KeyField, NamedSet, VerdictMap } from '../program/sets.ts';
import type { WalkedPacket } from './packet.ts';
import type { ProgramIndex } from './program-index.ts';
import { rememberBy } from './remember.ts';

type Side = 'src' | 'dst';

export interface ElementIndex<Element> {
  readonly key: readonly KeyField[];
  /** By the fields that are no networks; elements of one entry differ in their networks. */
  readonly byExactFields: ReadonlyMap<string, readonly { readonly key: ElementKey; readonly element: Element }[]>;
}

type MapElement = VerdictMap['elements'][number];

export const elementIndexOfSet = rememberBy((set: NamedSet) => indexOf<ElementKey>(set.key, set.elements, (element) => element));
export const elementIndexOfMap = rememberBy((map: VerdictMap) => indexOf<MapElement>(map.key, map.elements, ({ key }) => key));

/** The element that holds the packet's key: with networks, the one of the longest prefix. */
export function findElement<Element>(
  { key, byExactFields }: ElementIndex<Element>,
  sides: readonly Side[],
  packet: WalkedPacket,
  index: ProgramIndex,
): Element | undefined {
  const resolved = sidesOfKey(key, sides);
  const endpointAt = (at: number) => (resolved[at] === 'src' ? packet.source : packet.destination);
  const exact = key.map((field, at) => {
    if (field === 'address') return endpointAt(at).address.text;
    if (field === 'protocol') return packet.protocolName;
    return field === 'port' ? endpointAt(at).port : '';
  });
  let best: { readonly element: Element; readonly length: number } | undefined;
  for (const candidate of byExactFields.get(exact.join(' ')) ?? []) {
    const networks = key.flatMap((field, at) => (field === 'network' ? [{ prefix: index.prefix(String(candidate.key[at])), at }] : []));
    if (!networks.every(({ prefix, at }) => prefixContains(prefix, endpointAt(at).address))) continue;
    const length = networks.reduce((sum, { prefix }) => sum + prefix.length, 0);
    if (best === undefined || length > best.length) best = { element: candidate.element, length };
  }
  return best?.element;
}

function indexOf<Element>(
  key: readonly KeyField[],
  elements: readonly Element[],
  keyOf: (element: Element) => ElementKey,
): ElementIndex<Element> {
  const byExactFields = new Map<string, { key: ElementKey; element: Element }[]>();
  for (const element of elements) {
    const parts = keyOf(element);
    const exact = key.map((field, at) => (field === 'network' ? '' : exactText(field, parts[at] ?? ''))).join(' ');
    const same = byExactFields.get(exact) ?? [];
    same.push({ key: parts, element });
    byExactFields.set(exact, same);
  }
  return { key, byExactFields };
}

function exactText(field: KeyField, part: string | number): string {
  return field === 'address' ? (parsePrefix(String(part))?.text.split('/')[0] ?? String(part)) : String(part);
}

/** ipset's notation has no side for the protocol, which goes with the port. */
function sidesOfKey(key: readonly KeyField[], sides: readonly Side[]): readonly Side[] {
  if (sides.length === key.length) return sides;
  const rest = sides.values();
  return key.map((field) => (field === 'protocol' ? 'dst' : (rest.next().value ?? 'dst')));
}
