// The API server's rules for one EndpointSlice, or for Endpoints written by hand, asked after defaulting (validation.ts calls it).
import { parseAddress } from '../address.ts';
import type { KubernetesObject } from '../api/types.ts';
import { type Complaint, complaint, hostLabelProblems, isPort, oneOf, outsidePorts, quoted } from './complaint.ts';
import { type Fields, fieldsOf, listOf } from './fields.ts';
import { specialUse } from './service-address-validation.ts';

const ENDPOINTS_MAX = 1000;
const PORTS_MAX = 100;
/** For zones and for nodes each. */
const HINTS_MAX = 8;
const ADDRESSES_MAX = 100;

export function sliceProblems(slice: KubernetesObject): Complaint[] {
  const { addressType } = slice;
  const endpoints = listOf(slice.endpoints);
  const ports = listOf(slice.ports);
  return [
    ...(addressType === undefined ? [complaint('addressType', addressType, 'is missing, expected IPv4, IPv6 or FQDN')] : []),
    ...oneOf('addressType', addressType, ['IPv4', 'IPv6', 'FQDN']),
    ...(endpoints.length > ENDPOINTS_MAX
      ? [complaint('endpoints', endpoints.length, `holds ${endpoints.length}, the limit is ${ENDPOINTS_MAX}`)]
      : []),
    ...(ports.length > PORTS_MAX ? [complaint('ports', ports.length, `holds ${ports.length}, the limit is ${PORTS_MAX}`)] : []),
    ...endpoints.flatMap((endpoint, index) => addressProblems(fieldsOf(endpoint).addresses, addressType, `endpoints[${index}].addresses`)),
    ...endpoints.flatMap((endpoint, index) => hintProblems(fieldsOf(endpoint), `endpoints[${index}]`)),
    ...portProblems(ports, 'ports'),
  ];
}

export function endpointsProblems(endpoints: KubernetesObject): Complaint[] {
  return listOf(endpoints.subsets).flatMap((entry, at) => {
    const subset = fieldsOf(entry);
    const addresses = ['addresses', 'notReadyAddresses'].flatMap((field) =>
      listOf(subset[field]).flatMap((address, index) => {
        const { ip, hostname } = fieldsOf(address);
        const path = `subsets[${at}].${field}[${index}]`;
        return [...endpointAddressProblems(ip, `${path}.ip`), ...hostLabelProblems(`${path}.hostname`, hostname)];
      }),
    );
    return [...addresses, ...portProblems(listOf(subset.ports), `subsets[${at}].ports`)];
  });
}

function endpointAddressProblems(text: unknown, path: string, family?: unknown): Complaint[] {
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  const isOfFamily = family === undefined || address?.family === family;
  if (address === undefined || !isOfFamily) return [complaint(path, text, `${quoted(text)} is not an ${family ?? 'IP'} address`)];
  const special = specialUse(address);
  return special === undefined ? [] : [complaint(path, text, `${quoted(text)} is ${special}, which no endpoint may have`)];
}

function addressProblems(value: unknown, addressType: unknown, path: string): Complaint[] {
  const addresses = listOf(value);
  if (addresses.length < 1 || addresses.length > ADDRESSES_MAX) {
    return [complaint(path, value, `holds ${addresses.length} addresses, expected 1-${ADDRESSES_MAX}`)];
  }
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  return addresses.flatMap((text, index) => endpointAddressProblems(text, `${path}[${index}]`, addressType));
}

function hintProblems({ hostname, hints }: Fields, path: string): Complaint[] {
  const counts = ['forZones', 'forNodes'].flatMap((field) => {
    const count = listOf(fieldsOf(hints)[field]).length;
    return count > HINTS_MAX ? [complaint(`${path}.hints.${field}`, count, `holds ${count}, the limit is ${HINTS_MAX}`)] : [];
  });
  return [...hostLabelProblems(`${path}.hostname`, hostname), ...counts];
}

function portProblems(ports: readonly unknown[], path: string): Complaint[] {
  const names = new Set<unknown>();
  return ports.flatMap((entry, index) => {
    const { name, port, protocol } = fieldsOf(entry);
    const isRepeated = names.has(name);
    names.add(name);
    const hasNumber = port === undefined || port === null || isPort(port);
    return [
      ...(isRepeated ? [complaint(`${path}[${index}].name`, name, `${quoted(name)} is there twice`)] : []),
      ...(hasNumber ? [] : [outsidePorts(`${path}[${index}].port`, port)]),
      ...oneOf(`${path}[${index}].protocol`, protocol, ['TCP', 'UDP', 'SCTP']),
    ];
  });
}
