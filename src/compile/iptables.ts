// iptables mode: what kube-proxy writes with iptables-restore, as a Program.
import { type ChainItem, keepSameChains } from '../program/endpoint-chains.ts';
import { type Joined, joinChain, joinTable } from '../program/joined.ts';
import type { Program } from '../program/program.ts';
import type { Chain, Rule, Table } from '../program/ruleset.ts';
import type { ExpectedState } from '../state/expected-state.ts';
import { filterBuiltins, firewallChain, forwardChain, markForMasqueradeChain, natBuiltins, postroutingChain } from './iptables-fixed.ts';
import { compileServicePort, type ServicePortContext } from './iptables-service.ts';
import { KUBE_EXTERNAL_SERVICES, KUBE_NODEPORTS, KUBE_PROXY_FIREWALL, KUBE_SERVICES } from './names.ts';
import { localAddresses } from './node-addresses.ts';
import { hasLocalhostNodePorts, isLoopback, type NodePortAddresses, nodePortAddresses } from './node-port-addresses.ts';
import type { CompileOptions } from './options.ts';
import { comment, destination, jump, kernelRule, NO_RULES, wholePrefix } from './rules.ts';
import { rememberLast, type ServicePortList, ServicePortRules } from './service-port-rules.ts';

/** More endpoints than this are a large cluster. */
const LARGE_CLUSTER_ENDPOINTS = 1000;

/** Compiles the rules of iptables mode for one family. Same input, same rules, in the same order. */
export function createIptablesCompiler(): (state: ExpectedState, options: CompileOptions) => Program {
  const services = new ServicePortRules(compileServicePort);
  const natServices = services.list((rules) => rules.natServices);
  const natNodePorts = services.list((rules) => rules.natNodePorts);
  const filterServices = services.list((rules) => rules.filterServices);
  const filterExternalServices = services.list((rules) => rules.filterExternalServices);
  const filterNodePorts = services.list((rules) => rules.filterNodePorts);
  const filterProxyFirewall = services.list((rules) => rules.filterProxyFirewall);
  const serviceChains = services.list((rules) => rules.chains, keepSameChains);
  const fixedChains = rememberLast(compileFixed);
  const chains = {
    filterServices: sharedChain(KUBE_SERVICES, filterServices),
    externalServices: sharedChain(KUBE_EXTERNAL_SERVICES, filterExternalServices),
    filterNodePorts: sharedChain(KUBE_NODEPORTS, filterNodePorts),
    proxyFirewall: sharedChain(KUBE_PROXY_FIREWALL, filterProxyFirewall),
    natServices: sharedChain(KUBE_SERVICES, natServices),
    natNodePorts: sharedChain(KUBE_NODEPORTS, natNodePorts),
  };
  const filterTable = rememberLast((...all: readonly Chain[]): Table => ({ name: 'filter', chains: all }));
  const natTable = rememberLast((parts: Joined<ChainItem>['parts'], ...head: readonly Chain[]) =>
    joinTable({ name: 'nat' }, { head, parts, tail: [] }),
  );

  return (state, options) => {
    const context = services.update(state.servicePorts, contextOf(state, options));
    const fixed = fixedChains(context);
    const masqueradeAddress = options.nodeAddresses[0];
    const filter = filterTable(
      ...fixed.filterBuiltins,
      chains.filterServices(),
      chains.externalServices(),
      fixed.forward,
      chains.filterNodePorts(),
      chains.proxyFirewall(),
      ...fixed.firewall,
    );
    const nat = natTable(
      serviceChains.parts,
      ...fixed.natBuiltins,
      chains.natServices(fixed.nodePortDispatch),
      chains.natNodePorts(),
      fixed.postrouting,
      fixed.markForMasquerade,
    );
    return {
      family: state.family,
      tables: [filter, nat],
      sets: [],
      maps: [],
      virtualServices: [],
      localAddresses: fixed.localAddresses,
      ...(masqueradeAddress === undefined ? {} : { masqueradeAddress }),
    };
  };
}

/** A chain to which every ServicePort gives its rules: made anew when some of them changed. */
function sharedChain(name: string, rules: ServicePortList<Rule>): (last?: readonly Rule[]) => Chain {
  const join = rememberLast((parts: Joined<Rule>['parts'], tail: readonly Rule[]) => joinChain({ name }, { head: [], parts, tail }));
  return (last = NO_RULES) => join(rules.parts, last);
}

function contextOf(state: ExpectedState, options: CompileOptions): ServicePortContext {
  const { family, endpointCount } = state;
  return {
    family,
    options,
    hasLocalhostNodePorts: hasLocalhostNodePorts(family, nodePortAddresses(family, options.nodePortAddresses, options), options),
    isLargeCluster: endpointCount > LARGE_CLUSTER_ENDPOINTS,
  };
}

/** What does not depend on Services. */
interface FixedChains {
  readonly filterBuiltins: readonly Chain[];
  readonly forward: Chain;
  readonly firewall: readonly Chain[];
  readonly natBuiltins: readonly Chain[];
  readonly nodePortDispatch: readonly Rule[];
  readonly postrouting: Chain;
  readonly markForMasquerade: Chain;
  readonly localAddresses: readonly string[];
}

function compileFixed({ family, options, hasLocalhostNodePorts: hasLocalhost }: ServicePortContext): FixedChains {
  return {
    filterBuiltins: filterBuiltins(hasLocalhost),
    forward: forwardChain(options),
    firewall: hasLocalhost ? [firewallChain()] : [],
    natBuiltins: natBuiltins(),
    nodePortDispatch: nodePortDispatch(family, nodePortAddresses(family, options.nodePortAddresses, options), hasLocalhost),
    postrouting: postroutingChain(options),
    markForMasquerade: markForMasqueradeChain(options),
    localAddresses: localAddresses(family, options.nodeAddresses),
  };
}

/** The last rules of nat KUBE-SERVICES: whatever is left and goes to this node may be for a node port. */
function nodePortDispatch(family: Program['family'], accepted: NodePortAddresses, hasLocalhost: boolean): Rule[] {
  const about = comment('kubernetes service nodeports; NOTE: this must be the last rule in this chain');
  if (!accepted.matchesAll) {
    const addresses = accepted.addresses.filter((address) => !isLoopback(address) || (hasLocalhost && family === 'IPv4'));
    return addresses.map((address) => kernelRule([about, destination(address)], jump(KUBE_NODEPORTS)));
  }
  const loopback = family === 'IPv6' ? '::1/128' : hasLocalhost ? undefined : '127.0.0.0/8';
  const exceptLoopback = loopback === undefined ? [] : [{ kind: 'destination', prefix: wholePrefix(loopback), negated: true } as const];
  return [kernelRule([about, { kind: 'addressType', side: 'destination', type: 'LOCAL' }, ...exceptLoopback], jump(KUBE_NODEPORTS))];
}
