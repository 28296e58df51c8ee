// AXFR and IXFR: a whole zone as one list of records, SOA first and last. No PTR, no Pods, no fixed names but the servers'.
import { nameServerRecords, soaRecord } from './apex.ts';
import type { NameSource } from './catalog.ts';
import { type EndpointSet, type NamedPort, type NamedService, NO_PORT } from './objects.ts';
import { isApex, type Question } from './question.ts';
import { RCODE, type ResourceRecord, TYPE } from './record.ts';
import { bareReply, positiveReply, type Reply } from './reply.ts';
import type { DnsSettings } from './settings.ts';
import { addressRecord } from './target-records.ts';

const WEIGHT_ALL = 100;

/** @param known the serial that an IXFR says the client has */
export function transfer(question: Question, known: number | undefined, source: NameSource, settings: DnsSettings): Reply {
  if (!settings.transfer || !isApex(question)) return bareReply(RCODE.REFUSED);
  const { name: zone, isMulticluster } = question.zone;
  const soa = soaRecord(zone, isMulticluster, source, settings);
  // Only the very serial is current; a newer one gets everything, too.
  if (question.type === TYPE.IXFR && known === soa.serial) return positiveReply([soa]);
  const { records, glue } = nameServerRecords(zone, source, settings);
  const index = isMulticluster ? source.imported : source.own;
  const services = index.services().filter(({ namespace }) => source.isExposed(namespace));
  const named = services.flatMap((service) =>
    serviceRecords(
      service,
      `${service.name}.${service.namespace}.svc.${zone}`,
      index.endpointSets(service.namespace, service.name),
      settings.ttl,
    ),
  );
  return positiveReply([soa, ...records, ...glue, ...named, soa]);
}

function serviceRecords(service: NamedService, name: string, sets: readonly EndpointSet[], ttl: number): ResourceRecord[] {
  switch (service.type) {
    case 'ExternalName':
      return service.target === undefined ? [] : [{ name, type: 'CNAME', ttl, target: service.target }];
    case 'Headless':
      return sets.flatMap((set) => endpointRecords(set, name, ttl));
    default: {
      const addresses = service.addresses.map(({ address }) => addressRecord(name, ttl, address));
      const ports = service.ports.filter(({ port }) => port !== NO_PORT);
      return [
        ...addresses,
        ...ports.map((port) => portRecord(name, port, WEIGHT_ALL, name, ttl)),
        ...ports.filter(isNamed).map((port) => portRecord(portName(port, name), port, WEIGHT_ALL, name, ttl)),
      ];
    }
  }
}

/** The weight counts the addresses of this slice alone, unlike that of a query. Endpoints of a clusterset lack their cluster here. */
function endpointRecords({ endpoints, ports }: EndpointSet, name: string, ttl: number): ResourceRecord[] {
  const weight = Math.max(1, Math.floor(WEIGHT_ALL / endpoints.length));
  const named = ports.filter((port) => port.port !== NO_PORT && isNamed(port));
  return endpoints.flatMap((endpoint) => {
    const target = `${endpoint.name}.${name}`;
    return [
      addressRecord(name, ttl, endpoint.address),
      addressRecord(target, ttl, endpoint.address),
      ...named.map((port) => portRecord(portName(port, name), port, weight, target, ttl)),
    ];
  });
}

function portRecord(name: string, { port }: NamedPort, weight: number, target: string, ttl: number): ResourceRecord {
  return { name, type: 'SRV', ttl, priority: 0, weight, port, target };
}

function isNamed({ name }: NamedPort): boolean {
  return name !== '';
}

function portName({ name, protocol }: NamedPort, service: string): string {
  return `_${name}._${protocol}.${service}`;
}
