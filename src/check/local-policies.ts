// Traffic policy Local, and the nodes on which it leaves nobody to answer.
import { type Fields, numberOf, textOf } from '../cluster/fields.ts';
import type { Issue, RuleId } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';
import { listed } from './words.ts';

export function checkLocalPolicies(scene: Scene): Issue[] {
  return scene.services.flatMap((facts) => {
    // Nobody anywhere is another finding.
    if (facts.isHeadless || !facts.endpoints.some(({ isReady }) => isReady)) return [];
    const empty = scene.nodes.map(({ name }) => name).filter((node) => !serves(facts, node));
    return empty.length === 0 ? [] : [...internalIssue(facts, empty), ...externalIssue(facts, empty)];
  });
}

/** kube-proxy's own choice: ready endpoints of the node, else those that serve while they are being deleted. */
function serves({ endpoints }: ServiceFacts, node: string): boolean {
  return endpoints.some((endpoint) => endpoint.node === node && (endpoint.isReady || (endpoint.isServing && endpoint.isTerminating)));
}

function internalIssue({ service, spec }: ServiceFacts, empty: readonly string[]): Issue[] {
  if (spec.internalTrafficPolicy !== 'Local') return [];
  return [
    {
      rule: 'local-policy-gap',
      object: service,
      path: 'spec.internalTrafficPolicy',
      reason: `it is Local, and ${on(empty)} has no ready endpoint: what Pods there send to the cluster IP is dropped`,
      remedy: 'run a Pod on every node (a DaemonSet), prefer the own node instead (trafficDistribution: PreferSameNode), or take Cluster',
    },
  ];
}

function externalIssue({ service, spec }: ServiceFacts, empty: readonly string[]): Issue[] {
  if (spec.externalTrafficPolicy !== 'Local') return [];
  const isBalanced = spec.type === 'LoadBalancer';
  const rule: RuleId = isBalanced ? 'local-policy-node-ports' : 'local-policy-gap';
  const path = 'spec.externalTrafficPolicy';
  if (isBalanced)
    return [
      {
        rule,
        object: service,
        path,
        reason: `it is Local, and ${on(empty)} has no ready endpoint: the load balancer must leave ${empty.length === 1 ? 'it' : 'them'} out`,
        remedy: `have it ask for the health of each node on port ${healthCheckPort(spec)}; clients of the node port there are dropped`,
      },
    ];
  return [
    {
      rule,
      object: service,
      path,
      reason: `it is Local, and ${on(empty)} has no ready endpoint: what clients from outside send there is dropped`,
      remedy:
        'send clients to nodes with a Pod only, run a Pod on every node (a DaemonSet), or take Cluster, which hides the address of the client',
    },
  ];
}

function healthCheckPort(spec: Fields): string {
  return String(numberOf(spec.healthCheckNodePort) ?? (textOf(spec.healthCheckNodePort) || '(healthCheckNodePort)'));
}

function on(nodes: readonly string[]): string {
  return nodes.length === 1 ? `node ${nodes[0]}` : `each of ${listed(nodes)}`;
}
