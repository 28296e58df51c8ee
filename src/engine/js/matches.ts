// The matches of a rule as functions over the packet in flight: texts are read and names resolved once, when a Program is loaded.
import type { Family } from '../../address.ts';
import { InvalidArgumentError } from '../../errors.ts';
import type { IpProtocol, Match, PortRange } from '../../program/ruleset.ts';
import type { KeyField } from '../../program/sets.ts';
import {
  type AddressWords,
  equalAddress,
  type LoadedPrefix,
  type LocalAddresses,
  loadAddress,
  loadPrefix,
  prefixTest,
  type Where,
} from './addresses.ts';
import type { Flight } from './flight.ts';
import type { RecentLists, Sightings } from './recent.ts';
import { type KeyTable, resolveSides } from './sets.ts';
import type { EngineState } from './state.ts';

export type MatchTest = (flight: Flight) => boolean;

export interface LoadedSet {
  readonly key: readonly KeyField[];
  readonly elements: KeyTable<true>;
  /** nftables' dynamic sets: rules put sources here. */
  readonly sightings?: Sightings;
}

/** What the matches of one Program refer to. */
export interface MatchTables {
  readonly family: Family;
  readonly state: EngineState;
  readonly localAddresses: LocalAddresses;
  readonly sets: { get(name: string): LoadedSet | undefined };
  readonly recents: RecentLists;
}

const RANDOM_31_BITS = 0x7fffffff;

/** One for all rules: most have it. */
const PROTOCOL_TESTS: Readonly<Record<IpProtocol, MatchTest>> = {
  tcp: (flight) => flight.protocolName === 'tcp',
  udp: (flight) => flight.protocolName === 'udp',
  sctp: (flight) => flight.protocolName === 'sctp',
  icmp: (flight) => flight.protocolName === 'icmp',
  icmpv6: (flight) => flight.protocolName === 'icmpv6',
};

const NO_TESTS: readonly MatchTest[] = [];

/** The tests of a rule in their order, without those that always hold. `where` names the rule, for errors. */
export function loadMatches(matches: readonly Match[], tables: MatchTables, where: Where): readonly MatchTest[] {
  let tests: MatchTest[] | undefined;
  for (const match of matches) {
    if (match.kind === 'comment' || match.kind === 'nfacct') continue;
    const test = loadMatch(match, tables, where);
    tests ??= [];
    tests.push('negated' in match ? (flight) => !test(flight) : test);
  }
  return tests ?? NO_TESTS;
}

/** The set that a rule names. */
export function findSet(name: string, tables: MatchTables, where: Where): LoadedSet {
  const set = tables.sets.get(name);
  if (set === undefined) throw new InvalidArgumentError(`${where}: set`, name, 'does not exist');
  return set;
}

function loadMatch(match: Match, tables: MatchTables, where: Where): MatchTest {
  switch (match.kind) {
    case 'source':
    case 'destination':
      return endTest(match.kind, loadPrefix(match.prefix, tables.family, where, match.kind));
    case 'sourceIn': {
      const isInside = anyPrefixTest(match.prefixes, tables, where, 'source');
      return (flight) => isInside(flight.source);
    }
    case 'destinationIn': {
      const isInside = anyPrefixTest(match.prefixes, tables, where, 'destination');
      return (flight) => isInside(flight.destination);
    }
    case 'inInterface': {
      const holds = interfaceTest(match.name);
      return (flight) => holds(flight.inInterface);
    }
    case 'outInterface': {
      const holds = interfaceTest(match.name)('');
      return () => holds;
    }
    case 'protocol':
      return PROTOCOL_TESTS[match.protocol];
    case 'sourcePort':
      return (flight) => flight.sourcePort >= match.from && flight.sourcePort <= match.to;
    case 'destinationPort':
      return (flight) => flight.destinationPort >= match.from && flight.destinationPort <= match.to;
    case 'mark':
      return (flight) => (flight.mark & match.mask) >>> 0 === match.value;
    case 'conntrackState': {
      const states = new Set(match.states);
      return (flight) => states.has(flight.state) || (flight.isDnat && states.has('DNAT')) || (flight.isSnat && states.has('SNAT'));
    }
    case 'addressType': {
      const { localAddresses } = tables;
      return match.side === 'source' ? (flight) => localAddresses.has(flight.source) : (flight) => localAddresses.has(flight.destination);
    }
    case 'statistic':
      return () => (tables.state.draw() & RANDOM_31_BITS) < match.threshold;
    case 'recent':
      return loadRecent(match, tables);
    case 'set':
      return loadSetMatch(match, tables, where);
    case 'sourcePorts': {
      const isInside = anyPortTest(match.ranges);
      return (flight) => isInside(flight.sourcePort);
    }
    case 'destinationPorts': {
      const isInside = anyPortTest(match.ranges);
      return (flight) => isInside(flight.destinationPort);
    }
    case 'physdevIn':
    case 'inert':
    case 'unmodelled':
      return () => false;
    case 'ipvs': {
      const address = loadAddress(match.virtualAddress, tables.family, where, 'ipvs');
      return ({ virtual, protocolName }) =>
        virtual !== undefined &&
        protocolName === match.virtualProtocol &&
        virtual.port === match.virtualPort &&
        equalAddress(virtual.address, address);
    }
    case 'nfacct':
    case 'comment':
      return () => true;
  }
}

/** That of IPv4 is one comparison: most of a scan is this. */
function endTest(end: 'source' | 'destination', prefix: LoadedPrefix): MatchTest {
  if (prefix.words.length > 1) {
    const isInside = prefixTest(prefix);
    return (flight) => isInside(flight[end]);
  }
  const [network = 0] = prefix.words;
  const [mask = 0] = prefix.mask;
  return end === 'source'
    ? (flight) => ((flight.source[0] ?? 0) & mask) >>> 0 === network
    : (flight) => ((flight.destination[0] ?? 0) & mask) >>> 0 === network;
}

/** Inside one of them. */
function anyPrefixTest(texts: readonly string[], tables: MatchTables, where: Where, field: string): (words: AddressWords) => boolean {
  const tests = texts.map((text) => prefixTest(loadPrefix(text, tables.family, where, field)));
  return (words) => tests.some((isInside) => isInside(words));
}

function anyPortTest(ranges: readonly PortRange[]): (port: number) => boolean {
  return (port) => ranges.some(({ from, to }) => from <= port && port <= to);
}

/** A final `+` stands for any rest. */
function interfaceTest(name: string): (present: string) => boolean {
  if (!name.endsWith('+')) return (present) => present === name;
  const begin = name.slice(0, -1);
  return (present) => present.startsWith(begin);
}

function loadRecent(match: Extract<Match, { kind: 'recent' }>, { recents, state }: MatchTables): MatchTest {
  const list = recents.useList(match.list);
  const { operation, seconds, reap } = match;
  if (operation === 'set') {
    return (flight) => {
      list.see(flight.source, state.now);
      return true;
    };
  }
  return (flight) => {
    if (reap && seconds !== undefined) list.reap(state.now, seconds);
    return list.wasSeen(flight.source, state.now, seconds);
  };
}

function loadSetMatch(match: Extract<Match, { kind: 'set' }>, tables: MatchTables, where: Where): MatchTest {
  const { key, elements, sightings } = findSet(match.set, tables, where);
  if (sightings !== undefined) return (flight) => sightings.list.isElement(flight.source, tables.state.now, sightings.seconds);
  const sides = resolveSides(key, match.fields, `${where}: set ${match.set}`);
  return (flight) => elements.find(flight, sides) !== undefined;
}
