// What shapes the rules besides the Services: the node and kube-proxy's configuration, settled for one address family.
import type { IpvsTimeouts } from '../program/virtual-service.ts';

/** How kube-proxy tells traffic of local pods (`detectLocalMode`). */
export type LocalDetector =
  | { readonly kind: 'prefix'; readonly prefix: string } // ClusterCIDR and NodeCIDR
  | { readonly kind: 'bridge'; readonly name: string } // BridgeInterface
  | { readonly kind: 'interfacePrefix'; readonly prefix: string }; // InterfaceNamePrefix

/** The section `ipvs` of kube-proxy's configuration. */
export interface IpvsOptions {
  /** The kernel's name: rr (kube-proxy's default), wrr, lc … */
  readonly scheduler: string;
  readonly strictARP: boolean;
  /** Seconds; 0 leaves one as it is. */
  readonly timeouts: IpvsTimeouts;
}

export interface CompileOptions {
  /** Addresses of this node's interfaces of the family, primary first; loopback is implied. */
  readonly nodeAddresses: readonly string[];
  /** Absent: traffic of pods cannot be told. */
  readonly localDetector?: LocalDetector;
  readonly masqueradeAll: boolean;
  /** The bit of the packet mark that asks for masquerade (`masqueradeBit`), as a mask: 0x4000 by default. */
  readonly masqueradeMark: number;
  /** CIDRs whose node addresses accept node ports, of all families as configured, or `primary`; empty: the mode's default. */
  readonly nodePortAddresses: readonly string[];
  /** iptables.localhostNodePorts. */
  readonly localhostNodePorts: boolean;
  /** Known service ranges of the family (nftables mode). */
  readonly serviceCIDRs: readonly string[];
  /** The kernel and tools can MASQUERADE --random-fully. */
  readonly randomFully: boolean;
  /** The kernel has nfacct counters. */
  readonly nfacct: boolean;
  /** sysctl net.netfilter.nf_conntrack_tcp_be_liberal. */
  readonly tcpBeLiberal: boolean;
  readonly ipvs: IpvsOptions;
}
