// Services whose Pods are there and get no traffic: not ready, on their way out, or without a node.
import type { KubernetesObject } from '../api/types.ts';
import { isReady, isTerminating, podIPs, podNode, podPhase } from '../cluster/pods.ts';
import type { Issue } from './finding.ts';
import type { Scene, ServiceFacts } from './scene.ts';
import { counted, listed } from './words.ts';

export function checkReadiness({ services }: Scene): Issue[] {
  return services.flatMap((facts) => (facts.pods.length > 0 ? podIssues(facts) : handMadeIssues(facts)));
}

function podIssues(facts: ServiceFacts): Issue[] {
  const { service, pods, endpoints, spec, isHeadless } = facts;
  if (spec.publishNotReadyAddresses === true) return [];
  const troubled = pods.filter((pod) => trouble(pod) !== undefined);
  if (troubled.length === 0) return [];
  const states = listed(troubled.map((pod) => `${pod.metadata.name} (${trouble(pod)})`));
  const path = 'spec.selector';
  const remedy = remedyFor(troubled);
  if (troubled.length < pods.length)
    return [
      {
        rule: 'pods-not-ready',
        object: service,
        path,
        reason: `${troubled.length} of ${counted(pods.length, 'Pod')} get no new connections: ${states}`,
        remedy,
      },
    ];
  if (isHeadless)
    return [
      {
        rule: 'headless-no-ready-pods',
        object: service,
        path,
        reason: `none of its Pods is ready, so its name does not resolve (NXDOMAIN): ${states}`,
        remedy: `${remedy}; for peers that must find each other before they are ready, set publishNotReadyAddresses: true`,
      },
    ];
  const isServedByLeaving = endpoints.some(({ isServing, isTerminating: isLeaving }) => isServing && isLeaving);
  const outcome = isServedByLeaving ? 'new connections go to Pods that are being deleted' : 'connections are rejected';
  return [{ rule: 'no-ready-pods', object: service, path, reason: `none of its Pods is ready, so ${outcome}: ${states}`, remedy }];
}

/** Slices that somebody wrote by hand, or none at all. */
function handMadeIssues({ service, selector, endpoints, slices, isHeadless, name }: ServiceFacts): Issue[] {
  if (name === 'default/kubernetes') return [];
  const hasSelector = Object.keys(selector).length > 0;
  if (endpoints.some(({ isReady: ready }) => ready) || (hasSelector && endpoints.length === 0)) return [];
  if (endpoints.length > 0)
    return [
      {
        rule: 'no-endpoints',
        object: service,
        path: 'spec',
        reason: `none of its ${counted(endpoints.length, 'endpoint')} is ready, so ${isHeadless ? 'its name does not resolve (NXDOMAIN)' : 'connections are rejected'}`,
        remedy: 'look at what the endpoints stand for',
      },
    ];
  return [
    {
      rule: 'no-endpoints',
      object: service,
      path: 'spec',
      reason:
        slices.length === 0 ? 'it has neither a selector nor an EndpointSlice' : 'it has no selector, and its EndpointSlices are empty',
      remedy: `give it a selector, or an EndpointSlice with the label kubernetes.io/service-name: ${service.metadata.name}`,
    },
  ];
}

/** Why a Pod is no endpoint that gets new connections. */
function trouble(pod: KubernetesObject): string | undefined {
  if (isTerminating(pod)) return 'terminating';
  if (podNode(pod) === '') return 'no Node takes it';
  if (podIPs(pod).length === 0) return `${podPhase(pod)}, no address yet`;
  return isReady(pod) ? undefined : 'not ready';
}

function remedyFor(pods: readonly KubernetesObject[]): string {
  const first = pods.find((pod) => !isTerminating(pod)) ?? pods[0];
  if (first === undefined) return '';
  if (isTerminating(first)) return 'wait for their successors, or look why there are none';
  if (podNode(first) === '') return "compare its nodeSelector and tolerations with the Nodes' labels and taints";
  return `see what its readiness probe says: kubectl describe pod ${first.metadata.name} -n ${first.metadata.namespace ?? 'default'}`;
}
