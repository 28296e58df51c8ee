// The chains and elements of one ServicePort in nftables mode.
import type { Family } from '../address.ts';
import { computedChain } from '../program/computed-chain.ts';
import type { MapElement } from '../program/joined.ts';
import type { Chain, Match, Rule } from '../program/ruleset.ts';
import type { ElementKey, MapVerdict, NamedSet } from '../program/sets.ts';
import type { Endpoint, ServicePort, ServicePortState } from '../state/expected-state.ts';
import { namesOfSome } from './names.ts';
import {
  MARK_FOR_MASQUERADE,
  type NftServiceChainNames,
  nftAffinitySetName,
  nftEndpointChainName,
  nftServiceChainNames,
  nftServiceText,
  REJECT_CHAIN,
} from './nft-names.ts';
import type { CompileOptions } from './options.ts';
import { comment, DROP, destination, fromLocalPod, jump, protocolOf, rule, toProtocol, wholePrefix } from './rules.ts';
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

interface Plan extends NftContext {
  readonly facts: ServicePortFacts;
  readonly servicePort: ServicePort;
  readonly state: ServicePortState;
  readonly names: NftServiceChainNames;
  /** The names of the endpoint chains, in the order of the reachable Endpoints; each is hashed once. */
  readonly endpointChains: readonly string[];
}

/** What one ServicePort's rules are made from besides itself. */
export interface NftContext {
  readonly family: Family;
  readonly options: CompileOptions;
}

/** All of one ServicePort, in kube-proxy's order. */
export function compileNftServicePort(state: ServicePortState, { family, options }: NftContext): NftServicePortRules {
  const { servicePort } = state;
  const serviceText = nftServiceText(servicePort);
  const plan: Plan = {
    facts: servicePortFacts(state),
    family,
    options,
    servicePort,
    state,
    names: nftServiceChainNames(servicePort),
    endpointChains: state.reachableEndpoints.map((endpoint) => nftEndpointChainName(serviceText, endpoint)),
  };
  const external = [...servicePort.externalIPs, ...servicePort.loadBalancerIPs];
  const toExternal = goto(plan.names.external);
  const elements = (isWanted: boolean, keys: readonly ElementKey[], verdict: MapVerdict): MapElement[] =>
    isWanted ? keys.map((key) => element(plan, key, verdict)) : [];
  const nodePorts: ElementKey[] = servicePort.nodePort === 0 ? [] : [[protocolOf(servicePort), servicePort.nodePort]];
  const refusal: MapVerdict = plan.facts.hasAny ? { kind: 'drop' } : goto(REJECT_CHAIN);
  const about = { comment: servicePort.name };
  const commented = (found: readonly MapElement[]): MapElement[] => found.map((one) => ({ ...one, ...about }));
  return {
    serviceIPs: [
      ...elements(plan.facts.hasInternalEndpoints, [addressKey(plan, servicePort.clusterIP)], goto(internalChain(plan))),
      ...elements(
        plan.facts.hasAny,
        external.map((address) => addressKey(plan, address)),
        toExternal,
      ),
    ],
    serviceNodePorts: elements(plan.facts.hasAny, nodePorts, toExternal),
    noEndpointServices: commented([
      ...elements(!plan.facts.hasInternalEndpoints, [addressKey(plan, servicePort.clusterIP)], refusal),
      ...elements(
        !plan.facts.hasExternalEndpoints,
        external.map((address) => addressKey(plan, address)),
        refusal,
      ),
    ]),
    noEndpointNodePorts: commented(elements(!plan.facts.hasExternalEndpoints, nodePorts, refusal)),
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
  if (plan.facts.usesExternal) chains.push({ name: names.external, rules: externalRules(plan) });
  if (hasSourceRanges(servicePort)) chains.push({ name: names.firewall, rules: [sourceRangeRule(plan)] });
  if (plan.facts.usesService) chains.push(balanced(names.service, state.clusterEndpoints));
  if (plan.facts.usesLocal) chains.push(balanced(names.local, state.localEndpoints));
  return [...chains, ...endpointChains(plan)];
}

/** The first rule of the internal chain. It names the cluster IP: external traffic comes through the same chain. */
function internalMasqueradeRules({ facts, servicePort, options }: Plan): Rule[] {
  if (!facts.hasInternalEndpoints) return [];
  const toClusterIP = destination(servicePort.clusterIP);
  if (options.masqueradeAll) return [rule([toClusterIP], MASQUERADE, servicePort)];
  if (options.localDetector === undefined) return [];
  return [rule([toClusterIP, fromLocalPod(options.localDetector, true)], MASQUERADE, servicePort)];
}

function externalRules({ facts, servicePort, names, options }: Plan): Rule[] {
  const to = (chain: string): Rule[] => (facts.hasExternalEndpoints ? [rule([], goto(chain), servicePort)] : []);
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
function balancingRules(plan: Plan, endpoints: readonly Endpoint[]): Rule[] {
  const { servicePort } = plan;
  const chains = namesOfSome(endpoints, plan.state.reachableEndpoints, plan.endpointChains);
  const claims =
    servicePort.affinitySeconds === undefined
      ? []
      : chains.map((chain) => rule([{ kind: 'set', set: nftAffinitySetName(chain), fields: ['src'] }], goto(chain), servicePort));
  return [...claims, rule([], { kind: 'randomVerdictMap', chains }, servicePort)];
}

/**
 * Rules that nobody keeps are written down here, and not made by what makes others: a JavaScript engine learns of each place how long
 * its objects live.
 */
function endpointChains(plan: Plan): Chain[] {
  const { name: servicePort, affinitySeconds } = plan.servicePort;
  const toBackend = toProtocol(protocolOf(plan.servicePort));
  const rules = ({ address, port }: Endpoint, chain: string): readonly Rule[] => {
    const masquerade: Rule = { matches: [{ kind: 'source', prefix: wholePrefix(address) }], target: MASQUERADE, servicePort };
    const translate: Rule = { matches: toBackend, target: { kind: 'dnat', address, port }, servicePort };
    if (affinitySeconds === undefined) return [masquerade, translate];
    return [masquerade, { matches: [], target: { kind: 'updateSet', set: nftAffinitySetName(chain) }, servicePort }, translate];
  };
  return plan.state.reachableEndpoints.map((endpoint, index) => computedChain(plan.endpointChains[index] ?? '', endpoint, rules));
}

function affinitySets({ servicePort, endpointChains }: Plan): NamedSet[] {
  const { affinitySeconds } = servicePort;
  if (affinitySeconds === undefined) return [];
  return endpointChains.map((chain) => ({
    name: nftAffinitySetName(chain),
    key: ['address'],
    elements: [],
    timeoutSeconds: affinitySeconds,
  }));
}
