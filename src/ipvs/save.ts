// The configured services as `ipvsadm -Sn` prints them, which `ipvsadm -R` reads.
import { formatAddress, formatEndpoint, prefixMask } from '../address.ts';
import type { ServiceKey, ServiceSettings } from './keys.ts';
import type { ServerEntry, ServiceEntry } from './registry.ts';
import { flagNames } from './settings.ts';

const protocolOption = { TCP: '-t', UDP: '-u', SCTP: '--sctp-service' } as const;

/** Servers oldest first: restored, each new one goes to the front, and the list is the same again. */
export function saveText(services: Iterable<ServiceEntry>): string {
  return Array.from(services, serviceLines).flat().join('');
}

function serviceLines({ key, settings, servers }: ServiceEntry): string[] {
  const service = serviceText(key);
  return [
    `-A ${service} -s ${settings.scheduler}${persistenceText(key, settings)}${flagsText(settings)}\n`,
    ...Array.from(servers.values(), (server) => `-a ${service} ${serverText(server)}\n`),
  ];
}

function serviceText(key: ServiceKey): string {
  if (key.kind === 'fwmark') return `-f ${key.mark}${key.family === 'IPv6' ? ' -6' : ''}`;
  return `${protocolOption[key.protocol]} ${formatEndpoint(key.address.text, key.port)}`;
}

function persistenceText(key: ServiceKey, { persistence }: ServiceSettings): string {
  if (persistence === undefined) return '';
  const mask = netmaskText(key, persistence);
  return ` -p ${persistence.timeoutSeconds}${mask === undefined ? '' : ` -M ${mask}`}`;
}

/** IPv4 dotted, which need not be a prefix; IPv6 the length of the prefix. Undefined when it is of full length: ipvsadm does not say that. */
export function netmaskText({ family }: ServiceKey, { mask }: NonNullable<ServiceSettings['persistence']>): string | undefined {
  const full = prefixMask(family, 128);
  if (mask.every((word, index) => word === full[index])) return undefined;
  if (mask.length === 1) return formatAddress(mask);
  return String(mask.reduce((length, word) => length + Math.clz32(~word), 0));
}

function flagsText(settings: ServiceSettings): string {
  const names = flagNames(settings);
  return `${settings.isOnePacket ? ' -o' : ''}${names.length === 0 ? '' : ` -b ${names.join(',')}`}`;
}

function serverText({ key, settings: { weight, upperThreshold, lowerThreshold } }: ServerEntry): string {
  const upper = upperThreshold === 0 ? '' : ` -x ${upperThreshold}`;
  const lower = lowerThreshold === 0 ? '' : ` -y ${lowerThreshold}`;
  return `-r ${key.id} -m -w ${weight}${upper}${lower}`;
}
