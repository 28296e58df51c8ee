// nf_conntrack's TCP states as small numbers in one byte array, made once from the engines' common table.
import { firstTcpState, nextTcpState, type TcpAnswer, type TcpState, tcpPacketKind } from '../../src/program/tcp-states.ts';

const STATES: readonly TcpState[] = [
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

export const STATE_INVALID = 10;
export const STATE_IGNORE = 11;
export const TCP_RST = 4;

/** Seconds by state: the kernel's defaults, with kube-proxy's for CLOSE_WAIT and ESTABLISHED. */
export const TIMEOUTS_MS = Float64Array.from([0, 120, 60, 86_400, 120, 3600, 30, 120, 10, 120], (seconds) => seconds * 1000);

const FLAG_VALUES = 32;

/** By direction (0: original), flags (5 bits) and state (4 bits). */
const next = new Uint8Array(2 * FLAG_VALUES * 16);
const first = new Uint8Array(FLAG_VALUES);
for (let flags = 0; flags < FLAG_VALUES; flags++) {
  const kind = tcpPacketKind(flags);
  first[flags] = codeOf(firstTcpState(kind, true));
  STATES.forEach((state, number) => {
    next[(flags << 4) | number] = codeOf(nextTcpState('original', kind, state));
    next[((FLAG_VALUES | flags) << 4) | number] = codeOf(nextTcpState('reply', kind, state));
  });
}

export function nextState(isReply: number, flags: number, state: number): number {
  return next[(((isReply << 5) | (flags & 31)) << 4) | state] ?? STATE_INVALID;
}

export function firstState(flags: number): number {
  return first[flags & 31] ?? STATE_INVALID;
}

function codeOf(answer: TcpAnswer): number {
  if (answer === 'INVALID') return STATE_INVALID;
  return answer === 'IGNORE' ? STATE_IGNORE : STATES.indexOf(answer);
}
