// The matches of a dumped rule: one reader for each module of iptables that a Program can say. Undefined: not modelled.
import { type Family, parseAddress } from '../address.ts';
import type { ConntrackState, IpProtocol, Match } from '../program/ruleset.ts';
import type { NamedSet } from '../program/sets.ts';
import { readMarked, readNumber, readPorts } from './values.ts';
import type { Option } from './words.ts';

type Reader = (options: readonly Option[], family: Family) => readonly Match[] | undefined;

const TWO_TO_31 = 0x80000000;
const PROTOCOLS: Readonly<Record<string, IpProtocol>> = {
  tcp: 'tcp',
  6: 'tcp',
  udp: 'udp',
  17: 'udp',
  sctp: 'sctp',
  132: 'sctp',
  icmp: 'icmp',
  1: 'icmp',
  icmpv6: 'icmpv6',
  'ipv6-icmp': 'icmpv6',
  icmp6: 'icmpv6',
  58: 'icmpv6',
};
const STATES: readonly ConntrackState[] = ['NEW', 'ESTABLISHED', 'RELATED', 'INVALID', 'UNTRACKED', 'SNAT', 'DNAT'];

const SOCKET_OPTIONS: readonly string[] = ['--transparent', '--nowildcard', '--restore-skmark'];

const READERS: Readonly<Record<string, Reader>> = {
  tcp: readPortOptions,
  udp: readPortOptions,
  sctp: readPortOptions,
  multiport: readMultiport,
  comment: (options) => one(options, '--comment', (text) => ({ kind: 'comment', text })),
  mark: (options) => one(options, '--mark', (text) => withKind('mark', readMarked(text))),
  conntrack: (options) => one(options, '--ctstate', readStates),
  state: (options) => one(options, '--state', readStates),
  addrtype: readAddressType,
  statistic: readStatistic,
  recent: readRecent,
  physdev: (options) =>
    options.length === 1 && options[0]?.name === '--physdev-is-in' ? [{ kind: 'physdevIn', ...not(options[0]) }] : undefined,
  ipvs: readIpvs,
  socket: readSocket,
  nfacct: (options) => one(options, '--nfacct-name', (name) => ({ kind: 'nfacct', name })),
};

/** The matches that a module's options stand for. */
export function readModule(module: string, options: readonly Option[], family: Family): readonly Match[] | undefined {
  const reader = Object.hasOwn(READERS, module) ? READERS[module] : undefined;
  return reader?.(options, family);
}

/** `--match-set NAME dst,dst,src` of a set that is known; words beyond its key say nothing. */
export function readSetModule(options: readonly Option[], sets: readonly NamedSet[]): readonly Match[] | undefined {
  const [option, ...more] = options;
  const [name, sides = ''] = option?.values ?? [];
  const set = sets.find((known) => known.name === name);
  if (option?.name !== '--match-set' || set === undefined || more.length > 0 || option.values.length !== 2) return undefined;
  const count = set.key.filter((field) => field !== 'protocol').length;
  const fields = complete(sides.split(',').map((side) => (side === 'src' || side === 'dst' ? side : undefined)))?.slice(0, count);
  return fields?.length === count ? [{ kind: 'set', set: set.name, fields, ...not(option) }] : undefined;
}

/** The protocol behind a name or number of `-p`; `all`; undefined: one that no packet of this model has. */
export function readProtocol(text: string): IpProtocol | 'all' | undefined {
  if (text === 'all' || text === '0') return 'all';
  return Object.hasOwn(PROTOCOLS, text) ? PROTOCOLS[text] : undefined;
}

/** The spread that negates a match. */
export function not({ negated }: { readonly negated: boolean }): { readonly negated?: true } {
  return negated ? { negated: true } : {};
}

/** The only option, with its only value. */
function one(options: readonly Option[], name: string, read: (value: string) => Match | undefined): Match[] | undefined {
  const [option, ...more] = options;
  const [value, ...values] = option?.values ?? [];
  if (option?.name !== name || value === undefined || more.length + values.length > 0) return undefined;
  const match = read(value);
  if (match === undefined) return undefined;
  // Accounting and comments cannot be negated.
  if (match.kind === 'comment' || match.kind === 'nfacct') return option.negated ? undefined : [match];
  return [{ ...match, ...not(option) }];
}

function withKind(kind: 'mark', marked: { readonly value: number; readonly mask: number } | undefined): Match | undefined {
  return marked === undefined ? undefined : { kind, ...marked };
}

function readPortOptions(options: readonly Option[]): readonly Match[] | undefined {
  const matches = options.map((option): Match | undefined => {
    const kind = portSide(option.name);
    const range = readPorts(option.values[0] ?? '');
    if (kind === undefined || range === undefined || option.values.length !== 1) return undefined;
    return { kind, ...range, ...not(option) };
  });
  return complete(matches);
}

function portSide(name: string): 'sourcePort' | 'destinationPort' | undefined {
  if (name === '--sport' || name === '--source-port') return 'sourcePort';
  return name === '--dport' || name === '--destination-port' ? 'destinationPort' : undefined;
}

function readMultiport(options: readonly Option[]): readonly Match[] | undefined {
  const matches = options.map((option): Match | undefined => {
    const ranges = complete((option.values[0] ?? '').split(',').map(readPorts));
    if (ranges === undefined || option.values.length !== 1) return undefined;
    if (option.name === '--sports' || option.name === '--source-ports') return { kind: 'sourcePorts', ranges, ...not(option) };
    if (option.name === '--dports' || option.name === '--destination-ports') return { kind: 'destinationPorts', ranges, ...not(option) };
    return undefined;
  });
  return complete(matches);
}

function readStates(text: string): Match | undefined {
  const states = complete(text.split(',').map((word) => STATES.find((state) => state === word)));
  return states === undefined ? undefined : { kind: 'conntrackState', states };
}

function readAddressType(options: readonly Option[]): readonly Match[] | undefined {
  const matches = options.map((option): Match | undefined => {
    if (option.values.length !== 1 || option.values[0] !== 'LOCAL') return undefined;
    if (option.name === '--src-type') return { kind: 'addressType', side: 'source', type: 'LOCAL', ...not(option) };
    return option.name === '--dst-type' ? { kind: 'addressType', side: 'destination', type: 'LOCAL', ...not(option) } : undefined;
  });
  return complete(matches);
}

function readStatistic(options: readonly Option[]): readonly Match[] | undefined {
  const [mode, chance, ...more] = options;
  if (mode?.name !== '--mode' || mode.values[0] !== 'random' || chance?.name !== '--probability' || more.length > 0) return undefined;
  const probability = Number(chance.values[0]);
  if (!(probability >= 0 && probability <= 1)) return undefined;
  return [{ kind: 'statistic', threshold: Math.round(probability * TWO_TO_31), ...not(chance) }];
}

function readRecent(options: readonly Option[], family: Family): readonly Match[] | undefined {
  const known = ['--set', '--rcheck', '--seconds', '--reap', '--name', '--mask', '--rsource'];
  if (options.some(({ name }) => !known.includes(name))) return undefined;
  const find = (name: string): Option | undefined => options.find((option) => option.name === name);
  const operation = find('--set') ?? find('--rcheck');
  const mask = find('--mask')?.values[0];
  const isWholeAddress = mask === undefined || parseAddress(mask)?.words.every((word) => word === 0xffffffff);
  const seconds = find('--seconds')?.values[0];
  if (operation === undefined || isWholeAddress !== true || (seconds !== undefined && readNumber(seconds) === undefined)) return undefined;
  if (mask !== undefined && parseAddress(mask)?.family !== family) return undefined;
  return [
    {
      kind: 'recent',
      operation: operation.name === '--set' ? 'set' : 'rcheck',
      list: find('--name')?.values[0] ?? 'DEFAULT',
      ...(seconds === undefined ? {} : { seconds: Number(seconds) }),
      ...(find('--reap') === undefined ? {} : { reap: true }),
      ...not(operation),
    },
  ];
}

/** A packet of a transparent proxy's own socket: none here has one. Other sockets nobody knows. */
function readSocket(options: readonly Option[]): readonly Match[] | undefined {
  const names = options.map(({ name }) => name);
  const isKnown = options.every(({ name, negated, values }) => SOCKET_OPTIONS.includes(name) && !negated && values.length === 0);
  return isKnown && names.includes('--transparent') ? [{ kind: 'inert', text: `-m socket ${names.join(' ')}` }] : undefined;
}

/** Only the form that asks address, protocol and port at once, all negated or none. */
function readIpvs(options: readonly Option[]): readonly Match[] | undefined {
  const value = (name: string): string => options.find((option) => option.name === name)?.values[0] ?? '';
  const virtualAddress = parseAddress(value('--vaddr').replace(/\/(32|128)$/, ''))?.text;
  const virtualProtocol = readProtocol(value('--vproto'));
  const virtualPort = readPorts(value('--vport'))?.from;
  const [first] = options;
  const isWhole = options.length === 3 && options.every(({ negated }) => negated === first?.negated);
  if (!isWhole || first === undefined || virtualAddress === undefined || virtualPort === undefined) return undefined;
  if (virtualProtocol === undefined || virtualProtocol === 'all') return undefined;
  return [{ kind: 'ipvs', virtualAddress, virtualProtocol, virtualPort, ...not(first) }];
}

/** All of them, or undefined when one is. */
function complete<Item>(items: readonly (Item | undefined)[]): Item[] | undefined {
  const known = items.filter((item) => item !== undefined);
  return known.length === items.length ? known : undefined;
}
