// The records of a zone itself: SOA, NS and the names of the name server.
import type { Address } from '../address.ts';
import type { NameSource } from './catalog.ts';
import { DEFAULT_SERVER } from './question.ts';
import type { AddressRecord, AuthorityRecord, NameRecord } from './record.ts';
import type { DnsSettings } from './settings.ts';
import { addressRecord } from './target-records.ts';

const SOA_TTL_MAX = 300;
const REFRESH_SECONDS = 7200;
const RETRY_SECONDS = 1800;
const EXPIRE_SECONDS = 86400;

/** @param zone as the query spells it: SOA names keep its case */
export function soaRecord(zone: string, isMulticluster: boolean, source: NameSource, { ttl }: DnsSettings): AuthorityRecord {
  return {
    name: zone,
    type: 'SOA',
    ttl: Math.min(ttl, SOA_TTL_MAX),
    mname: `${DEFAULT_SERVER}${zone}`,
    rname: `hostmaster.${zone}`,
    serial: source.serial(isMulticluster),
    refresh: REFRESH_SECONDS,
    retry: RETRY_SECONDS,
    expire: EXPIRE_SECONDS,
    minimum: ttl,
  };
}

/** One address of a name server. */
export interface NameServer {
  /** Absolute. */
  readonly name: string;
  readonly address: Address;
}

/**
 * The name servers of a zone: the Services with a ready endpoint at an address this server listens on; `ns.dns.<zone>` with those
 * addresses when no slice holds one of them. Exposure is not asked for here. A Service comes once for each listening address.
 */
export function nameServers(zone: string, source: NameSource, { localIPs }: DnsSettings): readonly NameServer[] {
  const sets = localIPs.flatMap((address) => source.endpointSetsAt(address.text));
  if (sets.length === 0) return localIPs.map((address) => ({ name: `${DEFAULT_SERVER}${zone}`, address }));
  return sets.flatMap((set) => {
    const service = source.own.service(set.namespace, set.service);
    if (service === undefined || service.type === 'ExternalName') return [];
    const serviceName = `${service.name}.${service.namespace}.svc.${zone}`;
    if (service.type === 'ClusterIP') return service.addresses.map(({ address }) => ({ name: serviceName, address }));
    return set.endpoints.map(({ name, address }) => ({ name: `${name}.${serviceName}`, address }));
  });
}

/** NS records, each once, with an address record for each server. */
export function nameServerRecords(
  zone: string,
  source: NameSource,
  settings: DnsSettings,
): { readonly records: readonly NameRecord[]; readonly glue: readonly AddressRecord[] } {
  const servers = nameServers(zone, source, settings);
  const { ttl } = settings;
  const names = [...new Set(servers.map(({ name }) => name))];
  return {
    records: names.map((target) => ({ name: zone, type: 'NS', ttl, target })),
    glue: servers.map(({ name, address }) => addressRecord(name, ttl, address)),
  };
}
