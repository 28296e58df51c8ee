// Writes IPVS virtual services and their destinations, newest first as the kernel keeps them, each round going on where it stood.
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
import { type SlotContent, writeSet } from './set-records.ts';
import type { TableImage } from './table-image.ts';
import type { TableContext, Tables } from './tables.ts';
import { addressWords, swapPort } from './wire.ts';

/** The name of a virtual service: `TCP 10.96.0.1:443`. */
export function virtualServiceKey(protocol: string, address: string, port: number): string {
  return `${protocol} ${formatEndpoint(address, port)}`;
}

/** Writes the services and, at `at`, the address of the table that finds them; leaves 0 there when there are none. */
export function writeVirtualServices(
  image: TableImage,
  at: number,
  services: readonly VirtualService[],
  context: TableContext,
): Tables['virtualServices'] {
  const written = new Map<string, { offset: number; destinations: readonly string[] }>();
  const contents: SlotContent[] = services.map((service) => {
    const key = virtualServiceKey(service.protocol, service.address, service.port);
    const newestFirst = [...service.destinations].reverse();
    const destinations = newestFirst.map(({ address, port }) => formatEndpoint(address, port));
    const last = context.lastDestination(key);
    const offset = writeVirtualService(image, service, newestFirst, {
      cursor: last === undefined ? 0 : destinations.indexOf(last) + 1,
      servicePort: context.servicePortId(service.servicePort),
    });
    written.set(key, { offset, destinations });
    return { key: [service.address, service.protocol.toLowerCase(), service.port], servicePort: 0, target: offset };
  });
  if (services.length > 0) image.point(at, writeSet(image, 'virtual services', ['address', 'protocol', 'port'], contents));
  return written;
}

function writeVirtualService(
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
