// Asks the matches of a rule, and looks packets up in sets and maps, straight from the Program's data.
import { prefixContains } from '../address.ts';
import type { Match, Rule } from '../program/ruleset.ts';
import type { Chooser } from './chance.ts';
import { elementIndexOfSet, findElement } from './element-index.ts';
import type { WalkedPacket } from './packet.ts';
import type { ProgramIndex } from './program-index.ts';
import type { Walk } from './walk.ts';
import { splitWay, type Way } from './way.ts';

/** Whether a rule matches, for one way. */
export interface MatchAnswer {
  readonly way: Way;
  readonly isMatch: boolean;
  /** Of this answer; undefined when chance had no say. */
  readonly probability: number | undefined;
  /** The answer hangs on words that this model cannot judge. */
  readonly isUncertain: boolean;
}

/** Asks in order, until one fails. Where chance decides, each answer has a way of its own: the matching one comes first. */
export function askMatches(rule: Rule, way: Way, { index, chooser }: Walk): readonly MatchAnswer[] {
  const failed: MatchAnswer[] = [];
  let probability: number | undefined;
  let isUncertain = false;
  const { matches } = rule;
  for (let at = 0; at < matches.length; at++) {
    const match = matches[at];
    if (match === undefined) break;
    if (isUnknown(match, rule, way.packet) && mayHold(matches.slice(at + 1), way.packet, index, chooser)) isUncertain = true;
    const isNegated = 'negated' in match;
    if (match.kind === 'statistic') {
      const chosen = chooser.isBelow(match.threshold);
      const holding = chosen.find(({ value }) => value !== isNegated);
      const failing = chosen.find(({ value }) => value === isNegated);
      const before = { way: way.probability, rule: probability ?? 1 };
      if (failing !== undefined) {
        const rest = holding === undefined ? way : splitWay(way);
        rest.probability = before.way * failing.probability;
        failed.unshift({ way: rest, isMatch: false, probability: before.rule * failing.probability, isUncertain });
      }
      if (holding === undefined) return failed;
      way.probability = before.way * holding.probability;
      probability = before.rule * holding.probability;
    } else if (holds(match, way.packet, index, chooser) === isNegated) {
      return [{ way, isMatch: false, probability, isUncertain }, ...failed];
    }
  }
  return [{ way, isMatch: true, probability, isUncertain }, ...failed];
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
      packet.seenNow = new Set([...packet.seenNow, match.list]);
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
  const set = index.set(match.set);
  if (set.timeoutSeconds !== undefined) return packet.seenNow.has(set.name) || chooser.isElement(set.name, packet, set.timeoutSeconds);
  return findElement(elementIndexOfSet(set), match.fields, packet, index) !== undefined;
}

function isInterface(pattern: string, name: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
