// Makes frames byte by byte, with every checksum computed over the whole: an opinion of its own about what a right frame is.
import type { TransportProtocol } from '../../src/packet.ts';
import { addressBytes, crc32c, internetChecksum, pseudoHeader } from './whole-checksums.ts';

export interface FrameSpec {
  /** Ethertypes of the tags, outermost first. */
  readonly vlans?: readonly number[];
  readonly protocol: TransportProtocol;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly destinationPort: number;
  readonly tcpFlags?: number;
  readonly payload?: number;
  /** Types of the chunks of an SCTP packet (default: INIT), 4 bytes each; the last one holds the payload. */
  readonly chunks?: readonly number[];
  /** Bytes of IPv4 options (a multiple of 4). */
  readonly options?: number;
  /** IPv6 extension headers: numbers of 8 bytes each. */
  readonly extensions?: readonly number[];
  /** UDP without a checksum. */
  readonly noChecksum?: boolean;
  /** The fragment field of IPv4; for IPv6 that of a fragment header (offset in bytes, bit 0 for more). */
  readonly fragment?: number;
}

const SCTP_INIT = 1;
const PROTOCOLS: Readonly<Record<TransportProtocol, number>> = { TCP: 6, UDP: 17, SCTP: 132 };

export function buildFrame(spec: FrameSpec): Uint8Array {
  return ethernet(buildPacket(spec), spec.vlans ?? [], spec.source.includes(':'));
}

/** The IP packet alone. */
export function buildPacket(spec: FrameSpec): Uint8Array {
  const { source, destination } = spec;
  return ipPacket({ ...spec, source, destination }, PROTOCOLS[spec.protocol], transport(spec));
}

export interface ErrorSpec {
  readonly vlans?: readonly number[];
  readonly source: string;
  readonly destination: string;
  readonly type: number;
  readonly code?: number;
  /** The packet that the error is about; `quotedBytes` of it are quoted. */
  readonly about: Uint8Array;
  readonly quotedBytes?: number;
}

export function buildError({ vlans, source, destination, type, code = 0, about, quotedBytes }: ErrorSpec): Uint8Array {
  const isV6 = source.includes(':');
  const quoted = about.subarray(0, quotedBytes ?? about.length);
  const message = new Uint8Array(8 + quoted.length);
  message.set([type, code]);
  message.set(quoted, 8);
  const pseudo = isV6 ? pseudoHeader(source, destination, 58, message.length) : new Uint8Array(0);
  put16(message, 2, internetChecksum(pseudo, message));
  return ethernet(ipPacket({ source, destination }, isV6 ? 58 : 1, message), vlans ?? [], isV6);
}

export function ethernet(packet: Uint8Array, vlans: readonly number[], isV6: boolean): Uint8Array {
  const frame = new Uint8Array(14 + vlans.length * 4 + packet.length);
  frame.set([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]);
  [...vlans, isV6 ? 0x86dd : 0x0800].forEach((ethertype, index) => {
    put16(frame, 12 + index * 4, ethertype);
    if (index < vlans.length) put16(frame, 14 + index * 4, 100 + index);
  });
  frame.set(packet, 14 + vlans.length * 4);
  return frame;
}

function transport(spec: FrameSpec): Uint8Array {
  const { protocol, source, sourcePort, destination, destinationPort, tcpFlags = 2, payload = 0, noChecksum = false } = spec;
  const { chunks = [SCTP_INIT] } = spec;
  const header = { TCP: 20, UDP: 8, SCTP: 12 + 4 * chunks.length }[protocol];
  const segment = new Uint8Array(header + payload).map((_, at) => (at < header ? 0 : (at * 37) & 0xff));
  put16(segment, 0, sourcePort);
  put16(segment, 2, destinationPort);
  if (protocol === 'SCTP') {
    segment[7] = 9; // verification tag
    chunks.forEach((type, index) => {
      segment[12 + 4 * index] = type;
      put16(segment, 14 + 4 * index, index < chunks.length - 1 ? 4 : 4 + payload);
    });
    new DataView(segment.buffer).setUint32(8, crc32c(segment), true);
    return segment;
  }
  if (protocol === 'TCP') {
    segment.set([0, 0, 0, 7, 0, 0, 0, 9, 0x50, tcpFlags, 0xff, 0xff], 4);
  } else {
    put16(segment, 4, segment.length);
  }
  const checksum = internetChecksum(pseudoHeader(source, destination, PROTOCOLS[protocol], segment.length), segment);
  if (protocol === 'TCP') put16(segment, 16, checksum);
  else if (!noChecksum) put16(segment, 6, checksum || 0xffff);
  return segment;
}

type IpSpec = Pick<FrameSpec, 'source' | 'destination' | 'options' | 'extensions' | 'fragment'>;

function ipPacket(spec: IpSpec, protocol: number, payload: Uint8Array): Uint8Array {
  return spec.source.includes(':') ? ipv6(spec, protocol, payload) : ipv4(spec, protocol, payload);
}

function ipv4({ source, destination, options = 0, fragment = 0x4000 }: IpSpec, protocol: number, payload: Uint8Array): Uint8Array {
  const header = 20 + options;
  const packet = new Uint8Array(header + payload.length);
  packet.set([0x40 | (header / 4), 0]);
  put16(packet, 2, packet.length);
  put16(packet, 4, 0x1234);
  put16(packet, 6, fragment);
  packet.set([63, protocol], 8);
  packet.set(addressBytes(source), 12);
  packet.set(addressBytes(destination), 16);
  packet.fill(1, 20, header); // NOP
  put16(packet, 10, internetChecksum(new Uint8Array(0), packet.subarray(0, header)));
  packet.set(payload, header);
  return packet;
}

function ipv6({ source, destination, extensions = [], fragment }: IpSpec, protocol: number, payload: Uint8Array): Uint8Array {
  const headers = [...extensions, ...(fragment === undefined ? [] : [44])];
  const packet = new Uint8Array(40 + headers.length * 8 + payload.length);
  packet[0] = 0x60;
  put16(packet, 4, packet.length - 40);
  packet[7] = 63;
  packet.set(addressBytes(source), 8);
  packet.set(addressBytes(destination), 24);
  [...headers, protocol].forEach((header, index) => {
    packet[index === 0 ? 6 : 40 + (index - 1) * 8] = header;
    if (header === 44) put16(packet, 40 + index * 8 + 2, fragment ?? 0);
  });
  packet.set(payload, 40 + headers.length * 8);
  return packet;
}

function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value & 255;
}
