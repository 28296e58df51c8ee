// IPVS' state table of SCTP (ip_vs_proto_sctp), for masquerading: by direction and first chunk of a packet, the next state.
import type { SctpChunk } from '../../packet.ts';
import type { PacketDirection } from './tcp-states.ts';

/** Seconds by state, MAX_RTO being 61. */
export const SCTP_TIMEOUTS = {
  NONE: 2,
  INIT1: 4,
  INIT: 61,
  'C-SENT': 61,
  'C-REPLIED': 61,
  'C-WAIT': 61,
  COOKIE: 61,
  'C-ECHOED': 61,
  ESTABLISHED: 900,
  'S-SENT': 61,
  'S-RECEIVED': 61,
  'S-ACK-SENT': 61,
  REJECTED: 4,
  CLOSED: 61,
} as const;
export type SctpState = keyof typeof SCTP_TIMEOUTS;

/** In the order of the table's columns. */
const codes: ReadonlyMap<string, SctpState> = new Map<string, SctpState>([
  ['NO', 'NONE'],
  ['I1', 'INIT1'],
  ['IN', 'INIT'],
  ['CS', 'C-SENT'],
  ['CR', 'C-REPLIED'],
  ['CW', 'C-WAIT'],
  ['CO', 'COOKIE'],
  ['CE', 'C-ECHOED'],
  ['ES', 'ESTABLISHED'],
  ['SS', 'S-SENT'],
  ['SR', 'S-RECEIVED'],
  ['SA', 'S-ACK-SENT'],
  ['RJ', 'REJECTED'],
  ['CL', 'CLOSED'],
]);
const states: readonly SctpState[] = [...codes.values()];

/** IPVS takes heartbeats for data. */
type IpvsChunk = Exclude<SctpChunk, 'HEARTBEAT' | 'HEARTBEAT_ACK'>;

type Row = ReadonlyMap<string, SctpState>;

const transitions: Readonly<Record<PacketDirection, Readonly<Record<IpvsChunk, Row>>>> = {
  client: {
    DATA: row('ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL'),
    INIT: row('I1 IN IN CS CR CW CO CE ES SS SR SA IN IN'),
    INIT_ACK: row('CW CW CW CS CR CO CO CE ES SS SR SA RJ CL'),
    COOKIE_ECHO: row('CR IN IN CR CR CW CO CE ES SS SR SA RJ CL'),
    COOKIE_ACK: row('ES I1 IN CS CR CW CO ES ES SS SR SA RJ CL'),
    SHUTDOWN: row('SR I1 IN CS CR CW CO CE SR SS SR SA RJ CL'),
    SHUTDOWN_ACK: row('CL IN IN CS CR CW CO CE ES CL SR CL RJ CL'),
    SHUTDOWN_COMPLETE: row('CL CL CL CS CR CW CO CE ES SS SR CL RJ CL'),
    ERROR: row('CL I1 IN CS CR CW CO CL ES SS SR SA RJ CL'),
    ABORT: row('CL CL CL CL CL RJ CL CL CL CL CL CL CL CL'),
  },
  server: {
    DATA: row('ES I1 IN CS CR CW CO CE ES SS SR SA RJ CL'),
    INIT: row('CW CW CW CW CW CW CW CW ES CW CW CW CW CW'),
    INIT_ACK: row('CS CS CS CS CR CW CO CE ES SS SR SA RJ CL'),
    COOKIE_ECHO: row('CE CE CE CE CE CE CE CE ES SS SR SA RJ CL'),
    COOKIE_ACK: row('ES ES ES ES ES ES ES ES ES SS SR SA RJ CL'),
    SHUTDOWN: row('SS SS SS SS SS SS SS SS SS SS SR SA RJ CL'),
    SHUTDOWN_ACK: row('SA SA SA SA SA CW CO CE ES SA SA SA RJ CL'),
    SHUTDOWN_COMPLETE: row('CL I1 IN CS CR CW CO CE ES SS SR SA RJ CL'),
    ERROR: row('CL CL CL CL CL CW CO CE ES SS SR SA RJ CL'),
    ABORT: row('CL RJ CL CL CL CL CL CL CL CL CL CL CL CL'),
  },
};

function row(text: string): Row {
  const next = text.split(' ').map((code) => codes.get(code) ?? 'CLOSED');
  return new Map(states.map((state, index) => [state, next[index] ?? 'CLOSED']));
}

export function nextSctpState(direction: PacketDirection, chunk: SctpChunk, state: string): SctpState {
  const known = chunk === 'HEARTBEAT' || chunk === 'HEARTBEAT_ACK' ? 'DATA' : chunk;
  return transitions[direction][known].get(state) ?? 'CLOSED';
}

/** The chunk that a handshake has next, for packets that name none. */
export function dueChunk(direction: PacketDirection, state: string): SctpChunk {
  return dueChunks[direction].get(state) ?? 'DATA';
}

const dueChunks: Readonly<Record<PacketDirection, ReadonlyMap<string, SctpChunk>>> = {
  client: new Map([
    ['NONE', 'INIT'],
    ['INIT1', 'INIT'],
    ['INIT', 'INIT'],
    ['C-WAIT', 'INIT_ACK'],
    ['C-SENT', 'COOKIE_ECHO'],
    ['C-REPLIED', 'COOKIE_ECHO'],
    ['C-ECHOED', 'COOKIE_ACK'],
    ['REJECTED', 'INIT'],
    ['CLOSED', 'INIT'],
  ]),
  server: new Map([
    ['INIT1', 'INIT_ACK'],
    ['INIT', 'INIT_ACK'],
    ['C-SENT', 'INIT_ACK'],
    ['COOKIE', 'COOKIE_ECHO'],
    ['C-REPLIED', 'COOKIE_ACK'],
  ]),
};
