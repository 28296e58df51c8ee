// What the engines have of IPVS so far: round robin without session affinity. Explanations and `render` know every scheduler.
import { formatEndpoint } from '../address.ts';
import { UnsupportedError } from '../errors.ts';
import type { VirtualService } from '../program/virtual-service.ts';

/** Why no engine sends packets through this service yet; undefined: both do. */
export function unmodelledPart({ protocol, address, port, scheduler, flags, persistence }: VirtualService): string | undefined {
  const name = `virtual service ${protocol} ${formatEndpoint(address, port)}`;
  if (scheduler !== 'rr') return `${name}: scheduler ${scheduler} is not supported`;
  if (persistence !== undefined) return `${name}: persistence is not supported`;
  return flags.length > 0 ? `${name}: flags ${flags.join(', ')} are not supported` : undefined;
}

/** @throws UnsupportedError for a service that no engine sends packets through */
export function refuseUnmodelled(service: VirtualService): void {
  const reason = unmodelledPart(service);
  if (reason !== undefined) throw new UnsupportedError(reason);
}
