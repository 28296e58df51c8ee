// The packets of a workload: records as PACKET_LAYOUT says, and Ethernet frames.
import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from 'svcplane';
import { swapBytes } from '../src/engine/packet-record.ts';
import { ADDRESSES_V6, type BenchService } from './services.ts';

/** TCP flags of the packets that the workloads send. */
export const TCP_SYN = 2;
export const TCP_RST = 4;
export const TCP_ACK = 16;
export const TCP_SYN_ACK = TCP_SYN | TCP_ACK;

const CLIENT_ADDRESSES = 0xac100001; // 172.16.0.1
const CLIENT_PORTS_FROM = 10_000;
const CLIENT_PORTS = 50_000;
/** Where a client's packets go. */
export type Destination = Pick<BenchService, 'address' | 'port'>;

/** No Service: 198.18.0.1, or fd00:96:: and that. */
export const ELSEWHERE: Destination = { address: 0xc6120001, port: 80 };

type Family = 'IPv4' | 'IPv6';

/** Writes a client's packet of a flow; no two flows share their source. */
export function writeClientPacket(
  words: Uint32Array,
  index: number,
  flow: number,
  { address, port }: Destination,
  tcpFlags: number,
  family: Family = 'IPv4',
): void {
  const layout = PACKET_LAYOUT[family];
  const at = index * layout.words;
  if (family === 'IPv6') {
    writeNetwork(words, at + layout.sourceWord, ADDRESSES_V6.client);
    writeNetwork(words, at + layout.destinationWord, ADDRESSES_V6.service);
  }
  const last = layout.addressWords - 1;
  words[at + layout.sourceWord + last] = swapBytes(clientAddress(flow));
  words[at + layout.destinationWord + last] = swapBytes(address);
  words[at + layout.portsWord] = swapBytes(clientPort(flow) * 0x1_0000 + port);
  writeHeader(words, at, tcpFlags, family);
}

function writeNetwork(words: Uint32Array, at: number, network: readonly number[]): void {
  for (let word = 0; word < network.length; word++) words[at + word] = swapBytes(network[word] ?? 0);
}

function clientAddress(flow: number): number {
  return CLIENT_ADDRESSES + Math.floor(flow / CLIENT_PORTS);
}

function clientPort(flow: number): number {
  return CLIENT_PORTS_FROM + (flow % CLIENT_PORTS);
}

/** Turns translated packets round, verdicts to packets: what the backends send. */
export function writeAnswers(verdicts: Uint32Array, words: Uint32Array, count: number, tcpFlags: number, family: Family = 'IPv4'): void {
  const verdict = VERDICT_LAYOUT[family];
  const packet = PACKET_LAYOUT[family];
  for (let index = 0; index < count; index++) {
    const from = index * verdict.words;
    const at = index * packet.words;
    for (let word = 0; word < packet.addressWords; word++) {
      words[at + packet.sourceWord + word] = verdicts[from + verdict.destinationWord + word] ?? 0;
      words[at + packet.destinationWord + word] = verdicts[from + verdict.sourceWord + word] ?? 0;
    }
    const ports = verdicts[from + verdict.portsWord] ?? 0;
    words[at + packet.portsWord] = ((ports << 16) | (ports >>> 16)) >>> 0;
    writeHeader(words, at, tcpFlags, family);
  }
}

/** Gives all packets of a batch other TCP flags. */
export function writeTcpFlags(words: Uint32Array, count: number, tcpFlags: number, family: Family = 'IPv4'): void {
  const layout = PACKET_LAYOUT[family];
  for (let index = 0; index < count; index++) words[index * layout.words + layout.tcpFlagsByte / 4] = tcpFlags;
}

function writeHeader(words: Uint32Array, at: number, tcpFlags: number, family: Family): void {
  const layout = PACKET_LAYOUT[family];
  words[at + layout.protocolWord] = RECORD_CODES.protocol.TCP;
  words[at + layout.tcpFlagsByte / 4] = tcpFlags; // the bytes above: hook and interface as they come
  words[at + layout.markWord] = 0;
}

/** The Ethernet frame of a client's packet (IPv4, TCP, ACK, no payload). */
export function clientFrame(flow: number, { address, port }: Destination): Uint8Array {
  const frame = new Uint8Array(54);
  const view = new DataView(frame.buffer);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00, 0x45, 0, 0, 40]);
  view.setUint16(20, 0x4000);
  frame.set([64, 6], 22);
  view.setUint32(26, clientAddress(flow));
  view.setUint32(30, address);
  view.setUint16(24, checksumOf(view, 14, 34, 0));
  view.setUint16(34, clientPort(flow));
  view.setUint16(36, port);
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
