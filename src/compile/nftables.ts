// nftables mode: what kube-proxy puts into its table kube-proxy, as a Program. Lookups by map: the number of Services costs nothing.
import type { Program } from '../program/program.ts';
import type { KeyField, NamedSet, VerdictMap } from '../program/sets.ts';
import type { ExpectedState } from '../state/expected-state.ts';
import { rememberServicePorts } from './memo.ts';
import {
  CLUSTER_IPS,
  FIREWALL_IPS,
  KUBE_PROXY_TABLE,
  NO_ENDPOINT_NODEPORTS,
  NO_ENDPOINT_SERVICES,
  NODEPORT_IPS,
  SERVICE_IPS,
  SERVICE_NODEPORTS,
} from './nft-names.ts';
import { fixedChains } from './nftables-fixed.ts';
import { compileNftServicePort } from './nftables-service.ts';
import { localAddresses } from './node-addresses.ts';
import { isLoopback, nodePortAddresses, PRIMARY } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';

const BY_ADDRESS: readonly KeyField[] = ['address', 'protocol', 'port'];
const BY_PORT: readonly KeyField[] = ['protocol', 'port'];

const rulesOf = rememberServicePorts(compileNftServicePort);

/** The table of nftables mode for one family. Same input, same rules, in the same order. */
export function compileNftables(state: ExpectedState, options: CompileOptions): Program {
  const { family } = state;
  // Unset means the primary address here, not all of them as in iptables mode.
  const configured = options.nodePortAddresses.length === 0 ? [PRIMARY] : options.nodePortAddresses;
  const accepted = nodePortAddresses(family, configured, options);
  const services = state.servicePorts.map(rulesOf({ family, options }));
  const nodePortIPs: NamedSet = {
    name: NODEPORT_IPS,
    key: ['address'],
    elements: accepted.addresses.filter((address) => !isLoopback(address)).map((address) => [address]),
    comment: 'IPs that accept NodePort traffic',
  };
  const clusterIPs: NamedSet = {
    name: CLUSTER_IPS,
    key: ['address'],
    elements: [...new Set(state.servicePorts.map(({ servicePort }) => servicePort.clusterIP))].map((address) => [address]),
    comment: 'Active ClusterIPs',
  };
  const map = (name: string, key: readonly KeyField[], comment: string, elements: readonly VerdictMap['elements'][]): VerdictMap => ({
    name,
    key,
    comment,
    elements: elements.flat(),
  });
  const masqueradeAddress = options.nodeAddresses[0];
  return {
    family,
    tables: [
      {
        name: KUBE_PROXY_TABLE,
        tool: 'nft',
        comment: 'rules for kube-proxy',
        chains: [...fixedChains(family, accepted.matchesAll, options), ...services.flatMap(({ chains }) => chains)],
      },
    ],
    sets: [clusterIPs, ...(accepted.matchesAll ? [] : [nodePortIPs]), ...services.flatMap(({ affinitySets }) => affinitySets)],
    maps: [
      map(
        FIREWALL_IPS,
        BY_ADDRESS,
        'destinations that are subject to LoadBalancerSourceRanges',
        services.map(({ firewallIPs }) => firewallIPs),
      ),
      map(
        NO_ENDPOINT_NODEPORTS,
        BY_PORT,
        'vmap to drop or reject packets to service nodeports with no endpoints',
        services.map(({ noEndpointNodePorts }) => noEndpointNodePorts),
      ),
      map(
        NO_ENDPOINT_SERVICES,
        BY_ADDRESS,
        'vmap to drop or reject packets to services with no endpoints',
        services.map(({ noEndpointServices }) => noEndpointServices),
      ),
      map(
        SERVICE_IPS,
        BY_ADDRESS,
        'ClusterIP, ExternalIP and LoadBalancer IP traffic',
        services.map(({ serviceIPs }) => serviceIPs),
      ),
      map(
        SERVICE_NODEPORTS,
        BY_PORT,
        'NodePort traffic',
        services.map(({ serviceNodePorts }) => serviceNodePorts),
      ),
    ],
    virtualServices: [],
    localAddresses: localAddresses(family, options.nodeAddresses),
    ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
  };
}
