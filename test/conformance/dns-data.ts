// The shapes of dns-coredns.json and dns-spec.json, as their own `conventions` describe them.
import type { KubernetesObject } from '../../src/api/types.ts';
import type { ClusterDnsOptions } from '../../src/dns/settings.ts';

export interface RecordData {
  readonly name: string;
  readonly type: string;
  /** Null is not compared, here and in `data`. */
  readonly ttl: number | null;
  readonly data: Readonly<Record<string, string | number | readonly string[] | null>>;
}

export interface UpstreamData {
  readonly name: string;
  readonly type: string;
  readonly rcode: string;
  readonly truncated?: boolean;
  readonly answer: readonly RecordData[];
}

export interface DnsCase {
  readonly id: string;
  readonly title: string;
  readonly fixture: string;
  readonly tags?: readonly string[];
  readonly orderMatters: boolean;
  readonly upstream?: readonly UpstreamData[];
  readonly query: {
    readonly name: string;
    readonly type: string;
    readonly class?: string;
    readonly transport?: 'udp' | 'tcp';
    readonly clientIP?: string;
    readonly ixfrSerial?: number;
    readonly edns?: { readonly udpSize: number; readonly do: boolean; readonly version: number };
  };
  readonly expect: {
    readonly rcode: string;
    readonly flags?: { readonly aa: boolean; readonly tc: boolean };
    readonly answer?: readonly RecordData[];
    readonly authority?: readonly RecordData[];
    readonly additional?: readonly RecordData[];
    readonly edns?: { readonly udpSize: number; readonly do: boolean; readonly version: number };
    readonly truncation?: { readonly maxBytes: number };
    readonly framing?: { readonly first: string; readonly last: string };
    readonly duplicatesAllowed?: boolean;
    readonly additionalMode?: 'subset';
  };
}

export interface ParseCase {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly multicluster: boolean;
  readonly zonal: boolean;
  readonly expect: { readonly error?: string; readonly fields?: Readonly<Record<string, string>> };
}

export interface SearchPathCase {
  readonly id: string;
  readonly title: string;
  readonly fixture: string;
  readonly resolvConf: { readonly search: readonly string[]; readonly ndots: number };
  readonly lookup: { readonly name: string; readonly type: string };
  readonly steps: readonly { readonly name: string; readonly outcome: string }[];
  readonly result: readonly string[] | null;
}

export interface DnsData {
  readonly fixtures: Readonly<Record<string, { readonly config: ClusterDnsOptions; readonly objects: readonly KubernetesObject[] }>>;
  readonly cases: readonly DnsCase[];
  readonly parseCases?: readonly ParseCase[];
  readonly searchPathCases?: readonly SearchPathCase[];
}
