// What load balancers and metrics ask of a node: local ready addresses, health check ports, policies Local without a local Endpoint. Pure.
import type { EndpointsByPort } from './endpoints.ts';
import type { ExpectedState } from './expected-state.ts';
import { serviceKeyOf } from './service-ports.ts';

/** Distinct ready addresses on this node by `namespace/name`; Services without one are absent. */
export function localReadyEndpoints(endpointsByService: ReadonlyMap<string, EndpointsByPort>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [serviceKey, byPort] of endpointsByService) {
    const addresses = new Set<string>();
    for (const { records } of byPort.values()) {
      for (const { address, isLocal, entry } of records) if (isLocal && entry.ready) addresses.add(address);
    }
    if (addresses.size > 0) counts.set(serviceKey, addresses.size);
  }
  return counts;
}

/** The health check node port by `namespace/name`, where there is one. */
export function healthCheckNodePorts(expected: ExpectedState): Map<string, number> {
  const ports = new Map<string, number>();
  for (const { servicePort } of expected.servicePorts) {
    const { namespace, serviceName, healthCheckNodePort } = servicePort;
    if (healthCheckNodePort !== 0) ports.set(serviceKeyOf(namespace, serviceName), healthCheckNodePort);
  }
  return ports;
}

/** ServicePorts whose policy Local leaves this node with none, although others have Endpoints. kube-proxy counts those without an external address too. */
export function noLocalEndpointCounts(expected: ExpectedState): { internal: number; external: number } {
  const lacking = expected.servicePorts.filter((state) => state.hasAnyEndpoints && state.localEndpoints.length === 0);
  return {
    internal: lacking.filter(({ servicePort }) => servicePort.internalPolicyLocal).length,
    external: lacking.filter(({ servicePort }) => servicePort.externalPolicyLocal).length,
  };
}
