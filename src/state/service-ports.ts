// A Service → its ServicePorts, as one address family sees them.
import type { Family } from '../address.ts';
import type { Service } from '../api/service.ts';
import type { Features } from '../api/settings.ts';
import type { ServicePort } from './expected-state.ts';

/** Objects with one of these labels are for somebody else; the presence counts, not the value. */
const HIDING_LABELS: readonly string[] = ['service.kubernetes.io/service-proxy-name', 'service.kubernetes.io/headless'];

/** kube-proxy never gets to see a Service or EndpointSlice with such labels. */
export function isHidden(labels: Readonly<Record<string, string>>): boolean {
  return HIDING_LABELS.some((label) => Object.hasOwn(labels, label));
}

/** `namespace/name`: how Services and their slices find each other. */
export function serviceKeyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Identifies a ServicePort within its Service, and matches the ports of slices: port name and protocol. */
export function portKeyOf(portName: string, protocol: string): string {
  return `${portName}/${protocol}`;
}

/** `namespace/name:portName/PROTOCOL`, unique within a family. */
function servicePortKeyOf(servicePort: ServicePort): string {
  return `${servicePort.name}/${servicePort.protocol}`;
}

/** The ServicePorts of a Service; none when it is hidden, or has no cluster IP of the family. */
export function servicePortsOf(service: Service, family: Family, features: Features): ServicePort[] {
  const clusterIP = service.clusterIPs.find((address) => address.family === family);
  if (clusterIP === undefined || isHidden(service.labels)) return [];
  const { namespace, name, type } = service;
  // By spec alone: a LoadBalancer without an address yet is one already.
  const isExternal = type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && service.externalIPs.length > 0);
  const externalPolicyLocal = isExternal && service.externalTrafficPolicy === 'Local';
  const shared = {
    namespace,
    serviceName: name,
    clusterIP: clusterIP.text,
    externalIPs: service.externalIPs.filter((address) => address.family === family).map((address) => address.text),
    loadBalancerIPs: loadBalancerIPsOf(service, family, features),
    loadBalancerSourceRanges: service.loadBalancerSourceRanges.filter((range) => range.family === family).map((range) => range.text),
    healthCheckNodePort: type === 'LoadBalancer' && externalPolicyLocal ? service.healthCheckNodePort : 0,
    ...(service.affinitySeconds === undefined ? {} : { affinitySeconds: service.affinitySeconds }),
    internalPolicyLocal: service.internalTrafficPolicy === 'Local',
    externalPolicyLocal,
  };
  const serviceKey = serviceKeyOf(namespace, name);
  const byKey = new Map<string, ServicePort>();
  for (const { name: portName, protocol, port, nodePort } of service.ports) {
    const servicePort = { name: portName === '' ? serviceKey : `${serviceKey}:${portName}`, portName, protocol, port, nodePort, ...shared };
    byKey.set(servicePortKeyOf(servicePort), servicePort);
  }
  return [...byKey.values()];
}

function loadBalancerIPsOf(service: Service, family: Family, features: Features): string[] {
  return service.loadBalancerIngress
    .filter(({ address, ipMode }) => address.family === family && (ipMode === 'VIP' || !features.loadBalancerIPMode))
    .map(({ address }) => address.text);
}
