// The kinds of the API: which live in a namespace, how an object is named, and which of them a dataplane looks at.
import type { KubernetesObject, ObjectRef } from './types.ts';

/** The kinds kube-proxy watches. Pods, workloads and everything else reach it only through EndpointSlices. */
export type WatchedKind = 'Service' | 'EndpointSlice' | 'Node' | 'ServiceCIDR';

const watchedGroups: Readonly<Record<WatchedKind, string>> = {
  Service: '',
  EndpointSlice: 'discovery.k8s.io',
  Node: '',
  ServiceCIDR: 'networking.k8s.io',
};

const clusterScopedKinds: ReadonlySet<string> = new Set([
  'APIService',
  'ClusterRole',
  'ClusterRoleBinding',
  'CSIDriver',
  'CSINode',
  'CustomResourceDefinition',
  'IngressClass',
  'IPAddress',
  'MutatingWebhookConfiguration',
  'Namespace',
  'Node',
  'PersistentVolume',
  'PriorityClass',
  'RuntimeClass',
  'ServiceCIDR',
  'StorageClass',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'ValidatingWebhookConfiguration',
  'VolumeAttachment',
]);

/** Kinds that are not known, those of custom resources, count as namespaced: most are. */
export function isNamespaced(kind: string): boolean {
  return !clusterScopedKinds.has(kind);
}

/**
 * The kind, when it is one that a dataplane looks at. The API group counts: a Knative Service is another thing of the same name.
 * Any version of the group is meant; the readers refuse those they cannot read.
 */
export function watchedKindOf(object: KubernetesObject): WatchedKind | undefined {
  const kind = watchedKindNamed(object.kind);
  return kind !== undefined && watchedGroups[kind] === groupOf(object) ? kind : undefined;
}

/** `apps` of `apps/v1`; empty for `v1`. */
export function groupOf({ apiVersion }: KubernetesObject): string {
  const slash = apiVersion.indexOf('/');
  return slash < 0 ? '' : apiVersion.slice(0, slash);
}

/** The watched kind of that name. */
export function watchedKindNamed(kind: string): WatchedKind | undefined {
  return isWatched(kind) ? kind : undefined;
}

function isWatched(kind: string): kind is WatchedKind {
  return Object.hasOwn(watchedGroups, kind);
}

/** The namespace of an object; `default` when it names none, `` when its kind has none. */
export function namespaceOf(object: KubernetesObject): string {
  return isNamespaced(object.kind) ? object.metadata.namespace || 'default' : '';
}

/** `namespace/name`, or the name alone for a kind without namespaces. What stands there and is no text is shown as JSON. */
export function objectName(object: KubernetesObject): string {
  const namespace = namespaceOf(object);
  const name = nameText(object.metadata.name);
  return namespace === '' ? name : `${nameText(namespace)}/${name}`;
}

function nameText(name: unknown): string {
  return typeof name === 'string' ? name : JSON.stringify(name);
}

/** The name of an object, as `delete` takes it. */
export function refOf(object: KubernetesObject): ObjectRef {
  const { kind, metadata } = object;
  return isNamespaced(kind) ? { kind, namespace: namespaceOf(object), name: metadata.name } : { kind, name: metadata.name };
}

/** One text for each object: `Service/default/web`, `Node/n1`. */
export function keyOf(ref: ObjectRef): string {
  return isNamespaced(ref.kind) ? `${ref.kind}/${ref.namespace || 'default'}/${ref.name}` : `${ref.kind}/${ref.name}`;
}
