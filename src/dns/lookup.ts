// What stands behind a name of the cluster: addresses, an alias, nothing, or no such name. Decides by name alone; answers.ts makes
// records of it by type.
import { type Address, parseAddress } from '../address.ts';
import type { NameSource } from './catalog.ts';
import type { NameFields } from './name-grammar.ts';
import type { EndpointSet, NamedEndpoint, NamedPort, NamedService } from './objects.ts';
import type { DnsSettings } from './settings.ts';

/** One address and port behind a name. */
export interface Target {
  /** The name of what has the address, relative to the zone: `web.prod.svc`, `db-0.db.prod.svc`. */
  readonly owner: string;
  readonly address: Address;
  readonly spelled: string;
  /** NO_PORT: no SRV. */
  readonly port: number;
}

/** Why there is no such name. */
export type Absence =
  | 'shape'
  | 'namespace'
  | 'service'
  | 'endpoint'
  | 'port'
  | 'notReady'
  | 'emptyService'
  | 'noEndpoints'
  | 'aliasTarget'
  | 'belowAlias'
  | 'zoneScope'
  | 'podsDisabled'
  | 'podAddress'
  | 'pod'
  | 'reverse'
  | 'noText';

export type Found =
  | { readonly kind: 'absent'; readonly why: Absence }
  /** A name that only has others below it. */
  | { readonly kind: 'node' }
  | { readonly kind: 'targets'; readonly targets: readonly Target[] }
  | { readonly kind: 'alias'; readonly target: string };

const NODE: Found = { kind: 'node' };

/** Looks up the fields of a name. Undefined fields: its shape fits no name. */
export function lookup(fields: NameFields | undefined, isMulticluster: boolean, source: NameSource, settings: DnsSettings): Found {
  if (fields === undefined) return absent('shape');
  if (fields.kind === '') return NODE;
  if (fields.kind === 'pod' && settings.pods === 'disabled') return absent('podsDisabled');
  if (!source.isExposed(fields.namespace)) return absent('namespace');
  if (fields.service === '') return NODE;
  if (fields.kind === 'pod') return lookupPod(fields, source, settings);
  return lookupService(fields, isMulticluster, source, settings);
}

function lookupPod({ service: label, namespace }: NameFields, source: NameSource, settings: DnsSettings): Found {
  const spelled = addressInLabel(label);
  const address = strictAddress(spelled);
  if (address === undefined) return absent('podAddress');
  // Pods on the network of one node share an address, and the weight of its record.
  const podCount = settings.pods === 'verified' ? source.podCountAt(namespace, spelled) : 1;
  if (podCount === 0) return absent('pod');
  const target: Target = { owner: `${label}.${namespace}.pod`, address, spelled, port: 0 };
  return { kind: 'targets', targets: Array.from({ length: podCount }, () => target) };
}

function lookupService(fields: NameFields, isMulticluster: boolean, source: NameSource, settings: DnsSettings): Found {
  const index = isMulticluster ? source.imported : source.own;
  const service = index.service(fields.namespace, fields.service);
  if (service === undefined) return absent('service');
  if (service.type === 'ExternalName') return lookupAlias(fields, service.target);
  const sets = () => index.endpointSets(fields.namespace, fields.service);
  if (settings.ignoreEmptyService && service.type === 'ClusterIP' && sets().every((set) => set.endpoints.length === 0))
    return absent('emptyService');
  if (fields.zoneDirective !== '' && service.type !== 'Headless') return absent('zoneScope');
  if (service.type === 'ClusterIP' && fields.endpoint === '') return lookupClusterIP(fields, service);
  if (settings.noEndpoints) return absent('noEndpoints');
  return lookupEndpoints(fields, service, isMulticluster, sets(), (set, name) => index.endpointsNamed(set, name));
}

function lookupAlias({ endpoint, port, protocol, zoneDirective }: NameFields, target: string | undefined): Found {
  if (endpoint !== '' || port !== '' || protocol !== '' || zoneDirective !== '') return absent('belowAlias');
  return target === undefined ? absent('aliasTarget') : { kind: 'alias', target };
}

function lookupClusterIP(fields: NameFields, service: NamedService & { readonly type: 'ClusterIP' }): Found {
  const ports = service.ports.filter((port) => isPortMeant(port, fields));
  if (ports.length === 0) return absent('port');
  const owner = `${service.name}.${service.namespace}.svc`;
  return {
    kind: 'targets',
    targets: ports.flatMap(({ port }) => service.addresses.map(({ address, spelled }) => ({ owner, address, spelled, port }))),
  };
}

function lookupEndpoints(
  fields: NameFields,
  service: NamedService,
  isMulticluster: boolean,
  sets: readonly EndpointSet[],
  named: (set: EndpointSet, name: string) => readonly NamedEndpoint[],
): Found {
  const targets: Target[] = [];
  let endpointCount = 0;
  for (const set of sets) {
    // The one-label endpoint form of a clusterset zone means endpoints of no cluster.
    if (isMulticluster && fields.endpoint !== '' && set.cluster.toLowerCase() !== fields.cluster) continue;
    const ports = set.ports.filter((port) => isPortMeant(port, fields));
    const endpoints = fields.endpoint === '' ? set.endpoints : named(set, fields.endpoint);
    endpointCount += endpoints.length;
    const cluster = isMulticluster && set.cluster !== '' ? `.${set.cluster}` : '';
    for (const endpoint of inZone(endpoints, sets, fields)) {
      const owner = `${endpoint.name}${cluster}.${service.name}.${service.namespace}.svc`;
      for (const { port } of ports) targets.push({ owner, address: endpoint.address, spelled: endpoint.spelled, port });
    }
  }
  if (targets.length > 0) return { kind: 'targets', targets };
  if (endpointCount === 0) return absent(fields.endpoint === '' ? 'notReady' : 'endpoint');
  return fields.zoneDirective === 'pin' ? { kind: 'targets', targets } : absent('port');
}

/** The endpoints that a zone-scoped name means. `prefer` takes all of them when the Service has none in that zone. */
function inZone(endpoints: readonly NamedEndpoint[], sets: readonly EndpointSet[], fields: NameFields): readonly NamedEndpoint[] {
  const { zoneDirective, topologyZone } = fields;
  if (zoneDirective === '') return endpoints;
  const isInZone = ({ zone }: NamedEndpoint) => zone === topologyZone;
  if (zoneDirective === 'prefer' && !sets.some((set) => set.endpoints.some(isInZone))) return endpoints;
  return endpoints.filter(isInZone);
}

function isPortMeant({ name, protocol }: NamedPort, fields: NameFields): boolean {
  return (fields.port === '' || fields.port === name) && (fields.protocol === '' || fields.protocol === protocol);
}

/** `10-1-0-11` → 10.1.0.11, `fd00--1` → fd00::1. */
function addressInLabel(label: string): string {
  const dashCount = label.split('-').length - 1;
  return label.replaceAll('-', dashCount === 3 && !label.includes('--') ? '.' : ':');
}

/** An address as Go's parser takes it: no leading zeros, no zone. */
export function strictAddress(text: string): Address | undefined {
  return /(^|\.)0\d/.test(text) || /[\da-f]{5}/i.test(text) ? undefined : parseAddress(text);
}

function absent(why: Absence): Found {
  return { kind: 'absent', why };
}
