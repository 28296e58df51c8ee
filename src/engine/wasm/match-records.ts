// Writes a rule's matches: what the columns of a chain can say (destination, its port, protocol) there, and MATCH records for the rest.
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
import { ROW_CLASSES, ROW_MASK, ROW_MATCH_COUNT, ROW_MATCHES, ROW_NETWORK, ROW_PORTS, type RowImage } from './row-image.ts';
import type { TableImage } from './table-image.ts';
import { protocolClass, swapPort, writeAddress, writeNetwork } from './wire.ts';

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
 * Takes what fits into the columns of the row, and adds MATCH records for the rest, in order. Only matches before the first one that
 * draws or remembers may be asked early: statistic and recent must see no more packets than the kernel would show them.
 */
export function writeMatches(matches: readonly Match[], rows: RowImage, row: number, annex: TableImage, targets: MatchTargets): void {
  const first = annex.size;
  let count = 0;
  let hasDestination = false;
  let hasProtocol = false;
  let hasPort = false;
  let mayReorder = true;
  for (const match of matches) {
    if (match.kind === 'comment' || match.kind === 'nfacct') continue;
    if (match.kind === 'statistic' || match.kind === 'recent') mayReorder = false;
    const isForColumns = mayReorder && !('negated' in match && match.negated === true);
    if (isForColumns && match.kind === 'destination' && !hasDestination) {
      writeNetwork(rows.words, row + ROW_NETWORK, row + ROW_MASK, match.prefix);
      hasDestination = true;
    } else if (isForColumns && match.kind === 'protocol' && !hasProtocol) {
      rows.set(row + ROW_CLASSES, 1 << protocolClass(match.protocol));
      hasProtocol = true;
    } else if (isForColumns && match.kind === 'destinationPort' && !hasPort) {
      rows.set(row + ROW_PORTS, match.from | (~match.to << 16));
      hasPort = true;
    } else {
      writeMatch(annex, annex.reserve(MATCH_SIZE), match, targets);
      count++;
    }
  }
  if (count === 0) return;
  rows.point(row + ROW_MATCHES, first);
  rows.set(row + ROW_MATCH_COUNT, count);
}

function writeMatch(image: TableImage, at: number, match: Match, targets: MatchTargets): void {
  if ('negated' in match && match.negated === true) image.set(at + MATCH_NEGATED, 1);
  switch (match.kind) {
    case 'source':
    case 'destination': {
      put(image, at, match.kind === 'source' ? MATCH_SOURCE : MATCH_DESTINATION);
      const words = (at + MATCH_WORDS) / 4;
      writeNetwork(image.words, words, words + 4, match.prefix);
      break;
    }
    case 'inInterface':
      writeInterface(image, at, match.name);
      break;
    case 'outInterface':
      // Output interfaces are unknown: the empty name, which only `+` matches.
      if (match.name === '+') writeInterface(image, at, '+');
      else put(image, at, MATCH_NEVER);
      break;
    case 'protocol':
      put(image, at, MATCH_CLASS, protocolClass(match.protocol));
      break;
    case 'sourcePort':
      put(image, at, MATCH_SOURCE_PORT, match.from, match.to);
      break;
    case 'destinationPort':
      put(image, at, MATCH_DESTINATION_PORT, match.from, match.to);
      break;
    case 'mark':
      put(image, at, MATCH_MARK, match.value, match.mask);
      break;
    case 'conntrackState':
      put(
        image,
        at,
        MATCH_CONNTRACK_STATE,
        match.states.reduce((bits, state) => bits | STATE_BITS[state], 0),
      );
      break;
    case 'addressType':
      put(image, at, match.side === 'source' ? MATCH_SOURCE_LOCAL : MATCH_DESTINATION_LOCAL);
      break;
    case 'statistic':
      put(image, at, MATCH_STATISTIC, match.threshold);
      break;
    case 'recent':
      if (match.operation === 'set') {
        put(image, at, MATCH_RECENT_SET, targets.recentList(match.list));
        break;
      }
      put(image, at, MATCH_RECENT_CHECK, targets.recentList(match.list), match.seconds ?? SECONDS_EVER);
      if (match.reap === true) image.set(at + MATCH_WORDS, 1);
      break;
    case 'sourceIn':
      put(image, at, MATCH_SET, targets.addressSet(match.prefixes), SELECT_SOURCE);
      break;
    case 'destinationIn':
      put(image, at, MATCH_SET, targets.addressSet(match.prefixes), SELECT_DESTINATION);
      break;
    case 'set': {
      const sightings = targets.sightingSet(match.set);
      if (sightings === undefined)
        put(image, at, MATCH_SET, targets.setReference(match.set), targets.setSelectors(match.set, match.fields));
      else put(image, at, MATCH_SIGHTING, sightings.number);
      break;
    }
    case 'ipvs':
      put(image, at, MATCH_IPVS, protocolClass(match.virtualProtocol), swapPort(match.virtualPort));
      writeAddress(image.words, (at + MATCH_WORDS) / 4, match.virtualAddress);
      break;
    case 'sourcePorts':
      put(image, at, MATCH_SET, targets.portSet(match.ranges), SELECT_SOURCE_PORT_ONLY);
      break;
    case 'destinationPorts':
      put(image, at, MATCH_SET, targets.portSet(match.ranges), SELECT_DESTINATION_PORT_ONLY);
      break;
    case 'physdevIn':
    case 'inert':
    case 'unmodelled':
      put(image, at, MATCH_NEVER);
      break;
    case 'nfacct':
    case 'comment':
      throw new CoreError(`match ${match.kind} always holds and has no record`);
  }
}

/** Interface names compare their first bytes: all 16 for a whole name (zero-padded), those before `+` for a prefix. */
function writeInterface(image: TableImage, at: number, name: string): void {
  const isPrefix = name.endsWith('+');
  const bytes = new TextEncoder().encode(isPrefix ? name.slice(0, -1) : name).subarray(0, INTERFACE_SIZE);
  bytes.forEach((byte, index) => {
    const word = at + MATCH_WORDS + (index & ~3);
    image.set(word, image.get(word) | (byte << ((index & 3) * 8)));
  });
  put(image, at, MATCH_INTERFACE, isPrefix ? bytes.length : INTERFACE_SIZE);
}

function put(image: TableImage, at: number, kind: number, a = 0, b = 0): void {
  image.set(at + MATCH_KIND, kind);
  image.set(at + MATCH_A, a);
  image.set(at + MATCH_B, b);
}
