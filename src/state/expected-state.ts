// What this node should do: the ServicePorts of one address family with the Endpoints that may serve them.
// state/ makes it from objects, compile/ turns it into a Program. No EndpointSlice gets past this line.
import type { Family } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';

/** One port of a Service, as one address family sees it. Identity: namespace, name, port name, protocol. */
export interface ServicePort {
  /** `namespace/name:portName`, or `namespace/name` when the port has no name: kube-proxy's name of it in comments and hashes. */
  readonly name: string;
  readonly namespace: string;
  readonly serviceName: string;
  readonly portName: string;
  readonly protocol: TransportProtocol;
  readonly clusterIP: string;
  readonly port: number;
  /** 0: none. */
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  /** status.loadBalancer.ingress[].ip with ipMode VIP. */
  readonly loadBalancerIPs: readonly string[];
  /** CIDRs of this family; empty: unrestricted. */
  readonly loadBalancerSourceRanges: readonly string[];
  /** 0: none. */
  readonly healthCheckNodePort: number;
  /** Seconds of ClientIP session affinity; absent: none. */
  readonly affinitySeconds?: number;
  readonly internalPolicyLocal: boolean;
  readonly externalPolicyLocal: boolean;
}

export interface Endpoint {
  /** Canonical text. */
  readonly address: string;
  readonly port: number;
  /** `ip:port` or `[ip]:port`; Endpoints are sorted by it as plain strings. */
  readonly text: string;
  /** On this node. */
  readonly isLocal: boolean;
}

/** A ServicePort with the Endpoints chosen for this node (behaviour: kube-proxy's endpoint selection). */
export interface ServicePortState {
  readonly servicePort: ServicePort;
  /** For traffic under policy Cluster; sorted. */
  readonly clusterEndpoints: readonly Endpoint[];
  /** For traffic under policy Local; sorted. */
  readonly localEndpoints: readonly Endpoint[];
  /** Union of both as far as this ServicePort uses them; sorted. */
  readonly reachableEndpoints: readonly Endpoint[];
  /** All on this node, whatever their condition; sorted. */
  readonly ownEndpoints: readonly Endpoint[];
  /** Some Endpoint could serve this ServicePort, here or on another node. */
  readonly hasAnyEndpoints: boolean;
}

export interface ExpectedState {
  readonly family: Family;
  /** Sorted by name, then protocol. An unchanged ServicePort keeps the identity (===) of its ServicePortState. */
  readonly servicePorts: readonly ServicePortState[];
  /** All Endpoints of the family, for large-cluster mode. */
  readonly endpointCount: number;
}

/** nodePort, an external IP or a LoadBalancer IP: reachable from outside the cluster. */
export function isExternallyAccessible(servicePort: ServicePort): boolean {
  return servicePort.nodePort !== 0 || servicePort.externalIPs.length > 0 || servicePort.loadBalancerIPs.length > 0;
}

export function usesClusterEndpoints(servicePort: ServicePort): boolean {
  return !servicePort.internalPolicyLocal || isExternallyAccessible(servicePort);
}

export function usesLocalEndpoints(servicePort: ServicePort): boolean {
  return servicePort.internalPolicyLocal || (servicePort.externalPolicyLocal && isExternallyAccessible(servicePort));
}
