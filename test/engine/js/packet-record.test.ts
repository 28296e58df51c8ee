// The codec between packets, verdicts and the words of a batch.
import { describe, expect, it } from 'vitest';
import { PACKET_LAYOUT, RECORD_CODES, VERDICT_LAYOUT } from '../../../src/engine/layouts.ts';
import { readVerdict, writePacket } from '../../../src/engine/packet-record.ts';
import type { Packet } from '../../../src/packet.ts';
import { packet } from './test-node.ts';

function bytesOf(written: Packet, family: 'IPv4' | 'IPv6', interfaceId = 0): number[] {
  const words = new Uint32Array(PACKET_LAYOUT[family].words);
  writePacket(words, 0, family, written, interfaceId);
  return [...new Uint8Array(words.buffer)];
}

describe('a packet record', () => {
  it('holds addresses and ports in network order, the rest little-endian', () => {
    const written = packet({
      source: '1.2.3.4',
      sourcePort: 0x0506,
      destination: '7.8.9.10',
      destinationPort: 0x0b0c,
      mark: 0x01020304,
      hook: 'OUTPUT',
    });
    expect(bytesOf(written, 'IPv4', 0x1122)).toEqual([1, 2, 3, 4, 7, 8, 9, 10, 5, 6, 11, 12, 1, 0, 0, 0, 2, 2, 0x22, 0x11, 4, 3, 2, 1]);
  });

  it('of IPv6 holds 16 bytes an address', () => {
    const bytes = bytesOf(packet({ protocol: 'UDP', source: 'fd00::1', destination: 'fd00::2' }), 'IPv6');
    expect(bytes).toHaveLength(48);
    expect([bytes[0], bytes[15], bytes[16], bytes[31], bytes[36]]).toEqual([0xfd, 1, 0xfd, 2, 2]);
  });

  it.each([
    [{ sourcePort: 70000 }, 'packet.sourcePort 70000 is outside 0-65535'],
    [{ destinationPort: 1.5 }, 'packet.destinationPort 1.5 is outside 0-65535'],
    [{ source: '10.0.0.300' }, 'packet.source "10.0.0.300" is not an IP address'],
    [{ destination: 'fd00::1' }, 'packet.destination "fd00::1" is not an IPv4 address'],
    [{ tcpFlags: 256 }, 'packet.tcpFlags 256 is outside 0-255'],
    [{ mark: -1 }, 'packet.mark -1 is outside 0-4294967295'],
  ])('refuses %j', (parts, message) => {
    expect(() => bytesOf(packet(parts), 'IPv4')).toThrow(message);
  });

  it('refuses a protocol it does not know', () => {
    const icmp: Packet = JSON.parse(JSON.stringify({ ...packet(), protocol: 'ICMP' }));
    expect(() => bytesOf(icmp, 'IPv4')).toThrow('packet.protocol "ICMP" is none of TCP, UDP, SCTP');
  });
});

describe('a verdict record', () => {
  it('that was not written yet has no verdict', () => {
    expect(() => readVerdict(new Uint32Array(VERDICT_LAYOUT.IPv4.words), 0, 'IPv4', () => undefined)).toThrow('has no verdict yet');
  });

  it('reads as a verdict, with the backend of a DNAT', () => {
    const layout = VERDICT_LAYOUT.IPv4;
    const words = new Uint32Array(layout.words);
    const bytes = new Uint8Array(words.buffer);
    bytes[layout.actionByte] = RECORD_CODES.action.DNAT;
    bytes[layout.connectionByte] = RECORD_CODES.connection.NEW;
    bytes[layout.flagsByte] = RECORD_CODES.masquerade;
    words[layout.servicePortWord] = 3;
    words[layout.rulesWord] = 12;
    bytes.set([0x9c, 0x40, 0x1f, 0x90], layout.portsWord * 4);
    bytes.set([192, 168, 0, 1], layout.sourceWord * 4);
    bytes.set([10, 244, 1, 5], layout.destinationWord * 4);
    expect(readVerdict(words, 0, 'IPv4', (id) => (id === 3 ? 'default/web' : undefined))).toEqual({
      action: 'DNAT',
      connection: 'NEW',
      servicePort: 'default/web',
      backend: { address: '10.244.1.5', port: 8080 },
      masquerade: true,
      translated: { source: '192.168.0.1', sourcePort: 40000, destination: '10.244.1.5', destinationPort: 8080 },
      rulesEvaluated: 12,
    });
  });
});
