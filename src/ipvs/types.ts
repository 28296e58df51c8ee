// The public shapes of `svcplane/ipvs`, shaped after ipvsadm. Fields may be added, never renamed.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Packet, TransportProtocol } from '../packet.ts';

/** A virtual service: by protocol, address and port, or by the firewall mark that its packets carry (family default IPv4). */
export type ServiceRef =
  | { readonly protocol: TransportProtocol; readonly address: string; readonly port: number }
  | { readonly fwmark: number; readonly family?: 'IPv4' | 'IPv6' };

export interface ServiceOptions {
  /** The kernel's name: rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos. Default wlc, as in ipvsadm. */
  readonly scheduler?: string;
  /** sh-port, sh-fallback, mh-port, mh-fallback. Default none. */
  readonly flags?: readonly string[];
  /** A client keeps its server. `timeout`: 1-2678400 seconds. `netmask`: dotted (IPv4) or a prefix length; default the whole address. */
  readonly persistence?: { readonly timeout: number; readonly netmask?: string | number };
  /** Every datagram is scheduled on its own, no connection is kept. UDP and firewall-mark services only. Default false. */
  readonly onePacket?: boolean;
}

/** A real server of one service, known by address and port. */
export interface ServerRef {
  readonly address: string;
  /** 0-65535; 0 keeps the port that the client asked for. */
  readonly port: number;
}

export interface ServerOptions extends ServerRef {
  /** 0-2147483647, default 1. 0: quiescent, no new connections. */
  readonly weight?: number;
  /** Connections at which no new ones are given, 0 (default): no limit. */
  readonly upperThreshold?: number;
  /** Falls the number of connections below it, new ones are given again. 0 (default): three quarters of `upperThreshold`. */
  readonly lowerThreshold?: number;
}

export interface ServerState extends ServerRef {
  readonly weight: number;
  readonly active: number;
  readonly inactive: number;
}

/** A packet as seen on the wire, before any translation. Ports are 1-65535; `hook` and `inInterface` play no part. */
export interface IpvsPacket extends Packet {
  /** From outside (`client`, the default) or from a real server. */
  readonly direction?: 'client' | 'server';
  /** The firewall mark, 32 bits. Default: `mark`, else 0. */
  readonly fwmark?: number;
  /** An ICMP port unreachable about this tuple, sent by its source. Default false. */
  readonly icmpError?: boolean;
}

export interface IpvsVerdict {
  /**
   * FORWARD: a client's packet goes to `server`. ACCEPT: a server's packet is passed on with `source`, translated or not.
   * A client's packet that IPVS leaves alone ends as on a machine that owns the address and has no listener: RESET (TCP), DROP (TCP with
   * RST, or an ICMP error: nothing is answered) or REJECT (ICMP port unreachable). A service without a usable server: REJECT.
   */
  readonly action: 'FORWARD' | 'ACCEPT' | 'REJECT' | 'DROP' | 'RESET';
  /** Where a client's packet goes. */
  readonly server?: ServerRef;
  /** The source of a server's packet as the client sees it. */
  readonly source?: ServerRef;
  /** icmpError: the destination inside the error as the client sees it. */
  readonly about?: ServerRef;
}

/** An entry of the connection table. A persistence template has client.port 0. */
export interface IpvsConnection {
  /** IP: the template of a firewall-mark service, whose `virtual.address` is the mark. */
  readonly protocol: TransportProtocol | 'IP';
  readonly client: ServerRef;
  readonly virtual: ServerRef;
  readonly server: ServerRef;
  /** The kernel's names, as in /proc/net/ip_vs_conn: ESTABLISHED, UDP … ; of templates NONE or ASSURED. */
  readonly state: string;
  /** Whole seconds until it ends, rounded down. */
  readonly expires: number;
}

export interface IpvsOptions {
  /** Default `auto`: WebAssembly where it is allowed, else TypeScript. `ipvs.engine` says which one runs. */
  readonly engine?: 'auto' | 'wasm' | 'js';
  /** Milliseconds, monotonic. Default performance.now. */
  readonly now?: () => number;
  /** 32 bits, for scheduler twos. Default: random; `ipvs.seed` tells. */
  readonly seed?: number;
  /** net.ipv4.vs.*, with or without that prefix. Default: those of a fresh namespace. */
  readonly sysctls?: Readonly<Record<string, number>>;
  /** nf_conntrack runs: with sysctl conntrack 1, a SYN that reuses a tracked connection is lost once. Default false. */
  readonly conntrackHooks?: boolean;
  /** The library itself never prints. */
  readonly onWarning?: (message: string) => void;
}

/** IPVS as in one network namespace. Every verb throws before it changes anything, and DisposedError once it is disposed. */
export interface Ipvs extends Disposable {
  readonly engine: 'wasm' | 'js';
  readonly seed: number;
  /** Adds an empty service. @throws InvalidArgumentError when it exists. @example ipvs.addService({ protocol: 'TCP', address: '10.96.0.10', port: 80 }, { scheduler: 'rr' }) */
  addService(service: ServiceRef, options?: ServiceOptions): void;
  /** Sets all options anew, left out ones to their defaults; servers, connections and (scheduler kept) the scheduler's position stay. */
  editService(service: ServiceRef, options: ServiceOptions): void;
  /** Removes it with its servers. */
  deleteService(service: ServiceRef): void;
  /** In the order in which they were added. */
  services(): readonly ServiceRef[];
  /** Removes all services; connections stay, unused until a service comes back. */
  clear(): void;
  /** Adds a server at the front of the list, where schedulers begin. @throws InvalidArgumentError when it exists. @example ipvs.addServer(web, { address: '10.0.0.1', port: 8080, weight: 2 }) */
  addServer(service: ServiceRef, server: ServerOptions): void;
  /** Sets weight and thresholds, left out ones to their defaults; its place in the list stays. @example ipvs.editServer(web, { address: '10.0.0.1', port: 8080, weight: 0 }) */
  editServer(service: ServiceRef, server: ServerOptions): void;
  /** Removes a server. Its connections: see sysctl expire_nodest_conn. */
  deleteServer(service: ServiceRef, server: ServerRef): void;
  /** As `ipvsadm --set`: seconds, 0 or absent leaves one as it is. Running timers stay. */
  setTimeouts(seconds: { readonly tcp?: number; readonly tcpfin?: number; readonly udp?: number }): void;
  /** One of net.ipv4.vs.*. @throws InvalidArgumentError for a name the kernel does not know, UnsupportedError for what is not modelled. @example ipvs.setSysctl('expire_nodest_conn', 1) */
  setSysctl(name: string, value: number): void;
  /** One packet; state moves on. @throws InvalidArgumentError @example ipvs.process({ protocol: 'TCP', source: '172.16.0.1', sourcePort: 2000, destination: '10.96.0.10', destinationPort: 80 }).server */
  process(packet: IpvsPacket): IpvsVerdict;
  /** In the kernel's order: newest first, as schedulers walk them. */
  servers(service: ServiceRef): ServerState[];
  /** All entries with templates, oldest first. */
  connections(): IterableIterator<IpvsConnection>;
  /** Services and servers as `ipvsadm -Sn` prints them, in the order that restores the kernel's order of servers. */
  save(): string;
  /** What `ipvsadm -R` reads, on top of what is there: all of it or, when a line is wrong, nothing. @throws InvalidArgumentError with line and option */
  restore(text: string): void;
}
