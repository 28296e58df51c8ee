// Where Pods run: a Node for each, spread evenly, and addresses from that Node's pod CIDR. Stands for the scheduler and the kubelets.
import { type Family, parsePrefix } from '../address.ts';
import { namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { CapacityError } from '../errors.ts';
import { addressAt, offsetIn, rangeSize } from './address-range.ts';
import { fieldsOf, labelsOf, listOf } from './fields.ts';
import { nodeAddresses, nodePodCIDRs } from './nodes.ts';
import { isFinished, isHostNetwork, podIPs, podNode, runningStatus } from './pods.ts';
import { matchesLabels } from './selector.ts';
import { controllerOf, type ObjectStore } from './store.ts';

/** The bridge of the node takes offset 1 of its pod CIDR. */
const FIRST_POD_OFFSET = 2;

/** Gives each Pod without a Node one, and each bound Pod without a status an address; what does not fit anywhere stays Pending. */
export function placePods(store: ObjectStore, families: readonly Family[]): void {
  const pods = store.list('Pod');
  const load = new NodeLoad(pods);
  const taken = new Set(pods.filter((pod) => !isFinished(pod)).flatMap(podIPs));
  for (const pod of pods) {
    const { phase } = fieldsOf(pod.status);
    const isBound = podNode(pod) !== '';
    // A Pod that was given as Pending waits for something that no scheduler here can know.
    if (isFinished(pod) || phase === 'Pending' || (isBound && phase !== undefined)) continue;
    const node = isBound ? store.get('Node', podNode(pod)) : load.choose(pod, store.list('Node'));
    if (node === undefined) continue;
    if (!isBound) load.add(pod, node.metadata.name);
    const hostIPs = nodeAddresses(node);
    const given = podIPs(pod);
    const ips = given.length > 0 ? given : isHostNetwork(pod) ? hostIPs : takePodAddresses(store, node, families, taken);
    store.put({
      ...pod,
      spec: { ...fieldsOf(pod.spec), nodeName: node.metadata.name },
      status: { ...runningStatus(ips, hostIPs), ...fieldsOf(pod.status) },
    });
  }
}

/** True when a workload's Pod may be put on the Node; `isDaemon`: cordoned Nodes are no obstacle. */
export function accepts(node: KubernetesObject, podSpec: unknown, isDaemon = false): boolean {
  const spec = fieldsOf(node.spec);
  const pod = fieldsOf(podSpec);
  if (spec.unschedulable === true && !isDaemon) return false;
  const tolerations = listOf(pod.tolerations).map(fieldsOf);
  const taints = listOf(spec.taints).map(fieldsOf);
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
  return !repelled && matchesLabels(labelsOf(pod.nodeSelector), labelsOf(node.metadata.labels));
}

/** An address of each family that no Pod has yet. */
function takePodAddresses(store: ObjectStore, node: KubernetesObject, families: readonly Family[], taken: Set<string>): string[] {
  const cidrs = nodePodCIDRs(node);
  return families.flatMap((family) => {
    const cidr = cidrs.find((each) => parsePrefix(each)?.family === family);
    return cidr === undefined ? [] : [takePodAddress(store, cidr, taken)];
  });
}

// Goes on behind the address handed out last, as the host-local plugin does: a fresh Pod does not get the address of one just gone,
// to which connections may still be tracked.
function takePodAddress(store: ObjectStore, cidr: string, taken: Set<string>): string {
  const prefix = parsePrefix(cidr);
  if (prefix === undefined) throw new CapacityError(`pod CIDR ${cidr}: addresses`, 0, 1);
  const size = rangeSize(prefix) - FIRST_POD_OFFSET - (prefix.family === 'IPv4' ? 1 : 0);
  const counter = `address of ${cidr}`;
  const next = (store.counter(counter) ?? -1) + 1;
  for (let tried = 0; tried < size; tried++) {
    const index = (next + tried) % size;
    const { text } = addressAt(prefix, FIRST_POD_OFFSET + index);
    if (taken.has(text)) continue;
    taken.add(text);
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

/** How many Pods each Node runs, in all and of each owner. */
class NodeLoad {
  readonly #pods = new Map<string, number>();

  constructor(pods: readonly KubernetesObject[]) {
    for (const pod of pods) {
      if (podNode(pod) !== '' && !isFinished(pod)) this.add(pod, podNode(pod));
    }
  }

  add(pod: KubernetesObject, node: string): void {
    for (const key of [node, ownedOn(pod, node)]) this.#pods.set(key, (this.#pods.get(key) ?? 0) + 1);
  }

  /** The Node with the fewest Pods of the same owner, then with the fewest of all, then the first. */
  choose(pod: KubernetesObject, nodes: readonly KubernetesObject[]): KubernetesObject | undefined {
    let best: { node: KubernetesObject; owned: number; all: number } | undefined;
    for (const node of nodes) {
      if (!accepts(node, pod.spec)) continue;
      const owned = this.#pods.get(ownedOn(pod, node.metadata.name)) ?? 0;
      const all = this.#pods.get(node.metadata.name) ?? 0;
      if (best === undefined || owned < best.owned || (owned === best.owned && all < best.all)) best = { node, owned, all };
    }
    return best?.node;
  }
}

function ownedOn(pod: KubernetesObject, node: string): string {
  const owner = controllerOf(pod);
  return owner === undefined ? `bare on ${node}` : `${owner.kind} ${namespaceOf(pod)}/${owner.name} on ${node}`;
}
