// A Service → its ServicePorts, as one address family sees them.
import { type Family, textsOf } from '../address.ts';
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
  const externalIPs = textsOf(service.externalIPs, family);
  const loadBalancerIPs = loadBalancerIPsOf(service, family, features);
  const loadBalancerSourceRanges = textsOf(service.loadBalancerSourceRanges, family);
  const serviceKey = serviceKeyOf(namespace, name);
  const byKey = new Map<string, ServicePort>();
  for (const { name: portName, protocol, port, nodePort } of service.ports) {
    const servicePort: ServicePort = {
      name: portName === '' ? serviceKey : `${serviceKey}:${portName}`,
      namespace,
      serviceName: name,
      portName,
      protocol,
      clusterIP: clusterIP.text,
      port,
      nodePort,
      externalIPs,
      loadBalancerIPs,
      loadBalancerSourceRanges,
      healthCheckNodePort: type === 'LoadBalancer' && externalPolicyLocal ? service.healthCheckNodePort : 0,
      internalPolicyLocal: service.internalTrafficPolicy === 'Local',
      externalPolicyLocal,
    };
    const { affinitySeconds } = service;
    byKey.set(servicePortKeyOf(servicePort), affinitySeconds === undefined ? servicePort : { ...servicePort, affinitySeconds });
  }
  return [...byKey.values()];
}

function loadBalancerIPsOf(service: Service, family: Family, features: Features): readonly string[] {
  const ingresses = service.loadBalancerIngress.filter(({ ipMode }) => ipMode === 'VIP' || !features.loadBalancerIPMode);
  return textsOf(
    ingresses.map(({ address }) => address),
    family,
  );
}
