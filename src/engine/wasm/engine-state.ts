// The state record of the core from outside: settings in, the random generator and the counters out.
import {
  COUNTER_ACCEPT,
  COUNTER_CHAIN_TOO_DEEP,
  COUNTER_CONNTRACK_FULL,
  COUNTER_DNAT,
  COUNTER_DROP,
  COUNTER_EARLY_DROP,
  COUNTER_ESTABLISHED,
  COUNTER_INSERT_FAILED,
  COUNTER_INVALID,
  COUNTER_NEW,
  COUNTER_PACKETS,
  COUNTER_REJECT,
  COUNTER_REPLY,
  COUNTER_UNTRACKED,
  STATE_CONNTRACK_MAX,
  STATE_COUNTERS,
  STATE_INTERFACES,
  STATE_IPVS,
  STATE_RANDOM,
  STATE_ROOT_V4,
  STATE_ROOT_V6,
  STATE_TCP_LOOSE,
  STATE_TIMEOUTS,
  TIMEOUT_SCTP,
  TIMEOUT_TCP_UNACKNOWLEDGED,
  TIMEOUT_UDP,
  TIMEOUT_UDP_STREAM,
} from '../../../assembly/shared/layout.ts';
import type { Family } from '../../address.ts';
import type { ConntrackTimeouts, EngineCounters, EngineOptions } from '../engine.ts';
import type { LinearMemory } from './memory.ts';

/** nf_conntrack has no sysctl for it. */
const TCP_SYN_SENT2_SECONDS = 120;

export class EngineState {
  readonly #memory: LinearMemory;
  readonly #address: number;

  /** `random`: as seedRandom gives it. */
  constructor(memory: LinearMemory, address: number, { conntrackMax, tcpLoose, timeouts }: EngineOptions, random: number) {
    this.#memory = memory;
    this.#address = address;
    this.#set(STATE_RANDOM, random);
    this.#set(STATE_CONNTRACK_MAX, conntrackMax);
    this.#set(STATE_TCP_LOOSE, tcpLoose ? 1 : 0);
    timeoutsInOrder(timeouts).forEach((seconds, which) => {
      this.#set(STATE_TIMEOUTS + which * 4, Math.round(seconds * 1000));
    });
  }

  /** The next number is nextRandom of it. */
  get random(): number {
    return this.#memory.words[(this.#address + STATE_RANDOM) / 4] ?? 0;
  }

  /** Puts the Program behind a root in force. */
  setRoot(family: Family, root: number): void {
    this.#set(family === 'IPv4' ? STATE_ROOT_V4 : STATE_ROOT_V6, root);
  }

  setIpvs(namespace: number): void {
    this.#set(STATE_IPVS, namespace);
  }

  setInterfaces(names: number): void {
    this.#set(STATE_INTERFACES, names);
  }

  counters(): Omit<EngineCounters, 'connections' | 'memory'> {
    return {
      packets: this.#counter(COUNTER_PACKETS),
      newConnections: this.#counter(COUNTER_NEW),
      established: this.#counter(COUNTER_ESTABLISHED),
      replies: this.#counter(COUNTER_REPLY),
      invalid: this.#counter(COUNTER_INVALID),
      untracked: this.#counter(COUNTER_UNTRACKED),
      accepted: this.#counter(COUNTER_ACCEPT),
      dnat: this.#counter(COUNTER_DNAT),
      dropped: this.#counter(COUNTER_DROP),
      rejected: this.#counter(COUNTER_REJECT),
      conntrackFull: this.#counter(COUNTER_CONNTRACK_FULL),
      earlyDropped: this.#counter(COUNTER_EARLY_DROP),
      insertFailed: this.#counter(COUNTER_INSERT_FAILED),
      chainTooDeep: this.#counter(COUNTER_CHAIN_TOO_DEEP),
    };
  }

  #counter(which: number): number {
    return Number(this.#memory.data.getBigUint64(this.#address + STATE_COUNTERS + which * 8, true));
  }

  #set(field: number, value: number): void {
    this.#memory.words[(this.#address + field) / 4] = value;
  }
}

/** Seconds in the order of the layout's TIMEOUT_*. */
function timeoutsInOrder(timeouts: ConntrackTimeouts): number[] {
  const seconds = [
    0, // NONE never holds a connection
    timeouts.tcpSynSent,
    timeouts.tcpSynRecv,
    timeouts.tcpEstablished,
    timeouts.tcpFinWait,
    timeouts.tcpCloseWait,
    timeouts.tcpLastAck,
    timeouts.tcpTimeWait,
    timeouts.tcpClose,
    TCP_SYN_SENT2_SECONDS,
  ];
  seconds[TIMEOUT_TCP_UNACKNOWLEDGED] = timeouts.tcpUnacknowledged;
  seconds[TIMEOUT_UDP] = timeouts.udp;
  seconds[TIMEOUT_UDP_STREAM] = timeouts.udpStream;
  const sctp = [
    0, // NONE, as above
    timeouts.sctpClosed,
    timeouts.sctpCookieWait,
    timeouts.sctpCookieEchoed,
    timeouts.sctpEstablished,
    timeouts.sctpShutdownSent,
    timeouts.sctpShutdownRecd,
    timeouts.sctpShutdownAckSent,
    timeouts.sctpHeartbeatSent,
  ];
  sctp.forEach((timeout, state) => {
    seconds[TIMEOUT_SCTP + state] = timeout;
  });
  return seconds;
}
