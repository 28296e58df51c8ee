// The fixed iptables rules of IPVS mode: they mark, filter and let pass by ipset, whatever the number of Services.
import type { Family } from '../address.ts';
import { type Joined, joinChain } from '../program/joined.ts';
import type { Chain, Match, Rule, Table, Target } from '../program/ruleset.ts';
import type { ServicePort } from '../state/expected-state.ts';
import { builtinChain, markForMasqueradeChain, postroutingRules } from './iptables-fixed.ts';
import type { IpvsSetKind, SetFacts } from './ipvs-sets.ts';
import {
  KUBE_FORWARD,
  KUBE_IPVS_FILTER,
  KUBE_IPVS_OUT_FILTER,
  KUBE_LOAD_BALANCER,
  KUBE_MARK_MASQ,
  KUBE_NODE_PORT,
  KUBE_POSTROUTING,
  KUBE_PROXY_FIREWALL,
  KUBE_SERVICES,
  KUBE_SOURCE_RANGES_FIREWALL,
} from './names.ts';
import type { CompileOptions } from './options.ts';
import { ACCEPT, comment, DROP, fromLocalPod, inState, jump, protocolOf, RETURN, reject, rule, source } from './rules.ts';
import { ownLoadBalancerSources } from './service-port-facts.ts';

type Side = 'src' | 'dst';

/** The tables nat and filter of IPVS mode. */
export function ipvsTables(family: Family, sets: SetFacts, outFilter: Joined<Rule>['parts'], options: CompileOptions): Table[] {
  /** A rule that asks a set; none when the set is empty. */
  const bySet = (
    kind: IpvsSetKind,
    sides: readonly Side[],
    target: Target,
    more: { before?: readonly Match[]; after?: readonly Match[] } = {},
  ): Rule[] => {
    if (sets.isEmpty(kind)) return [];
    const asksSet: Match = { kind: 'set', set: sets.name(kind), fields: sides };
    return [rule([...(more.before ?? []), comment(sets.comment(kind)), asksSet, ...(more.after ?? [])], target)];
  };
  return [natTable(family, bySet, options), filterTable(family, bySet, outFilter, options)];
}

type BySet = (
  kind: IpvsSetKind,
  sides: readonly Side[],
  target: Target,
  more?: { before?: readonly Match[]; after?: readonly Match[] },
) => Rule[];

const TO: readonly Side[] = ['dst', 'dst'];
const TO_FROM: readonly Side[] = ['dst', 'dst', 'src'];

function natTable(family: Family, bySet: BySet, options: CompileOptions): Table {
  const services = rule([comment('kubernetes service portals')], jump(KUBE_SERVICES));
  return {
    name: 'nat',
    chains: [
      builtinChain('PREROUTING', 'nat', [services]),
      builtinChain('INPUT', 'nat', []),
      builtinChain('OUTPUT', 'nat', [services]),
      builtinChain('POSTROUTING', 'nat', [rule([comment('kubernetes postrouting rules')], jump(KUBE_POSTROUTING))]),
      { name: KUBE_SERVICES, rules: servicesRules(family, bySet, options) },
      {
        name: KUBE_POSTROUTING,
        rules: [...bySet('LOOP-BACK', TO_FROM, { kind: 'masquerade', randomFully: false }), ...postroutingRules(options)],
      },
      markForMasqueradeChain(options),
      { name: KUBE_LOAD_BALANCER, rules: [...bySet('LOAD-BALANCER-LOCAL', TO, RETURN), rule([], jump(KUBE_MARK_MASQ))] },
      nodePortChain(bySet),
    ],
  };
}

function servicesRules(family: Family, bySet: BySet, options: CompileOptions): Rule[] {
  const fromOutside: Match[] = [
    { kind: 'physdevIn', negated: true },
    { kind: 'addressType', side: 'source', type: 'LOCAL', negated: true },
  ];
  const toNode: Match = { kind: 'addressType', side: 'destination', type: 'LOCAL' };
  const pass = (kind: IpvsSetKind): Rule[] => [
    ...bySet(kind, TO, ACCEPT, { after: fromOutside }),
    ...bySet(kind, TO, ACCEPT, { after: [toNode] }),
  ];
  return [
    rule([source(family === 'IPv4' ? '127.0.0.0/8' : '::1/128')], RETURN),
    ...bySet('LOAD-BALANCER', TO, jump(KUBE_LOAD_BALANCER)),
    ...clusterIPMasquerade(bySet, options),
    ...bySet('EXTERNAL-IP', TO, jump(KUBE_MARK_MASQ)),
    ...pass('EXTERNAL-IP'),
    ...pass('EXTERNAL-IP-LOCAL'),
    rule([toNode], jump(KUBE_NODE_PORT)),
    ...bySet('CLUSTER-IP', TO, ACCEPT),
    ...bySet('LOAD-BALANCER', TO, ACCEPT),
  ];
}

/** Without a detector only the node's own packets are masqueraded: those that carry a cluster IP of kube-ipvs0 as their source. */
function clusterIPMasquerade(bySet: BySet, options: CompileOptions): Rule[] {
  const masquerade = jump(KUBE_MARK_MASQ);
  if (options.masqueradeAll) return bySet('CLUSTER-IP', TO, masquerade);
  if (options.localDetector === undefined) return bySet('CLUSTER-IP', ['src', 'dst'], masquerade);
  return bySet('CLUSTER-IP', TO, masquerade, { after: [fromLocalPod(options.localDetector, true)] });
}

function nodePortChain(bySet: BySet): Chain {
  const forProtocol = (protocol: 'tcp' | 'udp' | 'sctp', local: IpvsSetKind, all: IpvsSetKind, sides: readonly Side[]): Rule[] => {
    const before: Match[] = [{ kind: 'protocol', protocol }];
    return [...bySet(local, sides, RETURN, { before }), ...bySet(all, sides, jump(KUBE_MARK_MASQ), { before })];
  };
  return {
    name: KUBE_NODE_PORT,
    rules: [
      ...forProtocol('tcp', 'NODE-PORT-LOCAL-TCP', 'NODE-PORT-TCP', ['dst']),
      ...forProtocol('udp', 'NODE-PORT-LOCAL-UDP', 'NODE-PORT-UDP', ['dst']),
      ...forProtocol('sctp', 'NODE-PORT-LOCAL-SCTP-HASH', 'NODE-PORT-SCTP-HASH', TO),
    ],
  };
}

function filterTable(family: Family, bySet: BySet, outFilter: Joined<Rule>['parts'], options: CompileOptions): Table {
  const mark = options.masqueradeMark;
  const firewall = rule([comment('kube-proxy firewall rules')], jump(KUBE_PROXY_FIREWALL));
  const access = comment('kubernetes ipvs access filter');
  return {
    name: 'filter',
    chains: [
      builtinChain('INPUT', 'filter', [
        rule([access], jump(KUBE_IPVS_FILTER)),
        firewall,
        rule([comment('kubernetes health check rules')], jump(KUBE_NODE_PORT)),
      ]),
      builtinChain('FORWARD', 'filter', [firewall, rule([comment('kubernetes forwarding rules')], jump(KUBE_FORWARD))]),
      builtinChain('OUTPUT', 'filter', [rule([access], jump(KUBE_IPVS_OUT_FILTER))]),
      {
        name: KUBE_FORWARD,
        rules: [
          rule([comment('kubernetes forwarding rules'), { kind: 'mark', value: mark, mask: mark }], ACCEPT),
          rule([comment('kubernetes forwarding conntrack rule'), inState('RELATED', 'ESTABLISHED')], ACCEPT),
        ],
      },
      { name: KUBE_NODE_PORT, rules: bySet('HEALTH-CHECK-NODE-PORT', ['dst'], ACCEPT) },
      { name: KUBE_PROXY_FIREWALL, rules: bySet('LOAD-BALANCER-FW', TO, jump(KUBE_SOURCE_RANGES_FIREWALL)) },
      {
        name: KUBE_SOURCE_RANGES_FIREWALL,
        rules: [
          ...bySet('LOAD-BALANCER-SOURCE-CIDR', TO_FROM, RETURN),
          ...bySet('LOAD-BALANCER-SOURCE-IP', TO_FROM, RETURN),
          rule([], DROP),
        ],
      },
      { name: KUBE_IPVS_FILTER, rules: accessRules(family, bySet) },
      joinChain({ name: KUBE_IPVS_OUT_FILTER }, { head: [], parts: outFilter, tail: [] }),
    ],
  };
}

/** Host sockets must not answer on the addresses of kube-ipvs0. */
function accessRules(family: Family, bySet: BySet): Rule[] {
  return [
    ...(['LOAD-BALANCER', 'CLUSTER-IP', 'EXTERNAL-IP', 'EXTERNAL-IP-LOCAL'] as const).flatMap((kind) => bySet(kind, TO, RETURN)),
    ...bySet('HEALTH-CHECK-NODE-PORT', ['dst'], RETURN),
    ...bySet('IPVS-IPS', ['dst'], reject(family), { before: [inState('NEW')] }),
  ];
}

/** The node's own packets skip INPUT: source ranges that leave the node out are kept here. */
export function outFilterRules(servicePort: ServicePort, options: CompileOptions): Rule[] {
  if (servicePort.loadBalancerSourceRanges.length === 0 || ownLoadBalancerSources(servicePort, options).length > 0) return [];
  return servicePort.loadBalancerIPs.map((address) => {
    const viaIpvs: Match = {
      kind: 'ipvs',
      virtualAddress: address,
      virtualProtocol: protocolOf(servicePort),
      virtualPort: servicePort.port,
    };
    return rule([source(address), viaIpvs], DROP, servicePort);
  });
}
