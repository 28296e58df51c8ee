// Where Pods run: a Node for each, spread evenly, and addresses from that Node's pod CIDR. Stands for the scheduler and the kubelets.
import { type Family, parsePrefix } from '../address.ts';
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { CapacityError } from '../errors.ts';
import { addressAt, offsetIn, rangeSize } from './address-range.ts';
import { fieldsOf, labelsOf, listOf } from './fields.ts';
import { nodeAddresses, nodePodCIDRs } from './nodes.ts';
import { controllerOf } from './owners.ts';
import { isFinished, isHostNetwork, isTerminating, podIPs, podNode, runningStatus } from './pods.ts';
import { matchesLabels } from './selector.ts';
import type { ObjectStore } from './store.ts';

/** The bridge of the node takes offset 1 of its pod CIDR. */
const FIRST_POD_OFFSET = 2;

/** Gives Pods without a Node one, and bound Pods without a status an address; what does not fit anywhere stays Pending. */
export function placePods(store: ObjectStore, pods: readonly KubernetesObject[], families: readonly Family[]): void {
  const waiting = pods.filter(isWaiting);
  if (waiting.length === 0) return;
  const load = new NodeLoad(store);
  for (const pod of waiting) {
    const isBound = podNode(pod) !== '';
    const node = isBound ? store.get('Node', podNode(pod)) : load.take(pod);
    if (node === undefined) continue;
    const hostIPs = nodeAddresses(node);
    const given = podIPs(pod);
    const ips = given.length > 0 ? given : isHostNetwork(pod) ? hostIPs : takePodAddresses(store, node, families);
    store.put({
      ...pod,
      spec: { ...fieldsOf(pod.spec), nodeName: node.metadata.name },
      status: { ...runningStatus(ips, hostIPs), ...fieldsOf(pod.status) },
    });
  }
}

/** True for a Pod that a scheduler or a kubelet has still to act on. */
export function isWaiting(pod: KubernetesObject): boolean {
  const { phase } = fieldsOf(pod.status);
  // A Pod that was given as Pending waits for something that no scheduler here can know.
  return !isFinished(pod) && phase !== 'Pending' && (podNode(pod) === '' || phase === undefined);
}

/** True when a workload's Pod may be put on the Node; `isDaemon`: cordoned Nodes are no obstacle. */
export function accepts(node: KubernetesObject, podSpec: unknown, isDaemon = false): boolean {
  const spec = fieldsOf(node.spec);
  const pod = fieldsOf(podSpec);
  if (spec.unschedulable === true && !isDaemon) return false;
  const taints = listOf(spec.taints).map(fieldsOf);
  const tolerations = taints.length === 0 ? [] : listOf(pod.tolerations).map(fieldsOf);
  const repelled = taints.some(
    (taint) =>
      (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') &&
      !(isDaemon && String(taint.key).startsWith('node.kubernetes.io/')) &&
      !tolerations.some(
        (toleration) =>
          (toleration.effect === undefined || toleration.effect === taint.effect) &&
          (toleration.key === undefined || toleration.key === taint.key) &&
          (toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '')),
      ),
  );
  return !repelled && (pod.nodeSelector === undefined || matchesLabels(labelsOf(pod.nodeSelector), labelsOf(node.metadata.labels)));
}

/** An address of each family that no Pod has yet. */
function takePodAddresses(store: ObjectStore, node: KubernetesObject, families: readonly Family[]): string[] {
  const cidrs = nodePodCIDRs(node);
  return families.flatMap((family) => {
    const cidr = cidrs.find((each) => parsePrefix(each)?.family === family);
    return cidr === undefined ? [] : [takePodAddress(store, cidr)];
  });
}

// Goes on behind the address handed out last, as the host-local plugin does: a fresh Pod does not get the address of one just gone,
// to which connections may still be tracked.
function takePodAddress(store: ObjectStore, cidr: string): string {
  const prefix = parsePrefix(cidr);
  if (prefix === undefined) throw new CapacityError(`pod CIDR ${cidr}: addresses`, 0, 1);
  const size = rangeSize(prefix) - FIRST_POD_OFFSET - (prefix.family === 'IPv4' ? 1 : 0);
  const counter = `address of ${cidr}`;
  const next = (store.counter(counter) ?? -1) + 1;
  for (let tried = 0; tried < size; tried++) {
    const index = (next + tried) % size;
    const { text } = addressAt(prefix, FIRST_POD_OFFSET + index);
    if (store.podsByAddress.count(text) > 0) continue;
    store.setCounter(counter, index);
    return text;
  }
  throw new CapacityError(`pod CIDR ${cidr}: addresses`, Math.max(0, size), size + 1);
}

/** An address of the Node's pod CIDR, high up and unused, for a client that is no object of the cluster. */
export function unusedPodAddress(node: KubernetesObject, pods: readonly KubernetesObject[], family: Family): string | undefined {
  const taken = new Set(pods.flatMap(podIPs));
  const prefix = nodePodCIDRs(node)
    .map(parsePrefix)
    .find((each) => each?.family === family);
  if (prefix === undefined) return undefined;
  const top = Math.min(250, rangeSize(prefix) - 2);
  for (let offset = top; offset >= FIRST_POD_OFFSET; offset--) {
    const address = addressAt(prefix, offset);
    if (!taken.has(address.text) && offsetIn(prefix, address) === offset) return address.text;
  }
  return undefined;
}

/** How many Pods each Node runs, in all and of each owner. Nodes are counted by their place in the list. */
class NodeLoad {
  readonly #store: ObjectStore;
  readonly #nodes: readonly KubernetesObject[];
  readonly #places: ReadonlyMap<string, number>;
  readonly #all: number[];
  /** Owner → Node → its Pods there; those that are ending are no reason to go elsewhere. */
  readonly #owned = new Map<string, Map<number, number>>();

  constructor(store: ObjectStore) {
    this.#store = store;
    this.#nodes = store.list('Node');
    this.#places = new Map(this.#nodes.map(({ metadata }, place) => [metadata.name, place]));
    this.#all = this.#nodes.map(({ metadata }) => store.unfinishedPodsByNode.count(metadata.name));
  }

  /** Takes the Node with the fewest Pods of the same owner, then with the fewest of all, then the first. */
  take(pod: KubernetesObject): KubernetesObject | undefined {
    const owned = this.#ownedBy(pod);
    let best = -1;
    for (const [place, node] of this.#nodes.entries()) {
      if (this.#isBetter(place, best, owned) && accepts(node, pod.spec)) best = place;
    }
    if (best < 0) return undefined;
    this.#all[best] = (this.#all[best] ?? 0) + 1;
    owned.set(best, (owned.get(best) ?? 0) + 1);
    return this.#nodes[best];
  }

  #isBetter(place: number, best: number, owned: ReadonlyMap<number, number>): boolean {
    if (best < 0) return true;
    const difference = (owned.get(place) ?? 0) - (owned.get(best) ?? 0);
    return difference < 0 || (difference === 0 && (this.#all[place] ?? 0) < (this.#all[best] ?? 0));
  }

  #ownedBy(pod: KubernetesObject): Map<number, number> {
    const owner = controllerOf(pod);
    if (owner === undefined) return new Map();
    const key = `${owner.kind}/${namespaceOf(pod)}/${owner.name}`;
    const known = this.#owned.get(key);
    if (known !== undefined) return known;
    const object = this.#store.get(owner.kind, `${namespaceOf(pod)}/${owner.name}`);
    const siblings = object === undefined ? [] : this.#store.controlledBy(object, 'Pod');
    const counts = new Map<number, number>();
    for (const sibling of siblings.filter((each) => !isFinished(each) && !isTerminating(each))) {
      const place = this.#places.get(podNode(sibling));
      if (place !== undefined) counts.set(place, (counts.get(place) ?? 0) + 1);
    }
    this.#owned.set(key, counts);
    return counts;
  }
}
