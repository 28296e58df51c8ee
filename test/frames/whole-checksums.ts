// Checksums over whole packets, the slow and obvious way, and a check of every checksum that a frame has.
import { formatAddress, parseAddress } from '../../src/address.ts';

/** Over the pseudo header and the data; a checksum field inside must be 0, or must be right to give 0. */
export function internetChecksum(pseudo: Uint8Array, data: Uint8Array): number {
  let sum = 0;
  for (const bytes of [pseudo, data]) for (let at = 0; at < bytes.length; at += 2) sum += ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x10000);
  return ~sum & 0xffff;
}

export function crc32c(data: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return ~crc >>> 0;
}

/** What is wrong with an IP packet's checksums, its own and those of the packet that an ICMP error quotes whole; empty: nothing. */
export function wrongChecksums(packet: Uint8Array): string[] {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length);
  const isV6 = packet[0] === 0x60;
  const wrong: string[] = [];
  let protocol = view.getUint8(isV6 ? 6 : 9);
  let at = isV6 ? 40 : (view.getUint8(0) & 15) * 4;
  if (!isV6 && internetChecksum(new Uint8Array(0), packet.subarray(0, at)) !== 0) wrong.push('IPv4 header');
  while (isV6 && [0, 43, 44, 60].includes(protocol)) {
    protocol = view.getUint8(at);
    at += 8;
  }
  const total = isV6 ? 40 + view.getUint16(4) : view.getUint16(2);
  if (total > packet.length) return wrong; // quoted in part: what is left cannot be summed up
  const data = packet.subarray(at, total);
  const width = isV6 ? 4 : 1;
  const address = (from: number): string => formatAddress(Array.from({ length: width }, (_, word) => view.getUint32(from + word * 4)));
  const pseudo = pseudoHeader(address(isV6 ? 8 : 12), address(isV6 ? 24 : 16), protocol, data.length);
  if (protocol === 132) {
    const zeroed = data.slice();
    zeroed.fill(0, 8, 12);
    if (crc32c(zeroed) !== view.getUint32(at + 8, true)) wrong.push('SCTP');
  } else if (protocol === 1) {
    if (internetChecksum(new Uint8Array(0), data) !== 0) wrong.push('ICMP');
  } else if (protocol !== 17 || view.getUint16(at + 6) !== 0) {
    if (internetChecksum(pseudo, data) !== 0) wrong.push(`protocol ${protocol}`);
  }
  if (protocol === 1 || protocol === 58) wrong.push(...wrongChecksums(data.subarray(8)).map((what) => `quoted ${what}`));
  return wrong;
}

export function pseudoHeader(source: string, destination: string, protocol: number, length: number): Uint8Array {
  return Uint8Array.from([...addressBytes(source), ...addressBytes(destination), 0, protocol, length >>> 8, length & 255]);
}

export function addressBytes(text: string): Uint8Array {
  const words = parseAddress(text)?.words ?? [];
  return Uint8Array.from(words.flatMap((word) => [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255]));
}
