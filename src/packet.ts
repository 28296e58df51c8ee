// Packets and verdicts as the convenience API speaks of them: addresses are strings, kinds are words.

export type TransportProtocol = 'TCP' | 'UDP' | 'SCTP';
/** What an SCTP packet carries, by the names of RFC 9260; DATA stands for all chunks that are not named here, as SACK. */
export const SCTP_CHUNKS = [
  'DATA',
  'INIT',
  'INIT_ACK',
  'COOKIE_ECHO',
  'COOKIE_ACK',
  'SHUTDOWN',
  'SHUTDOWN_ACK',
  'SHUTDOWN_COMPLETE',
  'ERROR',
  'ABORT',
  'HEARTBEAT',
  'HEARTBEAT_ACK',
] as const;
export type SctpChunk = (typeof SCTP_CHUNKS)[number];
export type ProxyMode = 'iptables' | 'ipvs' | 'nftables';

/** A packet as it arrives at a hook of the node. */
export interface Packet {
  readonly protocol: TransportProtocol;
  /** IPv4 or IPv6 text, of the same family as `destination`. */
  readonly source: string;
  /** 0-65535. */
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  /** The bits of the TCP header: FIN 1, SYN 2, RST 4, PSH 8, ACK 16. Default SYN. Ignored for UDP and SCTP. */
  readonly tcpFlags?: number;
  /** SCTP only: the chunk that counts. Default: the one that comes next in a handshake, by direction and the connection's state. */
  readonly sctpChunk?: SctpChunk;
  /** Where the packet starts. Default: OUTPUT when the source is an address of this node, else PREROUTING. */
  readonly hook?: 'PREROUTING' | 'OUTPUT';
  /** The name of the interface it came in through (at most 15 characters). Default: none. */
  readonly inInterface?: string;
  /** The firewall mark it carries already, 32 bits. Default 0. */
  readonly mark?: number;
}

export type Action = 'ACCEPT' | 'DNAT' | 'DROP' | 'REJECT';
/** `UNTRACKED`: conntrack never saw the packet, since a rule before it refused it or said `CT --notrack`. */
export type ConnectionState = 'NEW' | 'ESTABLISHED' | 'REPLY' | 'INVALID' | 'UNTRACKED';

/** An Endpoint that a packet was sent to. */
export interface Backend {
  readonly address: string;
  readonly port: number;
}

/** The addresses and ports of a packet, after the node is done with it. */
export interface Translation {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** What the node does with one packet. */
export interface Verdict {
  /** DNAT: sent on to a backend (also each later packet of that connection). ACCEPT: passed without a new destination, or a reply. */
  readonly action: Action;
  /**
   * NEW: this packet began a connection, or was refused one. REPLY: it runs against the first packet's direction. ESTABLISHED: it goes on with
   * a connection, which to rules (ctstate) is NEW until somebody has answered.
   */
  readonly connection: ConnectionState;
  /** `namespace/name:port`, or `namespace/name` when the port has no name. Absent when no Service decided. */
  readonly servicePort?: string;
  readonly backend?: Backend;
  /** True when the connection's source is rewritten to this node's address (MASQUERADE). */
  readonly masquerade: boolean;
  readonly translated: Translation;
  /** How many rules the Linux kernel would have looked at for this packet, matching or not. */
  readonly rulesEvaluated: number;
}
