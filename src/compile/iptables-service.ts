// The rules of one ServicePort in iptables mode: where its addresses are captured, and its own chains.
import type { Family } from '../address.ts';
import { type ChainEndpoint, type ChainItem, EndpointChains, type EndpointChainWriter } from '../program/endpoint-chains.ts';
import type { Chain, Match, Rule } from '../program/ruleset.ts';
import type { Endpoint, ServicePort, ServicePortState } from '../state/expected-state.ts';
import { endpointChainName, KUBE_MARK_MASQ, type ServiceChainNames, serviceChainNames } from './names.ts';
import type { CompileOptions } from './options.ts';
import {
  ACCEPT,
  bothOf,
  comment,
  DROP,
  destination,
  fromLocalPod,
  jump,
  kernelRule,
  NO_MATCHES,
  NO_RULES,
  NO_TARGET,
  oneIn,
  protocolOf,
  reject,
  source,
  toPort,
  toProtocol,
  wholePrefix,
} from './rules.ts';
import { ownLoadBalancerSources, type ServicePortFacts, servicePortFacts } from './service-port-facts.ts';

const MASQUERADE = jump(KUBE_MARK_MASQ);

/** Rules for the shared chains and the ServicePort's own chains. */
export interface IptablesServiceRules {
  readonly natServices: readonly Rule[];
  readonly natNodePorts: readonly Rule[];
  readonly filterServices: readonly Rule[];
  readonly filterExternalServices: readonly Rule[];
  readonly filterNodePorts: readonly Rule[];
  readonly filterProxyFirewall: readonly Rule[];
  readonly chains: readonly ChainItem[];
}

/** What one ServicePort's rules are made from besides itself. */
export interface ServicePortContext {
  readonly family: Family;
  readonly options: CompileOptions;
  readonly hasLocalhostNodePorts: boolean;
  /** More than 1000 endpoints: rules about endpoints have no comments. */
  readonly isLargeCluster: boolean;
}

/** All rules of one ServicePort, in kube-proxy's order. */
export function compileServicePort(state: ServicePortState, context: ServicePortContext): IptablesServiceRules {
  const plan = planServicePort(state, context);
  return {
    natServices: natCaptures(plan),
    natNodePorts: nodePortCaptures(plan),
    filterServices: plan.facts.hasInternalEndpoints ? [] : [refusal(plan, [destination(plan.servicePort.clusterIP), ...plan.toPort])],
    filterExternalServices: externalRefusals(plan),
    filterNodePorts: healthCheckRules(plan),
    filterProxyFirewall: firewallRules(plan),
    chains: serviceChains(plan),
  };
}

/** What all rules of one ServicePort are made from. */
interface Plan extends ServicePortContext {
  readonly facts: ServicePortFacts;
  readonly servicePort: ServicePort;
  readonly state: ServicePortState;
  readonly names: ServiceChainNames;
  readonly toPort: readonly Match[];
  /** Where traffic to the cluster IP goes, and external traffic under the Service's policy. */
  readonly internalChain: string;
  readonly externalPolicyChain: string;
  readonly usesFirewall: boolean;
}

function planServicePort(state: ServicePortState, context: ServicePortContext): Plan {
  const { servicePort } = state;
  const names = serviceChainNames(servicePort);
  const facts = servicePortFacts(state);
  return {
    family: context.family,
    options: context.options,
    hasLocalhostNodePorts: context.hasLocalhostNodePorts,
    isLargeCluster: context.isLargeCluster,
    facts,
    servicePort,
    state,
    names,
    toPort: toPort(protocolOf(servicePort), servicePort.port),
    internalChain: servicePort.internalPolicyLocal ? names.local : names.service,
    externalPolicyChain: servicePort.externalPolicyLocal ? names.local : names.service,
    usesFirewall: facts.hasAny && servicePort.loadBalancerIPs.length > 0 && servicePort.loadBalancerSourceRanges.length > 0,
  };
}

/** REJECT when nothing serves anywhere, DROP when only this node has nothing under policy Local. */
function refusal(plan: Plan, matches: readonly Match[]): Rule {
  const why = plan.facts.hasAny ? 'has no local endpoints' : 'has no endpoints';
  return kernelRule(
    [comment(`${plan.servicePort.name} ${why}`), ...matches],
    plan.facts.hasAny ? DROP : reject(plan.family),
    plan.servicePort,
  );
}

/** `NAME kind` to an address and the service port. */
function capture(plan: Plan, kind: string, address: string, chain: string): Rule {
  return kernelRule([comment(`${plan.servicePort.name} ${kind}`), destination(address), ...plan.toPort], jump(chain), plan.servicePort);
}

function natCaptures(plan: Plan): Rule[] {
  const { servicePort, names } = plan;
  const rules: Rule[] = [];
  if (plan.facts.hasInternalEndpoints) rules.push(capture(plan, 'cluster IP', servicePort.clusterIP, plan.internalChain));
  if (!plan.facts.hasAny) return rules;
  for (const address of servicePort.externalIPs) rules.push(capture(plan, 'external IP', address, names.external));
  const entry = plan.usesFirewall ? names.firewall : names.external;
  for (const address of servicePort.loadBalancerIPs) rules.push(capture(plan, 'loadbalancer IP', address, entry));
  return rules;
}

function nodePortCaptures(plan: Plan): Rule[] {
  const { servicePort, names } = plan;
  if (servicePort.nodePort === 0 || !plan.facts.hasAny) return [];
  const matches = [comment(servicePort.name), ...toPort(protocolOf(servicePort), servicePort.nodePort)];
  const captured = kernelRule(matches, jump(names.external), servicePort);
  if (!plan.hasLocalhostNodePorts || !plan.options.nfacct) return [captured];
  // Counts what arrives over loopback; the packets take the same way.
  const counted: Match[] = [...matches, destination('127.0.0.0/8'), { kind: 'nfacct', name: 'localhost_nps_accepted_pkts' }];
  return [kernelRule(counted, jump(names.external), servicePort), captured];
}

function externalRefusals(plan: Plan): Rule[] {
  const { servicePort } = plan;
  if (plan.facts.hasExternalEndpoints) return [];
  const addresses = [...servicePort.externalIPs, ...servicePort.loadBalancerIPs];
  const rules = addresses.map((address) => refusal(plan, [destination(address), ...plan.toPort]));
  if (servicePort.nodePort !== 0) {
    const toNode: Match = { kind: 'addressType', side: 'destination', type: 'LOCAL' };
    rules.push(refusal(plan, [toNode, ...toPort(protocolOf(servicePort), servicePort.nodePort)]));
  }
  return rules;
}

/** The health check server runs even without endpoints: the load balancer must hear its 503. */
function healthCheckRules(plan: Plan): Rule[] {
  const { servicePort } = plan;
  if (servicePort.healthCheckNodePort === 0) return [];
  const matches = [comment(`${servicePort.name} health check node port`), ...toPort('tcp', servicePort.healthCheckNodePort)];
  return [kernelRule(matches, ACCEPT, servicePort)];
}

/** Packets that no source range let pass still carry the load balancer's address here. */
function firewallRules(plan: Plan): Rule[] {
  if (!plan.usesFirewall) return [];
  const { servicePort, names } = plan;
  return servicePort.loadBalancerIPs.map((address) =>
    kernelRule(
      [comment(`${servicePort.name} traffic not accepted by ${names.firewall}`), destination(address), ...plan.toPort],
      DROP,
      servicePort,
    ),
  );
}

function serviceChains(plan: Plan): ChainItem[] {
  const { state, names } = plan;
  const chains: ChainItem[] = [];
  const among = endpointChains(plan);
  const choice = (chain: string, endpoints: readonly Endpoint[]): Chain =>
    among.chooser(chain, endpoints, chain === plan.internalChain ? internalMasqueradeRules(plan) : NO_RULES);
  if (plan.facts.usesExternal) chains.push({ name: names.external, rules: externalRules(plan) });
  if (plan.usesFirewall) chains.push({ name: names.firewall, rules: sourceRangeRules(plan) });
  if (plan.facts.usesService) chains.push(choice(names.service, state.clusterEndpoints));
  if (plan.facts.usesLocal) chains.push(choice(names.local, state.localEndpoints));
  return [...chains, ...among.items];
}

/** The first rule of the internal chain. It names the cluster IP: external traffic comes through the same chain. */
function internalMasqueradeRules(plan: Plan): Rule[] {
  const { servicePort, options } = plan;
  if (!plan.facts.hasInternalEndpoints) return [];
  const captured = [comment(`${servicePort.name} cluster IP`), destination(servicePort.clusterIP), ...plan.toPort];
  if (options.masqueradeAll) return [kernelRule(captured, MASQUERADE, servicePort)];
  if (options.localDetector === undefined) return [];
  return [kernelRule([...captured, fromLocalPod(options.localDetector, true)], MASQUERADE, servicePort)];
}

function externalRules(plan: Plan): Rule[] {
  const { servicePort, names, options } = plan;
  const about = (what: string): Match => comment(`${what} ${servicePort.name} external destinations`);
  const last = plan.facts.hasExternalEndpoints ? [kernelRule([], jump(plan.externalPolicyChain), servicePort)] : [];
  if (!servicePort.externalPolicyLocal) {
    return [kernelRule([about('masquerade traffic for')], MASQUERADE, servicePort), ...last];
  }
  const fromNode: Match = { kind: 'addressType', side: 'source', type: 'LOCAL' };
  const pods =
    options.localDetector === undefined
      ? []
      : [kernelRule([about('pod traffic for'), fromLocalPod(options.localDetector)], jump(names.service), servicePort)];
  return [
    ...pods,
    kernelRule([about('masquerade LOCAL traffic for'), fromNode], MASQUERADE, servicePort),
    kernelRule([about('route LOCAL traffic for'), fromNode], jump(names.service), servicePort),
    ...last,
  ];
}

function sourceRangeRules(plan: Plan): Rule[] {
  const { servicePort, names, options } = plan;
  const about = comment(`${servicePort.name} loadbalancer IP`);
  const allowed = [...servicePort.loadBalancerSourceRanges, ...ownLoadBalancerSources(servicePort, options)];
  return [
    ...allowed.map((range) => kernelRule([about, source(range)], jump(names.external), servicePort)),
    kernelRule([comment(`other traffic to ${servicePort.name} will be dropped by KUBE-PROXY-FIREWALL`)], NO_TARGET, servicePort),
  ];
}

/** What the rules about a ServicePort's Endpoints are made of, besides them. */
interface EndpointSource extends Pick<ServicePort, 'name' | 'protocol' | 'affinitySeconds'> {
  readonly isLargeCluster: boolean;
}

function endpointChains({ servicePort: { name, protocol, affinitySeconds }, state, isLargeCluster }: Plan): EndpointChains {
  const source: EndpointSource = { name, protocol, ...(affinitySeconds === undefined ? {} : { affinitySeconds }), isLargeCluster };
  return new EndpointChains(`${name}/${protocol}`, state.reachableEndpoints, source, endpointChainWriter);
}

/** Rules that nobody keeps are written down here in the kernel's order, and not made by what makes others. */
const endpointChainWriter: EndpointChainWriter<EndpointSource> = {
  name: endpointChainName,

  // xt_recent lists have the names of chains.
  likeness: ({ affinitySeconds, protocol }) => (affinitySeconds === undefined ? protocol : undefined),
  servicePort: ({ name }) => name,
  isDrawnInTurn: true,

  rules(source, { address, port }, chain) {
    const { name: servicePort, affinitySeconds } = source;
    const about = endpointComment(source, servicePort);
    const anyClient = bothOf(toProtocol(protocolOf(source)), about);
    const client: Match = { kind: 'source', prefix: wholePrefix(address) };
    const sighting: Match = { kind: 'recent', operation: 'set', list: chain };
    return [
      { matches: [client, ...about], target: MASQUERADE, servicePort },
      {
        matches: affinitySeconds === undefined ? anyClient : [...anyClient, sighting],
        target: { kind: 'dnat', address, port },
        servicePort,
      },
    ];
  },

  /** Affinity first: each endpoint may claim its clients. Then one random rule an endpoint, the last one plain. */
  choice(source, endpoints, chains) {
    const { name: servicePort, affinitySeconds: seconds } = source;
    const toEndpoint = ({ text }: ChainEndpoint, chain: string, more: readonly Match[]): Rule => {
      const about = endpointComment(source, `${servicePort} -> ${text}`);
      return { matches: bothOf(about, more), target: jump(chain), servicePort };
    };
    const claims =
      seconds === undefined
        ? []
        : endpoints.map((endpoint, index) => {
            const chain = chains[index] ?? '';
            return toEndpoint(endpoint, chain, [{ kind: 'recent', operation: 'rcheck', list: chain, seconds, reap: true }]);
          });
    const draws = endpoints.map((endpoint, index) => {
      const left = endpoints.length - index;
      return toEndpoint(endpoint, chains[index] ?? '', left > 1 ? oneIn(left) : NO_MATCHES);
    });
    return claims.length === 0 ? draws : [...claims, ...draws];
  },
};

function endpointComment({ isLargeCluster }: EndpointSource, text: string): readonly Match[] {
  return isLargeCluster ? NO_MATCHES : [comment(text)];
}
