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
  MATCH_SIZE,
  MATCH_SOURCE,
  MATCH_SOURCE_LOCAL,
  MATCH_SOURCE_PORT,
  MATCH_STATISTIC,
  MATCH_WORDS,
  STATE_BIT_DNAT,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  STATE_BIT_SNAT,
  STATE_BIT_UNTRACKED,
} from '../../../assembly/shared/layout.ts';
import type { ConntrackState, Match } from '../../program/ruleset.ts';
import type { TableImage } from './table-image.ts';
import { addressWords, networkWords, protocolClass, swapPort } from './wire.ts';

/** What a row of a chain's columns says of a packet. */
export interface ColumnRow {
  network: readonly number[];
  mask: readonly number[];
  /** Lowest and highest port, `low | high << 16`, host order. */
  ports: number;
  /** 0: any protocol. */
  protocol: number;
}

/** Where sets and lists that matches name lie in the image or in memory. */
export interface MatchTargets {
  setOffset(name: string): number;
  setSelectors(name: string, sides: readonly ('src' | 'dst')[]): number;
  /** An absolute address: lists outlive Programs. */
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
  const taken = new Set<string>();
  let mayReorder = true;
  for (const match of matches) {
    if (match.kind === 'comment' || match.kind === 'nfacct') continue;
    if (match.kind === 'statistic' || match.kind === 'recent') mayReorder = false;
    if (mayReorder && !taken.has(match.kind) && takeIntoRow(match, row)) taken.add(match.kind);
    else rest.push(match);
  }
  return rest;
}

function takeIntoRow(match: Match, row: ColumnRow): boolean {
  if (match.kind === 'destination' && match.negated !== true) {
    Object.assign(row, networkWords(match.prefix));
    return true;
  }
  if (match.kind === 'protocol' && match.negated !== true) {
    row.protocol = protocolClass(match.protocol);
    return true;
  }
  if (match.kind === 'destinationPort' && match.negated !== true) {
    row.ports = (match.from | (match.to << 16)) >>> 0;
    return true;
  }
  return false;
}

/** Writes the records of the matches that no column holds; returns the offset of the first. */
export function writeMatches(image: TableImage, matches: readonly Match[], targets: MatchTargets): number {
  const first = image.reserve(matches.length * MATCH_SIZE);
  matches.forEach((match, index) => {
    writeMatch(image, first + index * MATCH_SIZE, match, targets);
  });
  return first;
}

function writeMatch(image: TableImage, at: number, match: Match, targets: MatchTargets): void {
  const write = (kind: number, a = 0, b = 0): void => {
    image.set(at + MATCH_KIND, kind);
    image.set(at + MATCH_A, a);
    image.set(at + MATCH_B, b);
  };
  image.set(at + MATCH_NEGATED, 'negated' in match && match.negated === true ? 1 : 0);
  switch (match.kind) {
    case 'source':
    case 'destination': {
      write(match.kind === 'source' ? MATCH_SOURCE : MATCH_DESTINATION);
      const { network, mask } = networkWords(match.prefix);
      writeWords(image, at + MATCH_WORDS, network);
      writeWords(image, at + MATCH_WORDS + 16, mask);
      return;
    }
    case 'inInterface':
      return writeInterface(image, at, match.name);
    case 'outInterface':
      // Output interfaces are unknown: the empty name, which only `+` matches.
      if (match.name === '+') return write(MATCH_INTERFACE);
      return write(MATCH_NEVER);
    case 'protocol':
      return write(MATCH_CLASS, protocolClass(match.protocol));
    case 'sourcePort':
      return write(MATCH_SOURCE_PORT, match.from, match.to);
    case 'destinationPort':
      return write(MATCH_DESTINATION_PORT, match.from, match.to);
    case 'mark':
      return write(MATCH_MARK, match.value, match.mask);
    case 'conntrackState':
      return write(
        MATCH_CONNTRACK_STATE,
        match.states.reduce((bits, state) => bits | STATE_BITS[state], 0),
      );
    case 'addressType':
      return write(match.side === 'source' ? MATCH_SOURCE_LOCAL : MATCH_DESTINATION_LOCAL);
    case 'statistic':
      return write(MATCH_STATISTIC, match.threshold);
    case 'recent':
      if (match.operation === 'set') return write(MATCH_RECENT_SET, targets.recentList(match.list));
      write(MATCH_RECENT_CHECK, targets.recentList(match.list), match.seconds ?? 0);
      image.set(at + MATCH_WORDS, match.reap === true ? 1 : 0);
      return;
    case 'set':
      write(MATCH_SET, 0, targets.setSelectors(match.set, match.fields));
      image.point(at + MATCH_A, targets.setOffset(match.set));
      return;
    case 'ipvs':
      write(MATCH_IPVS, protocolClass(match.virtualProtocol), swapPort(match.virtualPort));
      return writeWords(image, at + MATCH_WORDS, addressWords(match.virtualAddress));
    case 'physdevIn':
      return write(MATCH_NEVER);
    case 'nfacct':
    case 'comment':
      return; // always hold; splitMatches leaves them out
  }
}

function writeWords(image: TableImage, at: number, words: readonly number[]): void {
  words.forEach((word, index) => {
    image.set(at + index * 4, word);
  });
}

/** Interface names compare their first bytes: all 16 for a whole name (zero-padded), those before `+` for a prefix. */
function writeInterface(image: TableImage, at: number, name: string): void {
  const isPrefix = name.endsWith('+');
  const bytes = new TextEncoder().encode(isPrefix ? name.slice(0, -1) : name).subarray(0, INTERFACE_SIZE);
  image.set(at + MATCH_KIND, MATCH_INTERFACE);
  image.set(at + MATCH_A, isPrefix ? bytes.length : INTERFACE_SIZE);
  bytes.forEach((byte, index) => {
    const word = at + MATCH_WORDS + (index >> 2) * 4;
    image.set(word, (image.get(word) | (byte << ((index & 3) * 8))) >>> 0);
  });
}
