// The options of a cluster DNS, and the settled form that the rest of dns/ reads. Named as the `kubernetes` plugin of CoreDNS and the
// conformance data name them.
import { type Address, parseAddress } from '../address.ts';
import { InvalidArgumentError, UnsupportedError } from '../errors.ts';
import { clockOption } from '../known-options.ts';
import { isWithin, labelsOf, readName } from './domain-name.ts';
import { type LabelSelector, parseLabelSelector } from './label-selector.ts';
import { POD_NAMES, type PodNames } from './pod-names.ts';

export type Upstream = (query: Uint8Array) => Promise<Uint8Array>;

export interface ClusterDnsOptions {
  /** Served zones, the cluster's own first. Default cluster.local, in-addr.arpa and ip6.arpa. */
  readonly zones?: readonly string[];
  /** Those of `zones` that are clusterset zones: they hold ServiceImports instead of Services. */
  readonly multiclusterZones?: readonly string[];
  /** Whether `10-1-0-11.prod.pod.<zone>` answers: never (the default), always, or when such a Pod runs there. */
  readonly pods?: PodNames;
  /** Seconds, 0 to 3600, of records and negative answers. Default 5. */
  readonly ttl?: number;
  /** What every SOA shows. Default: when something that matters to a name last changed, in seconds since 1970. */
  readonly serial?: number;
  /** Exposed namespaces. Default all. */
  readonly namespaces?: readonly string[];
  /** Namespaces are seen when their labels match: `tier=live`. */
  readonly namespaceLabels?: string;
  /** Services, EndpointSlices and Pods are seen when their own labels match. */
  readonly labels?: string;
  /** Endpoints without a hostname are named after their Pod. */
  readonly endpointPodNames?: boolean;
  /** A ClusterIP Service without ready endpoints has no name. */
  readonly ignoreEmptyService?: boolean;
  /** Endpoints have no names and no addresses, headless Services neither. */
  readonly noEndpoints?: boolean;
  /** Zone-scoped names of headless Services: `<zone>.pin._zone.<service>…`. */
  readonly zonal?: boolean;
  /** Zones whose NXDOMAIN goes to `upstream` instead; `.` for all. */
  readonly fallthrough?: readonly string[];
  /** Addresses this server listens on: they tell which Service it is, and with it the NS records. */
  readonly localIPs?: readonly string[];
  /** False: not everything has been applied yet, and an unknown name is a failure instead of NXDOMAIN. Default true. */
  readonly synced?: boolean;
  /** Walks the search list of a Pod on the server, given `pods: verified`. */
  readonly autopath?: { readonly search?: readonly string[] };
  /** Whether AXFR and IXFR are answered. */
  readonly transfer?: boolean;
  /** External zones. Not modelled: refused when given. */
  readonly external?: unknown;
  /** Asks another resolver: names outside the zones, ExternalName targets, and what falls through. */
  readonly upstream?: Upstream;
  /** Milliseconds since 1970, for `serial`. Default Date.now. */
  readonly now?: () => number;
}

export interface Zone {
  /** Lower case, with the trailing dot. */
  readonly name: string;
  readonly labelCount: number;
  readonly isMulticluster: boolean;
}

export interface DnsSettings {
  readonly zones: readonly Zone[];
  /** The zone that PTR targets lie in, and Pods search. */
  readonly primaryZone: string;
  readonly pods: PodNames;
  readonly ttl: number;
  readonly serial?: number;
  /** Empty: all. */
  readonly namespaces: ReadonlySet<string>;
  readonly namespaceLabels?: LabelSelector;
  readonly labels?: LabelSelector;
  readonly endpointPodNames: boolean;
  readonly ignoreEmptyService: boolean;
  readonly noEndpoints: boolean;
  readonly zonal: boolean;
  readonly fallthrough: readonly string[];
  readonly localIPs: readonly Address[];
  readonly synced: boolean;
  readonly autopath?: readonly string[];
  readonly transfer: boolean;
  readonly upstream?: Upstream;
  readonly now: () => number;
}

const DEFAULT_ZONES = ['cluster.local.', 'in-addr.arpa.', 'ip6.arpa.'];
const DEFAULT_TTL = 5;
const TTL_MAX = 3600;

/** Checks and defaults the options. @throws InvalidArgumentError, UnsupportedError */
export function settleDnsOptions(options: ClusterDnsOptions): DnsSettings {
  if (options.external !== undefined) throw new UnsupportedError('external zones are not modelled');
  const names = (options.zones ?? DEFAULT_ZONES).map((zone) => requireName('zones', zone));
  const clustersets = (options.multiclusterZones ?? []).map((zone) => requireName('multiclusterZones', zone));
  // Only what lies below the reverse trees counts as reverse: the bare in-addr.arpa is a zone like any other to the plugin.
  const primaryZone = names.find((zone) => !zone.endsWith('.in-addr.arpa.') && !zone.endsWith('.ip6.arpa.'));
  if (primaryZone === undefined) throw new InvalidArgumentError('zones', options.zones, 'holds no zone but reverse ones');
  const pods = options.pods ?? 'disabled';
  if (!POD_NAMES.includes(pods)) throw new InvalidArgumentError('pods', pods, `is not one of ${POD_NAMES.join(', ')}`);
  const ttl = options.ttl ?? DEFAULT_TTL;
  if (!Number.isInteger(ttl) || ttl < 0 || ttl > TTL_MAX)
    throw new InvalidArgumentError('ttl', ttl, `is not a whole number of 0-${TTL_MAX}`);
  const { autopath, serial, upstream, namespaceLabels, labels } = options;
  if (autopath !== undefined && pods !== 'verified') throw new InvalidArgumentError('autopath', autopath, 'needs pods to be verified');
  return {
    zones: names.map((name) => ({ name, labelCount: labelsOf(name).length, isMulticluster: clustersets.includes(name) })),
    primaryZone,
    pods,
    ttl,
    ...(serial === undefined ? {} : { serial }),
    namespaces: new Set(options.namespaces ?? []),
    ...(namespaceLabels === undefined ? {} : { namespaceLabels: parseLabelSelector('namespaceLabels', namespaceLabels) }),
    ...(labels === undefined ? {} : { labels: parseLabelSelector('labels', labels) }),
    endpointPodNames: options.endpointPodNames ?? false,
    ignoreEmptyService: options.ignoreEmptyService ?? false,
    noEndpoints: options.noEndpoints ?? false,
    zonal: options.zonal ?? false,
    fallthrough: (options.fallthrough ?? []).map((zone) => requireName('fallthrough', zone)),
    localIPs: (options.localIPs ?? []).map(requireAddress),
    synced: options.synced ?? true,
    ...(autopath === undefined ? {} : { autopath: (autopath.search ?? []).map((domain) => requireName('autopath', domain)) }),
    transfer: options.transfer ?? false,
    ...(upstream === undefined ? {} : { upstream }),
    now: clockOption('now', options.now, Date.now),
  };
}

/** The longest served zone that the name equals or lies below. `name` in lower case. */
export function zoneOf(zones: readonly Zone[], name: string): Zone | undefined {
  let longest: Zone | undefined;
  for (const zone of zones) {
    if (isWithin(zone.name, name) && (longest === undefined || zone.labelCount > longest.labelCount)) longest = zone;
  }
  return longest;
}

function requireName(option: string, text: string): string {
  const name = readName(text);
  if (name === undefined) throw new InvalidArgumentError(option, text, 'is not a domain name');
  return name.toLowerCase();
}

function requireAddress(text: string): Address {
  const address = parseAddress(text);
  if (address === undefined) throw new InvalidArgumentError('localIPs', text, 'is not an IP address');
  return address;
}
