// How the twin finds the Service of a new connection: a scan over columns, of exact addresses or of prefixes and port ranges, or a hash lookup.
import { swapBytes } from '../../src/engine/packet-record.ts';
import { ADDRESSES_V6, type BenchService } from '../services.ts';
import type { Workload } from '../workload.ts';
import type { Tuples } from './tuples.ts';

/** Services as columns of wire words, and all endpoints in a row. */
export class TwinServices {
  readonly #tuples: Tuples;
  /** By Service: the last word of its address; with IPv6 all have the same network. */
  readonly destinations: Int32Array;
  readonly ports: Int32Array;
  readonly #network: Int32Array;
  /** By Service, where rules match prefixes and ranges of ports: wire words, and ports in host order. */
  readonly ranges:
    | { readonly networks: Int32Array; readonly masks: Int32Array; readonly first: Int32Array; readonly last: Int32Array }
    | undefined;
  readonly endpointsFrom: Int32Array;
  readonly endpointCounts: Int32Array;
  /** By endpoint: the words of its address, and its port. */
  readonly backends: Int32Array;
  readonly backendPorts: Int32Array;
  /** Open addressing: number of a Service + 1, 0 is free. */
  readonly #slots: Int32Array;

  constructor(inConfigurationOrder: readonly BenchService[], mode: Workload['mode'], tuples: Tuples) {
    this.#tuples = tuples;
    const services = mode === 'ipvs' ? inConfigurationOrder.map(newestFirst) : inConfigurationOrder;
    const endpoints = services.flatMap((service) => service.endpoints);
    this.destinations = Int32Array.from(services, ({ address }) => swapBytes(address));
    this.ports = Int32Array.from(services, ({ port }) => portBe(port));
    this.#network = Int32Array.from(ADDRESSES_V6.service.slice(0, tuples.addressWords - 1), swapBytes);
    this.ranges = rangesOf(services);
    this.endpointCounts = Int32Array.from(services, (service) => service.endpoints.length);
    this.endpointsFrom = new Int32Array(services.length);
    for (let service = 1; service < services.length; service++) {
      this.endpointsFrom[service] = (this.endpointsFrom[service - 1] ?? 0) + (this.endpointCounts[service - 1] ?? 0);
    }
    const network = ADDRESSES_V6.endpoint.slice(0, tuples.addressWords - 1);
    this.backends = Int32Array.from(
      endpoints.flatMap(({ address }) => [...network, address]),
      swapBytes,
    );
    this.backendPorts = Int32Array.from(endpoints, ({ port }) => portBe(port));
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(8, services.length * 2))));
    for (let service = 0; service < services.length; service++) this.#enter(service);
  }

  /** The first Service that a packet's tuple is sent to, or -1: looks at one after the other. */
  scan(words: Int32Array, at: number): number {
    const { addressWords } = this.#tuples;
    const destination = words[at + 2 * addressWords - 1] ?? 0;
    const port = (words[at + 2 * addressWords] ?? 0) >>> 16;
    if (this.ranges !== undefined) return this.#scanRanges(destination, swapBytes(port) >>> 16);
    const destinations = this.destinations;
    const ports = this.ports;
    for (let service = 0; service < destinations.length; service++) {
      if (destinations[service] === destination && ports[service] === port && this.#isInNetwork(words, at)) return service;
    }
    return -1;
  }

  #scanRanges(destination: number, port: number): number {
    if (this.ranges === undefined) return -1;
    const { networks, masks, first, last } = this.ranges;
    for (let service = 0; service < networks.length; service++) {
      const isInside = (destination & (masks[service] ?? 0)) === networks[service];
      if (isInside && port >= (first[service] ?? 0) && port <= (last[service] ?? 0)) return service;
    }
    return -1;
  }

  /** The same by its hash. */
  lookup(words: Int32Array, at: number): number {
    const { addressWords } = this.#tuples;
    const destination = words[at + 2 * addressWords - 1] ?? 0;
    const port = (words[at + 2 * addressWords] ?? 0) >>> 16;
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashKey(destination, port) & mask;
    while (true) {
      const service = (slots[slot] ?? 0) - 1;
      if (service < 0) return -1;
      if (this.destinations[service] === destination && this.ports[service] === port && this.#isInNetwork(words, at)) return service;
      slot = (slot + 1) & mask;
    }
  }

  /** The number of Services: the rows of a scan. */
  get count(): number {
    return this.destinations.length;
  }

  #isInNetwork(words: Int32Array, at: number): boolean {
    const network = this.#network;
    for (let word = 0; word < network.length; word++) if (words[at + network.length + 1 + word] !== network[word]) return false;
    return true;
  }

  #enter(service: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashKey(this.destinations[service] ?? 0, this.ports[service] ?? 0) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = service + 1;
  }
}

/** The kernel puts each new server of IPVS at the front of its list. */
function newestFirst(service: BenchService): BenchService {
  return { ...service, endpoints: service.endpoints.toReversed() };
}

function rangesOf(services: readonly BenchService[]) {
  const ranges = services.flatMap(({ range }) => range ?? []);
  if (ranges.length === 0) return undefined;
  return {
    networks: Int32Array.from(ranges, ({ network }) => swapBytes(network)),
    masks: Int32Array.from(ranges, ({ prefixLength }) => swapBytes((-1 << (32 - prefixLength)) >>> 0)),
    first: Int32Array.from(ranges, ({ firstPort }) => firstPort),
    last: Int32Array.from(ranges, ({ lastPort }) => lastPort),
  };
}

function portBe(port: number): number {
  return swapBytes(port) >>> 16;
}

function hashKey(destination: number, port: number): number {
  const hash = Math.imul(destination, 0x9e3779b1) ^ Math.imul(port, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}
