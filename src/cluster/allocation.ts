// Cluster IPs and node ports: what a Service asks for is reserved, what it leaves open is chosen. Where an API server draws a
// random start, the hash of the Service's name stands in, so that a Service keeps its address whatever stands beside it.
import { type Family, type Prefix, parseAddress } from '../address.ts';
import { objectName } from '../api/kinds.ts';
import type { KubernetesObject } from '../api/types.ts';
import { CapacityError, InvalidArgumentError } from '../errors.ts';
import { addressAt, offsetIn, rangeSize } from './address-range.ts';
import type { Complaint } from './complaint.ts';
import { type Fields, fieldsOf, listOf, numberOf, textsOf } from './fields.ts';
import { hash32 } from './names.ts';

const KUBERNETES_SERVICE = 'default/kubernetes';

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

/** Reads `30000-32767`. */
export function parsePortRange(text: string): PortRange {
  const [, from, to] = (/^(\d+)-(\d+)$/.exec(text) ?? []).map(Number);
  if (from === undefined || to === undefined || from < 1 || to > 65535 || from > to) {
    throw new InvalidArgumentError('nodePortRange', text, 'is not a range of ports, expected something like 30000-32767');
  }
  return { from, to };
}

export interface ServiceRanges {
  readonly serviceCIDRs: readonly Prefix[];
  readonly nodePorts: PortRange;
}

/** Why something cannot be had; with `owner`: because that Service holds it. */
type Refusal = Pick<Complaint, 'message' | 'owner'>;

/** An address, or a node port. */
export type Holding = string | number;

/** Hands out the addresses and node ports that the Services of one cluster do not hold yet. */
export class ServiceAllocator {
  readonly #ranges: ServiceRanges;
  readonly #ownerBefore: (holding: Holding) => string | undefined;
  /** What is given away or given back (undefined) here, over what was before. */
  readonly #owners = new Map<Holding, string | undefined>();

  /** @param ownerBefore the Service that holds an address or node port now */
  constructor(ranges: ServiceRanges, ownerBefore: (holding: Holding) => string | undefined) {
    this.#ranges = ranges;
    this.#ownerBefore = ownerBefore;
    for (const cidr of ranges.serviceCIDRs) this.#owners.set(addressAt(cidr, 1).text, KUBERNETES_SERVICE);
  }

  /** Gives back what a Service held. */
  release(service: KubernetesObject): void {
    const isKubernetes = objectName(service) === KUBERNETES_SERVICE;
    for (const held of heldBy(service)) {
      if (!isKubernetes || typeof held === 'number') this.#owners.set(held, undefined);
    }
  }

  #ownerOf(holding: Holding): string | undefined {
    return this.#owners.has(holding) ? this.#owners.get(holding) : this.#ownerBefore(holding);
  }

  /** Takes what a Service asks for, and says what it cannot have. */
  reserve(service: KubernetesObject): Complaint[] {
    const spec = fieldsOf(service.spec);
    const name = objectName(service);
    const addresses = clusterIPsOf(spec).flatMap((text, index) => {
      const path = index === 0 ? 'spec.clusterIP' : `spec.clusterIPs[${index}]`;
      return this.#reserveAddress(text, name).map((refusal) => ({ path, value: text, ...refusal }));
    });
    const ports = nodePortFields(spec).flatMap(({ path, nodePort }) =>
      this.#reservePort(nodePort, name).map((refusal) => ({ path, value: nodePort, ...refusal })),
    );
    return [...addresses, ...ports];
  }

  /** The Service with all addresses and node ports it is entitled to. */
  complete(service: KubernetesObject): KubernetesObject {
    const spec = fieldsOf(service.spec);
    if (spec.type === 'ExternalName') return service;
    return { ...service, spec: { ...spec, ...this.#clusterIPs(service, spec), ...this.#nodePorts(service, spec) } };
  }

  #reserveAddress(text: string, name: string): Refusal[] {
    const address = parseAddress(text);
    if (address === undefined) return [];
    const cidr = this.#ranges.serviceCIDRs.find((each) => each.family === address.family);
    const offset = cidr === undefined ? undefined : offsetIn(cidr, address);
    const refused = `: failed to allocate IP ${text}: `;
    if (cidr === undefined || offset === undefined || offset < 1 || offset > lastOffset(cidr)) {
      const ranges = this.#ranges.serviceCIDRs.map((each) => each.text).join(', ');
      return [
        { message: `${JSON.stringify(text)}${refused}the provided IP is not in the valid range. The range of valid IPs is ${ranges}` },
      ];
    }
    const owner = this.#ownerOf(address.text);
    if (owner !== undefined && owner !== name)
      return [{ message: `${JSON.stringify(text)}${refused}provided IP is already allocated, to service ${owner}`, owner }];
    this.#owners.set(address.text, name);
    return [];
  }

  #reservePort(port: number, name: string): Refusal[] {
    const { from, to } = this.#ranges.nodePorts;
    if (port < from || port > to)
      return [{ message: `${port}: provided port is not in the valid range. The range of valid ports is ${from}-${to}` }];
    const owner = this.#ownerOf(port);
    if (owner !== undefined && owner !== name)
      return [{ message: `${port}: provided port is already allocated, to service ${owner}`, owner }];
    this.#owners.set(port, name);
    return [];
  }

  #clusterIPs(service: KubernetesObject, spec: Fields): Fields {
    if (spec.clusterIP === 'None') return {};
    const families = textsOf(spec.ipFamilies).filter((family) => family === 'IPv4' || family === 'IPv6');
    const given = clusterIPsOf(spec);
    const clusterIPs = families.map((family, index) => given[index] ?? this.#takeAddress(family, objectName(service)));
    return { clusterIP: clusterIPs[0], clusterIPs };
  }

  #nodePorts(service: KubernetesObject, spec: Fields): Fields {
    const wantsPorts = spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false);
    const name = objectName(service);
    const chosen = new Map<unknown, number>();
    for (const port of listOf(spec.ports).map(fieldsOf)) {
      const nodePort = numberOf(port.nodePort) ?? 0;
      if (nodePort !== 0) chosen.set(port.port, nodePort);
    }
    // One number serves both 53/TCP and 53/UDP of a Service.
    const ports = listOf(spec.ports).map((entry) => {
      const port = fieldsOf(entry);
      if (!wantsPorts || (numberOf(port.nodePort) ?? 0) !== 0) return entry;
      const nodePort = chosen.get(port.port) ?? this.#takePort(`${name}:${String(port.name ?? '')}`, name);
      chosen.set(port.port, nodePort);
      return { ...port, nodePort };
    });
    const needsHealthCheck = spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local' && !numberOf(spec.healthCheckNodePort);
    return {
      ...(spec.ports === undefined ? {} : { ports }),
      ...(needsHealthCheck ? { healthCheckNodePort: this.#takePort(`${name} health check`, name) } : {}),
    };
  }

  #takeAddress(family: Family, name: string): string {
    const cidr = this.#ranges.serviceCIDRs.find((each) => each.family === family);
    if (cidr === undefined) throw new CapacityError(`service CIDR of family ${family}`, 0, 1);
    if (name === KUBERNETES_SERVICE) return addressAt(cidr, 1).text;
    const last = lastOffset(cidr);
    const band = staticBand(rangeSize(cidr), 16, 256);
    const offset = pick(1, last, band, hash32(name), (each) => this.#ownerOf(addressAt(cidr, each).text) !== undefined);
    if (offset === undefined) throw new CapacityError(`service CIDR ${cidr.text}: addresses`, last, last + 1);
    const { text } = addressAt(cidr, offset);
    this.#owners.set(text, name);
    return text;
  }

  #takePort(seed: string, name: string): number {
    const { from, to } = this.#ranges.nodePorts;
    const size = to - from + 1;
    const port = pick(from, to, staticBand(size, 32, 128), hash32(seed), (each) => this.#ownerOf(each) !== undefined);
    if (port === undefined) throw new CapacityError(`node port range ${from}-${to}: ports`, size, size + 1);
    this.#owners.set(port, name);
    return port;
  }
}

/** How many numbers at the bottom of a range are kept for those who ask for a particular one. */
function staticBand(size: number, divisor: number, max: number): number {
  return size <= 16 ? 0 : Math.min(Math.max(16, Math.floor(size / divisor)), max);
}

/** The first free number of from…to: from the start upwards above the band, round to the band's end, and only then in the band. */
function pick(from: number, to: number, band: number, start: number, isTaken: (number: number) => boolean): number | undefined {
  const upper = from + band;
  const size = to - upper + 1;
  for (let tried = 0; tried < size; tried++) {
    const number = upper + ((start + tried) % size);
    if (!isTaken(number)) return number;
  }
  for (let number = from; number < upper; number++) {
    if (!isTaken(number)) return number;
  }
  return undefined;
}

/** The last address that may be handed out: not the broadcast address of IPv4. */
function lastOffset(cidr: Prefix): number {
  return rangeSize(cidr) - (cidr.family === 'IPv4' ? 2 : 1);
}

/** The cluster IPs of a Service that are addresses. */
export function clusterIPsOf(spec: Fields): string[] {
  const clusterIPs = textsOf(spec.clusterIPs);
  const all = clusterIPs.length > 0 ? clusterIPs : textsOf([spec.clusterIP]);
  return spec.type === 'ExternalName' ? [] : all.filter((ip) => ip !== '' && ip !== 'None');
}

function nodePortFields(spec: Fields): { path: string; nodePort: number }[] {
  const ports = listOf(spec.ports).map((entry, index) => ({
    path: `spec.ports[${index}].nodePort`,
    nodePort: numberOf(fieldsOf(entry).nodePort) ?? 0,
  }));
  const healthCheck = { path: 'spec.healthCheckNodePort', nodePort: numberOf(spec.healthCheckNodePort) ?? 0 };
  return [...ports, healthCheck].filter(({ nodePort }) => nodePort !== 0);
}

/** The addresses and node ports that a Service holds. */
export function heldBy(service: KubernetesObject): Holding[] {
  const spec = fieldsOf(service.spec);
  const addresses = clusterIPsOf(spec).map((text) => parseAddress(text)?.text ?? text);
  return [...addresses, ...nodePortFields(spec).map(({ nodePort }) => nodePort)];
}
