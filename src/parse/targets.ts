// The target of a dumped rule. Undefined: not modelled.
import { type Family, parseAddress } from '../address.ts';
import type { Target } from '../program/ruleset.ts';
import { readEndpoint, readMarked, readNumber, readPorts } from './values.ts';
import type { Clause, Option } from './words.ts';

const ALL_BITS = 0xffffffff;

/** They write down, count, or change what no rule of this model looks at; the scan goes on behind them. */
const HARMLESS: readonly string[] = [
  'LOG',
  'NFLOG',
  'ULOG',
  'TRACE',
  'AUDIT',
  'TCPMSS',
  'TCPOPTSTRIP',
  'CHECKSUM',
  'TOS',
  'DSCP',
  'ECN',
  'CLASSIFY',
  'TTL',
  'HL',
  'LED',
  'IDLETIMER',
  'RATEEST',
  'SECMARK',
  'CONNSECMARK',
];

/** What the words need to know of the table around them. */
export interface TargetScope {
  readonly family: Family;
  readonly table: string;
  hasChain(name: string): boolean;
}

/** `clause` begins with `-j` or `-g`; undefined: the rule has no target. */
export function readTarget(clause: Clause | undefined, { family, table, hasChain }: TargetScope): Target | undefined {
  if (clause === undefined) return { kind: 'none' };
  const { flag, value, options } = clause;
  if (hasChain(value)) return options.length > 0 ? undefined : { kind: flag === '-g' ? 'goto' : 'jump', chain: value };
  if (flag === '-g') return undefined;
  if (HARMLESS.includes(value)) return { kind: 'none', text: clause.text.replace(/^\S+ /, '') };
  switch (value) {
    case 'ACCEPT':
      return plain(options, { kind: 'accept' });
    case 'DROP':
      return plain(options, { kind: 'drop' });
    case 'RETURN':
      return plain(options, { kind: 'return' });
    case 'REJECT':
      return readReject(options, family);
    case 'MARK':
      return readMark(options);
    // The kernel takes them in these tables alone.
    case 'CT':
      return table === 'raw' && isFlag(options, '--notrack') ? { kind: 'notrack' } : undefined;
    case 'NOTRACK':
      return table === 'raw' ? plain(options, { kind: 'notrack' }) : undefined;
    case 'TPROXY':
      return table === 'mangle' ? readTproxy(options, family) : undefined;
    case 'MASQUERADE':
      return readMasquerade(options);
    case 'DNAT':
      return readNat('dnat', '--to-destination', options, family);
    case 'SNAT':
      return readNat('snat', '--to-source', options, family);
    default:
      return undefined;
  }
}

function plain(options: readonly Option[], target: Target): Target | undefined {
  return options.length === 0 ? target : undefined;
}

function readReject(options: readonly Option[], family: Family): Target | undefined {
  if (options.length === 0) return { kind: 'reject', with: family === 'IPv4' ? 'icmp-port-unreachable' : 'icmp6-port-unreachable' };
  const type = onlyValue(options, '--reject-with');
  return type === undefined ? undefined : { kind: 'reject', with: type };
}

/** All forms are `mark = (mark & ~mask) ^ value`. */
function readMark(options: readonly Option[]): Target | undefined {
  const [option] = options;
  const text = option === undefined ? undefined : onlyValue(options, option.name);
  if (option === undefined || text === undefined) return undefined;
  const marked = readMarked(text);
  const bits = readNumber(text);
  switch (option.name) {
    case '--set-xmark':
      return marked === undefined ? undefined : { kind: 'mark', ...marked };
    case '--set-mark':
      // The bits of the value are set even outside the mask.
      return marked === undefined ? undefined : { kind: 'mark', value: marked.value, mask: (marked.mask | marked.value) >>> 0 };
    case '--or-mark':
      return bits === undefined ? undefined : { kind: 'mark', value: bits, mask: bits };
    case '--xor-mark':
      return bits === undefined ? undefined : { kind: 'mark', value: bits, mask: 0 };
    case '--and-mark':
      return bits === undefined ? undefined : { kind: 'mark', value: 0, mask: (~bits & ALL_BITS) >>> 0 };
    default:
      return undefined;
  }
}

/** The proxy's port and address, and the mark that routing looks at. */
function readTproxy(options: readonly Option[], family: Family): Target | undefined {
  const values = new Map(options.map(({ name, values: [value = ''] }) => [name, value]));
  if (options.some(({ negated, values: { length } }) => negated || length !== 1) || values.size !== options.length) return undefined;
  if ([...values.keys()].some((name) => !['--on-port', '--on-ip', '--tproxy-mark'].includes(name))) return undefined;
  const ports = readPorts(values.get('--on-port') ?? '');
  const marked = readMarked(values.get('--tproxy-mark') ?? '0x0/0x0');
  const text = values.get('--on-ip');
  const address = text === undefined ? undefined : parseAddress(text);
  if (ports === undefined || ports.from !== ports.to || marked === undefined) return undefined;
  if (text !== undefined && address?.family !== family) return undefined;
  return { kind: 'tproxy', port: ports.from, ...(address === undefined ? {} : { address: address.text }), ...marked };
}

function readMasquerade(options: readonly Option[]): Target | undefined {
  if (options.length === 0) return { kind: 'masquerade', randomFully: false };
  return isFlag(options, '--random-fully') ? { kind: 'masquerade', randomFully: true } : undefined;
}

/** The only option, without a value. */
function isFlag(options: readonly Option[], name: string): boolean {
  const [option, ...more] = options;
  return option?.name === name && !option.negated && option.values.length === 0 && more.length === 0;
}

function readNat(kind: 'dnat' | 'snat', name: string, options: readonly Option[], family: Family): Target | undefined {
  const text = onlyValue(options, name);
  const endpoint = text === undefined ? undefined : readEndpoint(text, family);
  return endpoint === undefined ? undefined : { kind, ...endpoint };
}

function onlyValue(options: readonly Option[], name: string): string | undefined {
  const [option, ...more] = options;
  if (option?.name !== name || more.length > 0 || option.negated || option.values.length !== 1) return undefined;
  return option.values[0];
}
