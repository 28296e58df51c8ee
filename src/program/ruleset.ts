// The rules of a Program: tables, chains, matches and targets of iptables and nftables as plain data.
// Compilers make it, renderers print it, parsers read it back, engines and explain run it.

/** Where netfilter calls a base chain. */
export type Hook = 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';

/** `nat` chains see only the first packet of a connection; all others see every packet. */
export type ChainType = 'filter' | 'nat' | 'route';

/** conntrack's word on a packet, as the matches `ctstate` and `ct state` know it. SNAT and DNAT are virtual states. */
export type ConntrackState = 'NEW' | 'ESTABLISHED' | 'RELATED' | 'INVALID' | 'UNTRACKED' | 'SNAT' | 'DNAT';

export type IpProtocol = 'tcp' | 'udp' | 'sctp' | 'icmp' | 'icmpv6';

/** One condition of a rule. All of a rule's matches must hold, asked in order and only as far as needed. */
export type Match =
  | { readonly kind: 'source' | 'destination'; readonly prefix: string; readonly negated?: true } // `10.0.0.0/8`, always with its length
  | { readonly kind: 'sourceIn' | 'destinationIn'; readonly prefixes: readonly string[]; readonly negated?: true } // nftables `ip saddr { … }`
  | { readonly kind: 'inInterface' | 'outInterface'; readonly name: string; readonly negated?: true } // a final `+` stands for any rest
  | { readonly kind: 'protocol'; readonly protocol: IpProtocol; readonly negated?: true }
  | { readonly kind: 'sourcePort' | 'destinationPort'; readonly from: number; readonly to: number; readonly negated?: true }
  | { readonly kind: 'sourcePorts' | 'destinationPorts'; readonly ranges: readonly PortRange[]; readonly negated?: true } // multiport: in one of them
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number; readonly negated?: true } // (mark & mask) == value
  | { readonly kind: 'conntrackState'; readonly states: readonly ConntrackState[]; readonly negated?: true }
  | { readonly kind: 'addressType'; readonly side: 'source' | 'destination'; readonly type: 'LOCAL'; readonly negated?: true }
  /** `-m statistic --mode random`: holds when a random 31-bit number is below `threshold`, as xt_statistic does it. */
  | { readonly kind: 'statistic'; readonly threshold: number; readonly negated?: true }
  /** xt_recent by source address. `rcheck`: seen in the last `seconds`; `set`: always holds and stores the sighting. */
  | {
      readonly kind: 'recent';
      readonly operation: 'rcheck' | 'set';
      readonly list: string;
      readonly seconds?: number;
      readonly reap?: true;
      readonly negated?: true;
    }
  /** Membership of a named set. `fields`: which part of the packet stands for each field of the set's key, as in `--match-set NAME dst,dst,src`. */
  | { readonly kind: 'set'; readonly set: string; readonly fields: readonly ('src' | 'dst')[]; readonly negated?: true }
  | { readonly kind: 'physdevIn'; readonly negated?: true } // the packet came in through a bridge port; never so in this model
  | {
      readonly kind: 'ipvs';
      readonly virtualAddress: string;
      readonly virtualProtocol: IpProtocol;
      readonly virtualPort: number;
      readonly negated?: true;
    }
  | { readonly kind: 'nfacct'; readonly name: string } // an accounting counter: always holds
  /** Words of a dump that no packet of this model fits, or that change nothing where they stand (`--icmp-type`, `limit` of a LOG): never holds. */
  | { readonly kind: 'inert'; readonly text: string }
  /** Words of a dump that are not modelled, let through on demand: taken not to hold, and what passes them is uncertain. */
  | { readonly kind: 'unmodelled'; readonly text: string }
  | { readonly kind: 'comment'; readonly text: string }; // always holds; its place in the list is its place in the text

export interface PortRange {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** What a rule does with a packet that all of its matches hold for. */
export type Target =
  | { readonly kind: 'accept' | 'drop' | 'return' }
  /** Counts only: the scan goes on with the next rule. `text`: the target that a dump has there (`LOG …`); `isUnmodelled`: it may do more than that. */
  | { readonly kind: 'none'; readonly text?: string; readonly isUnmodelled?: true }
  | { readonly kind: 'reject'; readonly with: string } // `icmp-port-unreachable`, `icmp6-port-unreachable`, `tcp-reset` …
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'mark'; readonly value: number; readonly mask: number } // `--set-xmark`: mark = (mark & ~mask) ^ value; goes on
  | { readonly kind: 'notrack' } // `CT --notrack`, before conntrack: it will not see the packet; goes on
  /** `TPROXY`: marks the packet and hands it, untranslated, to a proxy that listens on this node; ends the base chain as accept. */
  | { readonly kind: 'tproxy'; readonly port: number; readonly address?: string; readonly value: number; readonly mask: number }
  | { readonly kind: 'dnat'; readonly address: string; readonly port?: number } // no port: the destination port stays
  | { readonly kind: 'snat'; readonly address: string; readonly port?: number }
  | { readonly kind: 'masquerade'; readonly randomFully: boolean }
  /** nftables `… vmap @map`: the map's verdict for the packet's key; no element: goes on with the next rule. */
  | { readonly kind: 'verdictMap'; readonly map: string }
  /** nftables `numgen random mod N vmap { … }`: each of the N chains with the same chance. */
  | { readonly kind: 'randomVerdictMap'; readonly chains: readonly string[] }
  /** nftables `update @set { ip saddr }`: stores the sighting of the source and goes on. */
  | { readonly kind: 'updateSet'; readonly set: string };

export interface Rule {
  readonly matches: readonly Match[];
  readonly target: Target;
  /** The ServicePort (`namespace/name:port`) this rule serves. Absent on rules that belong to none. */
  readonly servicePort?: string;
  /** Where the rule stands, when it was read from a dump: the 1-based line. */
  readonly line?: number;
}

export interface Chain {
  readonly name: string;
  readonly rules: readonly Rule[];
  /** Base chains only: where netfilter calls it. */
  readonly base?: { readonly hook: Hook; readonly type: ChainType; readonly priority: number; readonly policy: 'accept' | 'drop' };
  readonly comment?: string;
}

/** A table: `raw`, `mangle`, `nat`, `filter`, or a table of nftables. Chains refer to each other by name inside their table. */
export interface Table {
  readonly name: string;
  readonly chains: readonly Chain[];
  /** Made and printed by nft; absent: by iptables. */
  readonly tool?: 'nft';
  readonly comment?: string;
}

/** netfilter's priorities of the iptables tables and of conntrack at each hook (NF_IP_PRI_*). SNAT and DNAT stand on different sides of filter. */
export const HOOK_PRIORITY = {
  raw: -300,
  conntrack: -200,
  mangle: -150,
  natDestination: -100,
  filter: 0,
  security: 50,
  natSource: 100,
} as const;
