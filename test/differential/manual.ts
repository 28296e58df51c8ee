// A second reading of how kube-proxy treats the first packet of a connection, without any rule: the sentences of its manual, one after
// the other. Knows the random clusters of clusters.ts, and nothing of compilers and engines.
import { formatEndpoint, parseAddress, parsePrefix, prefixContains } from '../../src/address.ts';
import type { ProxyMode } from '../../src/packet.ts';
import { type AddressPlan, frontendsOf, type RandomService } from './clusters.ts';

export interface Query {
  readonly protocol: string;
  readonly source: string;
  readonly destination: string;
  readonly port: number;
}

export interface Situation {
  readonly mode: ProxyMode;
  readonly plan: AddressPlan;
  readonly services: readonly RandomService[];
  /** The cluster CIDR is configured, so that traffic of Pods can be told. */
  readonly knowsPods: boolean;
}

/** `DNAT 10.180.0.1:8080 masqueraded`, or the action alone; every possible outcome, sorted. */
export type Outcomes = readonly string[];

/** Where a packet comes from, and what stands at its destination. */
interface Case extends Situation, Query {
  readonly isFromNode: boolean;
  readonly isFromPod: boolean;
}

/** A Service at one of its addresses. */
interface Frontend {
  readonly kind: 'cluster IP' | 'external IP' | 'load balancer' | 'node port';
  readonly service: RandomService;
  readonly sets: EndpointSets;
  readonly ranges: readonly string[];
}

type RandomEndpoint = RandomService['endpoints'][number];

interface EndpointSets {
  readonly cluster: readonly RandomEndpoint[];
  readonly local: readonly RandomEndpoint[];
}

const TARGET_PORT = 8080;

export function manualSays(situation: Situation, query: Query): Outcomes {
  const { plan, knowsPods } = situation;
  const isFromPod = knowsPods && holds(plan.podCIDR, query.source);
  const one: Case = { ...situation, ...query, isFromNode: isOfNode(situation, query.source), isFromPod };
  const frontend = frontendAt(one);
  if (frontend === undefined) return [unknownDestination(one)];
  switch (situation.mode) {
    case 'ipvs':
      return throughIpvs(one, frontend);
    case 'nftables':
      return isKeptOut(one, frontend) ? ['DROP'] : throughRules(one, frontend);
    default:
      // iptables mode guards nothing while nobody serves (3.4: FW needs hasAny).
      return isKeptOut(one, frontend) && hasAny(frontend) ? ['DROP'] : throughRules(one, frontend);
  }
}

/** iptables and nftables: 2.2, 3.6, 3.10. */
function throughRules(one: Case, frontend: Frontend): Outcomes {
  const { cluster, local } = frontend.sets;
  const { internalLocal, externalLocal } = frontend.service;
  if (frontend.kind === 'cluster IP') {
    const chosen = internalLocal ? local : cluster;
    return chosen.length > 0 ? backends(one, chosen, one.knowsPods && !one.isFromPod) : [hasAny(frontend) ? 'DROP' : 'REJECT'];
  }
  if (!hasAny(frontend)) return [isRefusedOnTheWay(one, frontend) ? 'REJECT' : 'ACCEPT'];
  if (!externalLocal) return backends(one, cluster, true);
  // Pods and the node itself take the short cut to all endpoints.
  if (one.isFromPod) return backends(one, cluster, false);
  if (one.isFromNode) return backends(one, cluster, true);
  return local.length > 0 ? backends(one, local, false) : ['DROP'];
}

/** 5.3 and 5.5. */
function throughIpvs(one: Case, frontend: Frontend): Outcomes {
  const { kind, service, sets } = frontend;
  const isLocalOnly = kind === 'cluster IP' ? service.internalLocal : service.externalLocal;
  const isReachedFromOutside = service.type !== 'ClusterIP' || service.hasExternalIP;
  const cluster = service.internalLocal && !isReachedFromOutside ? [] : sets.cluster;
  const servers = isLocalOnly && sets.local.length > 0 ? sets.local : cluster;
  // What comes from the node does not pass INPUT, where ranges are asked; its own address as a source is asked on the way out.
  const isOwnSource = one.source === one.destination;
  if (isKeptOut(one, frontend) && (!one.isFromNode || (isOwnSource && servers.length > 0))) return ['DROP'];
  if (servers.length === 0) return ['REJECT'];
  return backends(one, servers, kind === 'cluster IP' ? one.knowsPods && !one.isFromPod : !service.externalLocal);
}

/** Nobody answers at this address and port. */
function unknownDestination(one: Case): string {
  const isClusterIP = one.services.some((_, index) => one.plan.clusterIP(index) === one.destination);
  if (one.mode === 'nftables' && isClusterIP) return 'REJECT'; // 4.4: point 3
  return one.mode === 'ipvs' && isBound(one, one.destination) ? 'REJECT' : 'ACCEPT'; // 5.5: KUBE-IPVS-FILTER
}

function backends(
  { source, protocol, mode, plan, services }: Case,
  endpoints: readonly RandomEndpoint[],
  isMasqueraded: boolean,
): Outcomes {
  const own = services
    .filter((service) => service.protocol === protocol)
    .flatMap((service) => distinctEndpoints(service).filter(({ isLocal }) => isLocal));
  const outcomes = endpoints.map(({ pod }) => {
    const address = plan.pod(pod);
    // A Pod that reaches itself. IPVS mode keeps one list of all endpoints of this node, ready or not (KUBE-LOOP-BACK).
    const isHairpin = address === source && (mode !== 'ipvs' || own.some((each) => each.pod === pod));
    return `DNAT ${formatEndpoint(address, TARGET_PORT)}${isMasqueraded || isHairpin ? ' masqueraded' : ''}`;
  });
  return outcomes.sort();
}

/** Source ranges guard the load balancer's address alone; ranges that hold the node let in what has that address as its source. */
function isKeptOut({ source, destination, plan }: Case, { kind, ranges }: Frontend): boolean {
  if (kind !== 'load balancer' || ranges.length === 0) return false;
  const letsNodeIn = ranges.some((range) => holds(range, plan.node[0] ?? ''));
  return !ranges.some((range) => holds(range, source)) && !(letsNodeIn && source === destination);
}

/** 3.1: what a node sends to an address of others passes neither INPUT nor FORWARD, where iptables mode refuses it. */
function isRefusedOnTheWay({ mode, isFromNode }: Case, { kind }: Frontend): boolean {
  return mode !== 'iptables' || kind === 'node port' || !isFromNode;
}

function hasAny({ sets }: Frontend): boolean {
  return sets.cluster.length > 0;
}

function frontendAt(one: Case): Frontend | undefined {
  const { plan, services, protocol, destination, port } = one;
  const index = services.findIndex(
    (service, at) =>
      service.protocol === protocol && frontendsOf(at, service, plan).some((each) => each.address === destination && each.port === port),
  );
  const service = services[index];
  if (service === undefined) return undefined;
  const kind = kindOf(index, destination, plan);
  if (kind === 'node port' && !acceptsNodePorts(one)) return undefined;
  const ranges = service.type !== 'LoadBalancer' || service.range < 0 ? [] : (plan.ranges[service.range] ?? '').split(' ');
  return { kind, service, sets: endpointSets(service), ranges };
}

function kindOf(index: number, address: string, plan: AddressPlan): Frontend['kind'] {
  if (address === plan.clusterIP(index)) return 'cluster IP';
  if (address === plan.externalIP(index)) return 'external IP';
  return address === plan.externalIP(100 + index) ? 'load balancer' : 'node port';
}

/** nodePortAddresses by default: all addresses of the node, loopback in iptables mode and IPv4 alone; the primary one in nftables mode. */
function acceptsNodePorts({ mode, plan, destination }: Case): boolean {
  if (mode === 'nftables') return destination === plan.node[0];
  return plan.node.includes(destination) || (mode === 'iptables' && plan.family === 'IPv4');
}

/** 1.3: a Pod that runs wins over one that terminates. */
function distinctEndpoints({ endpoints }: RandomService): RandomEndpoint[] {
  const byPod = new Map<number, RandomEndpoint>();
  for (const endpoint of endpoints) if (endpoint.condition !== 'draining' || !byPod.has(endpoint.pod)) byPod.set(endpoint.pod, endpoint);
  return [...byPod.values()];
}

/** 2.1: those that drain are used where nobody is ready. */
function endpointSets(service: RandomService): EndpointSets {
  const usable = (all: readonly RandomEndpoint[]) => {
    const of = (condition: RandomEndpoint['condition']) => all.filter((each) => each.condition === condition);
    return of('ready').length > 0 ? of('ready') : of('draining');
  };
  const all = distinctEndpoints(service);
  return { cluster: usable(all), local: usable(all.filter(({ isLocal }) => isLocal)) };
}

/** In IPVS mode the addresses of Services are the node's own. */
function isOfNode(one: Situation, address: string): boolean {
  return one.plan.node.includes(address) || address === one.plan.outside.at(-1) || (one.mode === 'ipvs' && isBound(one, address));
}

/** An address of a Service, which IPVS mode binds to kube-ipvs0. */
function isBound({ plan, services }: Situation, address: string): boolean {
  const own = services.map((service, index) =>
    frontendsOf(index, service, plan).filter((each) => kindOf(index, each.address, plan) !== 'node port'),
  );
  return own.flat().some((each) => each.address === address);
}

function holds(cidr: string, address: string): boolean {
  const [prefix, parsed] = [parsePrefix(cidr), parseAddress(address)];
  return prefix !== undefined && parsed !== undefined && prefixContains(prefix, parsed);
}
