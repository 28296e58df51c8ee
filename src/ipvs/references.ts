// References from outside to services and servers, checked and put into the form that engines know them by.
import { type Address, type Family, formatEndpoint, parseAddress } from '../address.ts';
import { InvalidArgumentError } from '../errors.ts';
import type { TransportProtocol } from '../packet.ts';
import type { ServerKey, ServiceKey } from './keys.ts';
import type { ServerRef, ServiceRef } from './types.ts';
import { wholeNumber } from './whole-number.ts';

/** How an error calls a field: its path in an object (`service.port`), or the option of a line (`line 3: -t`). */
export type FieldName = (field: string) => string;

/** Names fields as objects have them. */
export const asPath: FieldName = (field) => field;

export const MAX_PORT = 65535;
export const MAX_U32 = 0xffffffff;

export function readServiceKey(service: ServiceRef, nameOf: FieldName): ServiceKey {
  if ('fwmark' in service) {
    const mark = wholeNumber(service.fwmark, 1, MAX_U32, nameOf('service.fwmark'));
    const { family = 'IPv4' } = service;
    if (!isFamily(family)) throw new InvalidArgumentError(nameOf('service.family'), family, 'is neither IPv4 nor IPv6');
    return { kind: 'fwmark', id: `FWM ${mark} ${family}`, family, mark };
  }
  const protocol = readProtocol(service.protocol, nameOf('service.protocol'));
  const address = readAddress(service.address, nameOf('service.address'));
  const port = wholeNumber(service.port, 0, MAX_PORT, nameOf('service.port'));
  const id = `${protocol} ${formatEndpoint(address.text, port)}`;
  return { kind: 'address', id, family: address.family, protocol, address, port };
}

/** The reference that a key was read from, with canonical text. */
export function serviceRefOf(key: ServiceKey): ServiceRef {
  return key.kind === 'fwmark'
    ? { fwmark: key.mark, family: key.family }
    : { protocol: key.protocol, address: key.address.text, port: key.port };
}

/** Masquerading needs a server of the service's own family. */
export function readServerKey(server: ServerRef, service: ServiceKey, nameOf: FieldName): ServerKey {
  const address = readAddress(server.address, nameOf('server.address'));
  if (address.family !== service.family) {
    throw new InvalidArgumentError(
      nameOf('server.address'),
      server.address,
      `is not an ${service.family} address like those of ${service.id}`,
    );
  }
  const port = wholeNumber(server.port, 0, MAX_PORT, nameOf('server.port'));
  return { id: formatEndpoint(address.text, port), address, port };
}

export function readAddress(text: unknown, path: string): Address {
  const address = typeof text === 'string' ? parseAddress(text) : undefined;
  if (address === undefined) throw new InvalidArgumentError(path, text, 'is not an IP address');
  return address;
}

export function readProtocol(protocol: unknown, path: string): TransportProtocol {
  if (protocol === 'TCP' || protocol === 'UDP' || protocol === 'SCTP') return protocol;
  throw new InvalidArgumentError(path, protocol, 'is not one of TCP, UDP, SCTP');
}

function isFamily(family: string): family is Family {
  return family === 'IPv4' || family === 'IPv6';
}
