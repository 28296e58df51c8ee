// Runs the cases of a routing test against a cluster: resolves both ends, asks the node's dataplane, and holds the answer against the case.
import { formatEndpoint, parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { controllerOf } from '../cluster/owners.ts';
import { podIPs } from '../cluster/pods.ts';
import type { Dataplane, Outcome, ServicePortView } from '../dataplane-types.ts';
import { OUTSIDE } from '../diff/questions.ts';
import type { Packet, ProxyMode } from '../packet.ts';
import { InputError, UsageError } from './io.ts';
import { type Destination, familyOf, resolveDestination, resolveSource, type Source } from './packet-ends.ts';
import type { RoutingCase } from './routing-cases.ts';
import { type BackendOwner, type JudgeContext, judge, outcomeWords } from './routing-judge.ts';

/** One case in one mode, and how it went. */
export interface Assertion {
  readonly name: string;
  readonly mode: ProxyMode;
  readonly node: string;
  /** `file:line` of the case. */
  readonly place: string;
  /** What does not hold; empty: it passed. */
  readonly failures: readonly string[];
  /** The packet that shows the first failure, else the first one asked. */
  readonly packet: Packet;
  readonly outcomes: readonly Outcome[];
}

export interface RunContext {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly node: string | undefined;
  /** The dataplane of that node in that mode. */
  dataplane(node: KubernetesObject, mode: ProxyMode): Dataplane;
}

export class RoutingRun {
  readonly #context: RunContext;
  readonly #cluster: Cluster;
  readonly #owners: ReadonlyMap<string, BackendOwner>;
  readonly #sources = new Map<string, Source>();
  readonly #views = new Map<Dataplane, ReadonlyMap<string, ServicePortView>>();

  constructor(context: RunContext) {
    this.#context = context;
    this.#cluster = remembering(context.cluster);
    this.#owners = ownersIn(this.#cluster);
  }

  /** An assertion for each mode of the case. @throws InputError with the place of the case when its ends do not exist. */
  run(given: RoutingCase): Assertion[] {
    return given.modes.map((mode) => {
      try {
        return this.#runIn(mode, given);
      } catch (error) {
        if (!(error instanceof InputError || error instanceof UsageError)) throw error;
        throw new InputError(`${given.place()}: ${given.name}: ${error.message.replace(/--(?=from|to|protocol)/g, '')}`);
      }
    });
  }

  #runIn(mode: ProxyMode, given: RoutingCase): Assertion {
    const { namespace } = this.#context;
    const node = given.node ?? this.#context.node;
    const destination = resolveDestination(given.to, given.protocol, { cluster: this.#cluster, namespace, node }, familyOf(given.from));
    if ('reason' in destination) throw new InputError(`${destination.name} has no address to send a packet to: ${destination.reason}`);
    const source = this.#source(given, destination, node);
    const dataplane = this.#context.dataplane(source.node, mode);
    const view = this.#viewOf(dataplane, destination);
    const context: JudgeContext = { namespace, isToService: destination.name !== undefined, owner: (address) => this.#owners.get(address) };
    const packets = this.#addressesVia(given, destination, view, source.node).map((to) => packetOf(source.address, source.port, to));
    const judged = packets.map((packet) => {
      const { outcomes } = dataplane.explain(packet);
      return { packet, outcomes, failures: judge(given, outcomes, context) };
    });
    const outside = this.#askOutside(given, dataplane, destination, view, source.node);
    const all = [...judged, ...outside];
    const shown = all.find(({ failures }) => failures.length > 0) ?? all[0];
    if (shown === undefined) throw new InputError('there is nothing to ask');
    const severalAsked = all.length > 1;
    const failures = all.flatMap((each) => each.failures.map((said) => (severalAsked ? `${toText(each.packet)}: ${said}` : said)));
    const { packet, outcomes } = shown;
    return { name: given.name, mode, node: source.node.metadata.name, place: given.place(), failures, packet, outcomes };
  }

  /** Clients are looked up once for many cases. */
  #source({ from }: RoutingCase, { address }: Destination, node: string | undefined): Source {
    const key = JSON.stringify([from, node, parseAddress(address)?.family, from === 'external' || from === 'node' ? address : '']);
    const known =
      this.#sources.get(key) ?? resolveSource(from, address, { cluster: this.#cluster, namespace: this.#context.namespace, node });
    this.#sources.set(key, known);
    return known;
  }

  #viewOf(dataplane: Dataplane, { address, port, protocol }: Destination): ServicePortView | undefined {
    const known = this.#views.get(dataplane) ?? new Map(dataplane.servicePorts().map((view) => [clusterIPKey(view), view]));
    this.#views.set(dataplane, known);
    return known.get(`${formatEndpoint(address, port)}/${protocol}`);
  }

  /** The destination itself, or the Service's other addresses that `via` names. */
  #addressesVia({ via }: RoutingCase, destination: Destination, view: ServicePortView | undefined, node: KubernetesObject): Destination[] {
    if (via === 'ClusterIP' || destination.name === undefined) return [destination];
    const found = frontendsOf(view, destination, node).filter(({ kind }) => kind === via);
    if (found.length > 0) return found.map(({ to }) => to);
    const kinds = [...new Set((view?.frontends ?? []).map(({ kind }) => kind))];
    throw new InputError(`service ${destination.name} has no ${via}; it has ${kinds.join(', ')}`);
  }

  /** Every address but the cluster IP, asked by somebody outside of the cluster. */
  #askOutside(
    { reachableFromOutside: expected }: RoutingCase,
    dataplane: Dataplane,
    destination: Destination,
    view: ServicePortView | undefined,
    node: KubernetesObject,
  ): { packet: Packet; outcomes: readonly Outcome[]; failures: string[] }[] {
    if (expected === undefined) return [];
    const family = parseAddress(destination.address)?.family ?? 'IPv4';
    const external = frontendsOf(view, destination, node).flatMap(({ kind, to }) => (kind === 'ClusterIP' ? [] : [to]));
    const targets = destination.name === undefined ? [destination] : external;
    const asked = targets.map((to) => {
      const packet = packetOf(OUTSIDE[family], CLIENT_PORT, to);
      const { outcomes } = dataplane.explain(packet);
      return { packet, outcomes, isReached: outcomes.some(({ backend }) => backend !== undefined) };
    });
    const isReachable = asked.some(({ isReached }) => isReached);
    if (asked.length === 0) {
      const packet = packetOf(OUTSIDE[family], CLIENT_PORT, destination);
      return [
        { packet, outcomes: [], failures: expected ? ['expected to be reachable from outside, but the Service has no address there'] : [] },
      ];
    }
    return asked.map(({ packet, outcomes, isReached }) => {
      const isWrong = expected ? !isReachable : isReached;
      const said = `expected to be ${expected ? '' : 'un'}reachable from outside, but the connection is ${outcomeWords(outcomes)}`;
      return { packet, outcomes, failures: isWrong ? [said] : [] };
    });
  }
}

const CLIENT_PORT = 40000;

function packetOf(source: string, sourcePort: number, { protocol, address, port }: Destination): Packet {
  return { protocol, source, sourcePort, destination: address, destinationPort: port };
}

function toText({ destination, destinationPort, protocol }: Packet): string {
  return `${formatEndpoint(destination, destinationPort)}/${protocol}`;
}

function clusterIPKey({ frontends, protocol }: ServicePortView): string {
  const [first] = frontends;
  return first?.address === undefined ? '' : `${formatEndpoint(first.address, first.port)}/${protocol}`;
}

/** Where the ServicePort answers on this node: node ports on its addresses. */
function frontendsOf(
  view: ServicePortView | undefined,
  { protocol }: Destination,
  node: KubernetesObject,
): { readonly kind: ServicePortView['frontends'][number]['kind']; readonly to: Destination }[] {
  const own = nodeAddresses(node).filter((address) => parseAddress(address)?.family === view?.family);
  return (view?.frontends ?? []).flatMap(({ kind, address, port }) => {
    const addresses = address === undefined ? own : [address];
    return addresses.map((each) => ({ kind, to: { address: each, port, protocol } }));
  });
}

/** The same cluster, which does not change: lists are sorted once. */
function remembering(cluster: Cluster): Cluster {
  const known = new Map<string, readonly KubernetesObject[]>();
  return {
    ...cluster,
    objects: (kind = '') => {
      const list = known.get(kind) ?? cluster.objects(kind === '' ? undefined : kind);
      known.set(kind, list);
      return list;
    },
  };
}

/** Address → the Pod that has it, and what controls the Pod. */
function ownersIn(cluster: Cluster): ReadonlyMap<string, BackendOwner> {
  const nodes = new Set(cluster.objects('Node').flatMap(nodeAddresses));
  const replicaSets = new Map(cluster.objects('ReplicaSet').map((each) => [`${each.metadata.namespace}/${each.metadata.name}`, each]));
  const owners = new Map<string, BackendOwner>();
  for (const pod of cluster.objects('Pod')) {
    const { namespace = 'default', name } = pod.metadata;
    const direct = controllerOf(pod);
    const set = direct?.kind === 'ReplicaSet' ? replicaSets.get(`${namespace}/${direct.name}`) : undefined;
    const owner = (set === undefined ? undefined : controllerOf(set)) ?? direct;
    const workload = owner === undefined ? {} : { workload: `${owner.kind}/${namespace}/${owner.name}` };
    // A host-network Pod shares its Node's address and is no clear owner of it.
    for (const address of podIPs(pod)) if (!nodes.has(address)) owners.set(address, { pod: `${namespace}/${name}`, ...workload });
  }
  return owners;
}
