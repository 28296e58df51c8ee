// An EndpointSlice as kube-proxy reads it: only what can become an Endpoint is left.
import type { Family } from '../address.ts';
import type { TransportProtocol } from '../packet.ts';
import { type Field, fieldsOf, required } from './fields.ts';
import { namespaceOf } from './kinds.ts';
import { PROTOCOLS } from './service.ts';
import type { KubernetesObject } from './types.ts';

/** One entry of ports that has a name and a number. */
export interface PortOfSlice {
  /** Empty is a name too: that of the Service's unnamed port. */
  readonly name: string;
  readonly protocol: TransportProtocol;
  readonly port: number;
}

/** One entry of endpoints that has an address. */
export interface EndpointOfSlice {
  /** Canonical text of addresses[0]: the others are never used. */
  readonly address: string;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Empty: not known. */
  readonly nodeName: string;
  readonly zoneHints: readonly string[];
  readonly nodeHints: readonly string[];
}

export interface EndpointSlice {
  readonly kind: 'EndpointSlice';
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly addressType: Family | 'FQDN';
  /** The Service it belongs to, by the label alone; empty: none. */
  readonly serviceName: string;
  /** Entries without a name or number are left out: kube-proxy skips them. */
  readonly ports: readonly PortOfSlice[];
  /** Empty for FQDN, which no dataplane uses. */
  readonly endpoints: readonly EndpointOfSlice[];
}

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';
const READABLE_VERSION = 'discovery.k8s.io/v1';

/** The typed, defaulted form of an EndpointSlice. @throws InvalidObjectError */
export function readEndpointSlice(object: KubernetesObject): EndpointSlice {
  const fields = fieldsOf(object);
  const apiVersion = fields.at('apiVersion');
  if (apiVersion.value !== READABLE_VERSION) throw apiVersion.invalid(`is not ${READABLE_VERSION}`);
  const typeField = fields.at('addressType');
  const addressType = required(typeField, typeField.oneOf(['IPv4', 'IPv6', 'FQDN']));
  const labels = fields.at('metadata').at('labels').texts();
  const entries = fields.at('endpoints').items();
  return {
    kind: 'EndpointSlice',
    namespace: namespaceOf(object),
    name: object.metadata.name,
    labels,
    addressType,
    serviceName: labels[SERVICE_NAME_LABEL] ?? '',
    ports: fields.at('ports').list(readPort).flat(),
    endpoints: addressType === 'FQDN' ? [] : readEndpoints(entries, addressType),
  };
}

function readPort(field: Field): PortOfSlice[] {
  const name = field.at('name').text();
  const port = field.at('port').integer(0, 65535) ?? 0;
  const protocol = field.at('protocol').oneOf(PROTOCOLS) ?? 'TCP';
  return name === undefined || port === 0 ? [] : [{ name, protocol, port }];
}

function readEndpoints(entries: readonly Field[], family: Family): EndpointOfSlice[] {
  const endpoints: EndpointOfSlice[] = [];
  for (const field of entries) {
    const endpoint = readEndpoint(field, family);
    if (endpoint !== undefined) endpoints.push(endpoint);
  }
  return endpoints;
}

function readEndpoint(field: Field, family: Family): EndpointOfSlice | undefined {
  const first = field.at('addresses').first();
  if (first === undefined) return undefined;
  const address = required(first, first.address());
  if (address.family !== family) throw first.invalid(`is not ${family}, as addressType says`);
  const conditions = field.at('conditions');
  const hints = field.at('hints');
  return {
    address: address.text,
    ready: conditions.at('ready').boolean() ?? true,
    serving: conditions.at('serving').boolean() ?? true,
    terminating: conditions.at('terminating').boolean() ?? false,
    nodeName: field.at('nodeName').text() ?? '',
    zoneHints: readHints(hints, 'forZones'),
    nodeHints: readHints(hints, 'forNodes'),
  };
}

const NO_HINTS: readonly string[] = [];

function readHints(hints: Field, name: string): readonly string[] {
  if (hints.isAbsent) return NO_HINTS;
  const field = hints.at(name);
  return field.isAbsent ? NO_HINTS : field.items().map((hint) => hint.at('name').text() ?? '');
}
