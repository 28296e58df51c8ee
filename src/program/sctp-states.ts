// nf_conntrack's state table of SCTP as data: by direction, chunk of a packet and present state, the next state.
// The TypeScript engine and the tracer read it; the core has its own copy.
import type { SctpChunk } from '../packet.ts';
import type { Direction } from './tcp-states.ts';

/** In nf_conntrack's order: a state's number in the core is its index here. */
export const SCTP_STATES = [
  'NONE',
  'CLOSED',
  'COOKIE_WAIT',
  'COOKIE_ECHOED',
  'ESTABLISHED',
  'SHUTDOWN_SENT',
  'SHUTDOWN_RECD',
  'SHUTDOWN_ACK_SENT',
  'HEARTBEAT_SENT',
] as const;
export type SctpState = (typeof SCTP_STATES)[number];

const knownStates: ReadonlySet<string | undefined> = new Set(SCTP_STATES);

/** True for the name of an SCTP state. */
export function isSctpState(name: string | undefined): name is SctpState {
  return knownStates.has(name);
}

/** INVALID: the packet is not part of the connection, or cannot begin one. IGNORE: it is, and changes nothing. */
export type SctpAnswer = SctpState | 'INVALID' | 'IGNORE';

const answers = new Map<string, SctpAnswer>([
  ['IG', 'IGNORE'],
  ['CL', 'CLOSED'],
  ['CW', 'COOKIE_WAIT'],
  ['CE', 'COOKIE_ECHOED'],
  ['ES', 'ESTABLISHED'],
  ['SS', 'SHUTDOWN_SENT'],
  ['SR', 'SHUTDOWN_RECD'],
  ['SA', 'SHUTDOWN_ACK_SENT'],
  ['HS', 'HEARTBEAT_SENT'],
]);

type Transitions = Readonly<Record<Exclude<SctpChunk, 'DATA'>, ReadonlyMap<SctpState, SctpAnswer>>>;

// Columns: NONE CLOSED COOKIE_WAIT COOKIE_ECHOED ESTABLISHED SHUTDOWN_SENT SHUTDOWN_RECD SHUTDOWN_ACK_SENT HEARTBEAT_SENT.
const transitions: Readonly<Record<Direction, Transitions>> = {
  original: {
    INIT: row('CL IG CW CE ES CL CL SA CW'),
    INIT_ACK: row('IV CL CW CE ES SS SR SA CL'),
    COOKIE_ECHO: row('IV CL CE CE ES SS SR SA CL'),
    COOKIE_ACK: row('IV CL CW ES ES SS SR SA CL'),
    SHUTDOWN: row('IV CL CW CE SS SS SR SA CL'),
    SHUTDOWN_ACK: row('SA CL CW CE ES SA SA SA SA'),
    SHUTDOWN_COMPLETE: row('IV CL CW CE ES SS SR CL CL'),
    ERROR: row('IV CL CW CE ES SS SR SA CL'),
    ABORT: row('IV CL CL CL CL CL CL CL CL'),
    HEARTBEAT: row('HS CL CW CE ES SS SR SA HS'),
    HEARTBEAT_ACK: row('CL CL CW CE ES SS SR SA HS'),
  },
  reply: {
    INIT: row('IV IG CW CE ES SS SR SA IV'),
    INIT_ACK: row('IV CW CW CE ES SS SR SA IV'),
    COOKIE_ECHO: row('IV CL CE CE ES SS SR SA IV'),
    COOKIE_ACK: row('IV CL CW ES ES SS SR SA IV'),
    SHUTDOWN: row('IV CL CW CE SR SS SR SA IV'),
    SHUTDOWN_ACK: row('IV CL CW CE ES SA SA SA IV'),
    SHUTDOWN_COMPLETE: row('IV CL CW CE ES SS SR CL IV'),
    ERROR: row('IV CL CW CL ES SS SR SA IV'),
    ABORT: row('IV CL CL CL CL CL CL CL IV'),
    HEARTBEAT: row('IV CL CW CE ES SS SR SA HS'),
    HEARTBEAT_ACK: row('IV CL CW CE ES SS SR SA ES'),
  },
};

function row(text: string): ReadonlyMap<SctpState, SctpAnswer> {
  const codes = text.split(' ');
  return new Map(SCTP_STATES.map((state, index) => [state, answers.get(codes[index] ?? '') ?? 'INVALID']));
}

/** The state after one more packet; NONE: there is no connection yet. */
export function nextSctpState(direction: Direction, chunk: SctpChunk, state: SctpState): SctpAnswer {
  if (chunk === 'DATA') return state === 'NONE' ? 'INVALID' : state;
  return transitions[direction][chunk].get(state) ?? 'INVALID';
}

/** The chunk that comes next in a handshake, for packets that name none. */
export function dueSctpChunk(direction: Direction, state: SctpState): SctpChunk {
  return dueChunks[direction].get(state) ?? 'DATA';
}

const dueChunks: Readonly<Record<Direction, ReadonlyMap<SctpState, SctpChunk>>> = {
  original: new Map([
    ['NONE', 'INIT'],
    ['CLOSED', 'INIT'],
    ['COOKIE_WAIT', 'COOKIE_ECHO'],
    ['COOKIE_ECHOED', 'COOKIE_ECHO'],
  ]),
  reply: new Map([
    ['CLOSED', 'INIT_ACK'],
    ['COOKIE_WAIT', 'INIT_ACK'],
    ['COOKIE_ECHOED', 'COOKIE_ACK'],
    ['HEARTBEAT_SENT', 'HEARTBEAT_ACK'],
  ]),
};
