// IPVS: virtual services and their destinations (real servers), in the kernel's own words.

export interface Destination {
  readonly address: string;
  readonly port: number;
  /** 0: quiescent. The scheduler chooses it for no new connection. */
  readonly weight: number;
}

/** As `ipvsadm --set`: seconds of established TCP connections, of those in FIN_WAIT, and of UDP; 0 leaves one as it is. */
export interface IpvsTimeouts {
  readonly tcp: number;
  readonly tcpfin: number;
  readonly udp: number;
}

/** What a node sets of IPVS beside its virtual services. */
export interface IpvsSettings {
  readonly timeouts: IpvsTimeouts;
  readonly strictARP: boolean;
}

export interface VirtualService {
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly address: string;
  readonly port: number;
  /** The kernel's name: `rr`, `wrr`, `lc` … */
  readonly scheduler: string;
  readonly flags: readonly string[];
  readonly persistence?: { readonly timeoutSeconds: number };
  /** No two of one address and port, in the order in which they are added. The kernel puts each new one at the front: schedulers walk this list backwards. */
  readonly destinations: readonly Destination[];
  readonly servicePort: string;
}
