// The Nodes of a cluster: those asked for, those given, and what a kubelet and the node controller would have filled in.
import { type Family, type Prefix, parseAddress, parsePrefix } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { CapacityError, InvalidArgumentError } from '../errors.ts';
import { addressAt, subnetAt } from './address-range.ts';
import { fieldsOf, labelsOf, listOf, textOf, textsOf } from './fields.ts';
import type { ObjectStore } from './store.ts';

/** A Node to make. What is left out is filled in: an address of 192.168.0.0/24, the next subnet of the pod CIDR. */
export interface NodeSpec {
  readonly name: string;
  /** InternalIPs, at most one of each family. */
  readonly addresses?: readonly string[];
  readonly podCIDRs?: readonly string[];
  /** topology.kubernetes.io/zone. */
  readonly zone?: string;
  readonly labels?: Readonly<Record<string, string>>;
}

const ZONE_LABEL = 'topology.kubernetes.io/zone';
const HOSTNAME_LABEL = 'kubernetes.io/hostname';
const NODE_NETWORK: Readonly<Record<Family, { readonly cidr: string; readonly first: number }>> = {
  IPv4: { cidr: '192.168.0.0/16', first: 11 },
  IPv6: { cidr: 'fd00:192:168::/64', first: 0x11 },
};
// The controller manager's --node-cidr-mask-size-ipv4 and -ipv6.
const NODE_MASK: Readonly<Record<Family, number>> = { IPv4: 24, IPv6: 64 };

/** Nodes named node-1, node-2 … or as the specs say. */
export function nodesFromSpecs(nodes: number | readonly NodeSpec[]): KubernetesObject[] {
  if (typeof nodes === 'object') return namedApart(nodes).map(nodeFromSpec);
  if (!Number.isInteger(nodes) || nodes < 0) throw new InvalidArgumentError('nodes', nodes, 'is not a number of nodes');
  return Array.from({ length: nodes }, (_, index) => nodeFromSpec({ name: `node-${index + 1}` }));
}

function namedApart(nodes: readonly NodeSpec[]): readonly NodeSpec[] {
  for (const [index, { name }] of nodes.entries()) {
    if (typeof name !== 'string') throw new InvalidArgumentError(`nodes[${index}].name`, name, 'is not a name');
    if (nodes.findIndex((node) => node.name === name) < index)
      throw new InvalidArgumentError(`nodes[${index}].name`, name, 'is there already');
  }
  return nodes;
}

function nodeFromSpec(spec: NodeSpec): KubernetesObject {
  for (const address of spec.addresses ?? []) {
    if (parseAddress(address) === undefined)
      throw new InvalidArgumentError(`nodes.${spec.name}.addresses`, address, 'is not an IP address');
  }
  for (const cidr of spec.podCIDRs ?? []) {
    if (parsePrefix(cidr) === undefined) throw new InvalidArgumentError(`nodes.${spec.name}.podCIDRs`, cidr, 'is not a CIDR');
  }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: spec.name, labels: { ...(spec.zone === undefined ? {} : { [ZONE_LABEL]: spec.zone }), ...spec.labels } },
    spec: { ...(spec.podCIDRs === undefined ? {} : { podCIDRs: spec.podCIDRs }) },
    status: { addresses: (spec.addresses ?? []).map((address) => ({ type: 'InternalIP', address })) },
  };
}

/** InternalIPs of a Node; its other addresses when it has none. */
export function nodeAddresses(node: KubernetesObject): string[] {
  const addresses = listOf(fieldsOf(node.status).addresses).map(fieldsOf);
  const ofType = (type: string) => addresses.filter((address) => address.type === type).map((address) => textOf(address.address));
  const internal = ofType('InternalIP');
  return internal.length > 0 ? internal : ofType('ExternalIP');
}

export function nodePodCIDRs(node: KubernetesObject): string[] {
  const spec = fieldsOf(node.spec);
  const cidrs = textsOf(spec.podCIDRs);
  return cidrs.length > 0 ? cidrs : textsOf([spec.podCIDR]).filter((cidr) => cidr !== '');
}

export function nodeZone(node: KubernetesObject): string | undefined {
  return labelsOf(node.metadata.labels)[ZONE_LABEL] || undefined;
}

/** Gives each Node what it lacks: hostname label, an InternalIP and a pod CIDR of each family, and the Ready condition. */
export function completeNodes(store: ObjectStore, podCIDRs: readonly Prefix[]): void {
  const nodes = store.list('Node');
  const takenAddresses = new Set(nodes.flatMap(nodeAddresses));
  const takenCIDRs = new Set(nodes.flatMap(nodePodCIDRs));
  for (const node of nodes) {
    const cidrs = nodePodCIDRs(node);
    const addresses = nodeAddresses(node);
    const missing = podCIDRs.filter((cidr) => !cidrs.some((own) => parsePrefix(own)?.family === cidr.family));
    const lacksAddress = podCIDRs.filter((cidr) => !addresses.some((own) => parseAddress(own)?.family === cidr.family));
    if (missing.length + lacksAddress.length === 0) continue;
    const ownCIDRs = [...cidrs, ...missing.map((cidr) => takeSubnet(cidr, takenCIDRs))];
    const ownAddresses = lacksAddress.map((cidr) => takeAddress(cidr.family, takenAddresses));
    store.put(completed(node, ownCIDRs, ownAddresses));
  }
}

function completed(node: KubernetesObject, podCIDRs: readonly string[], addresses: readonly string[]): KubernetesObject {
  const status = fieldsOf(node.status);
  const known = listOf(status.addresses);
  const hostname = { type: 'Hostname', address: node.metadata.name };
  return {
    ...node,
    metadata: { ...node.metadata, labels: { [HOSTNAME_LABEL]: node.metadata.name, ...node.metadata.labels } },
    spec: { ...fieldsOf(node.spec), podCIDR: podCIDRs[0], podCIDRs },
    status: {
      ...status,
      addresses: [
        ...known,
        ...addresses.map((address) => ({ type: 'InternalIP', address })),
        ...(known.some((address) => fieldsOf(address).type === 'Hostname') ? [] : [hostname]),
      ],
      conditions: status.conditions ?? [{ type: 'Ready', status: 'True' }],
    },
  };
}

/** node-1 gets subnet 1, and so on: subnet 0 is left free, where clusters often keep what is not a node's. */
function takeSubnet(cidr: Prefix, taken: Set<string>): string {
  const bits = cidr.family === 'IPv4' ? 32 : 128;
  const length = Math.min(bits - 2, Math.max(NODE_MASK[cidr.family], cidr.length + 4));
  for (let index = 1; ; index++) {
    const subnet = subnetAt(cidr, length, index);
    if (subnet === undefined) throw new CapacityError(`pod CIDR ${cidr.text}: subnets of nodes`, index - 1, index);
    if (taken.has(subnet.text)) continue;
    taken.add(subnet.text);
    return subnet.text;
  }
}

function takeAddress(family: Family, taken: Set<string>): string {
  const { cidr, first } = NODE_NETWORK[family];
  const network = parsePrefix(cidr);
  if (network === undefined) throw new InvalidArgumentError('node network', cidr, 'is not a CIDR');
  for (let offset = first; ; offset++) {
    const { text } = addressAt(network, offset);
    if (taken.has(text)) continue;
    taken.add(text);
    return text;
  }
}
