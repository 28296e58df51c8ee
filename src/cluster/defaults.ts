// Defaults as the API server writes them into an object before it looks at it: namespaces, Services, workloads, slices.
import { type Family, parseAddress } from '../address.ts';
import { isNamespaced } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { compact, type Fields, fieldsOf, isFields, isUnset, listOf, textOf, textsOf, withoutNulls } from './fields.ts';

const AFFINITY_TIMEOUT_SECONDS = 10800;

/** What defaults depend on beside the object. */
export interface DefaultingContext {
  /** Those of the cluster, primary first. */
  readonly families: readonly Family[];
  /** Of objects that name none. */
  readonly namespace: string;
}

/** The object with all defaults filled in. Wrong fields stay as they are. */
export function withDefaults(object: KubernetesObject, { families, namespace }: DefaultingContext): KubernetesObject {
  const named = withNamespace(withoutNulls(object), namespace);
  switch (named.kind) {
    case 'Service':
      return { ...named, spec: serviceSpec(fieldsOf(named.spec), families), status: serviceStatus(named.status) };
    case 'EndpointSlice':
      return {
        ...named,
        ports: Array.isArray(named.ports) ? named.ports.map(slicePort) : (named.ports ?? []),
        endpoints: named.endpoints ?? [],
      };
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
      return isFields(named.spec) ? { ...named, spec: { ...named.spec, replicas: named.spec.replicas ?? 1 } } : named;
    case 'ReplicationController':
      return isFields(named.spec) ? { ...named, spec: replicationSpec(named.spec) } : named;
    default:
      return named;
  }
}

/** A ReplicationController selects what its template is labelled with, unless it says otherwise. */
function replicationSpec(spec: Fields): Fields {
  const { labels } = fieldsOf(fieldsOf(spec.template).metadata);
  return { ...spec, replicas: spec.replicas ?? 1, selector: spec.selector ?? labels };
}

/** In the namespace of objects that name none. */
export function withNamespace(object: KubernetesObject, namespace: string): KubernetesObject {
  if (!isNamespaced(object.kind) || object.metadata.namespace) return object;
  return { ...object, metadata: { ...object.metadata, namespace } };
}

function slicePort(port: unknown): unknown {
  return isFields(port) ? { ...port, name: port.name ?? '', protocol: port.protocol ?? 'TCP' } : port;
}

/** NodePort, LoadBalancer, or a ClusterIP Service with externalIPs. */
export function isExternallyAccessible(spec: Fields): boolean {
  return spec.type === 'NodePort' || spec.type === 'LoadBalancer' || (spec.type === 'ClusterIP' && listOf(spec.externalIPs).length > 0);
}

/** Its endpoints are its user's, and may be of either family on any cluster. */
export function isHeadlessWithoutSelector({ clusterIP, selector }: Fields): boolean {
  return clusterIP === 'None' && Object.keys(fieldsOf(selector)).length === 0;
}

function serviceSpec(given: Fields, families: readonly Family[]): Fields {
  const spec = { ...given, type: given.type || 'ClusterIP', sessionAffinity: given.sessionAffinity || 'None' };
  const isExternalName = spec.type === 'ExternalName';
  return compact({
    ...spec,
    ports: Array.isArray(given.ports) ? given.ports.map(servicePort) : given.ports,
    // An empty map is no map, once it is stored.
    selector: isFields(given.selector) && Object.keys(given.selector).length === 0 ? undefined : given.selector,
    sessionAffinityConfig: affinityConfig(spec),
    ...(isExternalName ? {} : familyFields(spec, families)),
    internalTrafficPolicy: given.internalTrafficPolicy || (isExternalName ? undefined : 'Cluster'),
    externalTrafficPolicy: given.externalTrafficPolicy || (isExternallyAccessible(spec) ? 'Cluster' : undefined),
    allocateLoadBalancerNodePorts: given.allocateLoadBalancerNodePorts ?? (spec.type === 'LoadBalancer' ? true : undefined),
  });
}

function servicePort(port: unknown): unknown {
  if (!isFields(port)) return port;
  return compact({ ...port, protocol: port.protocol || 'TCP', targetPort: isUnset(port.targetPort) ? port.port : port.targetPort });
}

/** An address of a load balancer is that of a virtual one, unless it says otherwise. */
function serviceStatus(status: unknown): unknown {
  const { loadBalancer = {}, ...rest } = fieldsOf(status);
  const { ingress } = fieldsOf(loadBalancer);
  if (!Array.isArray(ingress)) return { ...rest, loadBalancer };
  const complete = ingress.map((entry) => (isFields(entry) && entry.ip ? { ...entry, ipMode: entry.ipMode ?? 'VIP' } : entry));
  return { ...rest, loadBalancer: { ...fieldsOf(loadBalancer), ingress: complete } };
}

/** Without affinity there is nothing to configure. */
function affinityConfig(spec: Fields): unknown {
  if (spec.sessionAffinity !== 'ClientIP') return undefined;
  const clientIP = fieldsOf(fieldsOf(spec.sessionAffinityConfig).clientIP);
  return { clientIP: { ...clientIP, timeoutSeconds: clientIP.timeoutSeconds ?? AFFINITY_TIMEOUT_SECONDS } };
}

/** clusterIP and clusterIPs say the same; ipFamilies follow them, else the cluster's own order. */
function familyFields(spec: Fields, families: readonly Family[]): Fields {
  const clusterIPs = textsOf(spec.clusterIPs).length > 0 ? textsOf(spec.clusterIPs) : [textOf(spec.clusterIP)].filter((ip) => ip !== '');
  const ownsAddresses = isHeadlessWithoutSelector({ ...spec, clusterIP: clusterIPs[0] });
  const given = textsOf(spec.ipFamilies);
  const wantsBoth = ownsAddresses || clusterIPs.length > 1 || given.length > 1;
  const policy = spec.ipFamilyPolicy ?? (wantsBoth ? 'RequireDualStack' : 'SingleStack');
  const ofAddresses = clusterIPs.map((ip) => parseAddress(ip)?.family).filter((family) => family !== undefined);
  const chosen = given.length > 0 ? given : ofAddresses.length > 0 ? ofAddresses : families.slice(0, 1);
  // A headless Service without selector leaves its addresses to its user: it may have both families on any cluster.
  const available: readonly Family[] = ownsAddresses && isUnset(spec.ipFamilyPolicy) ? ['IPv4', 'IPv6'] : families;
  const second = policy === 'SingleStack' ? [] : available.filter((family) => !chosen.includes(family));
  return {
    ...(clusterIPs.length > 0 ? { clusterIP: spec.clusterIP, clusterIPs: isUnset(spec.clusterIPs) ? clusterIPs : spec.clusterIPs } : {}),
    ipFamilies: isUnset(spec.ipFamilies) || Array.isArray(spec.ipFamilies) ? [...chosen, ...second].slice(0, 2) : spec.ipFamilies,
    ipFamilyPolicy: policy,
  };
}
