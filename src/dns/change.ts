// Whether an update of an object moves the serial: only if some answer could differ, as the plugin's `serviceModified` and
// `endpointsEquivalent` judge it.
import type { EndpointSet, NamedEndpoint, NamedPort, NamedService } from './objects.ts';

export function isServiceChanged(before: NamedService, after: NamedService): boolean {
  return targetOf(before) !== targetOf(after) || !arePortsEqual(before.ports, after.ports);
}

/** @param zonal whether topology zones can be asked for */
export function isEndpointSetChanged(before: EndpointSet, after: EndpointSet, zonal: boolean): boolean {
  const isSame = (a: NamedEndpoint, b: NamedEndpoint) => a.spelled === b.spelled && a.name === b.name && (!zonal || a.zone === b.zone);
  return !arePortsEqual(before.ports, after.ports) || !areEqual(before.endpoints, after.endpoints, isSame);
}

function targetOf(service: NamedService): string {
  return service.type === 'ExternalName' ? (service.target ?? '') : '';
}

function arePortsEqual(a: readonly NamedPort[], b: readonly NamedPort[]): boolean {
  return areEqual(a, b, (one, other) => one.name === other.name && one.protocol === other.protocol && one.port === other.port);
}

function areEqual<T>(a: readonly T[], b: readonly T[], isSame: (one: T, other: T) => boolean): boolean {
  return a.length === b.length && a.every((one, index) => b[index] !== undefined && isSame(one, b[index]));
}
