// What a Pod's resolver is told, and the names it tries: the search list and ndots.
import type { NameSource } from './catalog.ts';
import type { NamedPod } from './objects.ts';

/** /etc/resolv.conf, as the kubelet writes it. */
export interface ResolvConf {
  /** Absolute, in order. */
  readonly search: readonly string[];
  /** A name with fewer dots goes through the search list first. */
  readonly ndots: number;
}

/** How a Pod resolves names. */
export interface PodResolver extends ResolvConf {
  readonly dnsPolicy: string;
  /** False: it asks the resolver of its node, or one of its own, which do not know the cluster's names. */
  readonly asksClusterDns: boolean;
}

const CLUSTER_NDOTS = 5;
const DEFAULT_NDOTS = 1;

/**
 * The names that a stub resolver tries, in order.
 *
 * @example
 * searchPath('web.prod', { search: ['default.svc.cluster.local.', 'svc.cluster.local.'], ndots: 5 });
 * // web.prod.default.svc.cluster.local. · web.prod.svc.cluster.local. · web.prod.
 */
export function searchPath(name: string, { search, ndots }: ResolvConf): string[] {
  if (name.endsWith('.')) return [name];
  const absolute = `${name}.`;
  const searched = search.map((domain) => (domain === '.' ? absolute : `${absolute}${domain}`));
  const dotCount = name.split('.').length - 1;
  return dotCount >= ndots ? [absolute, ...searched] : [...searched, absolute];
}

/** By dnsPolicy and dnsConfig. A Pod on its node's network asks the node's resolver, unless it says ClusterFirstWithHostNet. */
export function podResolver(pod: NamedPod, zone: string, source: NameSource): PodResolver {
  const { dnsPolicy, dnsConfig, namespace } = pod;
  const isClusterFirst = dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !pod.isHostNetwork);
  const own = isClusterFirst ? [`${namespace}.svc.${zone}`, `svc.${zone}`, zone] : [];
  const search = [...new Set([...own, ...dnsConfig.searches.map((domain) => (domain.endsWith('.') ? domain : `${domain}.`))])];
  return {
    search,
    ndots: dnsConfig.ndots ?? (isClusterFirst ? CLUSTER_NDOTS : DEFAULT_NDOTS),
    dnsPolicy,
    // With policy None it depends on which servers the Pod names.
    asksClusterDns: isClusterFirst || dnsConfig.nameservers.some((address) => source.servicesAt(address).length > 0),
  };
}
