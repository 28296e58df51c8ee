// The embedded control plane: what an API server and its controllers would have made of plain manifests. Ties admission, controllers
// and consumers together; every change happens whole or not at all.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Family, Prefix } from '../address.ts';
import { givenObjects, givenRefs } from '../api/given-objects.ts';
import { isNamespaced, keyOf, namespaceOf, objectName, refOf } from '../api/kinds.ts';
import type { KubernetesObject, ObjectRef } from '../api/types.ts';
import { InvalidArgumentError, InvalidObjectError, type ObjectProblem } from '../errors.ts';
import { clockOption, requireKnownOptions } from '../known-options.ts';
import { requirePrefix } from './address-range.ts';
import { type AdmissionSettings, admit } from './admission.ts';
import { parsePortRange } from './allocation.ts';
import { reconcile } from './controllers.ts';
import { withNamespace } from './defaults.ts';
import { currentReplicaSet } from './deployments.ts';
import { beginDrain, type DrainOptions, evict, setSchedulable } from './drain.ts';
import { fieldsOf, listOf, textOf } from './fields.ts';
import { isNamesake } from './groups.ts';
import { type NodeSpec, nodesFromSpecs } from './nodes.ts';
import { podNode, withReadiness } from './pods.ts';
import { type Change, ObjectStore } from './store.ts';
import { nextExpiryMs, terminatePod } from './termination.ts';
import { SCALABLE_KINDS } from './workloads.ts';

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
  /** Milliseconds since 1970, for the end of a Pod's grace period. Default: time stands still at 0, so that the same input gives the same cluster; `advance` moves it. */
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
  /**
   * Validated and defaulted as the API server does; workloads become Pods. All of it or nothing. Of an object that stands twice, the
   * later one counts; a custom resource with the name of a kind that is read here, as Knative's Service, is passed over.
   * @throws InvalidObjectError
   */
  apply(objects: Iterable<KubernetesObject>, options?: ApplyOptions): void;
  /** Objects and all that their controllers made for them, at once (`--force --grace-period=0`). What does not exist is passed over. */
  delete(refs: Iterable<ObjectRef>): void;
  /** Everything, or everything of a kind, sorted: with addresses, EndpointSlices, Namespaces. */
  objects(kind?: string): readonly KubernetesObject[];
  /** Turns the Ready condition of a Pod, `namespace/name`. */
  setReady(pod: string, ready: boolean): void;
  /** Begins the deletion of a Pod, as `kubectl delete pod` does: it serves on while it is ready, until its grace period is over. */
  terminate(pod: string): void;
  /** `kind/namespace/name` of a Deployment, ReplicaSet, ReplicationController or StatefulSet. Surplus Pods terminate. */
  scale(workload: string, replicas: number): void;
  /**
   * Cordons a Node and evicts its Pods, as `kubectl drain --ignore-daemonsets` does: they terminate, and their workloads make others
   * elsewhere. A Pod that a PodDisruptionBudget keeps follows as soon as that allows it, while time passes and Pods become ready.
   * @returns the Pods that budgets keep for now, `namespace/name`
   * @throws InvalidArgumentError when Pods would be lost that no workload makes anew, unless `force` says so
   */
  drain(node: string, options?: DrainOptions): readonly string[];
  /** Lets Pods run on a drained Node again. */
  uncordon(node: string): void;
  /**
   * Lets time pass: so many seconds on the cluster's clock, on top of what `now` has moved; without a number, until nothing is under way.
   * Each end of a grace period is a change of its own, in the order of time. Any other call catches up with `now` first.
   */
  advance(seconds?: number): void;
  /** Hands over all objects, and from then on whatever changes, until it is disposed. */
  connect(consumer: ClusterConsumer): Disposable;
}

const OPTIONS: readonly (keyof ClusterOptions)[] = ['nodes', 'podCIDRs', 'serviceCIDRs', 'nodePortRange', 'ipFamilies', 'namespace', 'now'];
const DEFAULT_NODE_COUNT = 3;
/** Of IPv6, as the API server has it. */
const SERVICE_PREFIX_MIN = 64;
const DEFAULT_NODE_PORTS = '30000-32767';
const DEFAULT_CIDRS: Readonly<Record<Family, { readonly pods: string; readonly services: string }>> = {
  IPv4: { pods: '10.244.0.0/16', services: '10.96.0.0/12' },
  IPv6: { pods: 'fd00:10:244::/56', services: 'fd00:10:96::/112' },
};

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
 * cluster.terminate('default/web'); // ready no more, but it serves
 * cluster.advance(30); // its grace period is over: it is gone
 */
export function createCluster(options: ClusterOptions = {}): Cluster {
  const settings = settingsOf(options);
  const consumers = new Set<ClusterConsumer>();
  const ownNodes = nodesFromSpecs(options.nodes ?? DEFAULT_NODE_COUNT);
  const store = new ObjectStore();
  let advancedMs = 0;
  /** Drained Node → its Pods that are still to be evicted. */
  let leaving = new Map<string, readonly string[]>();
  const nowMs = () => settings.now() + advancedMs;
  change(() => {
    for (const node of ownNodes) store.put(node);
  });

  /** All of it or nothing: whatever is thrown on the way takes everything back. */
  function change(edit: () => void): void {
    const leavingBefore = new Map(leaving);
    try {
      edit();
      reconcile(store, settings, nowMs());
      // Whoever was made anew may let the next one go.
      while (evictLeaving()) reconcile(store, settings, nowMs());
    } catch (error) {
      store.rollback();
      leaving = leavingBefore;
      throw error;
    }
    publish(store.commit(), consumers);
  }

  /** True when a Pod of a drained Node begins to go. */
  function evictLeaving(): boolean {
    let hasEvicted = false;
    for (const [node, pods] of leaving) {
      const kept = evict(store, pods, nowMs());
      hasEvicted ||= kept.length < pods.length;
      if (kept.length > 0) leaving.set(node, kept);
      else leaving.delete(node);
    }
    return hasEvicted;
  }

  /** What happens now, after all that was due before. */
  function event(edit: () => void): void {
    passTime(nowMs());
    change(edit);
  }

  /** Ends the grace periods that are over by then, each at its own time. */
  function passTime(untilMs: number): void {
    for (let next = nextExpiryMs(store); next !== undefined && next <= untilMs; next = nextExpiryMs(store)) {
      advancedMs += Math.max(0, next - nowMs());
      change(() => {});
    }
  }

  function requireObject(kind: string, name: string): KubernetesObject {
    const object = store.get(kind, kind === 'Node' || name.includes('/') ? name : `${settings.namespace}/${name}`);
    if (object === undefined) throw new InvalidArgumentError(kind.toLowerCase(), name, 'does not exist');
    return object;
  }

  return {
    serviceCIDRs: settings.serviceCIDRs.map(({ text }) => text),
    apply(objects, { prune = false } = {}) {
      const given = ownObjects(objects);
      event(() => {
        if (prune) {
          removeAllBut(store, given, settings);
          if (store.count('Node') === 0) for (const node of ownNodes) store.put(node);
        }
        const { admitted, problems } = admit(given, store, settings);
        const [first] = problems;
        if (first !== undefined) throw new InvalidObjectError(first);
        makeRoomForNodes(store, admitted, settings);
        for (const object of admitted) store.putGiven(object);
      });
    },
    delete(refs) {
      const gone = givenRefs(refs);
      event(() => {
        for (const ref of gone) removeWithDependents(store, ref);
      });
    },
    objects: (kind) => store.sorted(kind),
    setReady(pod, ready) {
      event(() => store.put(withReadiness(requireObject('Pod', pod), ready)));
    },
    terminate(pod) {
      event(() => terminatePod(store, requireObject('Pod', pod), nowMs()));
    },
    scale(workload, replicas) {
      if (!Number.isInteger(replicas) || replicas < 0) throw new InvalidArgumentError('replicas', replicas, 'is not a number of Pods');
      event(() => scaleWorkload(store, workload, replicas));
    },
    drain(node, options = {}) {
      event(() => {
        const pods = beginDrain(store, requireObject('Node', node), options);
        if (options.disableEviction === true) for (const pod of pods) terminatePod(store, pod, nowMs());
        else leaving.set(node, pods.map(objectName));
      });
      return leaving.get(node) ?? [];
    },
    uncordon(node) {
      event(() => {
        setSchedulable(store, requireObject('Node', node), true);
        leaving.delete(node);
      });
    },
    advance(seconds = Number.POSITIVE_INFINITY) {
      if (!(seconds >= 0)) throw new InvalidArgumentError('seconds', seconds, 'is not a time that can pass, expected 0 or more');
      const untilMs = nowMs() + seconds * 1000;
      passTime(untilMs);
      if (Number.isFinite(untilMs)) advancedMs += Math.max(0, untilMs - nowMs());
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
  return [...admit(ownObjects(objects), new ObjectStore(), settingsOf(options)).problems];
}

/** Objects are told apart by kind and name here: a custom resource must not take the place of a Service. */
function ownObjects(objects: Iterable<KubernetesObject>): KubernetesObject[] {
  return givenObjects(objects).filter((object) => !isNamesake(object));
}

function settingsOf(options: ClusterOptions): ClusterSettings {
  requireKnownOptions(options, OPTIONS);
  const families = options.ipFamilies ?? ['IPv4'];
  const valid =
    typeof families === 'object' &&
    families.length >= 1 &&
    families.length === new Set(families).size &&
    families.every((each) => each in DEFAULT_CIDRS);
  if (!valid) throw new InvalidArgumentError('ipFamilies', families, 'is not IPv4, IPv6 or both');
  const prefixes = (option: string, texts: readonly string[]) => {
    if (typeof texts === 'string') throw new InvalidArgumentError(option, texts, 'is not a list');
    const parsed = texts.map((text) => requirePrefix(option, text));
    const missing = families.find((family) => !parsed.some((prefix) => prefix.family === family));
    if (missing !== undefined) throw new InvalidArgumentError(option, texts, `holds no CIDR of ${missing}`);
    return families.flatMap((family) => parsed.find((prefix) => prefix.family === family) ?? []);
  };
  const serviceCIDRs = prefixes('serviceCIDRs', options.serviceCIDRs ?? families.map((family) => DEFAULT_CIDRS[family].services));
  const wide = serviceCIDRs.find(({ family, length }) => family === 'IPv6' && length < SERVICE_PREFIX_MIN);
  if (wide !== undefined)
    throw new InvalidArgumentError('serviceCIDRs', wide.text, `is too large, expected a prefix of ${SERVICE_PREFIX_MIN} or longer`);
  return {
    families,
    namespace: options.namespace ?? 'default',
    podCIDRs: prefixes('podCIDRs', options.podCIDRs ?? families.map((family) => DEFAULT_CIDRS[family].pods)),
    serviceCIDRs,
    nodePorts: parsePortRange(options.nodePortRange ?? DEFAULT_NODE_PORTS),
    isNodesChosen: options.nodes !== undefined,
    now: clockOption('now', options.now, () => 0),
  };
}

/** Given Nodes take the place of made ones, and Nodes that given Pods and slices run on exist. */
function makeRoomForNodes(store: ObjectStore, admitted: readonly KubernetesObject[], settings: ClusterSettings): void {
  const givenNodes = admitted.filter((object) => object.kind === 'Node').map((node) => node.metadata.name);
  const named = new Set(admitted.flatMap(nodeNamesIn));
  const present = new Set(store.list('Node').map((node) => node.metadata.name));
  const namesNoneOfOurs = named.size > 0 && ![...named].some((name) => present.has(name));
  if (givenNodes.length > 0 || (namesNoneOfOurs && !settings.isNodesChosen)) {
    for (const node of store.list('Node')) if (!store.isGiven(node)) store.remove(node);
  }
  const known = new Set([...givenNodes, ...store.list('Node').map((node) => node.metadata.name)]);
  const missing = [...named].filter((name) => !known.has(name)).sort();
  for (const node of nodesFromSpecs(missing.map((name) => ({ name })))) store.putGiven(node);
}

/** Deletes what was given before and is none of these objects. */
function removeAllBut(store: ObjectStore, objects: readonly KubernetesObject[], { namespace }: ClusterSettings): void {
  const kept = new Set(objects.map((object) => keyOf(refOf(withNamespace(object, namespace)))));
  const given = store.kinds().flatMap((kind) => store.list(kind).filter((object) => store.isGiven(object)));
  for (const object of given) if (!kept.has(keyOf(refOf(object)))) removeWithDependents(store, refOf(object));
}

function nodeNamesIn(object: KubernetesObject): string[] {
  if (object.kind === 'Pod') return podNode(object) === '' ? [] : [podNode(object)];
  if (object.kind !== 'EndpointSlice') return [];
  return listOf(object.endpoints).flatMap((endpoint) => textOf(fieldsOf(endpoint).nodeName) || []);
}

function removeWithDependents(store: ObjectStore, { kind, namespace, name }: ObjectRef): void {
  const object = store.get(kind, isNamespaced(kind) ? `${namespace || 'default'}/${name}` : name);
  if (object === undefined) return;
  store.remove(object);
  for (const each of store.controlledBy(object)) removeWithDependents(store, refOf(each));
  if (kind !== 'Namespace') return;
  const inside = store.kinds().flatMap((each) => store.list(each).filter((other) => namespaceOf(other) === name));
  for (const each of inside) removeWithDependents(store, refOf(each));
}

function scaleWorkload(store: ObjectStore, workload: string, replicas: number): void {
  const [kindText = '', ...rest] = workload.split('/');
  const kind = SCALABLE_KINDS.find((each) => each.toLowerCase() === kindText.toLowerCase());
  const name = rest.length === 1 ? `default/${rest[0]}` : rest.join('/');
  const found = kind === undefined ? undefined : store.get(kind, name);
  if (found === undefined)
    throw new InvalidArgumentError('workload', workload, 'does not exist, expected kind/namespace/name of something with replicas');
  const replicaSet = found.kind === 'Deployment' ? currentReplicaSet(store, found) : undefined;
  for (const scaled of replicaSet === undefined ? [found] : [found, replicaSet]) {
    store.put({ ...scaled, spec: { ...fieldsOf(scaled.spec), replicas } });
    // Whoever scales wants that many Pods, also when the Pods were given.
    for (const pod of store.controlledBy(scaled, 'Pod')) store.release(pod);
  }
}

/** Tells consumers what is new, and then what is gone, so that a replaced endpoint is never missing in between. */
function publish(changes: readonly Change[], consumers: ReadonlySet<ClusterConsumer>): void {
  const changed = changes.flatMap(({ after }) => after ?? []);
  const gone = changes.flatMap(({ before, after }) => (before === undefined || after !== undefined ? [] : refOf(before)));
  const errors: unknown[] = [];
  for (const consumer of consumers) {
    try {
      if (changed.length > 0) consumer.apply(changed);
      if (gone.length > 0) consumer.delete(gone);
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
