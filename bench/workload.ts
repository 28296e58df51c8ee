// What a question lets every variant do: Services, flows and packets, all from one seed.
// Parent and children hold the same Workload; each child makes the packets of it by itself.

import { type KubernetesObject, PACKET_LAYOUT, RECORD_CODES } from 'svcplane';
import { nextRandom, seedRandom } from '../assembly/shared/random.ts';
import { swapBytes } from '../src/engine/packet-record.ts';

export interface Workload {
  readonly mode: 'iptables' | 'ipvs';
  readonly serviceCount: number;
  readonly endpointsPerService: number;
  /** Which Services the flows are aimed at: each with the same chance, or only the last one in the order of the rules. */
  readonly aim: 'random' | 'last';
  /** `new`: each packet begins a connection of its own. `established`: the connections stand before the first packet counts. */
  readonly connections: 'new' | 'established';
  readonly flowCount: number;
  /** Packets in memory; passes go through them in turn. For `new`, one for each flow. */
  readonly packetCount: number;
  readonly packetsPerPass: number;
  readonly batchSize: number;
  readonly seed: number;
  /** Ethernet frames instead of packet records; of established connections only. */
  readonly isFrames?: boolean;
}

/** A Service of one port and its endpoints; addresses are host-order words. */
export interface BenchService {
  readonly name: string;
  readonly address: number;
  readonly port: number;
  readonly endpoints: readonly { readonly address: number; readonly port: number }[];
}

const NAMESPACE = 'bench';
const SERVICE_PORT = 80;
const ENDPOINT_PORT = 8080;
const SERVICE_ADDRESSES = 0x0a600001; // 10.96.0.1
const ENDPOINT_NETWORKS = 0x0a800064; // 10.128.0.100, a /24 for each Service
const CLIENT_ADDRESSES = 0xac100001; // 172.16.0.1
const CLIENT_PORTS_FROM = 10_000;
const CLIENT_PORTS = 50_000;

/** TCP flags of the packets that the workloads send. */
export const TCP_SYN = 2;
export const TCP_RST = 4;
export const TCP_ACK = 16;
export const TCP_SYN_ACK = TCP_SYN | TCP_ACK;

/** Named so that kube-proxy's order of Services is the order of this list. */
export function benchServices(workload: Workload): BenchService[] {
  return Array.from({ length: workload.serviceCount }, (_, number) => ({
    name: `service-${String(number).padStart(6, '0')}`,
    address: SERVICE_ADDRESSES + number,
    port: SERVICE_PORT,
    endpoints: Array.from({ length: workload.endpointsPerService }, (_, endpoint) => ({
      address: ENDPOINT_NETWORKS + number * 256 + endpoint,
      port: ENDPOINT_PORT,
    })),
  }));
}

/** The same as objects of an API server. */
export function benchObjects(services: readonly BenchService[]): KubernetesObject[] {
  return services.flatMap(({ name, address, port, endpoints }) => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: NAMESPACE },
      spec: { type: 'ClusterIP', clusterIP: dotted(address), ports: [{ protocol: 'TCP', port, targetPort: ENDPOINT_PORT }] },
    };
    const slice = {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: `${name}-1`, namespace: NAMESPACE, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports: [{ name: '', protocol: 'TCP', port: ENDPOINT_PORT }],
      endpoints: endpoints.map((endpoint) => ({ addresses: [dotted(endpoint.address)], conditions: { ready: true } })),
    };
    return [service, slice];
  });
}

/** Whole numbers below a bound, from the generator that the engines use. */
export class Chooser {
  #state: number;

  constructor(seed: number) {
    this.#state = seedRandom(seed);
  }

  below(bound: number): number {
    this.#state = nextRandom(this.#state);
    return Math.floor((this.#state / 0x1_0000_0000) * bound);
  }
}

/** For each flow the number of its Service. */
export function flowServices({ aim, flowCount, serviceCount, seed }: Workload): Uint32Array {
  const chooser = new Chooser(seed);
  return new Uint32Array(flowCount).map(() => (aim === 'last' ? serviceCount - 1 : chooser.below(serviceCount)));
}

/** For each packet the number of its flow: each flow once when it begins one, else any. */
export function packetFlows({ connections, flowCount, packetCount, seed }: Workload): Uint32Array {
  const chooser = new Chooser(seed + 1);
  return new Uint32Array(packetCount).map((_, packet) => (connections === 'new' ? packet : chooser.below(flowCount)));
}

const PACKET = PACKET_LAYOUT.IPv4;

/** Writes a client's packet of a flow; no two flows share their source. */
export function writeClientPacket(words: Uint32Array, index: number, flow: number, service: BenchService, tcpFlags: number): void {
  const sourcePort = CLIENT_PORTS_FROM + (flow % CLIENT_PORTS);
  const at = index * PACKET.words;
  words[at + PACKET.sourceWord] = swapBytes(CLIENT_ADDRESSES + Math.floor(flow / CLIENT_PORTS));
  words[at + PACKET.destinationWord] = swapBytes(service.address);
  words[at + PACKET.portsWord] = swapBytes(sourcePort * 0x1_0000 + service.port);
  writeHeader(words, at, tcpFlags);
}

/** Writes a packet with these wire words. */
export function writePacketWords(
  words: Uint32Array,
  index: number,
  source: number,
  destination: number,
  ports: number,
  tcpFlags: number,
): void {
  const at = index * PACKET.words;
  words[at + PACKET.sourceWord] = source;
  words[at + PACKET.destinationWord] = destination;
  words[at + PACKET.portsWord] = ports;
  writeHeader(words, at, tcpFlags);
}

/** Gives all packets of a batch other TCP flags. */
export function writeTcpFlags(words: Uint32Array, count: number, tcpFlags: number): void {
  for (let index = 0; index < count; index++) words[index * PACKET.words + PACKET.tcpFlagsByte / 4] = tcpFlags;
}

/** The Ethernet frame of a client's packet (TCP, ACK, no payload). */
export function clientFrame(flow: number, service: BenchService): Uint8Array {
  const frame = new Uint8Array(54);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40]);
  view.setUint16(20, 0x4000);
  frame.set([64, 6], 22);
  view.setUint32(26, CLIENT_ADDRESSES + Math.floor(flow / CLIENT_PORTS));
  view.setUint32(30, service.address);
  view.setUint16(24, checksumOf(view, 14, 34, 0));
  view.setUint16(34, CLIENT_PORTS_FROM + (flow % CLIENT_PORTS));
  view.setUint16(36, service.port);
  frame.set([0x50, TCP_ACK], 46);
  view.setUint16(48, 0xffff);
  view.setUint16(50, checksumOf(view, 26, 54, 6 + 20));
  return frame;
}

function checksumOf(view: DataView, from: number, to: number, start: number): number {
  let sum = start;
  for (let at = from; at < to; at += 2) sum += view.getUint16(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

function writeHeader(words: Uint32Array, at: number, tcpFlags: number): void {
  words[at + PACKET.protocolWord] = RECORD_CODES.protocol.TCP;
  words[at + PACKET.tcpFlagsByte / 4] = tcpFlags; // the bytes above: hook and interface as they come
  words[at + PACKET.markWord] = 0;
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}
