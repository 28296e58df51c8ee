// nftables mode: what kube-proxy puts into its table kube-proxy, as a Program. Lookups by map: the number of Services costs nothing.
import { type ChainItem, keepSameChains } from '../program/endpoint-chains.ts';
import { type Joined, joinMap, joinProgram, joinSet, joinTable, type MapElement } from '../program/joined.ts';
import type { Program } from '../program/program.ts';
import type { Chain } from '../program/ruleset.ts';
import type { ElementKey, KeyField, NamedSet, VerdictMap } from '../program/sets.ts';
import type { VirtualService } from '../program/virtual-service.ts';
import type { ExpectedState } from '../state/expected-state.ts';
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
import { compileNftServicePort, type NftContext } from './nftables-service.ts';
import { localAddresses } from './node-addresses.ts';
import { isLoopback, nodePortAddresses, PRIMARY } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';
import { rememberLast, type ServicePortList, ServicePortRules } from './service-port-rules.ts';

const BY_ADDRESS: readonly KeyField[] = ['address', 'protocol', 'port'];
const BY_PORT: readonly KeyField[] = ['protocol', 'port'];

/** Compiles the table of nftables mode for one family. Same input, same rules, in the same order. */
export function createNftablesCompiler(): (state: ExpectedState, options: CompileOptions) => Program {
  const services = new ServicePortRules(compileNftServicePort);
  const chains = services.list((rules) => rules.chains, keepSameChains);
  const affinitySets = services.list((rules) => rules.affinitySets);
  const clusterIPs = services.list((rules) => rules.clusterIPs);
  const firewallIPs = services.list((rules) => rules.firewallIPs);
  const noEndpointNodePorts = services.list((rules) => rules.noEndpointNodePorts);
  const noEndpointServices = services.list((rules) => rules.noEndpointServices);
  const serviceIPs = services.list((rules) => rules.serviceIPs);
  const serviceNodePorts = services.list((rules) => rules.serviceNodePorts);
  const fixedOf = rememberLast(compileFixed);
  const table = rememberLast((head: readonly Chain[], parts: Joined<ChainItem>['parts']) => joinTable(TABLE, { head, parts, tail: [] }));
  const clusterIPSet = rememberLast((parts: Joined<ElementKey>['parts']) => joinSet(CLUSTER_IP_SET, { head: [], parts, tail: [] }));
  const maps = [
    sharedMap(FIREWALL_IPS, BY_ADDRESS, 'destinations that are subject to LoadBalancerSourceRanges', firewallIPs),
    sharedMap(NO_ENDPOINT_NODEPORTS, BY_PORT, 'vmap to drop or reject packets to service nodeports with no endpoints', noEndpointNodePorts),
    sharedMap(NO_ENDPOINT_SERVICES, BY_ADDRESS, 'vmap to drop or reject packets to services with no endpoints', noEndpointServices),
    sharedMap(SERVICE_IPS, BY_ADDRESS, 'ClusterIP, ExternalIP and LoadBalancer IP traffic', serviceIPs),
    sharedMap(SERVICE_NODEPORTS, BY_PORT, 'NodePort traffic', serviceNodePorts),
  ];

  return (state, options) => {
    const { family } = state;
    const fixed = fixedOf(services.update(state.servicePorts, { family, options }));
    const masqueradeAddress = options.nodeAddresses[0];
    return joinProgram(
      {
        family,
        tables: [table(fixed.chains, chains.parts)],
        maps: maps.map((map) => map()),
        ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
      },
      {
        sets: { head: [clusterIPSet(clusterIPs.parts), ...fixed.sets], parts: affinitySets.parts, tail: [] },
        virtualServices: NO_VIRTUAL_SERVICES,
        localAddresses: fixed.localAddresses,
      },
    );
  };
}

const TABLE = { name: KUBE_PROXY_TABLE, tool: 'nft', comment: 'rules for kube-proxy' } as const;
const CLUSTER_IP_SET = { name: CLUSTER_IPS, key: ['address'], comment: 'Active ClusterIPs' } as const;
const NO_VIRTUAL_SERVICES: Joined<VirtualService> = { head: [], parts: [], tail: [] };

/** A map to which every ServicePort gives its elements: made anew when some of them changed. */
function sharedMap(name: string, key: readonly KeyField[], comment: string, elements: ServicePortList<MapElement>): () => VerdictMap {
  const join = rememberLast((parts: Joined<MapElement>['parts']) => joinMap({ name, key, comment }, { head: [], parts, tail: [] }));
  return () => join(elements.parts);
}

/** What does not depend on Services. */
function compileFixed({ family, options }: NftContext): {
  readonly chains: readonly Chain[];
  readonly sets: readonly NamedSet[];
  readonly localAddresses: Joined<string>;
} {
  // Unset means the primary address here, not all of them as in iptables mode.
  const configured = options.nodePortAddresses.length === 0 ? [PRIMARY] : options.nodePortAddresses;
  const accepted = nodePortAddresses(family, configured, options);
  const nodePortIPs: NamedSet = {
    name: NODEPORT_IPS,
    key: ['address'],
    elements: accepted.addresses.filter((address) => !isLoopback(address)).map((address) => [address]),
    comment: 'IPs that accept NodePort traffic',
  };
  return {
    chains: fixedChains(family, accepted.matchesAll, options),
    sets: accepted.matchesAll ? [] : [nodePortIPs],
    localAddresses: { head: localAddresses(family, options.nodeAddresses), parts: [], tail: [] },
  };
}
