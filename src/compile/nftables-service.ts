// The chains and elements of one ServicePort in nftables mode.
import type { Family } from '../address.ts';
import type { MapElement } from '../program/joined.ts';
import type { Chain, Match, Rule } from '../program/ruleset.ts';
import type { ElementKey, MapVerdict, NamedSet } from '../program/sets.ts';
import type { Endpoint, ServicePort, ServicePortState } from '../state/expected-state.ts';
import {
  MARK_FOR_MASQUERADE,
  type NftEndpointNames,
  type NftServiceChainNames,
  nftEndpointNames,
  nftServiceChainNames,
  REJECT_CHAIN,
} from './nft-names.ts';
import type { CompileOptions } from './options.ts';
import { comment, DROP, destination, fromLocalPod, jump, protocolOf, rule, source, toProtocol, wholePrefix } from './rules.ts';
import { ownLoadBalancerSources, type ServicePortFacts, servicePortFacts } from './service-port-facts.ts';

const MASQUERADE = jump(MARK_FOR_MASQUERADE);

/** Elements for the shared sets and maps, and the ServicePort's own chains and sets. */
export interface NftServicePortRules {
  readonly serviceIPs: readonly MapElement[];
  readonly serviceNodePorts: readonly MapElement[];
  readonly noEndpointServices: readonly MapElement[];
  readonly noEndpointNodePorts: readonly MapElement[];
  readonly firewallIPs: readonly MapElement[];
  readonly clusterIPs: readonly ElementKey[];
  readonly chains: readonly Chain[];
  readonly affinitySets: readonly NamedSet[];
}

interface Plan extends ServicePortFacts, NftContext {
  readonly servicePort: ServicePort;
  readonly state: ServicePortState;
  readonly names: NftServiceChainNames;
  /** The chain and the affinity set of an endpoint; each name is hashed once. */
  readonly endpointNames: (endpoint: Endpoint) => NftEndpointNames;
}

/** What one ServicePort's rules are made from besides itself. */
export interface NftContext {
  readonly family: Family;
  readonly options: CompileOptions;
}

/** All of one ServicePort, in kube-proxy's order. */
export function compileNftServicePort(state: ServicePortState, { family, options }: NftContext): NftServicePortRules {
  const { servicePort } = state;
  const known = new Map(state.reachableEndpoints.map((endpoint) => [endpoint.text, nftEndpointNames(servicePort, endpoint)]));
  const endpointNames = (endpoint: Endpoint): NftEndpointNames => known.get(endpoint.text) ?? nftEndpointNames(servicePort, endpoint);
  const plan: Plan = {
    ...servicePortFacts(state),
    family,
    options,
    servicePort,
    state,
    names: nftServiceChainNames(servicePort),
    endpointNames,
  };
  const external = [...servicePort.externalIPs, ...servicePort.loadBalancerIPs];
  const toExternal = goto(plan.names.external);
  const elements = (isWanted: boolean, keys: readonly ElementKey[], verdict: MapVerdict): MapElement[] =>
    isWanted ? keys.map((key) => element(plan, key, verdict)) : [];
  const nodePorts: ElementKey[] = servicePort.nodePort === 0 ? [] : [[protocolOf(servicePort), servicePort.nodePort]];
  const refusal: MapVerdict = plan.hasAny ? { kind: 'drop' } : goto(REJECT_CHAIN);
  const about = { comment: servicePort.name };
  const commented = (found: readonly MapElement[]): MapElement[] => found.map((one) => ({ ...one, ...about }));
  return {
    serviceIPs: [
      ...elements(plan.hasInternalEndpoints, [addressKey(plan, servicePort.clusterIP)], goto(internalChain(plan))),
      ...elements(
        plan.hasAny,
        external.map((address) => addressKey(plan, address)),
        toExternal,
      ),
    ],
    serviceNodePorts: elements(plan.hasAny, nodePorts, toExternal),
    noEndpointServices: commented([
      ...elements(!plan.hasInternalEndpoints, [addressKey(plan, servicePort.clusterIP)], refusal),
      ...elements(
        !plan.hasExternalEndpoints,
        external.map((address) => addressKey(plan, address)),
        refusal,
      ),
    ]),
    noEndpointNodePorts: commented(elements(!plan.hasExternalEndpoints, nodePorts, refusal)),
    firewallIPs: elements(
      hasSourceRanges(servicePort),
      servicePort.loadBalancerIPs.map((address) => addressKey(plan, address)),
      goto(plan.names.firewall),
    ),
    clusterIPs: [[servicePort.clusterIP]],
    chains: serviceChains(plan),
    affinitySets: affinitySets(plan),
  };
}

function goto(chain: string): MapVerdict & { readonly kind: 'goto' } {
  return { kind: 'goto', chain };
}

function element({ servicePort }: Plan, key: ElementKey, verdict: MapVerdict): MapElement {
  return { key, verdict, servicePort: servicePort.name };
}

function addressKey({ servicePort }: Plan, address: string): ElementKey {
  return [address, protocolOf(servicePort), servicePort.port];
}

function internalChain({ servicePort, names }: Plan): string {
  return servicePort.internalPolicyLocal ? names.local : names.service;
}

/** Source ranges are enforced whether there are endpoints or not. */
function hasSourceRanges({ loadBalancerIPs, loadBalancerSourceRanges }: ServicePort): boolean {
  return loadBalancerIPs.length > 0 && loadBalancerSourceRanges.length > 0;
}

function serviceChains(plan: Plan): Chain[] {
  const { state, names, servicePort } = plan;
  const chains: Chain[] = [];
  const balanced = (name: string, endpoints: readonly Endpoint[]): Chain => ({
    name,
    rules: [...(name === internalChain(plan) ? internalMasqueradeRules(plan) : []), ...balancingRules(plan, endpoints)],
  });
  if (plan.usesExternal) chains.push({ name: names.external, rules: externalRules(plan) });
  if (hasSourceRanges(servicePort)) chains.push({ name: names.firewall, rules: [sourceRangeRule(plan)] });
  if (plan.usesService) chains.push(balanced(names.service, state.clusterEndpoints));
  if (plan.usesLocal) chains.push(balanced(names.local, state.localEndpoints));
  for (const endpoint of state.reachableEndpoints) chains.push(endpointChain(plan, endpoint));
  return chains;
}

/** The first rule of the internal chain. It names the cluster IP: external traffic comes through the same chain. */
function internalMasqueradeRules({ hasInternalEndpoints, servicePort, options }: Plan): Rule[] {
  if (!hasInternalEndpoints) return [];
  const toClusterIP = destination(servicePort.clusterIP);
  if (options.masqueradeAll) return [rule([toClusterIP], MASQUERADE, servicePort)];
  if (options.localDetector === undefined) return [];
  return [rule([toClusterIP, fromLocalPod(options.localDetector, true)], MASQUERADE, servicePort)];
}

function externalRules({ servicePort, names, options, hasExternalEndpoints }: Plan): Rule[] {
  const to = (chain: string): Rule[] => (hasExternalEndpoints ? [rule([], goto(chain), servicePort)] : []);
  if (!servicePort.externalPolicyLocal) return [rule([], MASQUERADE, servicePort), ...to(names.service)];
  const fromNode: Match = { kind: 'addressType', side: 'source', type: 'LOCAL' };
  const pods =
    options.localDetector === undefined
      ? []
      : [rule([fromLocalPod(options.localDetector), comment('short-circuit pod traffic')], goto(names.service), servicePort)];
  return [
    ...pods,
    rule([fromNode, comment('masquerade local traffic')], MASQUERADE, servicePort),
    rule([fromNode, comment('short-circuit local traffic')], goto(names.service), servicePort),
    ...to(names.local),
  ];
}

/** Asked before DNAT: whoever is not in a range is dropped at once, the others go on as if nothing had been asked. */
function sourceRangeRule({ servicePort, options }: Plan): Rule {
  const allowed = [...servicePort.loadBalancerSourceRanges, ...ownLoadBalancerSources(servicePort, options).map(wholePrefix)];
  return rule([{ kind: 'sourceIn', prefixes: allowed, negated: true }], DROP, servicePort);
}

/** Clients that an endpoint knows go back to it; the others are drawn, each endpoint with the same chance. */
function balancingRules({ servicePort, endpointNames }: Plan, endpoints: readonly Endpoint[]): Rule[] {
  const names = endpoints.map(endpointNames);
  const claims =
    servicePort.affinitySeconds === undefined
      ? []
      : names.map(({ chain, affinitySet }) => rule([{ kind: 'set', set: affinitySet, fields: ['src'] }], goto(chain), servicePort));
  return [...claims, rule([], { kind: 'randomVerdictMap', chains: names.map(({ chain }) => chain) }, servicePort)];
}

function endpointChain({ servicePort, endpointNames }: Plan, endpoint: Endpoint): Chain {
  const { chain, affinitySet } = endpointNames(endpoint);
  const sighting = servicePort.affinitySeconds === undefined ? [] : [rule([], { kind: 'updateSet', set: affinitySet }, servicePort)];
  return {
    name: chain,
    rules: [
      rule([source(endpoint.address)], MASQUERADE, servicePort),
      ...sighting,
      rule(toProtocol(protocolOf(servicePort)), { kind: 'dnat', address: endpoint.address, port: endpoint.port }, servicePort),
    ],
  };
}

function affinitySets({ servicePort, state, endpointNames }: Plan): NamedSet[] {
  const { affinitySeconds } = servicePort;
  if (affinitySeconds === undefined) return [];
  return state.reachableEndpoints.map((endpoint) => ({
    name: endpointNames(endpoint).affinitySet,
    key: ['address'],
    elements: [],
    timeoutSeconds: affinitySeconds,
  }));
}
