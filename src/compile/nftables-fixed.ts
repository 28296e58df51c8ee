// The chains of nftables mode that do not depend on Services: base chains with their jumps, lookups, checks, masquerade.
import type { Family } from '../address.ts';
import { type Chain, type ChainType, HOOK_PRIORITY, type Hook, type Match, type Rule, type Target } from '../program/ruleset.ts';
import {
  CLUSTER_IPS,
  CLUSTER_IPS_CHECK,
  FILTER_FORWARD,
  FILTER_INPUT,
  FILTER_OUTPUT,
  FILTER_OUTPUT_PRE_DNAT,
  FILTER_PREROUTING_PRE_DNAT,
  FIREWALL_CHECK,
  FIREWALL_IPS,
  MARK_FOR_MASQUERADE,
  MASQUERADING,
  NAT_OUTPUT,
  NAT_POSTROUTING,
  NAT_PREROUTING,
  NO_ENDPOINT_NODEPORTS,
  NO_ENDPOINT_SERVICES,
  NODEPORT_ENDPOINTS_CHECK,
  NODEPORT_IPS,
  REJECT_CHAIN,
  SERVICE_ENDPOINTS_CHECK,
  SERVICE_IPS,
  SERVICE_NODEPORTS,
  SERVICES,
} from './nft-names.ts';
import type { CompileOptions } from './options.ts';
import { comment, DROP, inState, jump, RETURN, reject, rule } from './rules.ts';

/** The firewall stands before DNAT. */
const PRE_DNAT_PRIORITY = HOOK_PRIORITY.natDestination - 10;

const IS_NEW: Match = inState('NEW');

function baseChain(name: string, hook: Hook, type: ChainType, priority: number, rules: readonly Rule[]): Chain {
  return { name, rules, base: { hook, type, priority, policy: 'accept' } };
}

function lookup(map: string): Target {
  return { kind: 'verdictMap', map };
}

/** All chains of the table that every node has. `acceptsAllNodePorts`: node ports answer on every local address. */
export function fixedChains(family: Family, acceptsAllNodePorts: boolean, options: CompileOptions): Chain[] {
  const toNodePort = nodePortDestination(family, acceptsAllNodePorts);
  const { filter, natDestination, natSource } = HOOK_PRIORITY;
  return [
    { name: MARK_FOR_MASQUERADE, rules: [rule([], { kind: 'mark', value: options.masqueradeMark, mask: options.masqueradeMark })] },
    { name: MASQUERADING, rules: masqueradingRules(options) },
    { name: SERVICES, rules: [rule([], lookup(SERVICE_IPS)), rule(toNodePort, lookup(SERVICE_NODEPORTS))] },
    { name: SERVICE_ENDPOINTS_CHECK, rules: [rule([], lookup(NO_ENDPOINT_SERVICES))] },
    { name: NODEPORT_ENDPOINTS_CHECK, rules: [rule(toNodePort, lookup(NO_ENDPOINT_NODEPORTS))] },
    { name: FIREWALL_CHECK, rules: [rule([], lookup(FIREWALL_IPS))] },
    { name: REJECT_CHAIN, rules: [rule([], reject(family))], comment: 'helper for @no-endpoint-services / @no-endpoint-nodeports' },
    { name: CLUSTER_IPS_CHECK, rules: clusterIPChecks(family, options) },
    baseChain(FILTER_PREROUTING_PRE_DNAT, 'PREROUTING', 'filter', PRE_DNAT_PRIORITY, [rule([IS_NEW], jump(FIREWALL_CHECK))]),
    baseChain(FILTER_OUTPUT_PRE_DNAT, 'OUTPUT', 'filter', PRE_DNAT_PRIORITY, [rule([IS_NEW], jump(FIREWALL_CHECK))]),
    baseChain(FILTER_INPUT, 'INPUT', 'filter', filter, [
      rule([IS_NEW], jump(NODEPORT_ENDPOINTS_CHECK)),
      rule([IS_NEW], jump(SERVICE_ENDPOINTS_CHECK)),
    ]),
    baseChain(FILTER_FORWARD, 'FORWARD', 'filter', filter, endpointChecks()),
    baseChain(FILTER_OUTPUT, 'OUTPUT', 'filter', filter, endpointChecks()),
    baseChain(NAT_PREROUTING, 'PREROUTING', 'nat', natDestination, [rule([], jump(SERVICES))]),
    baseChain(NAT_OUTPUT, 'OUTPUT', 'nat', natDestination, [rule([], jump(SERVICES))]),
    baseChain(NAT_POSTROUTING, 'POSTROUTING', 'nat', natSource, [rule([], jump(MASQUERADING))]),
  ];
}

function endpointChecks(): Rule[] {
  return [rule([IS_NEW], jump(SERVICE_ENDPOINTS_CHECK)), rule([IS_NEW], jump(CLUSTER_IPS_CHECK))];
}

/** Loopback never takes part, whether by type LOCAL or by set. */
function nodePortDestination(family: Family, acceptsAll: boolean): Match[] {
  if (!acceptsAll) return [{ kind: 'set', set: NODEPORT_IPS, fields: ['dst'] }];
  return [
    { kind: 'addressType', side: 'destination', type: 'LOCAL' },
    { kind: 'destination', prefix: family === 'IPv4' ? '127.0.0.0/8' : '::1/128', negated: true },
  ];
}

function masqueradingRules({ masqueradeMark }: CompileOptions): Rule[] {
  return [
    rule([{ kind: 'mark', value: 0, mask: masqueradeMark }], RETURN),
    rule([], { kind: 'mark', value: masqueradeMark, mask: 0 }),
    rule([], { kind: 'masquerade', randomFully: true }),
  ];
}

function clusterIPChecks(family: Family, { serviceCIDRs }: CompileOptions): Rule[] {
  const known: Match = { kind: 'set', set: CLUSTER_IPS, fields: ['dst'] };
  const unassigned = [rule([{ kind: 'destinationIn', prefixes: serviceCIDRs }, comment('Drop traffic to unallocated ClusterIPs')], DROP)];
  return [
    rule([known, comment('Reject traffic to invalid ports of ClusterIPs')], reject(family)),
    ...(serviceCIDRs.length === 0 ? [] : unassigned),
  ];
}
