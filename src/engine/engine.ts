// What both engines are to the rest of the library: Programs in, records of packets in, records of verdicts out.
// The dataplane holds one; nothing above it knows which.
import type { Family } from '../address.ts';
import type { EngineSysctls, Foresight, RealServer } from '../ipvs/engine.ts';
import type { SctpChunk, TransportProtocol } from '../packet.ts';
import type { Program } from '../program/program.ts';
import type { EngineFrameRing, FrameCounters, RingShape, ServicePortTraffic } from './frame-ring.ts';

/** The memory of one batch. Both arrays hold records as assembly/shared/layout.ts says; they may move: ask again after every call. */
export interface EngineBatch {
  readonly family: Family;
  readonly capacity: number;
  packetWords(): Uint32Array;
  verdictWords(): Uint32Array;
  free(): void;
}

export interface TupleText {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
}

/** One tracked connection. The reply tuple is what the other side's packets carry. */
export interface TrackedConnection {
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly original: TupleText;
  readonly reply: TupleText;
  /** nf_conntrack's name of the TCP or SCTP state; absent for UDP. */
  readonly state?: string;
  /** Packets were seen in both directions. */
  readonly seenReply: boolean;
  readonly assured: boolean;
  readonly masquerade: boolean;
  readonly dnat: boolean;
  /**
   * As `conntrack -L` counts them with nf_conntrack_acct on: packets that moved its timer, of the direction it began in and of the other one,
   * modulo 2^32. What is ignored, as a SYN that comes again, does not count.
   */
  readonly packets: { readonly original: number; readonly reply: number };
  readonly servicePort?: string;
  /** Milliseconds until it expires. */
  readonly expiresInMs: number;
}

/** Each way a packet can end, and each event that a person would want to know of, since the engine was made. */
export interface EngineCounters {
  readonly packets: number;
  readonly newConnections: number;
  readonly established: number;
  readonly replies: number;
  readonly invalid: number;
  /** Packets that conntrack never saw: refused before it, or with `CT --notrack`. */
  readonly untracked: number;
  readonly accepted: number;
  readonly dnat: number;
  readonly dropped: number;
  readonly rejected: number;
  /** Dropped because nf_conntrack_max entries exist and none of those looked at might go. */
  readonly conntrackFull: number;
  /** Connections that had to go, unassured or closing, so that a new one found room in a full table. */
  readonly earlyDropped: number;
  /** Dropped because no source port was left that keeps the reply tuple unique. */
  readonly insertFailed: number;
  /** Dropped because jumps nest deeper than CHAIN_DEPTH_MAX. */
  readonly chainTooDeep: number;
  readonly connections: number;
  /** Absent for the TypeScript engine, whose objects nobody counts. */
  readonly memory?: EngineMemory;
}

/** Linear memory in use, in bytes. */
export interface EngineMemory {
  /** Chains, sets, maps and virtual services of both families, with all that leads to them. */
  readonly tables: number;
  /** Rules in those tables. */
  readonly rules: number;
  /** Entries of connections, as many as there ever were at once, and their index. */
  readonly connections: number;
  /** All that is reserved: batches, and room for conntrackMax connections of a family that has any, whose untouched pages take no real memory. */
  readonly reserved: number;
}

/** A connection that has a packet's tuple, with what decides about that packet. */
export interface FoundConnection {
  readonly connection: TrackedConnection;
  readonly direction: 'original' | 'reply';
  /** PATH_* of the layout: the hooks that packets of this direction take. */
  readonly path: number;
  /** IPVS chose its destination. */
  readonly viaIpvs: boolean;
  /** Its source was translated. */
  readonly snat: boolean;
  /** A SYN may begin it again: a FIN has begun to close it, or its last packet was a RST of the original direction. */
  readonly isOver: boolean;
}

/** What making room for a new connection takes. */
export interface Room {
  /** A connection that has not expired and would have to go. */
  readonly evicted?: TrackedConnection;
}

/** What a packet says to state machines. */
export interface ProtocolHeader {
  /** The bits of the TCP header. */
  readonly tcpFlags: number;
  /** Undefined: the chunk that is due. */
  readonly sctpChunk: SctpChunk | undefined;
}

/** What trace needs to foresee a packet's way without moving anything. */
export interface EngineView {
  /** The state of the random generator: the next number is nextRandom(state). */
  readonly randomState: number;
  /** The room that a packet with this tuple would find if it began a connection; undefined: none. */
  roomFor(protocol: TransportProtocol, tuple: TupleText): Room | undefined;
  findConnection(protocol: TransportProtocol, tuple: TupleText): FoundConnection | undefined;
  /** When the source was last seen on that xt_recent list or dynamic set, in milliseconds of the engine's clock. */
  recentSighting(list: string, source: string): number | undefined;
  /** What IPVS would do with a client's packet. `isConfirmed`: conntrack knows its connection. */
  foreseeIpvs(protocol: TransportProtocol, tuple: TupleText, header: ProtocolHeader, isConfirmed: boolean): Foresight;
  /** The real servers of a virtual service as IPVS has them now, newest first, draining ones too; undefined: there is no such service. */
  realServers(protocol: TransportProtocol, address: string, port: number): readonly RealServer[] | undefined;
}

export interface Engine {
  readonly kind: 'wasm' | 'js';
  /** Puts a Program in force for its family, whole, before the next packet. Connections and sightings stay. `now`: default that of the last packet. */
  load(program: Program, now?: number): void;
  createBatch(family: Family, capacity: number): EngineBatch;
  /** Runs the first `count` packets in order. `now`: milliseconds on the dataplane's clock, never going back. */
  processBatch(batch: EngineBatch, count: number, now: number): void;
  /** `transmit`: the ring that frames leave through; it rewrites in place itself. */
  createFrameRing(shape: RingShape, transmit?: EngineFrameRing): EngineFrameRing;
  /** Runs the frames of a ring in order; those of its transmit ring are replaced by what leaves. */
  processFrames(ring: EngineFrameRing, now: number): void;
  frameCounters(): FrameCounters;
  /** What passed as frames, by ServicePort; those without traffic are left out. */
  traffic(): Record<string, ServicePortTraffic>;
  /** The number the batch API carries for an interface name; 0 is no interface. */
  interfaceId(name: string): number;
  /** The ServicePort behind the number in a verdict record. */
  servicePortName(id: number): string | undefined;
  connections(now: number): IterableIterator<TrackedConnection>;
  /** Removes connections as `conntrack -D` would; returns how many. */
  deleteConnections(now: number, shouldDelete: (connection: TrackedConnection) => boolean): number;
  counters(now: number): EngineCounters;
  view(family: Family, now: number): EngineView;
}

/** `auto`: WebAssembly where it runs, else TypeScript. */
export type EngineChoice = 'auto' | 'wasm' | 'js';

/** What an engine is made with. */
export interface EngineOptions {
  readonly seed: number;
  readonly conntrackMax: number;
  readonly timeouts: ConntrackTimeouts;
  /** sysctl net.netfilter.nf_conntrack_tcp_loose: a connection may be picked up in the middle. */
  readonly tcpLoose: boolean;
  /** net.ipv4.vs.*, as nodeIpvsSysctls settles them. */
  readonly ipvsSysctls: EngineSysctls;
}

/** Seconds; the names are those of net.netfilter.nf_conntrack_*_timeout_*. */
export interface ConntrackTimeouts {
  readonly tcpSynSent: number;
  readonly tcpSynRecv: number;
  readonly tcpEstablished: number;
  readonly tcpFinWait: number;
  readonly tcpCloseWait: number;
  readonly tcpLastAck: number;
  readonly tcpTimeWait: number;
  readonly tcpClose: number;
  /** At most this long, established or not, until the other side has answered once. */
  readonly tcpUnacknowledged: number;
  readonly udp: number;
  readonly udpStream: number;
  readonly sctpClosed: number;
  readonly sctpCookieWait: number;
  readonly sctpCookieEchoed: number;
  readonly sctpEstablished: number;
  readonly sctpShutdownSent: number;
  readonly sctpShutdownRecd: number;
  readonly sctpShutdownAckSent: number;
  readonly sctpHeartbeatSent: number;
}
