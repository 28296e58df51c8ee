// What follows from a change: each controller looks again at what the change concerns, and at nothing else, until nothing is left to do.
// So a change costs what it changes, however large the cluster is.
import type { Family, Prefix } from '../address.ts';
import { namespaceOf, objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { reconcileEndpointSlices } from './endpoint-slices.ts';
import { reconcileMirroredSlices } from './endpoints-mirroring.ts';
import { labelsOf } from './fields.ts';
import { completeNodes } from './nodes.ts';
import { controllerOf } from './owners.ts';
import { isWaiting, placePods } from './placement.ts';
import { adopts } from './replica-sets.ts';
import { matchesLabels } from './selector.ts';
import { serviceKey } from './service-slices.ts';
import { type Change, type ObjectStore, serviceSelector } from './store.ts';
import { removeExpiredPods } from './termination.ts';
import { type NodeShare, nodeShare } from './topology-hints.ts';
import { reconcileWorkload, WORKLOAD_KINDS } from './workloads.ts';

const INITIAL_NAMESPACES = ['default', 'kube-system'];

export interface ControllerSettings {
  readonly families: readonly Family[];
  readonly podCIDRs: readonly Prefix[];
}

/** Runs all controllers on what has changed since the last time. `nowMs`: milliseconds since 1970. */
export function reconcile(store: ObjectStore, settings: ControllerSettings, nowMs: number): void {
  const work = new WorkQueue(store);
  removeExpiredPods(store, nowMs);
  for (let changes = store.takeChanges(); changes.length > 0; changes = store.takeChanges()) {
    work.note(changes);
    if (work.takeNodes()) completeNodes(store, settings.podCIDRs);
    // Pods are placed when all are there that come at the same time, those of new ReplicaSets too.
    work.runDeployments(nowMs);
    work.note(store.takeChanges());
    work.runWorkloads(nowMs);
    placePods(store, work.takeWaitingPods(), settings.families);
  }
  work.runServices();
  makeNamespaces(store, work.namespaces);
  // Slices and namespaces concern no controller.
  store.takeChanges();
}

/** What has still to be looked at, by name. */
class WorkQueue {
  readonly #store: ObjectStore;
  readonly namespaces = new Set(INITIAL_NAMESPACES);
  readonly #services = new Set<string>();
  /** Kind → names. */
  readonly #workloads = new Map(WORKLOAD_KINDS.map((kind) => [kind, new Set<string>()]));
  #waitingPods = new Set<string>();
  #haveNodesChanged = false;

  constructor(store: ObjectStore) {
    this.#store = store;
  }

  note(changes: readonly Change[]): void {
    for (const change of changes) this.#note(change);
  }

  #note({ before, after }: Change): void {
    const either = after ?? before;
    if (either === undefined) return;
    if (after !== undefined) this.namespaces.add(namespaceOf(after));
    switch (either.kind) {
      case 'Node':
        this.#noteNode(before, after);
        return;
      case 'Pod':
        if (before !== undefined) this.#notePod(before);
        if (after !== undefined) this.#notePod(after);
        else this.#noteGonePod(either);
        return;
      case 'Service':
      case 'Endpoints':
        this.#services.add(objectName(either));
        return;
      case 'EndpointSlice':
        for (const slice of [before, after]) if (slice !== undefined) this.#services.add(serviceKey(slice));
        return;
      default:
        this.#noteWorkload(either);
    }
  }

  takeNodes(): boolean {
    const haveChanged = this.#haveNodesChanged;
    this.#haveNodesChanged = false;
    return haveChanged;
  }

  takeWaitingPods(): KubernetesObject[] {
    const names = this.#waitingPods;
    this.#waitingPods = new Set();
    return [...names].flatMap((name) => this.#store.get('Pod', name) ?? []);
  }

  runDeployments(nowMs: number): void {
    this.#run('Deployment', nowMs);
  }

  runWorkloads(nowMs: number): void {
    for (const kind of WORKLOAD_KINDS) this.#run(kind, nowMs);
  }

  runServices(): void {
    let shares: readonly NodeShare[] | undefined;
    const nodes = () => {
      shares ??= this.#store.list('Node').map(nodeShare);
      return shares;
    };
    for (const name of this.#services) {
      reconcileEndpointSlices(this.#store, name, nodes);
      reconcileMirroredSlices(this.#store, name);
    }
  }

  #run(kind: string, nowMs: number): void {
    const names = this.#workloads.get(kind) ?? new Set();
    this.#workloads.set(kind, new Set());
    for (const name of names) {
      const workload = this.#store.get(kind, name);
      if (workload !== undefined) reconcileWorkload(this.#store, workload, nowMs);
    }
  }

  #noteNode(before: KubernetesObject | undefined, after: KubernetesObject | undefined): void {
    this.#haveNodesChanged = true;
    if (before !== undefined && after === undefined) {
      for (const pod of this.#store.podsByNode.at(before.metadata.name)) this.#store.remove(pod);
    }
    for (const daemonSet of this.#store.list('DaemonSet')) this.#noteWorkload(daemonSet);
    for (const pod of this.#store.podsByNode.at('')) this.#noteWaiting(pod);
    const share = (node: KubernetesObject | undefined) => JSON.stringify(node && nodeShare(node));
    if (share(before) === share(after)) return;
    for (const service of this.#store.list('Service')) this.#services.add(objectName(service));
  }

  #notePod(pod: KubernetesObject): void {
    const labels = labelsOf(pod.metadata.labels);
    const namespace = namespaceOf(pod);
    const owner = controllerOf(pod);
    if (owner !== undefined) this.#workloads.get(owner.kind)?.add(`${namespace}/${owner.name}`);
    else this.#noteAdopters(namespace, labels);
    for (const service of this.#store.servicesBySelector.candidates(namespace, labels)) {
      if (matchesLabels(serviceSelector(service) ?? {}, labels)) this.#services.add(objectName(service));
    }
    this.#noteWaiting(pod);
  }

  #noteAdopters(namespace: string, labels: Readonly<Record<string, string>>): void {
    for (const adopter of this.#store.adoptersBySelector.candidates(namespace, labels)) {
      if (adopts(adopter, labels)) this.#noteWorkload(adopter);
    }
  }

  /** Its Deployment may have waited for it. */
  #noteGonePod(pod: KubernetesObject): void {
    const owner = controllerOf(pod);
    const replicaSet = owner?.kind === 'ReplicaSet' ? this.#store.get(owner.kind, `${namespaceOf(pod)}/${owner.name}`) : undefined;
    if (replicaSet !== undefined) this.#noteWorkload(replicaSet);
  }

  #noteWaiting(pod: KubernetesObject): void {
    if (isWaiting(pod)) this.#waitingPods.add(objectName(pod));
  }

  #noteWorkload(workload: KubernetesObject): void {
    this.#workloads.get(workload.kind)?.add(objectName(workload));
    const owner = controllerOf(workload);
    if (owner !== undefined) this.#workloads.get(owner.kind)?.add(`${namespaceOf(workload)}/${owner.name}`);
  }
}

function makeNamespaces(store: ObjectStore, names: ReadonlySet<string>): void {
  for (const name of names) {
    if (name === '' || store.get('Namespace', name) !== undefined) continue;
    const labels = { 'kubernetes.io/metadata.name': name };
    store.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels }, status: { phase: 'Active' } });
  }
}
