// Named sets and verdict maps: ipset's and nftables' sets as typed keys and elements.

/** One part of a key. `network` is an address with a prefix length; a lookup tries each length that occurs, longest first. */
export type KeyField = 'address' | 'protocol' | 'port' | 'network';

/**
 * One element's key, part by part in the order of `key`: addresses as canonical text, networks as `address/length`,
 * protocols as `tcp`, `udp`, `sctp`, ports as numbers.
 */
export type ElementKey = readonly (string | number)[];

export interface NamedSet {
  readonly name: string;
  readonly key: readonly KeyField[];
  readonly elements: readonly ElementKey[];
  readonly comment?: string;
  /** What a renderer calls this kind of set: an ipset type (`hash:ip,port`) or nothing for nftables. */
  readonly ipsetType?: string;
  /** nftables dynamic sets (session affinity): elements live this long after their last update. */
  readonly timeoutSeconds?: number;
}

export type MapVerdict = { readonly kind: 'drop' } | { readonly kind: 'goto'; readonly chain: string };

export interface VerdictMap {
  readonly name: string;
  readonly key: readonly KeyField[];
  readonly elements: readonly {
    readonly key: ElementKey;
    readonly verdict: MapVerdict;
    readonly comment?: string;
    readonly servicePort?: string;
  }[];
  readonly comment?: string;
}
