// Writes an IPVS virtual service and its destinations, newest first as the kernel keeps them, its round going on where it stood.
import {
  DESTINATION_ADDRESS,
  DESTINATION_PORT,
  DESTINATION_SIZE,
  DESTINATION_WEIGHT,
  SCHEDULER_RR,
  VS_COUNT,
  VS_CURSOR,
  VS_DESTINATIONS,
  VS_SCHEDULER,
  VS_SERVICE_PORT,
  VS_SIZE,
} from '../../../assembly/shared/layout.ts';
import { formatEndpoint } from '../../address.ts';
import type { VirtualService } from '../../program/virtual-service.ts';
import { refuseUnmodelled } from '../virtual-services.ts';
import type { TableImage } from './table-image.ts';
import { addressWords, swapPort } from './wire.ts';

/** The name of a virtual service: `TCP 10.96.0.1:443`. */
export function virtualServiceKey(protocol: string, address: string, port: number): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

/** Writes a service with its destinations and returns its offset. */
export function writeVirtualService(
  image: TableImage,
  service: VirtualService,
  newestFirst: VirtualService['destinations'],
  state: { readonly cursor: number; readonly servicePort: number },
): number {
  refuseUnmodelled(service);
  const at = image.reserve(VS_SIZE);
  const destinations = image.reserve(newestFirst.length * DESTINATION_SIZE);
  image.point(at + VS_DESTINATIONS, destinations);
  image.set(at + VS_COUNT, newestFirst.length);
  image.set(at + VS_CURSOR, state.cursor);
  image.set(at + VS_SCHEDULER, SCHEDULER_RR);
  image.set(at + VS_SERVICE_PORT, state.servicePort);
  newestFirst.forEach((destination, index) => {
    const record = destinations + index * DESTINATION_SIZE;
    addressWords(destination.address).forEach((word, part) => {
      image.set(record + DESTINATION_ADDRESS + part * 4, word);
    });
    image.set(record + DESTINATION_PORT, swapPort(destination.port));
    image.set(record + DESTINATION_WEIGHT, destination.weight);
  });
  return at;
}
