// Why the same mode answers differently in another state of the cluster: what changed about the ServicePort.
import type { ServicePortView } from '../dataplane-types.ts';
import type { ChangeFacts, Reason } from './comparison.ts';
import type { DestinationKind } from './questions.ts';

const ADDRESS_FIELD: Partial<Readonly<Record<DestinationKind, string>>> = {
  ClusterIP: 'spec.clusterIP',
  NodePort: 'spec.ports',
  ExternalIP: 'spec.externalIPs',
  LoadBalancerIP: 'status.loadBalancer',
};

const settingsReason: Reason = {
  id: 'settings',
  title: 'The configuration of the node changes it',
  why: 'The Service and its endpoints are the same; the settings of the node differ.',
  advice: 'Compare the two KubeProxyConfigurations: nodePortAddresses, masqueradeAll, clusterCIDR, detectLocalMode.',
};

/** What compareDataplanes asks for, when the two sides are states of the cluster in one mode. */
export function stateReason(facts: ChangeFacts): Reason {
  const { before, after } = facts.servicePort ?? {};
  if (before === undefined && after === undefined) return settingsReason;
  if (before === undefined)
    return reason('added', 'ServicePorts that are new', 'the Service, or this port of it, is in the new state only', 'spec.ports');
  if (after === undefined) {
    const advice = 'Clients that still use it get no answer any more: look for them before you apply the new state.';
    return { ...reason('removed', 'ServicePorts that are gone', 'the Service, or this port of it, is in the old state only'), advice };
  }
  if (facts.effect === 'affinity') return affinityReason(before, after);
  return (
    addressReason(facts, before, after) ?? policyReason(facts, before, after) ?? rangeReason(before, after) ?? endpointReason(before, after)
  );
}

function reason(id: string, title: string, why: string, field?: string): Reason {
  const sentence = `${why.charAt(0).toUpperCase()}${why.slice(1)}.`;
  return { id, title, why: sentence, advice: 'Nothing, if that is what the change is for.', ...(field === undefined ? {} : { field }) };
}

function addressReason({ destination }: ChangeFacts, before: ServicePortView, after: ServicePortView): Reason | undefined {
  const isIn = ({ frontends }: ServicePortView) =>
    frontends.some(
      ({ kind, address, port }) =>
        port === destination.port && (kind === 'NodePort' ? destination.kind === kind : address === destination.address),
    );
  const had = isIn(before);
  const has = isIn(after);
  if (had === has) return undefined;
  const { kind } = destination;
  return has
    ? reason(`added ${kind}`, `${kind}s that are new`, `the Service has this ${kind} in the new state only`, ADDRESS_FIELD[kind])
    : reason(`removed ${kind}`, `${kind}s that are gone`, `the Service had this ${kind} in the old state only`, ADDRESS_FIELD[kind]);
}

function policyReason({ destination }: ChangeFacts, before: ServicePortView, after: ServicePortView): Reason | undefined {
  const policy = destination.kind === 'ClusterIP' ? 'internalTrafficPolicy' : 'externalTrafficPolicy';
  if (before[policy] === after[policy]) return undefined;
  const words = after[policy] === 'Local' ? 'only endpoints on this node take the traffic' : 'endpoints on every node take the traffic';
  return reason(
    `${policy} ${after[policy]}`,
    `${policy} becomes ${after[policy]}`,
    `the ${policy} was ${before[policy]} and is ${after[policy]}: ${words}`,
    `spec.${policy}`,
  );
}

function rangeReason(before: ServicePortView, after: ServicePortView): Reason | undefined {
  const ranges = ({ sourceRanges = [] }: ServicePortView) => sourceRanges.join(', ');
  if (ranges(before) === ranges(after)) return undefined;
  const why = 'the ranges that may use the load balancer IPs are others';
  return reason('source-ranges', 'loadBalancerSourceRanges change', why, 'spec.loadBalancerSourceRanges');
}

function affinityReason(before: ServicePortView, after: ServicePortView): Reason {
  const words = ({ affinitySeconds }: ServicePortView) => (affinitySeconds === undefined ? 'none' : `${affinitySeconds} seconds`);
  const why = `session affinity was ${words(before)} and is ${words(after)}`;
  return reason(`affinity ${words(after)}`, `Session affinity becomes ${words(after)}`, why, 'spec.sessionAffinity');
}

function endpointReason(before: ServicePortView, after: ServicePortView): Reason {
  const had = used(before);
  const has = used(after);
  if (has.length === 0 && had.length > 0) {
    const made = reason('no-endpoints', 'No endpoint is left', 'every endpoint of the old state is gone, not ready or unused');
    return { ...made, advice: 'Check the selector and targetPort of the Service against the Pods, and their readiness.' };
  }
  if (had.length === 0 && has.length > 0)
    return reason('first-endpoints', 'First endpoints', 'the Service had no endpoint to use, and now has');
  if (had.join() === has.join()) return settingsReason;
  const addresses = (list: readonly string[]) => [...new Set(list.map((text) => text.split(' ')[0]))].join();
  return addresses(had) === addresses(has)
    ? reason('target-port', 'Endpoints listen on another port', 'the same Pods are reached on another targetPort', 'spec.ports')
    : reason('endpoints', 'Other endpoints', 'Pods came, went, or changed their readiness or place');
}

/** `address port` of each endpoint in use. */
function used({ endpoints }: ServicePortView): string[] {
  return endpoints.filter(({ inCluster, inLocal }) => inCluster || inLocal).map(({ address, port }) => `${address} ${port}`);
}
