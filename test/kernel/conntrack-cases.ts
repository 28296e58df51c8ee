// What nf_conntrack makes of connections, packet by packet: the cases that are recorded from a kernel into conntrack.json.
// conntrack.kernel.ts keeps that file true; test/engine/conntrack-kernel.test.ts holds both engines to it.
import { readFileSync } from 'node:fs';
import { type ConnectionState, SCTP_CHUNKS, type SctpChunk, type TransportProtocol } from '../../src/packet.ts';

export interface ConntrackStep {
  readonly from: 'client' | 'server';
  /** The bits of the TCP header. */
  readonly flags?: number;
  readonly chunk?: SctpChunk;
  /** Time that passes before the packet. */
  readonly waitMs?: number;
}

export interface ConntrackCase {
  readonly name: string;
  readonly protocol: TransportProtocol;
  readonly steps: readonly ConntrackStep[];
}

/** What the kernel said of one step. */
export interface Observation {
  /** ctstate and direction of the packet. */
  readonly packet: ConnectionState;
  /**
   * The connection afterwards, as `conntrack -L` prints it: who began it, state, timeout in seconds, packets of the original direction and
   * of the other one, [UNREPLIED], [ASSURED]. Empty: none.
   */
  readonly entry: string;
}

export interface RecordedCase extends ConntrackCase {
  readonly observed: readonly Observation[];
}

/** Timeouts are multiples of this many seconds: each tells its state, however slow the recording machine. In the kernel's order of length. */
export const TIMEOUT_STEP = 10_000;
export const SYSCTLS: Readonly<Record<string, number>> = {
  'net.netfilter.nf_conntrack_tcp_timeout_close': TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_last_ack': 2 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_syn_recv': 3 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_syn_sent': 4 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_fin_wait': 5 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_close_wait': 6 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_time_wait': 7 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_unacknowledged': 8 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_max_retrans': 9 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_tcp_timeout_established': 10 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_udp_timeout': TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_udp_timeout_stream': 2 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_closed': TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_cookie_wait': 2 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_cookie_echoed': 3 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_established': 4 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_sent': 5 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_recd': 6 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_shutdown_ack_sent': 7 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_sctp_timeout_heartbeat_sent': 8 * TIMEOUT_STEP,
  'net.netfilter.nf_conntrack_acct': 1,
  'net.netfilter.nf_conntrack_tcp_loose': 1,
  'net.netfilter.nf_conntrack_tcp_be_liberal': 0,
};

const FIN = 1;
const SYN = 2;
const RST = 4;
const PSH = 8;
const ACK = 16;
const URG = 32;

const client = (flags: number): ConntrackStep => ({ from: 'client', flags });
const server = (flags: number): ConntrackStep => ({ from: 'server', flags });

const handshake = [client(SYN), server(SYN | ACK), client(ACK)];
const closedByClient = [...handshake, client(FIN | ACK), server(ACK), server(FIN | ACK), client(ACK)];

/** A way to each state, and to some states by another way. */
const WAYS: Readonly<Record<string, readonly ConntrackStep[]>> = {
  NONE: [],
  SYN_SENT: [client(SYN)],
  SYN_SENT2: [client(SYN), server(SYN)],
  SYN_RECV: handshake.slice(0, 2),
  ESTABLISHED: handshake,
  'ESTABLISHED, picked up': [client(ACK)],
  'ESTABLISHED, picked up and answered': [client(ACK), server(ACK)],
  FIN_WAIT: closedByClient.slice(0, 4),
  'FIN_WAIT, by the server': [...handshake, server(FIN | ACK)],
  CLOSE_WAIT: closedByClient.slice(0, 5),
  LAST_ACK: closedByClient.slice(0, 6),
  TIME_WAIT: closedByClient,
  'CLOSE, by the client': [...handshake, client(RST | ACK)],
  'CLOSE, by the server': [...handshake, server(RST | ACK)],
  'CLOSE, after SYN_RECV': [...handshake.slice(0, 2), client(RST)],
  'SYN_SENT, answered by an ACK': [client(SYN), server(ACK)],
};

const KINDS: Readonly<Record<string, number>> = {
  SYN,
  'SYN+ACK': SYN | ACK,
  ACK,
  'ACK+PSH': ACK | PSH,
  'FIN+ACK': FIN | ACK,
  RST,
  'RST+ACK': RST | ACK,
};

const ODD_KINDS: Readonly<Record<string, number>> = {
  'no flags': 0,
  FIN,
  'FIN+PSH+URG': FIN | PSH | URG,
  'SYN+FIN': SYN | FIN,
  'SYN+RST': SYN | RST,
  'SYN+ACK+URG': SYN | ACK | URG,
  'SYN+URG': SYN | URG,
  'SYN+PSH': SYN | PSH,
  'SYN+ACK+FIN': SYN | ACK | FIN,
  'FIN+ACK+URG': FIN | ACK | URG,
  'FIN+ACK+RST': FIN | ACK | RST,
  'FIN+RST': FIN | RST,
  'ACK+URG': ACK | URG,
  'RST+URG': RST | URG,
  PSH,
  URG,
};

/** What hangs on sequence numbers, which the model does not have: the packet itself, or what comes after it. */
const BY_NUMBERS: ReadonlySet<string> = new Set(['SYN_SENT: RST+ACK from the client']);
const FOLLOWED_BY_NUMBERS: ReadonlySet<string> = new Set(['SYN_RECV: FIN+ACK from the server']);
/** A SYN in other states is answered by the numbers it carries. */
const MAY_SYN: ReadonlySet<string> = new Set(['NONE', 'SYN_SENT', 'SYN_SENT2', 'SYN_RECV', 'ESTABLISHED']);

function tcpCases(): ConntrackCase[] {
  const cases: ConntrackCase[] = [];
  for (const [state, way] of Object.entries(WAYS)) {
    const kinds = state === 'NONE' || state === 'ESTABLISHED' || state === 'SYN_SENT' ? { ...KINDS, ...ODD_KINDS } : KINDS;
    for (const [kind, flags] of Object.entries(kinds)) {
      for (const from of ['client', 'server'] as const) {
        if (state === 'NONE' && from === 'server') continue;
        const example = `${state}: ${kind} from the ${from}`;
        if (BY_NUMBERS.has(example)) continue;
        // The packet, and then what both ends would say next.
        const isLateSyn = (flags & SYN) !== 0 && !MAY_SYN.has(state);
        const after = isLateSyn || FOLLOWED_BY_NUMBERS.has(example) ? [] : [server(ACK), client(ACK)];
        const steps = [...way, { from, flags }, ...after];
        cases.push({ name: `TCP in ${example}`, protocol: 'TCP', steps });
      }
    }
  }
  const twice = [...closedByClient, client(SYN), server(SYN | ACK), client(ACK)];
  cases.push({ name: 'TCP begins again in TIME_WAIT', protocol: 'TCP', steps: twice });
  cases.push({
    name: 'TCP closed by both ends at once',
    protocol: 'TCP',
    steps: [...handshake, client(FIN | ACK), server(FIN | ACK), client(ACK), server(ACK)],
  });
  cases.push({ name: 'TCP refused', protocol: 'TCP', steps: [client(SYN), server(RST | ACK), client(SYN), server(RST | ACK)] });
  return cases;
}

const udp = (from: 'client' | 'server', waitMs = 0): ConntrackStep => (waitMs === 0 ? { from } : { from, waitMs });

const UDP_CASES: readonly ConntrackCase[] = [
  { name: 'UDP without an answer', protocol: 'UDP', steps: [udp('client'), udp('client'), udp('client', 2600)] },
  { name: 'UDP answered once', protocol: 'UDP', steps: [udp('client'), udp('server')] },
  { name: 'UDP answered after two seconds', protocol: 'UDP', steps: [udp('client'), udp('server', 2600), udp('server'), udp('client')] },
  {
    name: 'UDP that goes on after two seconds',
    protocol: 'UDP',
    steps: [udp('client'), udp('server'), udp('client', 2600), udp('server')],
  },
  { name: 'UDP that the server goes on with', protocol: 'UDP', steps: [udp('client'), udp('server'), udp('server', 2600)] },
];

const fromClient = (chunk: SctpChunk): ConntrackStep => ({ from: 'client', chunk });
const fromServer = (chunk: SctpChunk): ConntrackStep => ({ from: 'server', chunk });

const association = [fromClient('INIT'), fromServer('INIT_ACK'), fromClient('COOKIE_ECHO'), fromServer('COOKIE_ACK')];
const shutDownByClient = [...association, fromClient('SHUTDOWN'), fromServer('SHUTDOWN_ACK'), fromClient('SHUTDOWN_COMPLETE')];

const SCTP_WAYS: Readonly<Record<string, readonly ConntrackStep[]>> = {
  NONE: [],
  'CLOSED, begun': association.slice(0, 1),
  COOKIE_WAIT: association.slice(0, 2),
  COOKIE_ECHOED: association.slice(0, 3),
  ESTABLISHED: association,
  'ESTABLISHED, by a heartbeat': [fromClient('HEARTBEAT'), fromServer('HEARTBEAT_ACK')],
  SHUTDOWN_SENT: shutDownByClient.slice(0, 5),
  SHUTDOWN_RECD: [...association, fromServer('SHUTDOWN')],
  SHUTDOWN_ACK_SENT: shutDownByClient.slice(0, 6),
  CLOSED: shutDownByClient,
  'CLOSED, aborted by the client': [...association, fromClient('ABORT')],
  'CLOSED, refused': [fromClient('INIT'), fromServer('ABORT')],
  HEARTBEAT_SENT: [fromClient('HEARTBEAT')],
  'HEARTBEAT_SENT, by both ends': [fromClient('HEARTBEAT'), fromServer('HEARTBEAT')],
};

/** What hangs on verification tags, which the model does not have: where no INIT has told the server's, its data does not belong to the connection. */
const BY_TAGS: ReadonlySet<string> = new Set(['HEARTBEAT_SENT: DATA from the server']);
const WITHOUT_TAGS: ReadonlySet<string> = new Set(['NONE', 'HEARTBEAT_SENT']);

function sctpCases(): ConntrackCase[] {
  const cases: ConntrackCase[] = [];
  for (const [state, way] of Object.entries(SCTP_WAYS)) {
    for (const chunk of SCTP_CHUNKS) {
      for (const from of ['client', 'server'] as const) {
        const example = `${state}: ${chunk} from the ${from}`;
        if (BY_TAGS.has(example) || (state === 'NONE' && from === 'server')) continue;
        const after = WITHOUT_TAGS.has(state) && !(chunk === 'INIT' && from === 'client') ? [] : [fromServer('DATA'), fromClient('DATA')];
        cases.push({ name: `SCTP in ${example}`, protocol: 'SCTP', steps: [...way, { from, chunk }, ...after] });
      }
    }
  }
  cases.push({ name: 'SCTP begins again after its end', protocol: 'SCTP', steps: [...shutDownByClient, ...association] });
  return cases;
}

/** All cases, each with a connection of its own. */
export const CONNTRACK_CASES: readonly ConntrackCase[] = [...tcpCases(), ...UDP_CASES, ...sctpCases()];

/** What a kernel said of the cases. */
export function recordedCases(): readonly RecordedCase[] {
  return JSON.parse(readFileSync(new URL('./conntrack.json', import.meta.url), 'utf8')) as RecordedCase[];
}
