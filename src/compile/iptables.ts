// iptables mode: what kube-proxy writes with iptables-restore, as a Program.
import { inKernelOrder } from '../program/match-order.ts';
import type { Program } from '../program/program.ts';
import type { Rule } from '../program/ruleset.ts';
import type { ExpectedState } from '../state/expected-state.ts';
import { filterBuiltins, firewallChain, forwardChain, markForMasqueradeChain, natBuiltins, postroutingChain } from './iptables-fixed.ts';
import { compileServicePort, type ServicePortRules } from './iptables-service.ts';
import { rememberServicePorts } from './memo.ts';
import { KUBE_EXTERNAL_SERVICES, KUBE_NODEPORTS, KUBE_PROXY_FIREWALL, KUBE_SERVICES } from './names.ts';
import { localAddresses } from './node-addresses.ts';
import { hasLocalhostNodePorts, isLoopback, type NodePortAddresses, nodePortAddresses } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';
import { comment, destination, jump, rule, wholePrefix } from './rules.ts';

const rulesOf = rememberServicePorts(compileServicePort);

/** More endpoints than this are a large cluster. */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** The rules of iptables mode for one family. Same input, same rules, in the same order. */
export function compileIptables(state: ExpectedState, options: CompileOptions): Program {
  const { family } = state;
  const accepted = nodePortAddresses(family, options.nodePortAddresses, options);
  const hasLocalhost = hasLocalhostNodePorts(family, accepted, options);
  const context = { family, options, hasLocalhostNodePorts: hasLocalhost, isLargeCluster: state.endpointCount > LARGE_CLUSTER_ENDPOINTS };
  const services = state.servicePorts.map(rulesOf(context));
  const all = (part: (rules: ServicePortRules) => readonly Rule[]): Rule[] => services.flatMap(part);
  const filter = {
    name: 'filter',
    chains: [
      ...filterBuiltins(hasLocalhost),
      { name: KUBE_SERVICES, rules: all(({ filterServices }) => filterServices) },
      { name: KUBE_EXTERNAL_SERVICES, rules: all(({ filterExternalServices }) => filterExternalServices) },
      forwardChain(options),
      { name: KUBE_NODEPORTS, rules: all(({ filterNodePorts }) => filterNodePorts) },
      { name: KUBE_PROXY_FIREWALL, rules: all(({ filterProxyFirewall }) => filterProxyFirewall) },
      ...(hasLocalhost ? [firewallChain()] : []),
    ],
  };
  const nat = {
    name: 'nat',
    chains: [
      ...natBuiltins(),
      { name: KUBE_SERVICES, rules: [...all(({ natServices }) => natServices), ...nodePortDispatch(family, accepted, hasLocalhost)] },
      { name: KUBE_NODEPORTS, rules: all(({ natNodePorts }) => natNodePorts) },
      postroutingChain(options),
      markForMasqueradeChain(options),
      ...services.flatMap(({ chains }) => chains),
    ],
  };
  const masqueradeAddress = options.nodeAddresses[0];
  return {
    family,
    tables: [filter, nat].map(inKernelOrder),
    sets: [],
    maps: [],
    virtualServices: [],
    localAddresses: localAddresses(family, options.nodeAddresses),
    ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
  };
}

/** The last rules of nat KUBE-SERVICES: whatever is left and goes to this node may be for a node port. */
function nodePortDispatch(family: Program['family'], accepted: NodePortAddresses, hasLocalhost: boolean): Rule[] {
  const about = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  if (!accepted.matchesAll) {
    const addresses = accepted.addresses.filter((address) => !isLoopback(address) || (hasLocalhost && family === 'IPv4'));
    return addresses.map((address) => rule([about, destination(address)], jump(KUBE_NODEPORTS)));
  }
  const loopback = family === 'IPv6' ? '::1/128' : hasLocalhost ? undefined : '127.0.0.0/8';
  const exceptLoopback = loopback === undefined ? [] : [{ kind: 'destination', prefix: wholePrefix(loopback), negated: true } as const];
  return [rule([about, { kind: 'addressType', side: 'destination', type: 'LOCAL' }, ...exceptLoopback], jump(KUBE_NODEPORTS))];
}
