// Compares what two dataplanes of a node do with every kind of connection to every ServicePort. It reads them through explain alone,
// moves nothing in them, and runs wherever they run.
import type { Family } from '../address.ts';
import type { Dataplane, Explanation, ServicePortView } from '../dataplane-types.ts';
import type { Packet, TransportProtocol } from '../packet.ts';
import { type Answer, answerOf, type Effect, effectOf } from './answer.ts';
import {
  type Client,
  type ClientKind,
  clientsFor,
  type Destination,
  destinationsOf,
  unassignedAddress,
  unusedPortOf,
  type Viewpoint,
} from './questions.ts';

/** One node, before and after. */
export interface Sides {
  readonly viewpoint: Viewpoint;
  readonly before: Dataplane;
  readonly after: Dataplane;
}

export interface ComparisonOptions {
  /** Why an answer changed. */
  readonly reasonFor: (facts: ChangeFacts) => Reason;
  /** The ranges of cluster IPs: an address that nobody has is asked for, too. */
  readonly serviceCIDRs?: readonly string[];
  /** Called for every question about one ServicePort, whether its answer changes or not. */
  readonly onAnswered?: (answered: Answered) => void;
}

/** A question about one ServicePort, and both answers. */
export interface Answered {
  readonly servicePort: string;
  readonly destination: Destination;
  readonly client: Client;
  readonly before: Answer;
  readonly after: Answer;
  /** Undefined: both say the same. */
  readonly effect: Effect | undefined;
}

/** What a reason is found from. */
export interface ChangeFacts {
  readonly servicePort?: { readonly before?: ServicePortView; readonly after?: ServicePortView };
  readonly client: Client;
  readonly destination: Destination;
  readonly effect: Effect;
  readonly before: Answer;
  readonly after: Answer;
  readonly explanations: { readonly before: Explanation; readonly after: Explanation };
}

/** Why answers changed, in words for people. Changes with the same `id` and effect are told together. */
export interface Reason {
  readonly id: string;
  /** What happens, as a headline. */
  readonly title: string;
  /** Why it happens. */
  readonly why: string;
  /** What to do about it. */
  readonly advice: string;
  /** The field of the Service that it hangs on: `spec.externalTrafficPolicy`. */
  readonly field?: string;
}

/** The same change for these clients, on these nodes. */
export interface Change {
  readonly nodes: readonly string[];
  /** `namespace/name:port`. */
  readonly servicePort: string;
  readonly family: Family;
  readonly protocol: TransportProtocol;
  readonly destination: Destination;
  readonly clients: readonly ClientKind[];
  /** A packet of the first client on the first node that shows it. */
  readonly witness: Packet;
  readonly before: Answer;
  readonly after: Answer;
}

/** All changes of one kind that have one reason. */
export interface Finding {
  readonly reason: Reason;
  readonly effect: Effect;
  /** By `namespace/name`, sorted. Empty when it is the same for every Service. */
  readonly services: readonly { readonly service: string; readonly changes: readonly Change[] }[];
  /** What does not belong to one Service: an unused port of a cluster IP, an unassigned address. */
  readonly forAll: readonly Change[];
}

export interface Comparison {
  /** Services that have an address on the node before or after. */
  readonly services: number;
  /** Services of which at least one answer changes. */
  readonly changed: number;
  readonly questions: number;
  /** What breaks first. */
  readonly findings: readonly Finding[];
}

const CLIENT_PORT = 40000;
const EFFECT_ORDER: readonly Effect[] = ['lost', 'backends', 'source', 'gained', 'affinity', 'refusal', 'shares'];

/**
 * Asks both sides of each node everything, and says what comes out differently, grouped by reason.
 *
 * @example
 * const viewpoint = viewpointOf(cluster, 'node-1');
 * compareDataplanes([{ viewpoint, before: inIptablesMode, after: inNftablesMode }], { reasonFor: modeReasons('iptables', 'nftables') });
 */
export function compareDataplanes(nodes: readonly Sides[], options: ComparisonOptions): Comparison {
  const findings = new FindingList();
  const services = new Set<string>();
  let questions = 0;
  for (const sides of nodes) {
    const ask = (question: Question) => {
      questions++;
      askBoth(question, sides, options, findings);
    };
    for (const [key, pair] of pairsOf(sides)) {
      services.add(serviceOf(key.servicePort));
      for (const destination of destinationsOfPair(pair, sides.viewpoint)) {
        for (const client of clientsFor(destination, key.family, sides.viewpoint)) ask({ ...key, pair, destination, client });
      }
    }
    if (sides === nodes[0]) for (const question of questionsForAll(sides, options.serviceCIDRs ?? [])) ask(question);
  }
  return { services: services.size, changed: findings.changedServices.size, questions, findings: findings.sorted() };
}

/** `namespace/name` of a ServicePort's name. */
export function serviceOf(servicePort: string): string {
  return servicePort.split(':')[0] ?? servicePort;
}

interface PortKey {
  readonly servicePort: string;
  readonly family: Family;
  readonly protocol: TransportProtocol;
}

interface Pair {
  before?: ServicePortView;
  after?: ServicePortView;
}

interface Question extends PortKey {
  /** Absent when it is not about one ServicePort. */
  readonly pair?: Pair;
  readonly destination: Destination;
  readonly client: Client;
}

function pairsOf({ before, after }: Sides): (readonly [PortKey, Pair])[] {
  const pairs = new Map<string, readonly [PortKey, Pair]>();
  for (const [side, dataplane] of [['before', before] as const, ['after', after] as const]) {
    for (const view of dataplane.servicePorts()) {
      const { servicePort, family, protocol } = view;
      const key = `${servicePort} ${protocol} ${family}`;
      const [, pair] = pairs.get(key) ?? [];
      if (pair === undefined) pairs.set(key, [{ servicePort, family, protocol }, { [side]: view }]);
      else pair[side] = view;
    }
  }
  return [...pairs.values()];
}

function destinationsOfPair({ before, after }: Pair, viewpoint: Viewpoint): Destination[] {
  const all = [before, after].flatMap((view) => (view === undefined ? [] : destinationsOf(view, viewpoint)));
  return [...new Map(all.map((destination) => [`${destination.address} ${destination.port}`, destination])).values()];
}

/** One ServicePort stands for all of them. */
function* questionsForAll({ viewpoint, after }: Sides, serviceCIDRs: readonly string[]): Generator<Question> {
  const views = after.servicePorts();
  for (const family of ['IPv4', 'IPv6'] as const) {
    const view = views.find((each) => each.family === family && each.protocol === 'TCP');
    const clusterIP = view?.frontends[0]?.address;
    if (view === undefined || clusterIP === undefined) continue;
    const ofFamily = views.filter((each) => each.family === family);
    const key = { servicePort: '', family, protocol: view.protocol };
    const cidr = serviceCIDRs.find((text) => text.includes(':') === (family === 'IPv6'));
    const unassigned = cidr === undefined ? undefined : unassignedAddress(cidr, ofFamily);
    for (const client of viewpoint.clients[family]) {
      const port = unusedPortOf(clusterIP, view.protocol, ofFamily);
      yield { ...key, destination: { kind: 'UnusedPort', address: clusterIP, port }, client };
      if (unassigned === undefined) continue;
      yield { ...key, destination: { kind: 'UnassignedAddress', address: unassigned, port: view.frontends[0]?.port ?? 80 }, client };
    }
  }
}

function askBoth(question: Question, sides: Sides, { reasonFor, onAnswered }: ComparisonOptions, findings: FindingList): void {
  const { client, destination, protocol, pair, servicePort, family } = question;
  const witness: Packet = {
    protocol,
    source: client.address,
    sourcePort: CLIENT_PORT,
    destination: destination.address,
    destinationPort: destination.port,
  };
  const explanations = { before: sides.before.explain(witness), after: sides.after.explain(witness) };
  const before = answerOf(explanations.before);
  const after = answerOf(explanations.after);
  const effect = effectOf(before, after) ?? affinityEffect(pair);
  if (pair !== undefined) onAnswered?.({ servicePort, destination, client, before, after, effect });
  if (effect === undefined) return;
  const about = pair === undefined ? {} : { servicePort: pair };
  const reason = reasonFor({ ...about, client, destination, effect, before, after, explanations });
  const change = { nodes: [sides.viewpoint.node], servicePort, family, protocol, destination, witness, before, after };
  findings.add(reason, effect, change, client.kind);
}

/** What an answer for a new client cannot show. */
function affinityEffect({ before, after }: Pair = {}): Effect | undefined {
  return before !== undefined && after !== undefined && before.affinitySeconds !== after.affinitySeconds ? 'affinity' : undefined;
}

interface OpenFinding {
  readonly reason: Reason;
  readonly effect: Effect;
  readonly services: Map<string, Map<string, OpenChange>>;
}

type OpenChange = Omit<Change, 'clients'> & { readonly clients: ClientKind[] };

class FindingList {
  readonly changedServices = new Set<string>();
  readonly #findings = new Map<string, OpenFinding>();

  add(reason: Reason, effect: Effect, change: Omit<Change, 'clients'>, client: ClientKind): void {
    const key = `${effect} ${reason.id}`;
    const finding = this.#findings.get(key) ?? { reason, effect, services: new Map() };
    this.#findings.set(key, finding);
    const service = serviceOf(change.servicePort);
    if (service !== '') this.changedServices.add(service);
    const changes = finding.services.get(service) ?? new Map<string, OpenChange>();
    finding.services.set(service, changes);
    const changeKey = JSON.stringify([change.nodes, keyOfChange(change)]);
    const known = changes.get(changeKey);
    if (known === undefined) changes.set(changeKey, { ...change, clients: [client] });
    else known.clients.push(client);
  }

  /** What breaks first, then what concerns most Services. */
  sorted(): Finding[] {
    const findings = [...this.#findings.values()].map(({ reason, effect, services }): Finding => {
      const named = [...services].filter(([service]) => service !== '').sort(([a], [b]) => (a < b ? -1 : 1));
      return {
        reason,
        effect,
        services: named.map(([service, changes]) => ({ service, changes: acrossNodes([...changes.values()]) })),
        forAll: acrossNodes([...(services.get('')?.values() ?? [])]),
      };
    });
    const rank = ({ effect, services }: Finding) => (services.length === 0 ? EFFECT_ORDER.length : EFFECT_ORDER.indexOf(effect));
    return findings.sort((a, b) => rank(a) - rank(b) || b.services.length - a.services.length);
  }
}

/** What is the same of a change on every node: there, a node port has another address. */
function keyOfChange({ servicePort, family, protocol, destination, before, after }: Omit<Change, 'clients'>): unknown[] {
  const { kind, address, port, nodeAddress } = destination;
  return [servicePort, family, protocol, kind, nodeAddress ?? address, port, nodeAddress === 'further' ? address : '', before, after];
}

function acrossNodes(changes: readonly Change[]): Change[] {
  const merged = new Map<string, Change>();
  for (const change of changes) {
    const key = JSON.stringify([change.clients, keyOfChange(change)]);
    const known = merged.get(key);
    merged.set(key, known === undefined ? change : { ...known, nodes: [...known.nodes, ...change.nodes] });
  }
  return [...merged.values()];
}
