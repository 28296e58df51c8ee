// Splits a rule's matches: what the columns of a chain can say (destination, its port, protocol) and MATCH records for the rest.
import {
  INTERFACE_SIZE,
  MATCH_A,
  MATCH_B,
  MATCH_CLASS,
  MATCH_CONNTRACK_STATE,
  MATCH_DESTINATION,
  MATCH_DESTINATION_LOCAL,
  MATCH_DESTINATION_PORT,
  MATCH_INTERFACE,
  MATCH_IPVS,
  MATCH_KIND,
  MATCH_MARK,
  MATCH_NEGATED,
  MATCH_NEVER,
  MATCH_RECENT_CHECK,
  MATCH_RECENT_SET,
  MATCH_SET,
  MATCH_SIGHTING,
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_SOURCE_LOCAL,
  MATCH_SOURCE_PORT,
  MATCH_STATISTIC,
  MATCH_WORDS,
  SECONDS_EVER,
  SELECT_DESTINATION,
  SELECT_DESTINATION_PORT_ONLY,
  SELECT_SOURCE,
  SELECT_SOURCE_PORT_ONLY,
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  STATE_BIT_SNAT,
  STATE_BIT_UNTRACKED,
} from '../../../assembly/shared/layout.ts';
import { CoreError } from '../../errors.ts';
import type { ConntrackState, Match, PortRange } from '../../program/ruleset.ts';
import type { TableImage } from './table-image.ts';
import { addressWords, networkWords, protocolClass, swapPort } from './wire.ts';

/** What a row of a chain's columns says of a packet. */
export interface ColumnRow {
  network: readonly number[];
  mask: readonly number[];
  /** PORTS_*, or `lowest | ~highest << 16`. */
  ports: number;
  /** Bits of the classes that match, or CLASSES_ANY. */
  classes: number;
}

/** What matches refer to. */
export interface MatchTargets {
  /** References, as records.ts says. */
  setReference(name: string): number;
  setSelectors(name: string, sides: readonly ('src' | 'dst')[]): number;
  /** Of a dynamic set its number and timeout; undefined for others. */
  sightingSet(name: string): { readonly number: number; readonly seconds: number } | undefined;
  /** The reference to a set of networks that one rule alone asks. */
  addressSet(prefixes: readonly string[]): number;
  /** The reference to a set of ports that one rule alone asks. */
  portSet(ranges: readonly PortRange[]): number;
  /** An address: lists outlive Programs. */
  recentList(name: string): number;
}

const STATE_BITS: Readonly<Record<ConntrackState, number>> = {
  NEW: STATE_BIT_NEW,
  ESTABLISHED: STATE_BIT_ESTABLISHED,
  RELATED: STATE_BIT_RELATED,
  INVALID: STATE_BIT_INVALID,
  UNTRACKED: STATE_BIT_UNTRACKED,
  SNAT: STATE_BIT_SNAT,
  DNAT: STATE_BIT_DNAT,
};

/**
 * Takes what fits into the row and returns the rest, in order. Only matches before the first one that draws or remembers may
 * be asked early: statistic and recent must see no more packets than the kernel would show them.
 */
export function splitMatches(matches: readonly Match[], row: ColumnRow): Match[] {
  const rest: Match[] = [];
  let hasDestination = false;
  let hasProtocol = false;
  let hasPort = false;
  let mayReorder = true;
  for (const match of matches) {
    if (match.kind === 'comment' || match.kind === 'nfacct') continue;
    if (match.kind === 'statistic' || match.kind === 'recent') mayReorder = false;
    if (!mayReorder || ('negated' in match && match.negated === true)) {
      rest.push(match);
    } else if (match.kind === 'destination' && !hasDestination) {
      const { network, mask } = networkWords(match.prefix);
      row.network = network;
      row.mask = mask;
      hasDestination = true;
    } else if (match.kind === 'protocol' && !hasProtocol) {
      row.classes = 1 << protocolClass(match.protocol);
      hasProtocol = true;
    } else if (match.kind === 'destinationPort' && !hasPort) {
      row.ports = (match.from | (~match.to << 16)) >>> 0;
      hasPort = true;
    } else {
      rest.push(match);
    }
  }
  return rest;
}

/** Writes the records of the matches that no column holds, from offset `first` on. */
export function writeMatches(image: TableImage, first: number, matches: readonly Match[], targets: MatchTargets): void {
  let at = first;
  for (const match of matches) {
    writeMatch(image, at, match, targets);
    at += MATCH_SIZE;
  }
}

function writeMatch(image: TableImage, at: number, match: Match, targets: MatchTargets): void {
  const { kind, a = 0, b = 0, words = NO_WORDS } = matchWords(match, targets);
  image.set(at + MATCH_KIND, kind);
  image.set(at + MATCH_NEGATED, 'negated' in match && match.negated === true ? 1 : 0);
  image.set(at + MATCH_B, b);
  image.set(at + MATCH_A, a);
  for (let index = 0; index < words.length; index++) image.set(at + MATCH_WORDS + index * 4, words[index] ?? 0);
}

const NO_WORDS: readonly number[] = [];

interface MatchWords {
  readonly kind: number;
  readonly a?: number;
  readonly b?: number;
  readonly words?: readonly number[];
}

function matchWords(match: Match, targets: MatchTargets): MatchWords {
  switch (match.kind) {
    case 'source':
      return { kind: MATCH_SOURCE, words: prefixWords(match.prefix) };
    case 'destination':
      return { kind: MATCH_DESTINATION, words: prefixWords(match.prefix) };
    case 'inInterface':
      return interfaceWords(match.name);
    case 'outInterface':
      // Output interfaces are unknown: the empty name, which only `+` matches.
      return match.name === '+' ? interfaceWords('+') : { kind: MATCH_NEVER };
    case 'protocol':
      return { kind: MATCH_CLASS, a: protocolClass(match.protocol) };
    case 'sourcePort':
      return { kind: MATCH_SOURCE_PORT, a: match.from, b: match.to };
    case 'destinationPort':
      return { kind: MATCH_DESTINATION_PORT, a: match.from, b: match.to };
    case 'mark':
      return { kind: MATCH_MARK, a: match.value, b: match.mask };
    case 'conntrackState':
      return { kind: MATCH_CONNTRACK_STATE, a: match.states.reduce((bits, state) => bits | STATE_BITS[state], 0) };
    case 'addressType':
      return { kind: match.side === 'source' ? MATCH_SOURCE_LOCAL : MATCH_DESTINATION_LOCAL };
    case 'statistic':
      return { kind: MATCH_STATISTIC, a: match.threshold };
    case 'recent': {
      const list = targets.recentList(match.list);
      if (match.operation === 'set') return { kind: MATCH_RECENT_SET, a: list };
      return { kind: MATCH_RECENT_CHECK, a: list, b: match.seconds ?? SECONDS_EVER, words: [match.reap === true ? 1 : 0] };
    }
    case 'sourceIn':
      return { kind: MATCH_SET, a: targets.addressSet(match.prefixes), b: SELECT_SOURCE };
    case 'destinationIn':
      return { kind: MATCH_SET, a: targets.addressSet(match.prefixes), b: SELECT_DESTINATION };
    case 'set':
      return setWords(match, targets);
    case 'ipvs': {
      const words = addressWords(match.virtualAddress);
      return { kind: MATCH_IPVS, a: protocolClass(match.virtualProtocol), b: swapPort(match.virtualPort), words };
    }
    case 'sourcePorts':
      return { kind: MATCH_SET, a: targets.portSet(match.ranges), b: SELECT_SOURCE_PORT_ONLY };
    case 'destinationPorts':
      return { kind: MATCH_SET, a: targets.portSet(match.ranges), b: SELECT_DESTINATION_PORT_ONLY };
    case 'physdevIn':
    case 'inert':
    case 'unmodelled':
      return { kind: MATCH_NEVER };
    case 'nfacct':
    case 'comment':
      throw new CoreError(`match ${match.kind} always holds and has no record`);
  }
}

function setWords(match: Extract<Match, { kind: 'set' }>, targets: MatchTargets): MatchWords {
  const sightings = targets.sightingSet(match.set);
  if (sightings !== undefined) return { kind: MATCH_SIGHTING, a: sightings.number };
  return { kind: MATCH_SET, a: targets.setReference(match.set), b: targets.setSelectors(match.set, match.fields) };
}

/** Network and mask, each in 16 bytes. */
function prefixWords(prefix: string): number[] {
  const { network, mask } = networkWords(prefix);
  return [...network, ...Array.from({ length: 4 - network.length }, () => 0), ...mask];
}

/** Interface names compare their first bytes: all 16 for a whole name (zero-padded), those before `+` for a prefix. */
function interfaceWords(name: string): MatchWords {
  const isPrefix = name.endsWith('+');
  const bytes = new TextEncoder().encode(isPrefix ? name.slice(0, -1) : name).subarray(0, INTERFACE_SIZE);
  const words = [0, 0, 0, 0];
  bytes.forEach((byte, index) => {
    words[index >> 2] = ((words[index >> 2] ?? 0) | (byte << ((index & 3) * 8))) >>> 0;
  });
  return { kind: MATCH_INTERFACE, a: isPrefix ? bytes.length : INTERFACE_SIZE, words };
}
