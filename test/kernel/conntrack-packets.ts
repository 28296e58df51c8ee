// IPv4 packets of both ends of a connection as bytes, with the sequence numbers that real ends would send.
import type { SctpChunk, TransportProtocol } from '../../src/packet.ts';
import type { ConntrackStep } from './conntrack-cases.ts';

export const CLIENT = '10.77.0.1';
export const SERVER = '10.77.0.2';
export const SERVER_PORT = 80;

const PROTOCOL_NUMBERS: Readonly<Record<TransportProtocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };
const FIN = 1;
const SYN = 2;
const PSH = 8;
const ACK = 16;
/** The sequence number of each end's SYN. */
const FIRST = { client: 1000, server: 900_000 };
const AGAIN = 1_000_000;
const WINDOW = 0xffff;

/** RFC 9260: the number of a chunk's type, and the bytes of its value. */
const CHUNKS: Readonly<Record<SctpChunk, readonly [type: number, valueBytes: number]>> = {
  DATA: [0, 16],
  INIT: [1, 16],
  INIT_ACK: [2, 16],
  HEARTBEAT: [4, 8],
  HEARTBEAT_ACK: [5, 8],
  ABORT: [6, 0],
  SHUTDOWN: [7, 4],
  SHUTDOWN_ACK: [8, 0],
  ERROR: [9, 4],
  COOKIE_ECHO: [10, 8],
  COOKIE_ACK: [11, 0],
  SHUTDOWN_COMPLETE: [14, 0],
};
/** The verification tag that each end asks the other to use. */
const TAGS = { client: 0x11111111, server: 0x22222222 };
const TTL = 64;

/** Both ends of one connection. */
export class Conversation {
  readonly #protocol: TransportProtocol;
  readonly #clientPort: number;
  /** The next sequence number of each end. */
  readonly #next = { ...FIRST };
  readonly #first = { ...FIRST };
  /** SCTP: the tags that the ends know of each other. Whoever does not begin with an INIT goes on with an association that stands. */
  #tags: Readonly<Record<'client' | 'server', number>> | undefined;

  constructor(protocol: TransportProtocol, clientPort: number) {
    this.#protocol = protocol;
    this.#clientPort = clientPort;
  }

  /** The packet of this step: where it goes, and its bytes. */
  packet({ from, flags, chunk }: Pick<ConntrackStep, 'from' | 'flags' | 'chunk'>): {
    readonly destination: string;
    readonly bytes: Buffer;
  } {
    const isClient = from === 'client';
    const [source, destination] = isClient ? [CLIENT, SERVER] : [SERVER, CLIENT];
    const ports = isClient ? [this.#clientPort, SERVER_PORT] : [SERVER_PORT, this.#clientPort];
    return { destination, bytes: ipv4(source, destination, PROTOCOL_NUMBERS[this.#protocol], this.#payload(from, flags, chunk, ports)) };
  }

  #payload(from: 'client' | 'server', flags = 0, chunk: SctpChunk = 'DATA', ports: readonly number[]): Buffer {
    if (this.#protocol === 'TCP') return this.#tcp(from, flags, ports);
    return this.#protocol === 'SCTP' ? this.#sctp(from, chunk, ports) : udp(ports);
  }

  #sctp(from: 'client' | 'server', chunk: SctpChunk, [source = 0, destination = 0]: readonly number[]): Buffer {
    const other = from === 'client' ? 'server' : 'client';
    this.#tags ??= chunk === 'INIT' ? { client: 0, server: 0 } : TAGS;
    const [type, valueBytes] = CHUNKS[chunk];
    const packet = Buffer.alloc(16 + valueBytes);
    packet.writeUInt16BE(source, 0);
    packet.writeUInt16BE(destination, 2);
    packet.writeUInt32BE(chunk === 'INIT' ? 0 : this.#tags[other], 4);
    packet[12] = type;
    packet.writeUInt16BE(4 + valueBytes, 14);
    if (chunk === 'ERROR') packet.writeUInt16BE(4, 18); // the length of its one cause
    if (chunk !== 'INIT' && chunk !== 'INIT_ACK') return packet; // no checksum: nothing asks for it before the packet has left
    packet.writeUInt32BE(TAGS[from], 16);
    this.#tags = { ...this.#tags, [from]: TAGS[from] };
    return packet;
  }

  #tcp(from: 'client' | 'server', flags: number, [source = 0, destination = 0]: readonly number[]): Buffer {
    const segment = Buffer.alloc(20);
    segment.writeUInt16BE(source, 0);
    segment.writeUInt16BE(destination, 2);
    // A SYN that comes again is the first one.
    segment.writeUInt32BE((flags & SYN) !== 0 ? this.#first[from] : this.#next[from], 4);
    segment.writeUInt32BE((flags & ACK) !== 0 ? this.#next[from === 'client' ? 'server' : 'client'] : 0, 8);
    segment[12] = 5 << 4;
    segment[13] = flags;
    segment.writeUInt16BE(WINDOW, 14);
    if ((flags & SYN) !== 0) this.#next[from] = Math.max(this.#next[from], this.#first[from] + 1);
    if ((flags & ~PSH) !== (FIN | ACK)) return segment;
    // Whoever comes again after a FIN begins with another number.
    this.#first[from] += AGAIN;
    this.#next[from]++;
    return segment;
  }
}

function udp([source = 0, destination = 0]: readonly number[]): Buffer {
  const datagram = Buffer.alloc(8);
  datagram.writeUInt16BE(source, 0);
  datagram.writeUInt16BE(destination, 2);
  datagram.writeUInt16BE(datagram.length, 4);
  return datagram; // no checksum: 0
}

function ipv4(source: string, destination: string, protocol: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(20);
  header[0] = 0x45;
  header.writeUInt16BE(header.length + payload.length, 2);
  header[8] = TTL;
  header[9] = protocol;
  header.set(source.split('.').map(Number), 12);
  header.set(destination.split('.').map(Number), 16);
  if (protocol === PROTOCOL_NUMBERS.TCP) payload.writeUInt16BE(tcpChecksum(header, payload), 16);
  return Buffer.concat([header, payload]); // the kernel fills in the header's own checksum
}

function tcpChecksum(header: Buffer, segment: Buffer): number {
  let sum = PROTOCOL_NUMBERS.TCP + segment.length;
  for (let at = 12; at < 20; at += 2) sum += header.readUInt16BE(at);
  for (let at = 0; at < segment.length; at += 2) sum += segment.readUInt16BE(at);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
