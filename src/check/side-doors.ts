// Source ranges of a load balancer, and the ways in that they do not guard.
import { type Family, parseAddress, parsePrefix } from '../address.ts';
import { fieldsOf, listOf, numberOf, textOf, textsOf } from '../cluster/fields.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';
import { listed } from './words.ts';

const PATH = 'spec.loadBalancerSourceRanges';

export function checkSideDoors({ services }: Scene): Issue[] {
  return services.flatMap((facts) => {
    const ranges = textsOf(facts.spec.loadBalancerSourceRanges).map((range) => range.trim());
    if (facts.spec.type !== 'LoadBalancer' || ranges.length === 0) return [];
    return [
      everyoneIssue(facts, ranges),
      familyIssue(facts, ranges),
      nodePortIssue(facts),
      externalIPIssue(facts),
      proxiedIssue(facts),
    ].flat();
  });
}

function issue({ service }: ServiceFacts, path: string, reason: string, remedy: string): Issue {
  return { rule: 'side-door', object: service, path, reason, remedy };
}

function everyoneIssue(facts: ServiceFacts, ranges: readonly string[]): Issue[] {
  const open = ranges.findIndex((range) => parsePrefix(range)?.length === 0);
  // Everyone alone is a decision; beside others it undoes them.
  if (open < 0 || ranges.length === 1) return [];
  return [issue(facts, `${PATH}[${open}]`, `${ranges[open]} lets everyone in, so the other ranges keep nobody out`, 'leave it out')];
}

/** Ranges of one family say nothing about the other, which is then open to all. */
function familyIssue(facts: ServiceFacts, ranges: readonly string[]): Issue[] {
  const guarded = new Set(ranges.map((range) => parsePrefix(range)?.family));
  const open = [
    ...new Set([...textsOf(facts.spec.ipFamilies), ...ingressOf(facts).map(({ ip }) => parseAddress(ip)?.family ?? '')]),
  ].filter((family): family is Family => (family === 'IPv4' || family === 'IPv6') && !guarded.has(family));
  return open.map((family) =>
    issue(
      facts,
      PATH,
      `it holds no ${family} range, so its ${family} address is open to everyone`,
      `add the ${family} ranges too, or one that nobody has`,
    ),
  );
}

function nodePortIssue(facts: ServiceFacts): Issue[] {
  const nodePorts = listOf(facts.spec.ports).flatMap((entry) => numberOf(fieldsOf(entry).nodePort) || []);
  if (nodePorts.length === 0) return [];
  const which = `node port ${listed(nodePorts.map(String))}`;
  return [
    issue(
      facts,
      PATH,
      `the ranges guard the load balancer's address alone: whoever reaches a node gets in by its ${which}`,
      'set allocateLoadBalancerNodePorts: false if the load balancer can do without them, or keep clients off the nodes (nodePortAddresses, a firewall)',
    ),
  ];
}

function externalIPIssue(facts: ServiceFacts): Issue[] {
  const external = textsOf(facts.spec.externalIPs);
  if (external.length === 0) return [];
  return [
    issue(
      facts,
      'spec.externalIPs',
      `the ranges do not guard its external IPs: ${listed(external)} lets everyone in`,
      'leave out the external IPs, or filter them elsewhere',
    ),
  ];
}

/** With ipMode Proxy the nodes do not look at the address, nor at the ranges: the load balancer has to. */
function proxiedIssue(facts: ServiceFacts): Issue[] {
  const proxied = ingressOf(facts).filter(({ ipMode }) => ipMode === 'Proxy');
  if (proxied.length === 0) return [];
  return [
    issue(
      facts,
      PATH,
      `no node applies the ranges, for ${listed(proxied.map(({ ip }) => ip))} is of ipMode Proxy`,
      'make sure that the load balancer itself applies them',
    ),
  ];
}

function ingressOf({ service }: ServiceFacts): { readonly ip: string; readonly ipMode: string }[] {
  return listOf(fieldsOf(fieldsOf(service.status).loadBalancer).ingress)
    .map((entry) => ({ ip: textOf(fieldsOf(entry).ip), ipMode: textOf(fieldsOf(entry).ipMode) }))
    .filter(({ ip }) => ip !== '');
}
