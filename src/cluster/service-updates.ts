// What an update of a Service keeps of the Service as it was, and what it need not take along: kubectl sends what it read, and what it
// read belongs to the old type (`patchAllocatedValues`, `dropTypeDependentFields`, `trimFieldsForDualStackDowngrade`).
import type { KubernetesObject } from '../api/types.ts';
import { isExternallyAccessible, isHeadlessWithoutSelector } from './defaults.ts';
import { compact, type Fields, fieldsOf, isFields, isUnset, listOf, numberOf } from './fields.ts';

/** The update, with all that the cluster chose for the Service before, as far as its new type still has any. */
export function updatedService(service: KubernetesObject, previous: KubernetesObject): KubernetesObject {
  const old = fieldsOf(previous.spec);
  const given = typed(fieldsOf(service.spec));
  const isLeft = old.type === 'LoadBalancer' && given.type !== 'LoadBalancer';
  const known = isLeft ? undefined : (service.status ?? (given.type === 'LoadBalancer' ? previous.status : undefined));
  const spec = withoutLeftovers(given, old);
  return { ...service, status: known ?? { loadBalancer: {} }, spec: trimmed(withAllocations(spec, old), old) };
}

function typed(spec: Fields): Fields {
  return { ...spec, type: spec.type || 'ClusterIP' };
}

/** Addresses, families, node ports and the health check node port that the update leaves open. */
function withAllocations(spec: Fields, old: Fields): Fields {
  const hasAddress = spec.type !== 'ExternalName' && old.type !== 'ExternalName';
  const hasPorts = needsNodePorts(spec) && Array.isArray(spec.ports);
  return {
    ...spec,
    ...(hasAddress ? addresses(spec, old) : {}),
    ...(hasPorts ? { ports: keepNodePorts(listOf(spec.ports), listOf(old.ports).map(fieldsOf)) } : {}),
    ...(needsHealthCheck(spec) ? compact({ healthCheckNodePort: spec.healthCheckNodePort || old.healthCheckNodePort }) : {}),
  };
}

function addresses(spec: Fields, old: Fields): Fields {
  const clusterIP = spec.clusterIP || old.clusterIP;
  const clusterIPs = isUnset(spec.clusterIPs) && clusterIP === old.clusterIP ? old.clusterIPs : spec.clusterIPs;
  // With a selector, its endpoints are of the cluster's own families again.
  const isTakenOver = isHeadlessWithoutSelector(old) && !isHeadlessWithoutSelector({ ...spec, clusterIP });
  const before = isTakenOver ? {} : old;
  const kept = (field: string) => (isUnset(spec[field]) ? before[field] : spec[field]);
  return compact({ clusterIP, clusterIPs, ipFamilies: kept('ipFamilies'), ipFamilyPolicy: kept('ipFamilyPolicy') });
}

/** Matched by name, unless another port of the update asks for that number now. */
function keepNodePorts(ports: readonly unknown[], old: readonly Fields[]): unknown[] {
  const wanted = new Set(ports.map((port) => numberOf(fieldsOf(port).nodePort)));
  return ports.map((entry) => {
    const port = fieldsOf(entry);
    if ((numberOf(port.nodePort) ?? 0) !== 0) return entry;
    const kept = numberOf(old.find((each) => (each.name ?? '') === (port.name ?? ''))?.nodePort) ?? 0;
    return kept === 0 || wanted.has(kept) ? entry : { ...port, nodePort: kept };
  });
}

/** The update without those fields that its type has no use for, and that say what they said before. */
function withoutLeftovers(spec: Fields, old: Fields): Fields {
  const lost = [
    ...(spec.type === 'ExternalName' ? ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy'] : []),
    ...(spec.type === 'LoadBalancer' ? [] : ['allocateLoadBalancerNodePorts', 'loadBalancerClass']),
    ...(needsHealthCheck(spec) ? [] : ['healthCheckNodePort']),
    ...(isExternallyAccessible(spec) ? [] : ['externalTrafficPolicy']),
  ].filter((field) => isSame(spec[field], old[field]));
  const kept = Object.fromEntries(Object.entries(spec).filter(([field]) => !lost.includes(field)));
  const oldPorts = new Set(nodePortsOf(old));
  const losesPorts = !needsNodePorts(spec) && nodePortsOf(spec).every((port) => oldPorts.has(port));
  if (!losesPorts || !Array.isArray(kept.ports)) return kept;
  return { ...kept, ports: kept.ports.map((port) => (isFields(port) ? withoutNodePort(port) : port)) };
}

function withoutNodePort({ nodePort: _, ...port }: Fields): Fields {
  return port;
}

/** Who goes from two families to SingleStack keeps the first of what was there. */
function trimmed(spec: Fields, old: Fields): Fields {
  if (spec.ipFamilyPolicy !== 'SingleStack' || old.ipFamilyPolicy === 'SingleStack') return spec;
  const first = (field: string) => (isSame(spec[field], old[field]) && Array.isArray(spec[field]) ? spec[field].slice(0, 1) : spec[field]);
  return compact({ ...spec, clusterIPs: first('clusterIPs'), ipFamilies: first('ipFamilies') });
}

function needsNodePorts({ type }: Fields): boolean {
  return type === 'NodePort' || type === 'LoadBalancer';
}

function needsHealthCheck({ type, externalTrafficPolicy }: Fields): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

function nodePortsOf({ ports }: Fields): number[] {
  return listOf(ports).flatMap((port) => numberOf(fieldsOf(port).nodePort) || []);
}

function isSame(value: unknown, before: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(before);
}
