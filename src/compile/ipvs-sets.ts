// The ipsets of IPVS mode: their names, types, comments and entries, in kube-proxy's order.
import type { Family } from '../address.ts';
import { type Joined, joinSet } from '../program/joined.ts';
import type { ElementKey, KeyField, NamedSet } from '../program/sets.ts';
import type { ServicePort, ServicePortState } from '../state/expected-state.ts';
import type { CompileOptions } from './options.ts';
import { protocolOf } from './rules.ts';
import { ownLoadBalancerSources } from './service-port-facts.ts';
import { rememberLast, type ServicePortList } from './service-port-rules.ts';

/** ipset's limit on names, less the final zero. */
const NAME_LENGTH_MAX = 31;

const IP_PORT: readonly KeyField[] = ['address', 'protocol', 'port'];

/** kube-proxy's sets by the part of their name after `KUBE-`. */
const KINDS = {
  'LOOP-BACK': {
    type: 'hash:ip,port,ip',
    key: ['address', 'protocol', 'port', 'address'],
    comment: 'Kubernetes endpoints dst ip:port, source ip for solving hairpin purpose',
  },
  'CLUSTER-IP': { type: 'hash:ip,port', key: IP_PORT, comment: 'Kubernetes service cluster ip + port for masquerade purpose' },
  'EXTERNAL-IP': { type: 'hash:ip,port', key: IP_PORT, comment: 'Kubernetes service external ip + port for masquerade and filter purpose' },
  'EXTERNAL-IP-LOCAL': {
    type: 'hash:ip,port',
    key: IP_PORT,
    comment: 'Kubernetes service external ip + port with externalTrafficPolicy=local',
  },
  'LOAD-BALANCER': { type: 'hash:ip,port', key: IP_PORT, comment: 'Kubernetes service lb portal' },
  'LOAD-BALANCER-LOCAL': {
    type: 'hash:ip,port',
    key: IP_PORT,
    comment: 'Kubernetes service load balancer ip + port with externalTrafficPolicy=local',
  },
  'LOAD-BALANCER-FW': {
    type: 'hash:ip,port',
    key: IP_PORT,
    comment: 'Kubernetes service load balancer ip + port for load balancer with sourceRange',
  },
  'LOAD-BALANCER-SOURCE-CIDR': {
    type: 'hash:ip,port,net',
    key: ['address', 'protocol', 'port', 'network'],
    comment: 'Kubernetes service load balancer ip + port + source cidr for packet filter purpose',
  },
  'LOAD-BALANCER-SOURCE-IP': {
    type: 'hash:ip,port,ip',
    key: ['address', 'protocol', 'port', 'address'],
    comment: 'Kubernetes service load balancer ip + port + source IP for packet filter purpose',
  },
  'NODE-PORT-TCP': { type: 'bitmap:port', key: ['port'], comment: 'Kubernetes nodeport TCP port for masquerade purpose' },
  'NODE-PORT-LOCAL-TCP': { type: 'bitmap:port', key: ['port'], comment: 'Kubernetes nodeport TCP port with externalTrafficPolicy=local' },
  'NODE-PORT-UDP': { type: 'bitmap:port', key: ['port'], comment: 'Kubernetes nodeport UDP port for masquerade purpose' },
  'NODE-PORT-LOCAL-UDP': { type: 'bitmap:port', key: ['port'], comment: 'Kubernetes nodeport UDP port with externalTrafficPolicy=local' },
  'NODE-PORT-SCTP-HASH': {
    type: 'hash:ip,port',
    key: IP_PORT,
    comment: "Kubernetes nodeport SCTP port for masquerade purpose with type 'hash ip:port'",
  },
  'NODE-PORT-LOCAL-SCTP-HASH': {
    type: 'hash:ip,port',
    key: IP_PORT,
    comment: "Kubernetes nodeport SCTP port with externalTrafficPolicy=local with type 'hash ip:port'",
  },
  'HEALTH-CHECK-NODE-PORT': { type: 'bitmap:port', key: ['port'], comment: 'Kubernetes health check node port' },
  'IPVS-IPS': { type: 'hash:ip', key: ['address'], comment: 'Kubernetes IPVS service IP' },
} as const satisfies Record<string, { type: string; key: readonly KeyField[]; comment: string }>;

export type IpvsSetKind = keyof typeof KINDS;

/** What rules need to know of the sets: a rule about an empty one does not exist. */
export interface SetFacts {
  isEmpty(kind: IpvsSetKind): boolean;
  name(kind: IpvsSetKind): string;
  comment(kind: IpvsSetKind): string;
}

/** The sets of one family as ServicePorts fill them. Both results are the same objects as long as they say the same. */
export class IpvsSets {
  readonly #fills: readonly ((family: Family) => FilledSet)[];
  readonly #list = rememberLast((...sets: readonly FilledSet[]): readonly NamedSet[] => sets.map(({ set }) => set));
  readonly #facts = rememberLast(factsOf);

  /** @param elementsOf the list of a set's elements, over all ServicePorts. */
  constructor(elementsOf: (kind: IpvsSetKind) => ServicePortList<ElementKey>) {
    this.#fills = kindsInOrder().map((kind) => {
      const elements = elementsOf(kind);
      const fill = rememberLast(fillSet);
      return (family) => fill(kind, family, elements.parts);
    });
  }

  filled(family: Family): { readonly list: readonly NamedSet[]; readonly facts: SetFacts } {
    const sets = this.#fills.map((fill) => fill(family));
    const empty = sets.filter(({ isEmpty }) => isEmpty).map(({ kind }) => kind);
    return { list: this.#list(...sets), facts: this.#facts(family, empty.join(' ')) };
  }
}

interface FilledSet {
  readonly set: NamedSet;
  readonly kind: IpvsSetKind;
  readonly isEmpty: boolean;
}

function fillSet(kind: IpvsSetKind, family: Family, parts: Joined<ElementKey>['parts']): FilledSet {
  const { type, key, comment } = KINDS[kind];
  const set = joinSet({ name: setName(kind, family), key, comment, ipsetType: type }, { head: [], parts, tail: [] });
  return { set, kind, isEmpty: parts.length === 0 };
}

/** `empty`: the kinds without an element, with blanks between them. */
function factsOf(family: Family, empty: string): SetFacts {
  const kinds = new Set(empty.split(' '));
  return { isEmpty: (kind) => kinds.has(kind), name: (kind) => setName(kind, family), comment: (kind) => KINDS[kind].comment };
}

/** `KUBE-CLUSTER-IP`, `KUBE-6-CLUSTER-IP`. */
function setName(kind: IpvsSetKind, family: Family): string {
  return `KUBE-${family === 'IPv6' ? '6-' : ''}${kind}`.slice(0, NAME_LENGTH_MAX);
}

function kindsInOrder(): IpvsSetKind[] {
  const isKind = (name: string): name is IpvsSetKind => name in KINDS;
  return Object.keys(KINDS).filter(isKind);
}

/** Takes the elements of one ServicePort. */
class Elements {
  readonly byKind = new Map<IpvsSetKind, ElementKey[]>();

  add(kind: IpvsSetKind, ...key: ElementKey): void {
    const elements = this.byKind.get(kind);
    if (elements === undefined) this.byKind.set(kind, [key]);
    else elements.push(key);
  }
}

/** What one ServicePort puts into the sets. `nodePortIPs`: the addresses that accept node ports. */
export function ipvsElements(
  { servicePort, ownEndpoints }: ServicePortState,
  options: CompileOptions,
  nodePortIPs: readonly string[],
): ReadonlyMap<IpvsSetKind, readonly ElementKey[]> {
  const sets = new Elements();
  const protocol = protocolOf(servicePort);
  for (const { address, port } of ownEndpoints) sets.add('LOOP-BACK', address, protocol, port, address);
  sets.add('CLUSTER-IP', servicePort.clusterIP, protocol, servicePort.port);
  sets.add('IPVS-IPS', servicePort.clusterIP);
  for (const address of servicePort.externalIPs) {
    sets.add(servicePort.externalPolicyLocal ? 'EXTERNAL-IP-LOCAL' : 'EXTERNAL-IP', address, protocol, servicePort.port);
    if (!options.nodeAddresses.includes(address)) sets.add('IPVS-IPS', address);
  }
  for (const address of servicePort.loadBalancerIPs) addLoadBalancer(sets, servicePort, address, options);
  if (servicePort.nodePort !== 0 && nodePortIPs.length > 0) addNodePort(sets, servicePort, nodePortIPs);
  if (servicePort.healthCheckNodePort !== 0) sets.add('HEALTH-CHECK-NODE-PORT', servicePort.healthCheckNodePort);
  return sets.byKind;
}

function addLoadBalancer(sets: Elements, servicePort: ServicePort, address: string, options: CompileOptions): void {
  const key = [address, protocolOf(servicePort), servicePort.port] as const;
  sets.add('LOAD-BALANCER', ...key);
  if (!options.nodeAddresses.includes(address)) sets.add('IPVS-IPS', address);
  if (servicePort.externalPolicyLocal) sets.add('LOAD-BALANCER-LOCAL', ...key);
  if (servicePort.loadBalancerSourceRanges.length === 0) return;
  sets.add('LOAD-BALANCER-FW', ...key);
  for (const range of servicePort.loadBalancerSourceRanges) sets.add('LOAD-BALANCER-SOURCE-CIDR', ...key, range);
  if (ownLoadBalancerSources(servicePort, options).includes(address)) sets.add('LOAD-BALANCER-SOURCE-IP', ...key, address);
}

function addNodePort(sets: Elements, servicePort: ServicePort, nodePortIPs: readonly string[]): void {
  if (servicePort.protocol === 'SCTP') {
    for (const address of nodePortIPs) {
      sets.add('NODE-PORT-SCTP-HASH', address, 'sctp', servicePort.nodePort);
      if (servicePort.externalPolicyLocal) sets.add('NODE-PORT-LOCAL-SCTP-HASH', address, 'sctp', servicePort.nodePort);
    }
    return;
  }
  sets.add(`NODE-PORT-${servicePort.protocol}`, servicePort.nodePort);
  if (servicePort.externalPolicyLocal) sets.add(`NODE-PORT-LOCAL-${servicePort.protocol}`, servicePort.nodePort);
}
