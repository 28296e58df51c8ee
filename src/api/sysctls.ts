// The kernel's settings of connection tracking: defaults, kube-proxy's changes, explicit sysctls, in this order of weight.

import { didYouMean } from '../edit-distance.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { ConntrackConfig } from './config.ts';

/** Seconds; the names are those of net.netfilter.nf_conntrack_*_timeout_*. The shape of the engines' ConntrackTimeouts. */
export type TimeoutName =
  | 'tcpSynSent'
  | 'tcpSynRecv'
  | 'tcpEstablished'
  | 'tcpFinWait'
  | 'tcpCloseWait'
  | 'tcpLastAck'
  | 'tcpTimeWait'
  | 'tcpClose'
  | 'tcpUnacknowledged'
  | 'udp'
  | 'udpStream'
  | 'sctpClosed'
  | 'sctpCookieWait'
  | 'sctpCookieEchoed'
  | 'sctpEstablished'
  | 'sctpShutdownSent'
  | 'sctpShutdownRecd'
  | 'sctpShutdownAckSent'
  | 'sctpHeartbeatSent';
export type TimeoutSettings = Readonly<Record<TimeoutName, number>>;

export interface ConntrackSettings {
  readonly timeouts: TimeoutSettings;
  /** A connection may be picked up in the middle. */
  readonly tcpLoose: boolean;
  readonly tcpBeLiberal: boolean;
  /** Connections tracked at most. */
  readonly max: number;
}

const CONNTRACK_PREFIX = 'net.netfilter.nf_conntrack_';
const IPVS_PREFIX = 'net.ipv4.vs.';
const CONNTRACK_MAX_DEFAULT = 262144;

const kernelTimeouts: Readonly<Record<TimeoutName, readonly [sysctl: string, seconds: number]>> = {
  tcpSynSent: ['tcp_timeout_syn_sent', 120],
  tcpSynRecv: ['tcp_timeout_syn_recv', 60],
  tcpEstablished: ['tcp_timeout_established', 432000],
  tcpFinWait: ['tcp_timeout_fin_wait', 120],
  tcpCloseWait: ['tcp_timeout_close_wait', 60],
  tcpLastAck: ['tcp_timeout_last_ack', 30],
  tcpTimeWait: ['tcp_timeout_time_wait', 120],
  tcpClose: ['tcp_timeout_close', 10],
  tcpUnacknowledged: ['tcp_timeout_unacknowledged', 300],
  udp: ['udp_timeout', 30],
  udpStream: ['udp_timeout_stream', 120],
  sctpClosed: ['sctp_timeout_closed', 10],
  sctpCookieWait: ['sctp_timeout_cookie_wait', 3],
  sctpCookieEchoed: ['sctp_timeout_cookie_echoed', 3],
  sctpEstablished: ['sctp_timeout_established', 210],
  sctpShutdownSent: ['sctp_timeout_shutdown_sent', 3],
  sctpShutdownRecd: ['sctp_timeout_shutdown_recd', 3],
  sctpShutdownAckSent: ['sctp_timeout_shutdown_ack_sent', 3],
  sctpHeartbeatSent: ['sctp_timeout_heartbeat_sent', 30],
};

/** Those that are read here; the kernel has more. */
const readNames: readonly string[] = [...Object.values(kernelTimeouts).map(([name]) => name), 'max', 'tcp_loose', 'tcp_be_liberal'].map(
  (name) => CONNTRACK_PREFIX + name,
);

/** Refuses names outside net.netfilter.nf_conntrack_* and net.ipv4.vs.*, and values that are no whole numbers. @throws InvalidArgumentError */
export function checkSysctls(sysctls: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(sysctls)) {
    const isKnown = name.startsWith(CONNTRACK_PREFIX) || name.startsWith(IPVS_PREFIX);
    if (!isKnown) throw new InvalidArgumentError('sysctls', name, `is not one of ${CONNTRACK_PREFIX}* or ${IPVS_PREFIX}*`);
    const meant = didYouMean(name, readNames);
    if (meant !== '') throw new InvalidArgumentError('sysctls', name, `is unknown${meant}`);
    if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError(`sysctls[${name}]`, value, 'is not a whole number');
  }
}

/** What the kernel of a node that runs kube-proxy with this configuration does. */
export function settleConntrack(config: ConntrackConfig, sysctls: Readonly<Record<string, number>>): ConntrackSettings {
  const byConfig: Partial<Record<TimeoutName, number>> = {
    tcpEstablished: config.tcpEstablishedTimeout,
    tcpCloseWait: config.tcpCloseWaitTimeout,
    udp: config.udpTimeout,
    udpStream: config.udpStreamTimeout,
  };
  const sysctl = (name: string): number | undefined => sysctls[CONNTRACK_PREFIX + name];
  // 0 in the configuration means "leave it", thus || and not ??.
  const seconds = (name: TimeoutName): number => sysctl(kernelTimeouts[name][0]) ?? (byConfig[name] || kernelTimeouts[name][1]);
  return {
    timeouts: {
      tcpSynSent: seconds('tcpSynSent'),
      tcpSynRecv: seconds('tcpSynRecv'),
      tcpEstablished: seconds('tcpEstablished'),
      tcpFinWait: seconds('tcpFinWait'),
      tcpCloseWait: seconds('tcpCloseWait'),
      tcpLastAck: seconds('tcpLastAck'),
      tcpTimeWait: seconds('tcpTimeWait'),
      tcpClose: seconds('tcpClose'),
      tcpUnacknowledged: seconds('tcpUnacknowledged'),
      udp: seconds('udp'),
      udpStream: seconds('udpStream'),
      sctpClosed: seconds('sctpClosed'),
      sctpCookieWait: seconds('sctpCookieWait'),
      sctpCookieEchoed: seconds('sctpCookieEchoed'),
      sctpEstablished: seconds('sctpEstablished'),
      sctpShutdownSent: seconds('sctpShutdownSent'),
      sctpShutdownRecd: seconds('sctpShutdownRecd'),
      sctpShutdownAckSent: seconds('sctpShutdownAckSent'),
      sctpHeartbeatSent: seconds('sctpHeartbeatSent'),
    },
    tcpLoose: (sysctl('tcp_loose') ?? 1) !== 0,
    tcpBeLiberal: (sysctl('tcp_be_liberal') ?? Number(config.tcpBeLiberal)) !== 0,
    max: sysctl('max') ?? CONNTRACK_MAX_DEFAULT,
  };
}
