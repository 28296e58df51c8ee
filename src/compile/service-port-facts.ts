// The facts about a ServicePort's endpoints that decide in every mode which chains and rules exist, named once.
import { parseAddress, parsePrefix, prefixContains } from '../address.ts';
import {
  isExternallyAccessible,
  type ServicePort,
  type ServicePortState,
  usesClusterEndpoints,
  usesLocalEndpoints,
} from '../state/expected-state.ts';
import type { CompileOptions } from './options.ts';

export interface ServicePortFacts {
  /** Some endpoint could serve, on this node or another. */
  readonly hasAny: boolean;
  /** Traffic to the cluster IP, and traffic from outside, has an endpoint under its policy on this node. */
  readonly hasInternalEndpoints: boolean;
  readonly hasExternalEndpoints: boolean;
  /** The chain under policy Cluster, under policy Local, for external traffic exists. */
  readonly usesService: boolean;
  readonly usesLocal: boolean;
  readonly usesExternal: boolean;
}

export function servicePortFacts(state: ServicePortState): ServicePortFacts {
  const { servicePort, hasAnyEndpoints: hasAny } = state;
  const hasLocal = state.localEndpoints.length > 0;
  return {
    hasAny,
    hasInternalEndpoints: hasAny && (!servicePort.internalPolicyLocal || hasLocal),
    hasExternalEndpoints: hasAny && (!servicePort.externalPolicyLocal || hasLocal),
    usesService: usesClusterEndpoints(servicePort) && state.clusterEndpoints.length > 0,
    usesLocal: usesLocalEndpoints(servicePort) && hasLocal,
    usesExternal: hasAny && isExternallyAccessible(servicePort),
  };
}

/**
 * The load balancer's addresses that may be a source as well: the node may use them when they are bound to it, so they are
 * allowed when a source range holds the node's own primary address.
 */
export function ownLoadBalancerSources(servicePort: ServicePort, options: CompileOptions): readonly string[] {
  const node = parseAddress(options.nodeAddresses[0] ?? '');
  const includesNode = servicePort.loadBalancerSourceRanges.some((range) => {
    const prefix = parsePrefix(range);
    return node !== undefined && prefix !== undefined && prefixContains(prefix, node);
  });
  return includesNode ? servicePort.loadBalancerIPs : [];
}
