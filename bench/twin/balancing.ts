// How the twin finds the Service of a new connection and a backend in it: a scan over columns with iptables' chances,
// or a hash lookup with IPVS' round robin.
import { swapBytes } from '../../src/engine/packet-record.ts';
import type { BenchService } from '../workload.ts';

/** Services as columns of wire words, and all endpoints in a row. */
export class TwinServices {
  /** By Service. */
  readonly #destinations: Int32Array;
  readonly #ports: Int32Array;
  readonly endpointsFrom: Int32Array;
  readonly endpointCounts: Int32Array;
  /** IPVS: the endpoint whose turn it is. */
  readonly turns: Int32Array;
  /** By endpoint. */
  readonly backends: Int32Array;
  readonly backendPorts: Int32Array;
  /** iptables: below which 31-bit random number the endpoint is taken. */
  readonly thresholds: Int32Array;
  /** Open addressing: number of a Service + 1, 0 is free. */
  readonly #slots: Int32Array;

  constructor(services: readonly BenchService[], mode: 'iptables' | 'ipvs') {
    const endpoints = services.flatMap((service) => {
      const inOrder = service.endpoints.map((endpoint, index) => ({ ...endpoint, left: service.endpoints.length - index }));
      return mode === 'ipvs' ? inOrder.toReversed() : inOrder; // the kernel puts each new server at the front of its list
    });
    this.#destinations = Int32Array.from(services, ({ address }) => swapBytes(address));
    this.#ports = Int32Array.from(services, ({ port }) => portBe(port));
    this.endpointCounts = Int32Array.from(services, (service) => service.endpoints.length);
    this.endpointsFrom = new Int32Array(services.length);
    for (let service = 1; service < services.length; service++) {
      this.endpointsFrom[service] = (this.endpointsFrom[service - 1] ?? 0) + (this.endpointCounts[service - 1] ?? 0);
    }
    this.turns = new Int32Array(services.length);
    this.backends = Int32Array.from(endpoints, ({ address }) => swapBytes(address));
    this.backendPorts = Int32Array.from(endpoints, ({ port }) => portBe(port));
    this.thresholds = Int32Array.from(endpoints, ({ left }) => chance(left));
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(Math.max(8, services.length * 2))));
    for (let service = 0; service < services.length; service++) this.#enter(service);
  }

  /** The first Service with this address and port, or -1: looks at one after the other. */
  scan(destination: number, port: number): number {
    const destinations = this.#destinations;
    const ports = this.#ports;
    for (let service = 0; service < destinations.length; service++) {
      if (destinations[service] === destination && ports[service] === port) return service;
    }
    return -1;
  }

  /** The same by its hash. */
  lookup(destination: number, port: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let slot = hashKey(destination, port) & mask;
    while (true) {
      const service = (slots[slot] ?? 0) - 1;
      if (service < 0) return -1;
      if (this.#destinations[service] === destination && this.#ports[service] === port) return service;
      slot = (slot + 1) & mask;
    }
  }

  /** The number of Services: the rows of a scan. */
  get count(): number {
    return this.#destinations.length;
  }

  #enter(service: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashKey(this.#destinations[service] ?? 0, this.#ports[service] ?? 0) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = service + 1;
  }
}

function portBe(port: number): number {
  return swapBytes(port) >>> 16;
}

/** One in `count`, as kube-proxy prints it and xt_statistic keeps it; certain for the last one. */
function chance(count: number): number {
  return count === 1 ? 0x7fffffff : Math.round(Number((1 / count).toFixed(10)) * 0x80000000);
}

function hashKey(destination: number, port: number): number {
  const hash = Math.imul(destination, 0x9e3779b1) ^ Math.imul(port, 0x85ebca6b);
  return hash ^ (hash >>> 15);
}
