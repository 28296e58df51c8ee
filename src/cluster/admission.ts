// What happens to objects on their way into the cluster: defaults, what an update keeps of the old object, validation, allocation.
// Collects everything that is wrong; the caller decides whether the first problem ends it.
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { ObjectProblem } from '../errors.ts';
import { clusterIPsOf, ServiceAllocator, type ServiceRanges } from './allocation.ts';
import { type Complaint, complaint, quoted } from './complaint.ts';
import { type DefaultingContext, withDefaults } from './defaults.ts';
import { compact, comparableJson, type Fields, fieldsOf, isUnset } from './fields.ts';
import { updatedService } from './service-updates.ts';
import type { ObjectStore } from './store.ts';
import { problemsOf, validateDefaulted } from './validation.ts';

export interface AdmissionSettings extends DefaultingContext, ServiceRanges {}

export interface Admission {
  readonly admitted: readonly KubernetesObject[];
  readonly problems: readonly ObjectProblem[];
}

/** Admits a batch on top of what the store holds. The store is not changed. */
export function admit(objects: Iterable<KubernetesObject>, store: ObjectStore, settings: AdmissionSettings): Admission {
  const problems: ObjectProblem[] = [];
  const admitted: { object: KubernetesObject; origin: KubernetesObject }[] = [];
  for (const origin of objects) {
    const named = withDefaults(origin, settings);
    const previous = store.get(named.kind, objectName(named));
    const object = previous === undefined ? named : withDefaults(keepFromPrevious(origin, previous), settings);
    problems.push(...validateDefaulted(object, settings, origin));
    if (previous !== undefined) problems.push(...problemsOf(immutableChanges(object, previous), object, origin));
    admitted.push({ object, origin });
  }
  // Of a Service that stands twice, the later one counts, and needs one address.
  const services = new Map(admitted.flatMap((each) => (each.object.kind === 'Service' ? [[objectName(each.object), each]] : [])));
  if (services.size === 0) return { admitted: admitted.map(({ object }) => object), problems };

  const allocator = new ServiceAllocator(settings, (holding) => {
    const [owner] = store.servicesByHolding.at(String(holding));
    return owner === undefined ? undefined : objectName(owner);
  });
  for (const { object } of services.values()) {
    const previous = store.get('Service', objectName(object));
    if (previous !== undefined) allocator.release(previous);
  }
  // All wishes before all choices: a given address wins over one that could as well be another.
  for (const { object, origin } of services.values()) problems.push(...problemsOf(allocator.reserve(object), object, origin));
  if (problems.length > 0) return { admitted: [], problems };
  const complete = ({ object }: { object: KubernetesObject }) => {
    if (object.kind !== 'Service') return object;
    return services.get(objectName(object))?.object === object ? allocator.complete(object) : [];
  };
  return { admitted: admitted.flatMap(complete), problems };
}

/** A manifest says what should be; what the cluster found out about the object since stays. */
function keepFromPrevious(object: KubernetesObject, previous: KubernetesObject): KubernetesObject {
  if (object.kind === 'Service') return updatedService(object, previous);
  // `status: {}`, as kubectl writes it for what it has not sent yet, says nothing.
  const isSilent = Object.keys(fieldsOf(object.status)).length === 0;
  if ((object.kind !== 'Pod' && object.kind !== 'Node') || !isSilent) return object;
  const [spec, old] = [fieldsOf(object.spec), fieldsOf(previous.spec)];
  const found = ['nodeName', 'podCIDR', 'podCIDRs'].filter((field) => isUnset(spec[field])).map((field) => [field, old[field]]);
  return { ...object, spec: compact({ ...spec, ...Object.fromEntries(found) }), status: previous.status };
}

/** Fields that an update may not change. */
function immutableChanges(object: KubernetesObject, previous: KubernetesObject): Complaint[] {
  const [spec, old] = [fieldsOf(object.spec), fieldsOf(previous.spec)];
  switch (object.kind) {
    case 'Service':
      return [...changedClusterIP(spec, old), ...changedLoadBalancer(spec, old)];
    case 'EndpointSlice':
      return changed('addressType', object.addressType, previous.addressType);
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
    case 'DaemonSet':
      return changed('spec.selector', spec.selector, old.selector);
    default:
      return [];
  }
}

function changedClusterIP(spec: Fields, old: Fields): Complaint[] {
  const isHeadlessChange = (spec.clusterIP === 'None') !== (old.clusterIP === 'None');
  const [before] = clusterIPsOf(old);
  const [now] = clusterIPsOf(spec);
  if (spec.type === 'ExternalName' || old.type === 'ExternalName' || (before === now && !isHeadlessChange)) return [];
  return [
    complaint('spec.clusterIP', spec.clusterIP, `${quoted(spec.clusterIP)} differs from ${quoted(old.clusterIP)}: the field is immutable`),
  ];
}

/** As long as the Service stays a load balancer, and one that needs its health checked. */
function changedLoadBalancer(spec: Fields, old: Fields): Complaint[] {
  if (spec.type !== 'LoadBalancer' || old.type !== 'LoadBalancer') return [];
  const isLocal = spec.externalTrafficPolicy === 'Local' && old.externalTrafficPolicy === 'Local';
  return [
    ...changed('spec.loadBalancerClass', spec.loadBalancerClass, old.loadBalancerClass),
    ...(isLocal ? changed('spec.healthCheckNodePort', spec.healthCheckNodePort, old.healthCheckNodePort) : []),
  ];
}

function changed(path: string, value: unknown, before: unknown): Complaint[] {
  if (comparableJson(value) === comparableJson(before)) return [];
  return [complaint(path, value, `${quoted(value)} differs from ${quoted(before)}: the field is immutable`)];
}
