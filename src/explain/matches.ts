// Asks the matches of a rule, and looks packets up in sets and maps, straight from the Program's data.
import { prefixContains } from '../address.ts';
import type { Match, Rule } from '../program/ruleset.ts';
import type { ElementKey, KeyField } from '../program/sets.ts';
import type { Chooser } from './chance.ts';
import type { WalkedPacket } from './packet.ts';
import type { ProgramIndex } from './program-index.ts';

/** Whether a rule matches; `probability` of that answer, when chance had a say. */
export interface MatchAnswer {
  readonly isMatch: boolean;
  readonly probability?: number;
  /** The answer hangs on words that this model cannot judge. */
  readonly isUncertain?: true;
}

type Side = 'src' | 'dst';

/** Asks in order, until one fails. */
export function askMatches(rule: Rule, packet: WalkedPacket, index: ProgramIndex, chooser: Chooser): MatchAnswer {
  let probability: number | undefined;
  let isUncertain = false;
  const answer = (isMatch: boolean): MatchAnswer => ({
    isMatch,
    ...(probability === undefined ? {} : { probability }),
    ...(isUncertain ? { isUncertain } : {}),
  });
  for (const [at, match] of rule.matches.entries()) {
    if (isUnknown(match, rule, packet) && mayHold(rule.matches.slice(at + 1), packet, index, chooser)) isUncertain = true;
    const isNegated = 'negated' in match;
    if (match.kind === 'statistic') {
      const chosen = chooser.isBelow(match.threshold);
      probability = (probability ?? 1) * chosen.probability;
      if (chosen.value === isNegated) return answer(false);
    } else if (holds(match, packet, index, chooser) === isNegated) {
      return answer(false);
    }
  }
  return answer(true);
}

/** The element of a set or map that holds the packet's key: with networks, the one of the longest prefix. */
export function findElement<Element extends { readonly key: ElementKey }>(
  elements: readonly Element[],
  key: readonly KeyField[],
  sides: readonly Side[],
  packet: WalkedPacket,
  index: ProgramIndex,
): Element | undefined {
  const resolved = sidesOfKey(key, sides);
  let best: { readonly element: Element; readonly length: number } | undefined;
  for (const element of elements) {
    const isInside = key.every((field, at) => fieldHolds(field, element.key[at], resolved[at] ?? 'dst', packet, index));
    if (!isInside) continue;
    const length = key.reduce((sum, field, at) => sum + (field === 'network' ? index.prefix(String(element.key[at])).length : 0), 0);
    if (best === undefined || length > best.length) best = { element, length };
  }
  return best?.element;
}

/** What a dump asks and this model cannot tell: words that are not modelled, and interfaces that nobody named. */
function isUnknown(match: Match, rule: Rule, packet: WalkedPacket): boolean {
  if (match.kind === 'unmodelled') return true;
  if (rule.line === undefined || rule.target.kind === 'none') return false;
  return match.kind === 'outInterface' || (match.kind === 'inInterface' && !packet.isInInterfaceKnown);
}

/** The rest of a rule: nothing fails for certain. It draws nothing and puts nothing on a list. */
function mayHold(matches: readonly Match[], packet: WalkedPacket, index: ProgramIndex, chooser: Chooser): boolean {
  return matches.every(
    (match) =>
      match.kind === 'statistic' ||
      match.kind === 'recent' ||
      match.kind === 'unmodelled' ||
      holds(match, packet, index, chooser) !== 'negated' in match,
  );
}

function holds(match: Exclude<Match, { kind: 'statistic' }>, packet: WalkedPacket, index: ProgramIndex, chooser: Chooser): boolean {
  switch (match.kind) {
    case 'source':
      return prefixContains(index.prefix(match.prefix), packet.source.address);
    case 'destination':
      return prefixContains(index.prefix(match.prefix), packet.destination.address);
    case 'sourceIn':
      return match.prefixes.some((prefix) => prefixContains(index.prefix(prefix), packet.source.address));
    case 'destinationIn':
      return match.prefixes.some((prefix) => prefixContains(index.prefix(prefix), packet.destination.address));
    case 'inInterface':
      return isInterface(match.name, packet.inInterface);
    case 'outInterface':
      return isInterface(match.name, '');
    case 'protocol':
      return match.protocol === packet.protocolName;
    case 'sourcePort':
      return match.from <= packet.source.port && packet.source.port <= match.to;
    case 'destinationPort':
      return match.from <= packet.destination.port && packet.destination.port <= match.to;
    case 'sourcePorts':
      return match.ranges.some(({ from, to }) => from <= packet.source.port && packet.source.port <= to);
    case 'destinationPorts':
      return match.ranges.some(({ from, to }) => from <= packet.destination.port && packet.destination.port <= to);
    case 'mark':
      return (packet.mark & match.mask) >>> 0 === match.value;
    case 'conntrackState':
      return match.states.some(
        (state) => state === packet.state || (state === 'DNAT' && packet.isDnat) || (state === 'SNAT' && packet.isSnat),
      );
    case 'addressType':
      return index.isLocal(match.side === 'source' ? packet.source.address : packet.destination.address);
    case 'recent':
      if (match.operation === 'rcheck') return packet.seenNow.has(match.list) || chooser.wasSeen(match.list, packet, match.seconds);
      packet.seenNow.add(match.list);
      return true;
    case 'set':
      return isInSet(match, packet, index, chooser);
    case 'physdevIn':
    case 'inert':
    case 'unmodelled':
      return false;
    case 'ipvs':
      return (
        packet.virtual !== undefined &&
        match.virtualProtocol === packet.protocolName &&
        match.virtualPort === packet.virtual.port &&
        prefixContains(index.prefix(match.virtualAddress), packet.virtual.address)
      );
    case 'nfacct':
    case 'comment':
      return true;
  }
}

function isInSet(match: Extract<Match, { kind: 'set' }>, packet: WalkedPacket, index: ProgramIndex, chooser: Chooser): boolean {
  const { name, key, elements, timeoutSeconds } = index.set(match.set);
  if (timeoutSeconds !== undefined) return packet.seenNow.has(name) || chooser.isElement(name, packet, timeoutSeconds);
  const members = elements.map((element) => ({ key: element }));
  return findElement(members, key, match.fields, packet, index) !== undefined;
}

/** ipset's notation has no side for the protocol, which goes with the port. */
function sidesOfKey(key: readonly KeyField[], sides: readonly Side[]): readonly Side[] {
  if (sides.length === key.length) return sides;
  const rest = sides.values();
  return key.map((field) => (field === 'protocol' ? 'dst' : (rest.next().value ?? 'dst')));
}

function fieldHolds(field: KeyField, part: string | number | undefined, side: Side, packet: WalkedPacket, index: ProgramIndex): boolean {
  const endpoint = side === 'src' ? packet.source : packet.destination;
  switch (field) {
    case 'address':
    case 'network':
      return prefixContains(index.prefix(String(part)), endpoint.address);
    case 'protocol':
      return part === packet.protocolName;
    case 'port':
      return Number(part) === endpoint.port;
  }
}

function isInterface(pattern: string, name: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
