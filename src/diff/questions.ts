// Who asks and where: the clients of one node's dataplane, and every address that a ServicePort answers on there.
import { type Family, parseAddress, parsePrefix } from '../address.ts';
import { addressAt } from '../cluster/address-range.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { unusedPodAddress } from '../cluster/placement.ts';
import type { ServicePortView } from '../dataplane-types.ts';
import type { TransportProtocol } from '../packet.ts';

export type ClientKind = 'pod here' | 'pod elsewhere' | 'this node' | 'another node' | 'outside';

/** One for each kind; kinds that the cluster has nobody for are left out. */
export interface Client {
  readonly kind: ClientKind;
  readonly address: string;
}

export type DestinationKind = ServicePortView['frontends'][number]['kind'] | 'UnusedPort' | 'UnassignedAddress';

export interface Destination {
  readonly kind: DestinationKind;
  readonly address: string;
  readonly port: number;
  /** NodePorts only: which of the node's addresses it is. */
  readonly nodeAddress?: 'primary' | 'further' | 'loopback';
}

/** The node that is asked, and who asks. */
export interface Viewpoint {
  readonly node: string;
  /** Of its interfaces, of both families, primary first of each. */
  readonly nodeAddresses: readonly string[];
  readonly clients: Readonly<Record<Family, readonly Client[]>>;
}

/** RFC 5737 and RFC 3849: addresses for documentation, which are certainly nobody's. */
export const OUTSIDE: Readonly<Record<Family, string>> = { IPv4: '203.0.113.10', IPv6: '2001:db8::10' };
export const LOOPBACK: Readonly<Record<Family, string>> = { IPv4: '127.0.0.1', IPv6: '::1' };

/** tcpmux: as good as never the port of a Service. */
const FIRST_UNUSED_PORT = 1;

/** The clients around a node of the cluster, with free Pod addresses for Pods that are no endpoint. */
export function viewpointOf(cluster: Cluster, nodeName: string, addresses?: readonly string[]): Viewpoint {
  const nodes = cluster.objects('Node');
  const pods = cluster.objects('Pod');
  const node = nodes.find(({ metadata }) => metadata.name === nodeName);
  const other = nodes.find(({ metadata }) => metadata.name !== nodeName);
  const own = addresses ?? (node === undefined ? [] : nodeAddresses(node));
  const clientsOf = (family: Family): Client[] => {
    const ofFamily = (list: readonly string[]) => list.find((address) => parseAddress(address)?.family === family);
    const candidates: readonly (readonly [ClientKind, string | undefined])[] = [
      ['pod here', node === undefined ? undefined : unusedPodAddress(node, pods, family)],
      ['pod elsewhere', other === undefined ? undefined : unusedPodAddress(other, pods, family)],
      ['this node', ofFamily(own)],
      ['another node', other === undefined ? undefined : ofFamily(nodeAddresses(other))],
      ['outside', OUTSIDE[family]],
    ];
    return candidates.flatMap(([kind, address]) => (address === undefined ? [] : [{ kind, address }]));
  };
  return { node: nodeName, nodeAddresses: own, clients: { IPv4: clientsOf('IPv4'), IPv6: clientsOf('IPv6') } };
}

/** Every address and port that a ServicePort answers on, or might: node ports on each address of the node and on loopback. */
export function destinationsOf({ frontends, family }: ServicePortView, viewpoint: Viewpoint): Destination[] {
  const own = viewpoint.nodeAddresses.filter((address) => parseAddress(address)?.family === family);
  return frontends.flatMap(({ kind, address, port }): Destination[] => {
    if (kind !== 'NodePort') return address === undefined ? [] : [{ kind, address, port }];
    const onInterfaces = own.map((each, index): Destination => {
      return { kind, address: each, port, nodeAddress: index === 0 ? 'primary' : 'further' };
    });
    return [...onInterfaces, { kind, address: LOOPBACK[family], port, nodeAddress: 'loopback' }];
  });
}

/** Who can send to it: only the node itself reaches its loopback addresses, and from one of them. */
export function clientsFor({ nodeAddress }: Destination, family: Family, viewpoint: Viewpoint): readonly Client[] {
  if (nodeAddress !== 'loopback') return viewpoint.clients[family];
  return [{ kind: 'this node', address: LOOPBACK[family] }];
}

/** A port of that cluster IP which no ServicePort has. */
export function unusedPortOf(clusterIP: string, protocol: TransportProtocol, views: readonly ServicePortView[]): number {
  const used = new Set(
    views
      .filter((view) => view.protocol === protocol)
      .flatMap((view) => view.frontends.flatMap(({ address, port }) => (address === clusterIP ? [port] : []))),
  );
  let port = FIRST_UNUSED_PORT;
  while (used.has(port)) port++;
  return port;
}

/** An address of a Service range that no ServicePort has; undefined: they are all taken. */
export function unassignedAddress(serviceCIDR: string, views: readonly ServicePortView[]): string | undefined {
  const prefix = parsePrefix(serviceCIDR);
  if (prefix === undefined) return undefined;
  const used = new Set(views.flatMap(({ frontends }) => frontends.flatMap(({ address }) => address ?? [])));
  for (let offset = 2; offset <= used.size + 2; offset++) {
    const { text } = addressAt(prefix, offset);
    if (!used.has(text)) return text;
  }
  return undefined;
}
