// nf_conntrack's state table of TCP as data: by direction, kind of packet and present state, the next state.
// The TypeScript engine and the tracer read it; the core has its own copy.

export type TcpState =
  | 'NONE'
  | 'SYN_SENT'
  | 'SYN_RECV'
  | 'ESTABLISHED'
  | 'FIN_WAIT'
  | 'CLOSE_WAIT'
  | 'LAST_ACK'
  | 'TIME_WAIT'
  | 'CLOSE'
  | 'SYN_SENT2';

export type TcpPacketKind = 'SYN' | 'SYN+ACK' | 'FIN' | 'ACK' | 'RST' | 'none';

/** INVALID: the packet is not part of the connection. IGNORE: it is, and changes nothing. */
export type TcpAnswer = TcpState | 'INVALID' | 'IGNORE';

export type Direction = 'original' | 'reply';

const FIN = 1;
const SYN = 2;
const RST = 4;
const ACK = 16;
const URG = 32;
const DEFAULT_FLAGS = SYN;

/** In nf_conntrack's order: a state's number in the core is its index here. */
export const TCP_STATES: readonly TcpState[] = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
];

const knownStates: ReadonlySet<string | undefined> = new Set(TCP_STATES);

const answers: ReadonlyMap<string, TcpAnswer> = new Map<string, TcpAnswer>([
  ['SS', 'SYN_SENT'],
  ['SR', 'SYN_RECV'],
  ['ES', 'ESTABLISHED'],
  ['FW', 'FIN_WAIT'],
  ['CW', 'CLOSE_WAIT'],
  ['LA', 'LAST_ACK'],
  ['TW', 'TIME_WAIT'],
  ['CL', 'CLOSE'],
  ['S2', 'SYN_SENT2'],
  ['IV', 'INVALID'],
  ['IG', 'IGNORE'],
]);

type Transitions = Readonly<Record<TcpPacketKind, ReadonlyMap<TcpState, TcpAnswer>>>;

// Columns: NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK TIME_WAIT CLOSE SYN_SENT2.
const transitions: Readonly<Record<Direction, Transitions>> = {
  original: {
    SYN: row('SS SS IG IG IG IG IG SS SS S2'),
    'SYN+ACK': row('IV IV SR IV IV IV IV IV IV SR'),
    FIN: row('IV IV FW FW LA LA LA TW CL IV'),
    ACK: row('ES IV ES ES CW CW TW TW CL IV'),
    RST: row('IV CL CL CL CL CL CL CL CL CL'),
    none: row('IV IV IV IV IV IV IV IV IV IV'),
  },
  reply: {
    SYN: row('IV S2 IV IV IV IV IV SS IV S2'),
    'SYN+ACK': row('IV SR IG IG IG IG IG IG IG SR'),
    FIN: row('IV IV FW FW LA LA LA TW CL IV'),
    ACK: row('IV IG SR ES CW CW TW TW CL IG'),
    RST: row('IV CL CL CL CL CL CL CL CL CL'),
    none: row('IV IV IV IV IV IV IV IV IV IV'),
  },
};

function row(text: string): ReadonlyMap<TcpState, TcpAnswer> {
  const codes = text.split(' ');
  return new Map(TCP_STATES.map((state, index) => [state, answers.get(codes[index] ?? '') ?? 'INVALID']));
}

/** Combinations that a TCP sends, beside PSH and the bits of congestion control (nf_conntrack's tcp_valid_flags). */
const validFlags: ReadonlySet<number> = new Set([SYN, SYN | URG, SYN | ACK, RST, RST | ACK, FIN | ACK, FIN | ACK | URG, ACK, ACK | URG]);

/** The kind of a packet by the bits of its TCP header; absent flags are a SYN. */
export function tcpPacketKind(flags: number = DEFAULT_FLAGS): TcpPacketKind {
  if (!validFlags.has(flags & (FIN | SYN | RST | ACK | URG))) return 'none';
  if ((flags & RST) !== 0) return 'RST';
  if ((flags & SYN) !== 0) return (flags & ACK) !== 0 ? 'SYN+ACK' : 'SYN';
  return (flags & FIN) !== 0 ? 'FIN' : 'ACK';
}

/** The state of a known connection after one more packet. */
export function nextTcpState(direction: Direction, kind: TcpPacketKind, state: TcpState): TcpAnswer {
  return transitions[direction][kind].get(state) ?? 'INVALID';
}

/** The state of a connection that begins with this packet. `isLoose`: nf_conntrack_tcp_loose, it may be picked up in the middle. */
export function firstTcpState(kind: TcpPacketKind, isLoose: boolean): TcpState | 'INVALID' {
  if (kind === 'SYN') return 'SYN_SENT';
  return kind === 'ACK' && isLoose ? 'ESTABLISHED' : 'INVALID';
}

/** True for the name of a TCP state. */
export function isTcpState(name: string | undefined): name is TcpState {
  return knownStates.has(name);
}
