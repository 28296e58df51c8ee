// The kernel's names of connection states, by the numbers that the core keeps.

const TCP = [
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
] as const;

const SCTP = [
  'NONE',
  'INIT1',
  'INIT',
  'C-SENT',
  'C-REPLIED',
  'C-WAIT',
  'COOKIE',
  'C-ECHOED',
  'ESTABLISHED',
  'S-SENT',
  'S-RECEIVED',
  'S-ACK-SENT',
  'REJECTED',
  'CLOSED',
] as const;

const names = { TCP, SCTP, UDP: ['NONE', 'UDP'], template: ['NONE', 'ASSURED'] } as const;

/** `kind`: the protocol of a connection, or `template`. */
export function stateName(kind: keyof typeof names, state: number): string {
  return names[kind][state] ?? `state ${state}`;
}
