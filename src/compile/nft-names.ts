// Every name in kube-proxy's nftables tables: chains, sets and maps. Each literal stands here once.
import type { Endpoint, ServicePort } from '../state/expected-state.ts';
import { shortHash } from './names.ts';

export const KUBE_PROXY_TABLE = 'kube-proxy';

export const CLUSTER_IPS = 'cluster-ips';
export const NODEPORT_IPS = 'nodeport-ips';
export const SERVICE_IPS = 'service-ips';
export const SERVICE_NODEPORTS = 'service-nodeports';
export const NO_ENDPOINT_SERVICES = 'no-endpoint-services';
export const NO_ENDPOINT_NODEPORTS = 'no-endpoint-nodeports';
export const FIREWALL_IPS = 'firewall-ips';

export const FILTER_PREROUTING_PRE_DNAT = 'filter-prerouting-pre-dnat';
export const FILTER_OUTPUT_PRE_DNAT = 'filter-output-pre-dnat';
export const FILTER_INPUT = 'filter-input';
export const FILTER_FORWARD = 'filter-forward';
export const FILTER_OUTPUT = 'filter-output';
export const NAT_PREROUTING = 'nat-prerouting';
export const NAT_OUTPUT = 'nat-output';
export const NAT_POSTROUTING = 'nat-postrouting';

export const SERVICES = 'services';
export const SERVICE_ENDPOINTS_CHECK = 'service-endpoints-check';
export const NODEPORT_ENDPOINTS_CHECK = 'nodeport-endpoints-check';
export const FIREWALL_CHECK = 'firewall-check';
export const CLUSTER_IPS_CHECK = 'cluster-ips-check';
export const REJECT_CHAIN = 'reject-chain';
export const MASQUERADING = 'masquerading';
export const MARK_FOR_MASQUERADE = 'mark-for-masquerade';

/** The longest name that nft is given; a longer one is cut and ends in three dots. */
const NAME_LENGTH_MAX = 240;
const CUT = '...';
const ENDPOINT_PREFIX = 'endpoint-';

/** Eight characters of hash, then the text itself, as far as it fits. */
function hashAndTruncate(text: string, prefix = ''): string {
  // Joined: a sum of texts keeps all of them until somebody looks into it, and a large cluster has hundreds of thousands of names.
  const name = [prefix, shortHash(text, 8), '-', text].join('');
  const most = NAME_LENGTH_MAX + prefix.length;
  return name.length > most ? name.slice(0, most - CUT.length) + CUT : name;
}

/** How the names of a ServicePort's chains begin and go on. */
export function nftServiceText({ namespace, serviceName, protocol, portName }: ServicePort): string {
  return `${namespace}/${serviceName}/${protocol.toLowerCase()}/${portName}`;
}

/** The chains of one ServicePort: cluster policy, local policy, external traffic, firewall. */
export interface NftServiceChainNames {
  readonly service: string;
  readonly local: string;
  readonly external: string;
  readonly firewall: string;
}

export function nftServiceChainNames(servicePort: ServicePort): NftServiceChainNames {
  const base = hashAndTruncate(nftServiceText(servicePort));
  return { service: `service-${base}`, local: `local-${base}`, external: `external-${base}`, firewall: `firewall-${base}` };
}

/** The chain of one endpoint. @param serviceText of its ServicePort. */
export function nftEndpointChainName(serviceText: string, endpoint: Pick<Endpoint, 'address' | 'port'>): string {
  // Colons do not occur in nft names: an IPv6 address is written with dots.
  const address = endpoint.address.replaceAll(':', '.');
  return hashAndTruncate(`${serviceText}__${address}/${endpoint.port}`, ENDPOINT_PREFIX);
}

/** The set of the clients of an endpoint under session affinity. */
export function nftAffinitySetName(endpointChain: string): string {
  return `affinity-${endpointChain.slice(ENDPOINT_PREFIX.length)}`;
}
