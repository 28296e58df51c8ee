// Objects → a cluster, and a node's dataplane behind it: what trace, get, render and demo all stand on.
/// <reference lib="esnext.disposable" preserve="true" />
import { type Family, type Prefix, parseAddress, parsePrefix, prefixContains } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { clusterIPsOf } from '../cluster/allocation.ts';
import { type Cluster, type ClusterOptions, createCluster } from '../cluster/cluster.ts';
import { fieldsOf, textsOf } from '../cluster/fields.ts';
import { nodeAddresses, nodePodCIDRs } from '../cluster/nodes.ts';
import { createDataplaneSync } from '../dataplane.ts';
import type { Dataplane, DataplaneOptions } from '../dataplane-types.ts';
import { readProxyConfig } from './input.ts';
import { InputError, type Io, note } from './io.ts';
import type { InputOptions, NodeOptions } from './options.ts';

const DEFAULT_CIDRS: readonly { readonly family: Family; readonly services: string; readonly pods: string }[] = [
  { family: 'IPv4', services: '10.96.0.0/12', pods: '10.244.0.0/16' },
  { family: 'IPv6', services: 'fd00:10:96::/112', pods: 'fd00:10:244::/56' },
];

/** The cluster that these objects were written for, with the objects in it. */
export function openCluster(objects: readonly KubernetesObject[], options: InputOptions, io: Io): Cluster {
  const cluster = createCluster(clusterOptions(objects, options, io));
  cluster.apply(objects);
  return cluster;
}

/** Families and Service CIDRs as the options say, else as objects that come from an API server show them. */
export function clusterOptions(objects: readonly KubernetesObject[], options: InputOptions, io: Io): ClusterOptions {
  const ipFamilies = familiesOf(objects, [...(options.serviceCidr ?? []), ...(options.podCidr ?? [])]);
  const serviceCIDRs = options.serviceCidr ?? serviceCIDRsOf(objects, ipFamilies, io);
  const { podCidr, namespace } = options;
  return {
    ipFamilies,
    serviceCIDRs,
    ...(podCidr === undefined ? {} : { podCIDRs: podCidr }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

function familiesOf(objects: readonly KubernetesObject[], cidrs: readonly string[]): Family[] {
  const named = objects.flatMap((object) => {
    const spec = fieldsOf(object.spec);
    if (object.kind === 'Node') return nodePodCIDRs(object);
    return object.kind === 'Service' ? [...textsOf(spec.ipFamilies), ...clusterIPsOf(spec)] : [];
  });
  const families = [...named, ...cidrs].map((text) => (text.includes(':') || text === 'IPv6' ? 'IPv6' : 'IPv4'));
  const wantsBoth = objects.some((object) => object.kind === 'Service' && /DualStack/.test(String(fieldsOf(object.spec).ipFamilyPolicy)));
  if (wantsBoth || (families.includes('IPv6') && families.includes('IPv4')))
    return families[0] === 'IPv6' ? ['IPv6', 'IPv4'] : ['IPv4', 'IPv6'];
  return [families[0] ?? 'IPv4'];
}

/** Services that an API server has admitted show its range; those of a plain manifest must keep to the usual one. */
function serviceCIDRsOf(objects: readonly KubernetesObject[], families: readonly Family[], io: Io): string[] {
  const admitted = objects.filter(
    (object) => object.kind === 'Service' && (object.metadata.uid ?? object.metadata.resourceVersion) !== undefined,
  );
  const addresses = admitted.flatMap((service) => clusterIPsOf(fieldsOf(service.spec)));
  return DEFAULT_CIDRS.filter(({ family }) => families.includes(family)).map(({ family, services }) => {
    const wider = covering(services, family, addresses, family === 'IPv4' ? 16 : 108);
    if (wider !== services)
      note(io, `Service addresses lie outside ${services}: taking ${wider} as the Service CIDR (--service-cidr says otherwise)`);
    return wider;
  });
}

/** `usual` when all addresses of the family lie in it, else the longest prefix, at most `length`, that holds them all. */
function covering(usual: string, family: Family, addresses: readonly string[], length: number): string {
  const own = addresses.map((text) => parsePrefix(text)).filter((prefix) => prefix?.family === family);
  const inside = (cidr: Prefix | undefined) => own.every((prefix) => prefix === undefined || contains(cidr, prefix));
  if (inside(parsePrefix(usual))) return usual;
  for (let bits = length; bits >= 0; bits--) {
    const cidr = parsePrefix(`${addressOfPrefix(own[0])}/${bits}`);
    if (cidr !== undefined && inside(cidr)) return cidr.text;
  }
  return usual;
}

function contains(cidr: Prefix | undefined, inner: Prefix): boolean {
  const address = parseAddress(addressOfPrefix(inner));
  return cidr !== undefined && address !== undefined && cidr.length <= inner.length && prefixContains(cidr, address);
}

function addressOfPrefix(prefix: Prefix | undefined): string {
  return prefix?.text.split('/')[0] ?? '';
}

/** The Node of that name, or the first one. */
export function findNode(cluster: Cluster, name: string | undefined): KubernetesObject {
  const nodes = cluster.objects('Node');
  const node = name === undefined ? nodes[0] : nodes.find((each) => each.metadata.name === name);
  if (node !== undefined) return node;
  throw new InputError(`node ${name ?? ''} does not exist; there are ${nodes.map((each) => each.metadata.name).join(', ')}`);
}

/** A dataplane that follows the cluster until it is disposed. */
export interface ConnectedDataplane extends Disposable {
  readonly dataplane: Dataplane;
  /** From now on the cluster's changes do not reach it. */
  disconnect(): void;
}

/** The dataplane of that Node, connected to the cluster. */
export function openDataplane(
  cluster: Cluster,
  node: KubernetesObject,
  options: NodeOptions & InputOptions,
  io: Io,
  extra: DataplaneOptions = {},
): ConnectedDataplane {
  const config = readProxyConfig(options.config);
  const clusterCIDR = config.clusterCIDR || (options.podCidr ?? podCIDRsOf(cluster)).join(',');
  const dataplane = createDataplaneSync({
    ...(options.mode === undefined ? {} : { mode: options.mode }),
    ...(options.engine === undefined ? {} : { engine: options.engine }),
    nodeName: node.metadata.name,
    nodeIPs: nodeAddresses(node),
    config: { ...config, clusterCIDR },
    onWarning: (message) => io.stderr(`warning: ${message}\n`),
    ...extra,
  });
  const connection = cluster.connect(dataplane);
  return {
    dataplane,
    disconnect: () => connection[Symbol.dispose](),
    [Symbol.dispose]: () => {
      connection[Symbol.dispose]();
      dataplane[Symbol.dispose]();
    },
  };
}

/** The CIDR of all Pods, one for each family: the usual one, or whatever holds the pod CIDRs of all Nodes. */
function podCIDRsOf(cluster: Cluster): string[] {
  const cidrs = cluster.objects('Node').flatMap(nodePodCIDRs);
  return DEFAULT_CIDRS.flatMap(({ family, pods }) => {
    const own = cidrs.filter((cidr) => parsePrefix(cidr)?.family === family);
    return own.length === 0 ? [] : [covering(pods, family, own, family === 'IPv4' ? 24 : 64)];
  });
}
