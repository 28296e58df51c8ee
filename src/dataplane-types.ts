// The public shapes around a dataplane: options, explanations, traces, views, counters. Fields may be added, never renamed.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Family } from './address.ts';
import type { KubeProxyConfiguration, KubernetesObject, ObjectRef } from './api/types.ts';
import type { EngineCounters, TrackedConnection } from './engine/engine.ts';
import type { FrameCounters, FrameKind, ServicePortTraffic } from './engine/frame-ring.ts';
import type { Action, Backend, ConnectionState, Packet, ProxyMode, TransportProtocol, Verdict } from './packet.ts';
import type { Hook } from './program/ruleset.ts';

export interface DataplaneOptions {
  /** Default `iptables`, as in kube-proxy. */
  readonly mode?: ProxyMode;
  /** Default `auto`: WebAssembly where it is allowed, else TypeScript. `dataplane.engine` says which one runs. */
  readonly engine?: 'auto' | 'wasm' | 'js';
  /** This node: locality, topology and labels come from its Node object. */
  readonly nodeName?: string;
  /** Addresses of this node's interfaces, primary first of each family. Default: the addresses of its Node object. */
  readonly nodeIPs?: readonly string[];
  /** kube-proxy's own configuration; an option of the same meaning beside it wins. */
  readonly config?: KubeProxyConfiguration;
  /** Where cluster IPs come from, on top of what ServiceCIDR objects say: nftables mode drops what goes to one that no Service has. */
  readonly serviceCIDRs?: readonly string[];
  /** Instead of objects: what iptables-save printed on a node, what ip6tables-save printed, or one after the other. */
  readonly rules?: string;
  /** Rules with a match or target that is not modelled are a warning, and outcomes past them uncertain. Default: a RulesError. */
  readonly lenient?: boolean;
  /** What the node's kernel and tools can do. Default: randomFully true, nfacct false, tcpBeLiberal false. */
  readonly host?: { readonly randomFully?: boolean; readonly nfacct?: boolean; readonly tcpBeLiberal?: boolean };
  /** net.netfilter.nf_conntrack_* and net.ipv4.vs.*, the kernel's names and defaults. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** Connections tracked at most, of both families together (nf_conntrack_max). Default 262144. */
  readonly conntrackMax?: number;
  /** 32 bits. Default: random; `dataplane.seed` tells. */
  readonly seed?: number;
  /** Milliseconds, monotonic. Default performance.now. */
  readonly now?: () => number;
  /** The library itself never prints. */
  readonly onWarning?: (message: string) => void;
}

/** One thing that happened on a packet's way. */
export type Step =
  | { readonly kind: 'hook'; readonly hook: Hook }
  | {
      readonly kind: 'rule';
      readonly hook: Hook;
      readonly table: string;
      readonly chain: string;
      /** 1-based position in its chain, as `iptables -L --line-numbers` counts. */
      readonly number: number;
      /** In iptables-save words, or nft's. */
      readonly text: string;
      readonly matched: boolean;
      readonly servicePort?: string;
      /** The chance of this answer, when chance decided it. */
      readonly probability?: number;
      /** The answer hangs on words that are not modelled, or on an interface that nobody named. */
      readonly uncertain?: true;
    }
  | { readonly kind: 'conntrack'; readonly text: string; readonly connection: Verdict['connection'] }
  | { readonly kind: 'policy'; readonly hook: Hook; readonly table: string; readonly chain: string; readonly policy: 'accept' | 'drop' }
  | { readonly kind: 'routing'; readonly text: string; readonly isLocal: boolean }
  | { readonly kind: 'ipvs'; readonly text: string; readonly servicePort?: string; readonly probability?: number }
  | { readonly kind: 'translation'; readonly text: string };

export interface Outcome {
  readonly action: Action;
  readonly backend?: Backend;
  readonly servicePort?: string;
  readonly masquerade: boolean;
  /** 0-1. */
  readonly probability: number;
  /** A rule of a dump on the way asks what is not modelled or not known (see its step): the node may decide otherwise. */
  readonly uncertain?: true;
  /** Rules that matched or were decided by chance, hooks, routing and translations, in order. */
  readonly path: readonly Step[];
}

/** Every outcome a new connection can have; the probabilities add up to 1. */
export interface Explanation {
  readonly outcomes: readonly Outcome[];
}

/** The way a packet would take right now: every rule it would meet, matching or not. */
export interface Trace {
  readonly verdict: Verdict;
  readonly steps: readonly Step[];
}

/** A tracked connection, as `conntrack -L` knows it. */
export type Connection = TrackedConnection;

export interface Counters extends EngineCounters {
  readonly servicePorts: number;
  readonly endpoints: number;
  /** What frames turned out to be. */
  readonly frames: FrameCounters;
  /** What passed as frames, by ServicePort; those without traffic are left out. */
  readonly traffic: Readonly<Record<string, ServicePortTraffic>>;
  /** Objects of kinds that no dataplane looks at, by kind. */
  readonly ignoredObjects: Readonly<Record<string, number>>;
}

/** One ServicePort as this node sees it: where it answers, which endpoints are in use, and why others are not. */
export interface ServicePortView {
  readonly servicePort: string;
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly frontends: readonly {
    readonly kind: 'ClusterIP' | 'NodePort' | 'ExternalIP' | 'LoadBalancerIP';
    readonly address?: string;
    readonly port: number;
  }[];
  /** Which endpoints take what comes to the cluster IP, and to all other addresses. */
  readonly internalTrafficPolicy: 'Cluster' | 'Local';
  readonly externalTrafficPolicy: 'Cluster' | 'Local';
  /** CIDRs that may use the load balancer IPs (`loadBalancerSourceRanges`). Absent: all. */
  readonly sourceRanges?: readonly string[];
  /** Seconds of ClientIP session affinity. Absent: none. */
  readonly affinitySeconds?: number;
  readonly endpoints: readonly {
    readonly address: string;
    readonly port: number;
    readonly isLocal: boolean;
    /** Used for traffic under policy Cluster, under policy Local. */
    readonly inCluster: boolean;
    readonly inLocal: boolean;
    /** Why it is in neither set: `not ready`, `terminating`, `hinted for zone b` … */
    readonly unusedBecause?: string;
  }[];
}

/** Complete input for one tool: on an empty network namespace it makes the kernel behave as this dataplane does. */
export interface Rendered {
  readonly tool: 'iptables-restore' | 'ip6tables-restore' | 'ipset' | 'ipvsadm' | 'nft' | 'ip' | 'sysctl';
  readonly family?: Family;
  readonly text: string;
}

export interface PacketBatch {
  readonly capacity: number;
  readonly family: Family;
  /** Packets in use. */
  count: number;
  /** Convenience; hot paths write the words. */
  set(index: number, packet: Packet): void;
  verdict(index: number): Verdict;
  /** Packet records as PACKET_LAYOUT says, over the current buffer. */
  readonly words: Uint32Array;
  /** Verdict records as VERDICT_LAYOUT says, over the current buffer. */
  readonly verdictWords: Uint32Array;
}

/** How a frame ring is made. */
export interface FrameRingOptions {
  /** The longest frame that fits, 1-65600. Default 1522: full-size Ethernet with two VLAN tags. */
  readonly frameBytes?: number;
  /** What a frame begins with: an Ethernet header, or the IP header itself. Default ethernet. */
  readonly link?: 'ethernet' | 'ip';
  /** What happens to fragments, which name no ports or not all of the packet: they are not reassembled. Default drop. */
  readonly fragments?: 'drop' | 'pass';
  /** Frames leave through this ring, and stay as they came in their own. Default: they are rewritten in place. */
  readonly transmit?: FrameRing;
}

/** What is known of a frame besides its bytes. */
export interface FrameOptions {
  /** Bytes it had on the wire, when fewer are there (a capture with a snapshot length). Default: all are there. */
  readonly wireLength?: number;
  /** As those of a Packet. */
  readonly inInterface?: string;
  readonly hook?: 'PREROUTING' | 'OUTPUT';
  readonly mark?: number;
}

/** What became of a frame. */
export interface FrameResult {
  readonly kind: FrameKind;
  readonly action: Action;
  /** ACCEPT or DNAT: it is sent on, rewritten where its connection is translated. */
  readonly passes: boolean;
  /** Of packets with ports. */
  readonly connection?: ConnectionState;
  readonly servicePort?: string;
  readonly masquerade: boolean;
  readonly rulesEvaluated: number;
  /** Its number in the transmit ring; for a frame of the transmit ring, its number in the ring it came from. */
  readonly peer?: number;
}

/** Frames in the engine's memory, for processFrames. Made by `dataplane.createFrameRing`. */
export interface FrameRing {
  readonly capacity: number;
  readonly frameBytes: number;
  readonly transmit: FrameRing | undefined;
  /** Frames in use; of a transmit ring: those that left. */
  count: number;
  /** Puts a frame into a slot. Convenience; hot paths write `bytes` and `words`. @throws InvalidArgumentError when it does not fit. */
  set(index: number, frame: Uint8Array, options?: FrameOptions): void;
  /** The bytes of a frame as they stand, over the current buffer: valid until the next call of the dataplane. */
  frame(index: number): Uint8Array;
  /** @throws InvalidArgumentError when it was not processed yet. */
  result(index: number): FrameResult;
  /** All slots, over the current buffer: frame i begins at `i * stride + FRAME_LAYOUT.frameByte`. */
  readonly bytes: Uint8Array;
  readonly stride: number;
  /** Frame records as FRAME_LAYOUT says, over the current buffer. */
  readonly words: Uint32Array;
}

/**
 * See the README: the ten-line example. `using`, or `dataplane[Symbol.dispose]()`, frees its memory; first dispose what a cluster's `connect`
 * returned. From then on every call throws DisposedError.
 */
export interface Dataplane extends Disposable {
  readonly mode: ProxyMode;
  readonly engine: 'wasm' | 'js';
  readonly seed: number;
  /** Creates or updates: all of the objects or, when one is invalid, none. @throws InvalidObjectError */
  apply(objects: Iterable<KubernetesObject>): void;
  delete(refs: Iterable<ObjectRef>): void;
  servicePorts(): readonly ServicePortView[];
  /** One packet; state moves on. The convenient and slow way: hot paths use batches. */
  process(packet: Packet): Verdict;
  /** Every outcome a new connection can have; state untouched. */
  explain(packet: Packet): Explanation;
  /** The path this packet would take right now; state untouched. */
  trace(packet: Packet): Trace;
  createBatch(capacity: number, options?: { readonly family?: Family }): PacketBatch;
  /** State moves on, packet by packet, in order. */
  processBatch(batch: PacketBatch): void;
  /** @param capacity frames @throws InvalidArgumentError */
  createFrameRing(capacity: number, options?: FrameRingOptions): FrameRing;
  /**
   * Ethernet frames (or IP packets): parsed, decided and rewritten in order, in place or to the ring's transmit ring. Addresses, ports
   * and checksums change; MAC addresses, VLAN tags, TTL and payload do not. docs/frames.md says what becomes of which frame.
   */
  processFrames(ring: FrameRing): void;
  connections(): IterableIterator<Connection>;
  counters(): Counters;
  /** What kube-proxy would program, as its tools read it, in the order in which it must be applied. */
  render(): Rendered[];
}
