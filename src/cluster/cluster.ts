// The embedded control plane: what an API server and its controllers would have made of plain manifests. Ties admission, controllers
// and consumers together; every change is worked out on a copy first, so that it happens whole or not at all.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Family, Prefix } from '../address.ts';
import { keyOf, namespaceOf, objectName, refOf } from '../api/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../api/types.ts';
import { InvalidArgumentError, InvalidObjectError, type ObjectProblem } from '../errors.ts';
import { requirePrefix } from './address-range.ts';
import { type AdmissionSettings, admit } from './admission.ts';
import { parsePortRange } from './allocation.ts';
import { withNamespace } from './defaults.ts';
import { reconcileEndpointSlices } from './endpoint-slices.ts';
import { fieldsOf, listOf, textOf } from './fields.ts';
import { completeNodes, type NodeSpec, nodesFromSpecs } from './nodes.ts';
import { placePods } from './placement.ts';
import { isTerminating, podNode, terminated, withReadiness } from './pods.ts';
import { controllerOf, isControlledBy, ObjectStore } from './store.ts';
import { currentReplicaSet, reconcileWorkloads, WORKLOAD_KINDS } from './workloads.ts';

export interface ClusterOptions {
  /** How many, or which. Default 3, named node-1 to node-3. Nodes among the objects take their place. */
  readonly nodes?: number | readonly NodeSpec[];
  /** One for each family. Default 10.244.0.0/16 and fd00:10:244::/56. */
  readonly podCIDRs?: readonly string[];
  /** One for each family. Default 10.96.0.0/12 and fd00:10:96::/112. */
  readonly serviceCIDRs?: readonly string[];
  /** Default 30000-32767. */
  readonly nodePortRange?: string;
  /** Primary first. Default IPv4 alone. */
  readonly ipFamilies?: readonly Family[];
  /** The namespace of objects that name none, as `kubectl -n`. Default `default`. */
  readonly namespace?: string;
  /** Milliseconds since 1970, for the end of a Pod's grace period. Default: time stands still at 0, so that the same input gives the same cluster. */
  readonly now?: () => number;
}

/** What learns of a cluster's objects: a dataplane, a DNS. */
export interface ClusterConsumer {
  apply(objects: Iterable<KubernetesObject>): void;
  delete(refs: Iterable<ObjectRef>): void;
}

export interface ApplyOptions {
  /** Deletes what was applied before and is not among these objects, as `kubectl apply --prune --all` does. */
  readonly prune?: boolean;
}

/** An API server with its controllers, in memory. Given objects always win over made ones. */
export interface Cluster {
  /** Where cluster IPs come from, one CIDR a family, as ServiceCIDR objects say. */
  readonly serviceCIDRs: readonly string[];
  /** Validated and defaulted as the API server does; workloads become Pods. All of it or nothing. @throws InvalidObjectError */
  apply(objects: Iterable<KubernetesObject>, options?: ApplyOptions): void;
  /** Objects and all that their controllers made for them. What does not exist is passed over. */
  delete(refs: Iterable<ObjectRef>): void;
  /** Everything, or everything of a kind, sorted: with addresses, EndpointSlices, Namespaces. */
  objects(kind?: string): readonly KubernetesObject[];
  /** Turns the Ready condition of a Pod, `namespace/name`. */
  setReady(pod: string, ready: boolean): void;
  /** Begins the deletion of a Pod: it serves on until its grace period is over or it is deleted. */
  terminate(pod: string): void;
  /** `kind/namespace/name` of a Deployment, ReplicaSet or StatefulSet. Surplus Pods are gone at once. */
  scale(workload: string, replicas: number): void;
  /** Cordons a Node and evicts its Pods, but those of DaemonSets. */
  drain(node: string): void;
  /** Hands over all objects, and from then on whatever changes, until it is disposed. */
  connect(consumer: ClusterConsumer): Disposable;
}

const DEFAULT_NODE_COUNT = 3;
const DEFAULT_NODE_PORTS = '30000-32767';
const DEFAULT_CIDRS: Readonly<Record<Family, { readonly pods: string; readonly services: string }>> = {
  IPv4: { pods: '10.244.0.0/16', services: '10.96.0.0/12' },
  IPv6: { pods: 'fd00:10:244::/56', services: 'fd00:10:96::/112' },
};
const INITIAL_NAMESPACES = ['default', 'kube-system'];

interface ClusterSettings extends AdmissionSettings {
  readonly podCIDRs: readonly Prefix[];
  readonly isNodesChosen: boolean;
  readonly now: () => number;
}

/**
 * A cluster without a cluster.
 *
 * @example
 * const cluster = createCluster({ nodes: 2 });
 * cluster.apply(parseManifests('{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [{name: web}]}}'));
 * cluster.objects('Pod'); // one Pod, on node-1, with an address
 */
export function createCluster(options: ClusterOptions = {}): Cluster {
  const settings = settingsOf(options);
  const consumers = new Set<ClusterConsumer>();
  const ownNodes = nodesFromSpecs(options.nodes ?? DEFAULT_NODE_COUNT);
  let store = new ObjectStore();
  change((draft) => {
    for (const node of ownNodes) draft.put(node);
  });

  function change(edit: (draft: ObjectStore) => void): void {
    const draft = store.clone();
    edit(draft);
    reconcile(draft, settings);
    const before = store;
    store = draft;
    publish(before, draft, consumers);
  }

  function requireObject(draft: ObjectStore, kind: string, name: string): KubernetesObject {
    const object = draft.get(kind, kind === 'Node' || name.includes('/') ? name : `${settings.namespace}/${name}`);
    if (object === undefined) throw new InvalidArgumentError(kind.toLowerCase(), name, 'does not exist');
    return object;
  }

  return {
    serviceCIDRs: settings.serviceCIDRs.map(({ text }) => text),
    apply(objects, { prune = false } = {}) {
      const given = [...objects];
      change((draft) => {
        if (prune) {
          removeAllBut(draft, given, settings);
          if (draft.count('Node') === 0) for (const node of ownNodes) draft.put(node);
        }
        const { admitted, problems } = admit(given, draft, settings);
        const [first] = problems;
        if (first !== undefined) throw new InvalidObjectError(first);
        makeRoomForNodes(draft, admitted, settings);
        for (const object of admitted) draft.putGiven(object);
      });
    },
    delete(refs) {
      const gone = [...refs];
      change((draft) => {
        for (const ref of gone) removeWithDependents(draft, ref);
      });
    },
    objects: (kind) => store.sorted(kind),
    setReady(pod, ready) {
      change((draft) => draft.put(withReadiness(requireObject(draft, 'Pod', pod), ready)));
    },
    terminate(pod) {
      change((draft) => {
        const found = requireObject(draft, 'Pod', pod);
        if (!isTerminating(found)) draft.put(terminated(found, settings.now()));
      });
    },
    scale(workload, replicas) {
      if (!Number.isInteger(replicas) || replicas < 0) throw new InvalidArgumentError('replicas', replicas, 'is not a number of Pods');
      change((draft) => scaleWorkload(draft, workload, replicas));
    },
    drain(node) {
      change((draft) => {
        const found = requireObject(draft, 'Node', node);
        draft.put({ ...found, spec: { ...fieldsOf(found.spec), unschedulable: true } });
        for (const pod of draft.list('Pod')) {
          if (podNode(pod) === node && controllerOf(pod)?.kind !== 'DaemonSet') draft.remove(pod);
        }
      });
    },
    connect(consumer) {
      consumer.apply(store.sorted());
      consumers.add(consumer);
      return { [Symbol.dispose]: () => void consumers.delete(consumer) };
    },
  };
}

/** Everything that an API server would refuse about these objects, taken together in a cluster with these options. */
export function validateObjects(objects: Iterable<KubernetesObject>, options: ClusterOptions = {}): ObjectProblem[] {
  return [...admit(objects, new ObjectStore(), settingsOf(options)).problems];
}

function settingsOf(options: ClusterOptions): ClusterSettings {
  const families = options.ipFamilies ?? ['IPv4'];
  const valid = families.length >= 1 && families.length === new Set(families).size && families.every((each) => each in DEFAULT_CIDRS);
  if (!valid) throw new InvalidArgumentError('ipFamilies', families, 'is not IPv4, IPv6 or both');
  const prefixes = (option: string, texts: readonly string[]) => {
    const parsed = texts.map((text) => requirePrefix(option, text));
    const missing = families.find((family) => !parsed.some((prefix) => prefix.family === family));
    if (missing !== undefined) throw new InvalidArgumentError(option, texts, `holds no CIDR of ${missing}`);
    return families.flatMap((family) => parsed.find((prefix) => prefix.family === family) ?? []);
  };
  return {
    families,
    namespace: options.namespace ?? 'default',
    podCIDRs: prefixes('podCIDRs', options.podCIDRs ?? families.map((family) => DEFAULT_CIDRS[family].pods)),
    serviceCIDRs: prefixes('serviceCIDRs', options.serviceCIDRs ?? families.map((family) => DEFAULT_CIDRS[family].services)),
    nodePorts: parsePortRange(options.nodePortRange ?? DEFAULT_NODE_PORTS),
    isNodesChosen: options.nodes !== undefined,
    now: options.now ?? (() => 0),
  };
}

/** All controllers, each after those whose objects it reads. */
function reconcile(draft: ObjectStore, settings: ClusterSettings): void {
  for (const pod of draft.list('Pod')) {
    if (isTerminating(pod) && Date.parse(textOf(pod.metadata.deletionTimestamp)) <= settings.now()) draft.remove(pod);
  }
  completeNodes(draft, settings.podCIDRs);
  reconcileWorkloads(draft);
  placePods(draft, settings.families);
  reconcileEndpointSlices(draft);
  makeNamespaces(draft);
}

/** Given Nodes take the place of made ones, and Nodes that given Pods and slices run on exist. */
function makeRoomForNodes(draft: ObjectStore, admitted: readonly KubernetesObject[], settings: ClusterSettings): void {
  const givenNodes = admitted.filter((object) => object.kind === 'Node').map((node) => node.metadata.name);
  const named = new Set(admitted.flatMap(nodeNamesIn));
  const present = new Set(draft.list('Node').map((node) => node.metadata.name));
  const namesNoneOfOurs = named.size > 0 && ![...named].some((name) => present.has(name));
  if (givenNodes.length > 0 || (namesNoneOfOurs && !settings.isNodesChosen)) {
    for (const node of draft.list('Node')) if (!draft.isGiven(node)) draft.remove(node);
  }
  const known = new Set([...givenNodes, ...draft.list('Node').map((node) => node.metadata.name)]);
  const missing = [...named].filter((name) => !known.has(name)).sort();
  for (const node of nodesFromSpecs(missing.map((name) => ({ name })))) draft.putGiven(node);
}

/** Deletes what was given before and is none of these objects. */
function removeAllBut(draft: ObjectStore, objects: readonly KubernetesObject[], { namespace }: ClusterSettings): void {
  const kept = new Set(objects.map((object) => keyOf(refOf(withNamespace(object, namespace)))));
  const given = draft.kinds().flatMap((kind) => draft.list(kind).filter((object) => draft.isGiven(object)));
  for (const object of given) if (!kept.has(keyOf(refOf(object)))) removeWithDependents(draft, refOf(object));
}

function nodeNamesIn(object: KubernetesObject): string[] {
  if (object.kind === 'Pod') return podNode(object) === '' ? [] : [podNode(object)];
  if (object.kind !== 'EndpointSlice') return [];
  return listOf(object.endpoints).flatMap((endpoint) => textOf(fieldsOf(endpoint).nodeName) || []);
}

function makeNamespaces(draft: ObjectStore): void {
  const named = draft.kinds().flatMap((kind) => draft.list(kind).map(namespaceOf));
  for (const name of new Set([...INITIAL_NAMESPACES, ...named])) {
    if (name === '' || draft.get('Namespace', name) !== undefined) continue;
    const labels = { 'kubernetes.io/metadata.name': name };
    draft.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels }, status: { phase: 'Active' } });
  }
}

function removeWithDependents(draft: ObjectStore, ref: ObjectRef): void {
  const key = keyOf(ref);
  const object = draft.list(ref.kind).find((each) => keyOf(refOf(each)) === key);
  if (object === undefined) return;
  draft.remove(object);
  const inNamespace = ref.kind === 'Namespace' ? ref.name : undefined;
  const dependents = draft.kinds().flatMap((kind) => draft.list(kind));
  for (const each of dependents) {
    if (isControlledBy(each, object) || namespaceOf(each) === inNamespace) removeWithDependents(draft, refOf(each));
  }
}

function scaleWorkload(draft: ObjectStore, workload: string, replicas: number): void {
  const [kindText = '', ...rest] = workload.split('/');
  const kind = WORKLOAD_KINDS.find((each) => each.toLowerCase() === kindText.toLowerCase());
  const name = rest.length === 1 ? `default/${rest[0]}` : rest.join('/');
  const found = kind === undefined || kind === 'DaemonSet' ? undefined : draft.get(kind, name);
  if (found === undefined)
    throw new InvalidArgumentError('workload', workload, 'does not exist, expected kind/namespace/name of something with replicas');
  const replicaSet = found.kind === 'Deployment' ? currentReplicaSet(draft, found) : undefined;
  for (const scaled of replicaSet === undefined ? [found] : [found, replicaSet]) {
    draft.put({ ...scaled, spec: { ...fieldsOf(scaled.spec), replicas } });
    // Whoever scales wants that many Pods, also when the Pods were given.
    for (const pod of draft.list('Pod')) if (isControlledBy(pod, scaled)) draft.release(pod);
  }
}

/** Tells consumers what is new, and then what is gone, so that a replaced endpoint is never missing in between. */
function publish(before: ObjectStore, after: ObjectStore, consumers: ReadonlySet<ClusterConsumer>): void {
  if (consumers.size === 0) return;
  const changed = after.sorted().filter((object) => before.get(object.kind, objectName(object)) !== object);
  const gone = before.sorted().filter((object) => after.get(object.kind, objectName(object)) === undefined);
  for (const consumer of consumers) {
    if (changed.length > 0) consumer.apply(changed);
    if (gone.length > 0) consumer.delete(gone.map(refOf));
  }
}
