// Kubernetes objects as cluster DNS reads them: Services with their names, endpoints with theirs, Pods and Namespaces.
// The readers of api/ leave out what no dataplane needs (hostnames, external names); these leave out what no name needs.
import { type Address, parseAddress } from '../address.ts';
import { type Field, fieldsOf, required } from '../api/fields.ts';
import { groupOf, namespaceOf } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { LABEL_BYTES_MAX, readName } from './domain-name.ts';
import type { Labels } from './label-selector.ts';

/** Stands for the port of what has none: it yields addresses but no SRV. */
export const NO_PORT = -1;

export interface NamedPort {
  /** Name and protocol in lower case: they compare without it. */
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
}

/** An address, and its text as the object has it: names and reverse lookups go by the spelling. */
export interface SpelledAddress {
  readonly address: Address;
  readonly spelled: string;
}

interface ServiceHead {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly NamedPort[];
}

export interface VirtualService extends ServiceHead {
  readonly type: 'ClusterIP';
  readonly addresses: readonly SpelledAddress[];
}

export interface HeadlessService extends ServiceHead {
  readonly type: 'Headless';
}

export interface AliasService extends ServiceHead {
  readonly type: 'ExternalName';
  /** Absolute; undefined when it is an address or no name at all: then the Service has no name either. */
  readonly target: string | undefined;
}

export type NamedService = VirtualService | HeadlessService | AliasService;

/** One ready address of an EndpointSlice. */
export interface NamedEndpoint extends SpelledAddress {
  /** Its label below the Service, as spelled. */
  readonly name: string;
  /** Topology zone, lower case. */
  readonly zone: string;
}

export interface EndpointSet {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** By label; empty: of none. */
  readonly service: string;
  /** The exported Service and the cluster it comes from; empty: not imported. */
  readonly importedService: string;
  readonly cluster: string;
  readonly ports: readonly NamedPort[];
  readonly endpoints: readonly NamedEndpoint[];
  /** Endpoints that have no name because they are not ready. */
  readonly notReadyCount: number;
}

export interface NamedPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  /** The primary address as spelled; empty: none yet. */
  readonly ip: string;
  /** Not finished and not being deleted. */
  readonly isAlive: boolean;
  readonly isHostNetwork: boolean;
  readonly dnsPolicy: string;
  readonly dnsConfig: PodDnsConfig;
}

/** spec.dnsConfig. */
export interface PodDnsConfig {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly ndots?: number;
}

export interface NamedNamespace {
  readonly name: string;
  readonly labels: Labels;
}

/** What an object is to cluster DNS. */
export type DnsObject =
  | { readonly kind: 'Service'; readonly value: NamedService }
  | { readonly kind: 'ServiceImport'; readonly value: NamedService }
  | { readonly kind: 'EndpointSlice'; readonly value: EndpointSet }
  | { readonly kind: 'Pod'; readonly value: NamedPod }
  | { readonly kind: 'Namespace'; readonly value: NamedNamespace };

export type DnsKind = DnsObject['kind'];

/** How endpoints without a hostname are named. */
export interface EndpointNaming {
  readonly endpointPodNames: boolean;
}

const GROUPS: Readonly<Record<DnsKind, string>> = {
  Service: '',
  ServiceImport: 'multicluster.x-k8s.io',
  EndpointSlice: 'discovery.k8s.io',
  Pod: '',
  Namespace: '',
};

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const IMPORTED_NAME_LABEL = 'multicluster.kubernetes.io/service-name';
const SOURCE_CLUSTER_LABEL = 'multicluster.kubernetes.io/source-cluster';
const HEADLESS = 'None';
const FINISHED_PHASES = ['Succeeded', 'Failed', 'Unknown'];
const NO_PORTS: readonly NamedPort[] = [{ name: '', protocol: '', port: NO_PORT }];

export function isDnsKind(kind: string): kind is DnsKind {
  return Object.hasOwn(GROUPS, kind);
}

/** The typed form, or undefined for what has no name: workloads, Nodes, custom resources. @throws InvalidObjectError */
export function readDnsObject(object: KubernetesObject, naming: EndpointNaming): DnsObject | undefined {
  const { kind } = object;
  if (!isDnsKind(kind) || GROUPS[kind] !== groupOf(object)) return undefined;
  switch (kind) {
    case 'Service':
      return { kind, value: readService(object) };
    case 'ServiceImport':
      return { kind, value: readServiceImport(object) };
    case 'EndpointSlice':
      return { kind, value: readEndpointSet(object, naming) };
    case 'Pod':
      return { kind, value: readPod(object) };
    default:
      return { kind, value: { name: object.metadata.name, labels: labelsIn(fieldsOf(object)) } };
  }
}

function readService(object: KubernetesObject): NamedService {
  const fields = fieldsOf(object);
  const spec = fields.at('spec');
  const head = { ...headOf(object, fields), ports: readPorts(spec.at('ports')) };
  if (spec.at('type').text() === 'ExternalName')
    return { ...head, type: 'ExternalName', target: aliasTarget(spec.at('externalName').text()) };
  const several = spec.at('clusterIPs').items();
  const addresses = several.length > 0 ? several : [spec.at('clusterIP')];
  const [first] = addresses;
  if (first?.value === HEADLESS) return { ...head, type: 'Headless' };
  return { ...head, type: 'ClusterIP', addresses: addresses.flatMap((field) => readAddress(field.unlessEmpty())) };
}

function readServiceImport(object: KubernetesObject): NamedService {
  const fields = fieldsOf(object);
  const spec = fields.at('spec');
  const head = { ...headOf(object, fields), ports: readPorts(spec.at('ports')) };
  if (spec.at('type').oneOf(['ClusterSetIP', 'Headless']) === 'Headless') return { ...head, type: 'Headless' };
  return { ...head, type: 'ClusterIP', addresses: spec.at('ips').items().flatMap(readAddress) };
}

function readEndpointSet(object: KubernetesObject, naming: EndpointNaming): EndpointSet {
  const fields = fieldsOf(object);
  const head = headOf(object, fields);
  const isNameless = fields.at('addressType').text() === 'FQDN';
  const entries = isNameless ? [] : fields.at('endpoints').items();
  // `serving` and `terminating` mean nothing to names.
  const ready = entries.filter((field) => field.at('conditions').at('ready').boolean() ?? true);
  return {
    ...head,
    service: head.labels[SERVICE_NAME_LABEL] ?? '',
    importedService: head.labels[IMPORTED_NAME_LABEL] ?? '',
    cluster: head.labels[SOURCE_CLUSTER_LABEL] ?? '',
    ports: readPorts(fields.at('ports')),
    endpoints: ready.flatMap((field) => readEndpoint(field, naming)),
    notReadyCount: entries.length - ready.length,
  };
}

/** One for each address of the endpoint. */
function readEndpoint(field: Field, { endpointPodNames }: EndpointNaming): NamedEndpoint[] {
  const hostname = field.at('hostname').text() ?? '';
  const podName = endpointPodNames ? (field.at('targetRef').at('name').text() ?? '') : '';
  const given = hostname === '' && podName.length <= LABEL_BYTES_MAX ? podName : hostname;
  const zone = field.at('zone').text()?.toLowerCase() ?? '';
  const addresses = field.at('addresses').items().flatMap(readAddress);
  return addresses.map(({ address, spelled }) => ({ address, spelled, name: given === '' ? dashed(spelled) : given, zone }));
}

/** The address as a label. A label must not end in a dash, so `fd00::` is `fd00--0`. */
function dashed(spelled: string): string {
  const label = spelled.replace(/[.:]/g, '-');
  return label.endsWith('-') ? `${label}0` : label;
}

function readPod(object: KubernetesObject): NamedPod {
  const fields = fieldsOf(object);
  const spec = fields.at('spec');
  const status = fields.at('status');
  const isFinished = FINISHED_PHASES.includes(status.at('phase').text() ?? '');
  return {
    ...headOf(object, fields),
    ip: status.at('podIP').text() ?? '',
    isAlive: !isFinished && fields.at('metadata').at('deletionTimestamp').isAbsent,
    isHostNetwork: spec.at('hostNetwork').boolean() ?? false,
    dnsPolicy: spec.at('dnsPolicy').unlessEmpty().text() ?? 'ClusterFirst',
    dnsConfig: readDnsConfig(spec.at('dnsConfig')),
  };
}

function readDnsConfig(field: Field): PodDnsConfig {
  const texts = (name: string) =>
    field
      .at(name)
      .items()
      .map((item) => required(item, item.text()));
  const ndots = field
    .at('options')
    .items()
    .findLast((option) => option.at('name').text() === 'ndots')
    ?.at('value')
    .text();
  return { nameservers: texts('nameservers'), searches: texts('searches'), ...(ndots === undefined ? {} : { ndots: Number(ndots) }) };
}

function readPorts(field: Field): readonly NamedPort[] {
  const ports = field.items().map((item) => ({
    name: item.at('name').text()?.toLowerCase() ?? '',
    protocol: item.at('protocol').unlessEmpty().text()?.toLowerCase() ?? 'tcp',
    port: item.at('port').integer(0, 65535) ?? NO_PORT,
  }));
  return ports.length === 0 ? NO_PORTS : ports;
}

function readAddress(field: Field): SpelledAddress[] {
  const spelled = field.text();
  const address = field.address();
  return spelled === undefined || address === undefined ? [] : [{ address, spelled }];
}

function aliasTarget(text: string | undefined): string | undefined {
  return text === undefined || parseAddress(text) !== undefined ? undefined : readName(text);
}

function headOf(object: KubernetesObject, fields: Field): { namespace: string; name: string; labels: Labels } {
  return { namespace: namespaceOf(object), name: object.metadata.name, labels: labelsIn(fields) };
}

function labelsIn(fields: Field): Labels {
  return fields.at('metadata').at('labels').texts();
}
