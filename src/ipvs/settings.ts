// Options of services and servers, checked, with ipvsadm's defaults filled in.
import { type Family, parseAddress, prefixMask } from '../address.ts';
import { InvalidArgumentError, UnsupportedError } from '../errors.ts';
import { SCHEDULERS, type SchedulerFlag, type SchedulerName, type ServerSettings, type ServiceKey, type ServiceSettings } from './keys.ts';
import { type FieldName, MAX_U32 } from './references.ts';
import type { ServerOptions, ServiceOptions } from './types.ts';
import { wholeNumber } from './whole-number.ts';

const DEFAULT_SCHEDULER: SchedulerName = 'wlc';
/** ipvsadm's MAX_TIMEOUT: 31 days. */
const MAX_PERSISTENCE_SECONDS = 86400 * 31;
const MAX_WEIGHT = 0x7fffffff;

/** Which flags a scheduler has, by ipvsadm's names. `flag-1` to `flag-3` are the bits themselves; the third means nothing to any scheduler. */
const flagsByName: ReadonlyMap<string, { readonly scheduler?: SchedulerName; readonly flag?: SchedulerFlag }> = new Map([
  ['sh-fallback', { scheduler: 'sh', flag: 'fallback' }],
  ['sh-port', { scheduler: 'sh', flag: 'port' }],
  ['mh-fallback', { scheduler: 'mh', flag: 'fallback' }],
  ['mh-port', { scheduler: 'mh', flag: 'port' }],
  ['flag-1', { flag: 'fallback' }],
  ['flag-2', { flag: 'port' }],
  ['flag-3', {}],
]);

const NO_FLAGS: ReadonlySet<SchedulerFlag> = new Set();

export function readServiceSettings(options: ServiceOptions, service: ServiceKey, nameOf: FieldName): ServiceSettings {
  const scheduler = readScheduler(options.scheduler ?? DEFAULT_SCHEDULER, nameOf('options.scheduler'));
  const names: unknown = options.flags ?? [];
  if (!Array.isArray(names)) throw new InvalidArgumentError(nameOf('options.flags'), names, 'is not a list of flags');
  const flags = names.length === 0 ? NO_FLAGS : new Set(names.flatMap((name) => readFlag(name, scheduler, nameOf('options.flags'))));
  const isOnePacket = options.onePacket ?? false;
  if (isOnePacket && service.kind === 'address' && service.protocol !== 'UDP') {
    throw new InvalidArgumentError(nameOf('options.onePacket'), isOnePacket, `is for UDP and firewall marks only, not for ${service.id}`);
  }
  if (options.persistence === undefined) {
    if (service.kind === 'address' && service.port === 0)
      throw new InvalidArgumentError(nameOf('service.port'), 0, 'is for persistent services only');
    return { scheduler, flags, isOnePacket };
  }
  const { timeout, netmask } = options.persistence;
  const timeoutSeconds = wholeNumber(timeout, 1, MAX_PERSISTENCE_SECONDS, nameOf('options.persistence.timeout'));
  const mask = readMask(netmask, service.family, nameOf('options.persistence.netmask'));
  return { scheduler, flags, isOnePacket, persistence: { timeoutSeconds, mask } };
}

export function readServerSettings(server: ServerOptions, nameOf: FieldName): ServerSettings {
  const weight = wholeNumber(server.weight ?? 1, 0, MAX_WEIGHT, nameOf('server.weight'));
  const upperThreshold = wholeNumber(server.upperThreshold ?? 0, 0, MAX_U32, nameOf('server.upperThreshold'));
  const lowerThreshold = wholeNumber(server.lowerThreshold ?? 0, 0, MAX_U32, nameOf('server.lowerThreshold'));
  if (lowerThreshold > upperThreshold) {
    throw new InvalidArgumentError(nameOf('server.lowerThreshold'), lowerThreshold, `is above the upper threshold ${upperThreshold}`);
  }
  return { weight, upperThreshold, lowerThreshold };
}

/** The flags as ipvsadm prints them for this scheduler. */
export function flagNames({ scheduler, flags }: ServiceSettings): string[] {
  const isNamed = scheduler === 'sh' || scheduler === 'mh';
  const fallback = isNamed ? `${scheduler}-fallback` : 'flag-1';
  const port = isNamed ? `${scheduler}-port` : 'flag-2';
  return [...(flags.has('fallback') ? [fallback] : []), ...(flags.has('port') ? [port] : [])];
}

function readScheduler(name: string, path: string): SchedulerName {
  const scheduler = SCHEDULERS.find((known) => known === name);
  if (scheduler === undefined) throw new UnsupportedError(`${path} ${JSON.stringify(name)} is not one of ${SCHEDULERS.join(', ')}`);
  return scheduler;
}

function readFlag(name: string, scheduler: SchedulerName, path: string): SchedulerFlag[] {
  const known = flagsByName.get(name);
  if (known === undefined) throw new InvalidArgumentError(path, name, `is not one of ${[...flagsByName.keys()].join(', ')}`);
  if (known.scheduler !== undefined && known.scheduler !== scheduler)
    throw new InvalidArgumentError(path, name, `is a flag of scheduler ${known.scheduler}, not of ${scheduler}`);
  return known.flag === undefined ? [] : [known.flag];
}

/** A prefix length as a number or text, or (IPv4) a mask in dotted text. */
function readMask(netmask: string | number | undefined, family: Family, path: string): readonly number[] {
  const bits = family === 'IPv4' ? 32 : 128;
  if (netmask === undefined) return prefixMask(family, bits);
  const dotted = family === 'IPv4' && typeof netmask === 'string' ? parseAddress(netmask) : undefined;
  if (dotted?.family === 'IPv4') return dotted.words;
  const length = typeof netmask === 'string' && /^\d{1,3}$/.test(netmask) ? Number(netmask) : netmask;
  if (typeof length === 'number') return prefixMask(family, wholeNumber(length, 1, bits, path));
  throw new InvalidArgumentError(
    path,
    netmask,
    family === 'IPv4' ? 'is neither an IPv4 mask nor a prefix length' : 'is not a prefix length',
  );
}
