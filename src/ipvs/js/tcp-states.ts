// IPVS' own state table of TCP (ip_vs_proto_tcp), for masquerading: by direction and kind of packet, the next state. No sequence numbers.

export const TCP_TIMEOUTS = {
  NONE: 2,
  ESTABLISHED: 900,
  SYN_SENT: 120,
  SYN_RECV: 60,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  LISTEN: 120,
  SYNACK: 120,
} as const;
export type TcpState = keyof typeof TCP_TIMEOUTS;
export type PacketDirection = 'client' | 'server';

export const FIN = 1;
export const SYN = 2;
export const RST = 4;
export const ACK = 16;

const states: readonly TcpState[] = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'SYNACK',
];

const codes: Readonly<Record<string, TcpState>> = {
  ES: 'ESTABLISHED',
  SS: 'SYN_SENT',
  SR: 'SYN_RECV',
  FW: 'FIN_WAIT',
  TW: 'TIME_WAIT',
  CL: 'CLOSE',
  CW: 'CLOSE_WAIT',
  LA: 'LAST_ACK',
  LI: 'LISTEN',
};

type Row = ReadonlyMap<string, TcpState>;

// Columns: NONE ESTABLISHED SYN_SENT SYN_RECV FIN_WAIT TIME_WAIT CLOSE CLOSE_WAIT LAST_ACK LISTEN SYNACK.
const transitions: Readonly<Record<PacketDirection, readonly (readonly [flag: number, row: Row])[]>> = {
  client: [
    [RST, row('CL CL CL SR CL CL CL CL LA LI SR')],
    [SYN, row('SR ES ES SR SR SR SR SR SR SR SR')],
    [FIN, row('CL CW SS TW TW TW CL CW LA LI TW')],
    [ACK, row('ES ES SS ES FW TW CL CW CL LI ES')],
  ],
  server: [
    [RST, row('CL CL SS CL CL TW CL CL CL CL CL')],
    [SYN, row('SS ES SS SR SS SS SS SS SS LI SR')],
    [FIN, row('TW FW SS TW FW TW CL TW LA LI TW')],
    [ACK, row('ES ES SS ES FW TW CL CW LA ES ES')],
  ],
};

const active: ReadonlySet<TcpState> = new Set(['SYN_RECV', 'ESTABLISHED', 'SYN_SENT', 'SYNACK']);

function row(text: string): Row {
  return new Map(text.split(' ').flatMap((code, index) => pair(states[index], codes[code])));
}

function pair(before: TcpState | undefined, after: TcpState | undefined): [TcpState, TcpState][] {
  return before === undefined || after === undefined ? [] : [[before, after]];
}

/** The state after a packet: the first of RST, SYN, FIN and ACK that it has decides; one with none of them closes. */
export function nextTcpState(direction: PacketDirection, flags: number, state: string): TcpState {
  const found = transitions[direction].find(([flag]) => (flags & flag) !== 0);
  return found?.[1].get(state) ?? 'CLOSE';
}

/** Such a connection weighs on lc, wlc, sed, nq and ovf. A half-open one does. */
export function isActiveTcpState(state: TcpState): boolean {
  return active.has(state);
}
