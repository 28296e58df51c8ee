// The chains and elements of one ServicePort in nftables mode.
import type { Family } from '../address.ts';
import { type ChainItem, EndpointChains, type EndpointChainWriter } from '../program/endpoint-chains.ts';
import type { MapElement } from '../program/joined.ts';
import type { Chain, Match, Rule } from '../program/ruleset.ts';
import type { ElementKey, MapVerdict, NamedSet } from '../program/sets.ts';
import type { Endpoint, ServicePort, ServicePortState } from '../state/expected-state.ts';
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
  readonly chains: readonly ChainItem[];
  readonly affinitySets: readonly NamedSet[];
}

interface Plan extends NftContext {
  readonly facts: ServicePortFacts;
  readonly servicePort: ServicePort;
  readonly state: ServicePortState;
  readonly names: NftServiceChainNames;
  /** Of the reachable Endpoints. */
  readonly endpointChains: EndpointChains;
}

/** What one ServicePort's rules are made from besides itself. */
export interface NftContext {
  readonly family: Family;
  readonly options: CompileOptions;
}

/** All of one ServicePort, in kube-proxy's order. */
export function compileNftServicePort(state: ServicePortState, { family, options }: NftContext): NftServicePortRules {
  const { servicePort } = state;
  const plan: Plan = {
    facts: servicePortFacts(state),
    family,
    options,
    servicePort,
    state,
    names: nftServiceChainNames(servicePort),
    endpointChains: endpointChains(state),
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

function serviceChains(plan: Plan): ChainItem[] {
  const { state, names, servicePort, endpointChains } = plan;
  const chains: ChainItem[] = [];
  const choice = (chain: string, endpoints: readonly Endpoint[]): Chain =>
    endpointChains.chooser(chain, endpoints, chain === internalChain(plan) ? internalMasqueradeRules(plan) : []);
  if (plan.facts.usesExternal) chains.push({ name: names.external, rules: externalRules(plan) });
  if (hasSourceRanges(servicePort)) chains.push({ name: names.firewall, rules: [sourceRangeRule(plan)] });
  if (plan.facts.usesService) chains.push(choice(names.service, state.clusterEndpoints));
  if (plan.facts.usesLocal) chains.push(choice(names.local, state.localEndpoints));
  return [...chains, ...endpointChains.items];
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

/** What the rules about a ServicePort's Endpoints are made of, besides them. */
interface EndpointSource extends Pick<ServicePort, 'name' | 'protocol' | 'affinitySeconds'> {
  readonly serviceText: string;
}

function endpointChains({ servicePort, reachableEndpoints }: ServicePortState): EndpointChains {
  const { name, protocol, affinitySeconds } = servicePort;
  const affinity = affinitySeconds === undefined ? {} : { affinitySeconds };
  const source: EndpointSource = { name, protocol, ...affinity, serviceText: nftServiceText(servicePort) };
  return new EndpointChains(`${name}/${protocol}`, reachableEndpoints, source, endpointChainWriter);
}

/** Rules that nobody keeps are written down here, and not made by what makes others. */
const endpointChainWriter: EndpointChainWriter<EndpointSource> = {
  name: ({ serviceText }, endpoint) => nftEndpointChainName(serviceText, endpoint),

  // Dynamic sets have the names of chains.
  likeness: ({ affinitySeconds, protocol }) => (affinitySeconds === undefined ? protocol : undefined),
  servicePort: ({ name }) => name,
  isDrawnInTurn: false,

  rules(source, { address, port }, chain) {
    const { name: servicePort, affinitySeconds } = source;
    const masquerade: Rule = { matches: [{ kind: 'source', prefix: wholePrefix(address) }], target: MASQUERADE, servicePort };
    const translate: Rule = { matches: toProtocol(protocolOf(source)), target: { kind: 'dnat', address, port }, servicePort };
    if (affinitySeconds === undefined) return [masquerade, translate];
    return [masquerade, { matches: [], target: { kind: 'updateSet', set: nftAffinitySetName(chain) }, servicePort }, translate];
  },

  /** Clients that an endpoint knows go back to it; the others are drawn, each endpoint with the same chance. */
  choice({ name: servicePort, affinitySeconds }, _endpoints, chains) {
    const claim = (chain: string): Rule => ({
      matches: [{ kind: 'set', set: nftAffinitySetName(chain), fields: ['src'] }],
      target: goto(chain),
      servicePort,
    });
    const claims = affinitySeconds === undefined ? [] : chains.map(claim);
    return [...claims, { matches: [], target: { kind: 'randomVerdictMap', chains }, servicePort }];
  },
};

function affinitySets({ servicePort, endpointChains }: Plan): NamedSet[] {
  const { affinitySeconds } = servicePort;
  if (affinitySeconds === undefined) return [];
  return endpointChains.names.map((chain) => ({
    name: nftAffinitySetName(chain),
    key: ['address'],
    elements: [],
    timeoutSeconds: affinitySeconds,
  }));
}
