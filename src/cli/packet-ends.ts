// `--from` and `--to`: words of a person → the two ends of a packet.
import { type Family, parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { clusterIPsOf } from '../cluster/allocation.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { type Fields, fieldsOf, listOf } from '../cluster/fields.ts';
import { nodeAddresses } from '../cluster/nodes.ts';
import { unusedPodAddress } from '../cluster/placement.ts';
import { podIPs, podNode } from '../cluster/pods.ts';
import type { TransportProtocol } from '../packet.ts';
import { findNode } from './find-node.ts';
import { InputError, UsageError } from './io.ts';
import { nearest } from './near-names.ts';

/** RFC 5737 and RFC 3849: addresses for documentation, which are certainly nobody's. */
const EXTERNAL: Readonly<Record<Family, string>> = { IPv4: '203.0.113.10', IPv6: '2001:db8::10' };
const CLIENT_PORT = 40000;
/** A Pod that need not be in the manifests. */
export const STAND_IN = 'default/client';
const TRANSPORTS: readonly TransportProtocol[] = ['TCP', 'UDP', 'SCTP'];

export interface Destination {
  /** How a person would call it: `hostnames.default`. */
  readonly name?: string;
  readonly address: string;
  readonly port: number;
  readonly protocol: TransportProtocol;
}

/** A Service that no packet can be sent to, with the sentence that says why and what to do. */
export interface Unaddressable {
  readonly name: string;
  readonly reason: string;
}

export interface Source {
  readonly address: string;
  readonly port: number;
  /** Whose rules decide. */
  readonly node: KubernetesObject;
  readonly notes: readonly string[];
}

export interface EndsContext {
  readonly cluster: Cluster;
  readonly namespace: string;
  readonly node: string | undefined;
}

/** `IP:port`, or `service[.namespace][:port]`; a port is a number or the name of a Service port. */
export function resolveDestination(
  text: string,
  protocolText: string | undefined,
  { cluster, namespace }: EndsContext,
  family?: Family,
): Destination | Unaddressable {
  const protocol = parseProtocol(protocolText);
  const literal = splitHostPort(text);
  const address = parseAddress(literal.host);
  if (address !== undefined) {
    if (literal.port === undefined)
      throw new UsageError(`--to ${text} lacks a port: expected ${address.family === 'IPv6' ? '[IP]' : 'IP'}:port`);
    return { address: address.text, port: portNumber(literal.port, '--to'), protocol: protocol ?? 'TCP' };
  }
  if (isNoName(literal.host)) throw new UsageError(`--to ${text} is no IP: expected IP:port or service[.namespace][:port]`);
  const service = findService(cluster, literal.host, namespace);
  const name = `${service.metadata.name}.${service.metadata.namespace ?? 'default'}`;
  const spec = fieldsOf(service.spec);
  const reason = unaddressable(cluster, service, spec);
  if (reason !== undefined) return { name, reason };
  const port = findPort(service, literal.port, protocol);
  const clusterIPs = clusterIPsOf(spec);
  const clusterIP = clusterIPs.find((ip) => family !== undefined && parseAddress(ip)?.family === family) ?? clusterIPs[0];
  if (clusterIP === undefined) throw new InputError(`service ${name} has no cluster IP`);
  return { name, address: clusterIP, port: Number(port.port), protocol: transport(port) };
}

/** `IP[:port]`, `[namespace/]pod`, `external` or `node`. */
export function resolveSource(text: string, destination: string, context: EndsContext): Source {
  const { cluster } = context;
  const family = parseAddress(destination)?.family ?? 'IPv4';
  const target = nodeWithAddress(cluster, destination);
  const source = sourceOf(text, family, context, () => (context.node === undefined && target) || findNode(cluster, context.node));
  if (target === undefined || target.metadata.name === source.node.metadata.name) return source;
  const { name } = target.metadata;
  return {
    ...source,
    notes: [...source.notes, `${destination} is an address of ${name}, whose own rules come after these: --node ${name} shows them`],
  };
}

function sourceOf(text: string, family: Family, context: EndsContext, firstOrNamed: () => KubernetesObject): Source {
  const { cluster } = context;
  if (text === 'external') return { address: EXTERNAL[family], port: CLIENT_PORT, node: firstOrNamed(), notes: [] };
  if (text === 'node') {
    const node = firstOrNamed();
    return { address: ofFamily(nodeAddresses(node), family, `node ${node.metadata.name}`), port: CLIENT_PORT, node, notes: [] };
  }
  const literal = splitHostPort(text);
  const address = parseAddress(literal.host);
  if (address !== undefined) {
    const port = literal.port === undefined ? CLIENT_PORT : portNumber(literal.port, '--from');
    return { address: address.text, port, node: nodeOfAddress(cluster, address.text, context.node) ?? firstOrNamed(), notes: [] };
  }
  return podSource(text, family, context);
}

/** What was meant as an address, and is none. */
function isNoName(text: string): boolean {
  return /^[\d.]+$|:/.test(text);
}

/** The family that an address among the arguments asks for. */
export function familyOf(text: string): Family | undefined {
  return parseAddress(splitHostPort(text).host)?.family;
}

function podSource(text: string, family: Family, { cluster, namespace, node }: EndsContext): Source {
  if (isNoName(text))
    throw new UsageError(`--from ${text} is no IP, and no Pod is named so: expected IP[:port], [namespace/]pod, external or node`);
  const name = text.includes('/') ? text : `${namespace}/${text}`;
  const pods = cluster.objects('Pod');
  const pod = pods.find((each) => `${each.metadata.namespace}/${each.metadata.name}` === name);
  if (pod !== undefined) {
    const home = podNode(pod) === '' ? undefined : findNode(cluster, podNode(pod));
    if (home === undefined) throw new InputError(`pod ${name} runs nowhere: no Node takes it`);
    const isElsewhere = node !== undefined && node !== home.metadata.name;
    const notes = isElsewhere
      ? [`${name} runs on ${home.metadata.name}, where its packets are decided; showing ${node}, as --node asks`]
      : [];
    return {
      address: ofFamily(podIPs(pod), family, `pod ${name}`),
      port: CLIENT_PORT,
      node: isElsewhere ? findNode(cluster, node) : home,
      notes,
    };
  }
  if (name !== STAND_IN) {
    const near = nearest(
      name,
      pods.map((each) => `${each.metadata.namespace}/${each.metadata.name}`),
    );
    throw new InputError(`pod ${name} does not exist${near}; --from also takes an IP, external, node, or ${STAND_IN} for a stand-in`);
  }
  const home = findNode(cluster, node);
  const address = unusedPodAddress(home, pods, family);
  if (address === undefined) throw new InputError(`node ${home.metadata.name} has no free Pod address of family ${family}`);
  const said = `${STAND_IN} is not in the manifests: a stand-in Pod on ${home.metadata.name} with ${address}`;
  return { address, port: CLIENT_PORT, node: home, notes: [said] };
}

function nodeWithAddress(cluster: Cluster, address: string): KubernetesObject | undefined {
  return cluster.objects('Node').find((node) => nodeAddresses(node).includes(address));
}

/** A Pod's packets start on the Pod's node. */
function nodeOfAddress(cluster: Cluster, address: string, node: string | undefined): KubernetesObject | undefined {
  if (node !== undefined) return undefined;
  const pod = cluster.objects('Pod').find((each) => podIPs(each).includes(address));
  return cluster
    .objects('Node')
    .find((each) => nodeAddresses(each).includes(address) || (pod !== undefined && podNode(pod) === each.metadata.name));
}

function ofFamily(addresses: readonly string[], family: Family, owner: string): string {
  const address = addresses.find((each) => parseAddress(each)?.family === family);
  if (address === undefined) throw new InputError(`${owner} has no ${family} address`);
  return address;
}

function findService(cluster: Cluster, text: string, namespace: string): KubernetesObject {
  const [first = '', second = namespace, ...more] = text.includes('/')
    ? text.split('/').reverse()
    : text.replace(/\.svc(\..*)?$/, '').split('.');
  if (first === '' || more.length > 0) throw new UsageError(`--to ${text}: expected IP:port or service[.namespace][:port]`);
  const services = cluster.objects('Service');
  const service = services.find((each) => each.metadata.name === first && each.metadata.namespace === second);
  if (service !== undefined) return service;
  const names = services.map((each) => `${each.metadata.name}.${each.metadata.namespace}`);
  throw new InputError(`service ${first}.${second} does not exist${nearest(`${first}.${second}`, names)}`);
}

function unaddressable(cluster: Cluster, service: KubernetesObject, spec: Fields): string | undefined {
  if (spec.type === 'ExternalName') {
    return `it is of type ExternalName: DNS answers with the name ${String(spec.externalName)}, and no rule on any node knows the Service`;
  }
  if (spec.clusterIP !== 'None') return undefined;
  const slices = cluster
    .objects('EndpointSlice')
    .filter(
      (each) =>
        each.metadata.labels?.['kubernetes.io/service-name'] === service.metadata.name &&
        each.metadata.namespace === service.metadata.namespace,
    );
  const endpoints = slices.flatMap((slice) => listOf(slice.endpoints).map(fieldsOf));
  const ready = endpoints
    .filter((endpoint) => fieldsOf(endpoint.conditions).ready !== false)
    .map((endpoint) => String(listOf(endpoint.addresses)[0]));
  const answer = ready.length === 0 ? 'with nothing, as no Pod is ready' : `with the addresses of its ready Pods: ${ready.join(', ')}`;
  return `it is headless (clusterIP: None): no rule on any node knows it, and DNS answers ${answer}. A client connects to one of these itself: --to IP:port`;
}

function findPort(service: KubernetesObject, wanted: string | undefined, protocol: TransportProtocol | undefined): Fields {
  const ports = listOf(fieldsOf(service.spec).ports).map(fieldsOf);
  const matching = ports.filter(
    (port) =>
      (wanted === undefined || String(port.port) === wanted || port.name === wanted) &&
      (protocol === undefined || transport(port) === protocol),
  );
  if (matching[0] !== undefined) return matching[0];
  const known = ports.map((port) => `${String(port.port)}/${transport(port)}${port.name ? ` (${String(port.name)})` : ''}`).join(', ');
  const asked = [wanted === undefined ? '' : ` ${wanted}`, protocol === undefined ? '' : ` of protocol ${protocol}`].join('');
  throw new InputError(`service ${service.metadata.name}.${service.metadata.namespace} has no port${asked}; it has ${known || 'none'}`);
}

function transport(port: Fields): TransportProtocol {
  return TRANSPORTS.find((each) => each === port.protocol) ?? 'TCP';
}

function parseProtocol(text: string | undefined): TransportProtocol | undefined {
  if (text === undefined) return undefined;
  const protocol = TRANSPORTS.find((each) => each === text.toUpperCase());
  if (protocol === undefined) throw new UsageError(`--protocol ${text} is unknown, expected ${TRANSPORTS.join(', ')}`);
  return protocol;
}

function portNumber(text: string, option: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw new UsageError(`${option}: port ${text} is outside 1-65535`);
  return port;
}

/** `host:port`, `[v6]:port`, or the host alone; an IPv6 address without brackets has no port. */
function splitHostPort(text: string): { host: string; port?: string } {
  const bracketed = /^\[(.*)\](?::(.*))?$/.exec(text);
  const [, host = '', port] = bracketed ?? (text.split(':').length === 2 ? (/^(.*):(.*)$/.exec(text) ?? []) : ['', text]);
  return port === undefined ? { host } : { host, port };
}
