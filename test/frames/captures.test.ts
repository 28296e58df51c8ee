// Captures in and out: classic pcap in its four forms, pcapng, and what is wrong with broken ones.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { readCapture, writeCapture } from '../../src/frames/capture.ts';
import type { CapturedFrame } from '../../src/frames/captured-frame.ts';
import { linkOf } from '../../src/frames/link-types.ts';
import { svcplane } from '../cli/command.ts';
import { hostnamesCapture } from './sample-capture.ts';

const frame = (parts: Partial<CapturedFrame> = {}): CapturedFrame => ({
  linkType: 1,
  seconds: 1_700_000_000,
  nanoseconds: 123_456_000,
  bytes: Uint8Array.of(1, 2, 3, 4, 5),
  wireLength: 60,
  ...parts,
});

/** A file written by hand, in either byte order. */
function pcapOf(isLittle: boolean, magic: number, fraction: number): Uint8Array {
  const file = new Uint8Array(24 + 16 + 5);
  const view = new DataView(file.buffer);
  view.setUint32(0, magic, isLittle);
  view.setUint16(4, 2, isLittle);
  view.setUint16(6, 4, isLittle);
  view.setUint32(20, 1, isLittle);
  [1_700_000_000, fraction, 5, 60].forEach((word, index) => {
    view.setUint32(24 + index * 4, word, isLittle);
  });
  file.set([1, 2, 3, 4, 5], 40);
  return file;
}

describe('a classic pcap', () => {
  test.each([
    ['microseconds, little-endian', true, 0xa1b2c3d4, 123_456],
    ['microseconds, big-endian', false, 0xa1b2c3d4, 123_456],
    ['nanoseconds, little-endian', true, 0xa1b23c4d, 123_456_000],
    ['nanoseconds, big-endian', false, 0xa1b23c4d, 123_456_000],
  ])('of %s is read', (_, isLittle, magic, fraction) => {
    expect([...readCapture(pcapOf(isLittle, magic, fraction))]).toEqual([frame()]);
  });

  test('comes back as it was written, nanoseconds included', () => {
    const frames = [frame(), frame({ nanoseconds: 7, bytes: new Uint8Array(0) })];
    expect([...readCapture(writeCapture(frames))]).toEqual(frames);
    expect(new DataView(writeCapture(frames).buffer).getUint32(0, true)).toBe(0xa1b23c4d);
    expect(new DataView(writeCapture([frame()]).buffer).getUint32(0, true)).toBe(0xa1b2c3d4);
  });

  test('that ends in the middle of a frame gives the frames before it, and a warning', () => {
    const whole = writeCapture([frame(), frame()]);
    const warnings: string[] = [];
    const read = [...readCapture(whole.subarray(0, -2), { origin: 'in.pcap', onWarning: (message) => warnings.push(message) })];
    expect(read).toEqual([frame()]);
    expect(warnings).toEqual(['in.pcap: byte 45: the file ends in the middle of a frame, which is left out']);
  });

  test('has one link type', () => {
    expect(() => writeCapture([frame(), frame({ linkType: 113 })])).toThrow(
      'frames of link types 1 and 113 do not fit into one classic pcap: write a .pcapng',
    );
  });
});

describe('a pcapng', () => {
  test('comes back as it was written, with several link types', () => {
    const frames = [frame({ nanoseconds: 1 }), frame({ linkType: 276, bytes: new Uint8Array(31) })];
    expect([...readCapture(writeCapture(frames, 'pcapng'))]).toEqual(frames);
  });

  test('in big-endian order with microseconds, a simple packet and blocks that mean nothing here is read', () => {
    const words = [0x0a0d0d0a, 28, 0x1a2b3c4d, 0x0001_0000, 0xffffffff, 0xffffffff, 28];
    words.push(1, 20, 1 << 16, 0, 20); // Ethernet, no options: microseconds
    words.push(5, 16, 0, 16); // statistics
    words.push(6, 40, 0, 0, 1_500_000, 5, 60, 0x01020304, 0x05000000, 40); // 1.5 s
    words.push(3, 24, 5, 0x01020304, 0x05000000, 24);
    const file = new Uint8Array(words.length * 4);
    words.forEach((word, index) => {
      new DataView(file.buffer).setUint32(index * 4, word);
    });
    const time = { seconds: 1, nanoseconds: 500_000_000 };
    expect([...readCapture(file)]).toEqual([frame(time), frame({ ...time, wireLength: 5 })]);
  });
});

test.each<[string, Uint8Array, string]>([
  [
    'text',
    new TextEncoder().encode('hello world, this is no capture'),
    'in: byte 0: is neither pcap nor pcapng (it begins with 0x68656c6c)',
  ],
  ['nothing', new Uint8Array(0), 'in: byte 0: is neither pcap nor pcapng'],
  ['half a header', pcapOf(true, 0xa1b2c3d4, 1).subarray(0, 20), 'in: byte 20: the header of a pcap has 24 bytes'],
  [
    'a frame without end',
    pcapOf(true, 0xa1b2c3d4, 1).fill(0xff, 32, 36),
    'in: byte 32: a frame of 4294967295 bytes is longer than any capture keeps',
  ],
  ['a block of 13 bytes', writeCapture([], 'pcapng').fill(13, 4, 5), 'in: byte 4: a block of 13 bytes is not possible'],
])('%s is refused with the place', (_, file, message) => {
  expect(() => [...readCapture(file, { origin: 'in' })]).toThrow(message);
});

test.each<[number, number[], ReturnType<typeof linkOf>]>([
  [1, [], { kind: 'ethernet' }],
  [101, [], { kind: 'ip', offset: 0 }],
  [113, [...Array(14).fill(0), 8, 0], { kind: 'ip', offset: 16 }],
  [113, [...Array(14).fill(0), 8, 6], { kind: 'other' }],
  [276, [0x86, 0xdd, ...Array(18).fill(0)], { kind: 'ip', offset: 20 }],
  [0, [2, 0, 0, 0], { kind: 'ip', offset: 4 }],
  [0, [0, 0, 0, 30], { kind: 'ip', offset: 4 }],
  [0, [2], { kind: 'other' }],
  [147, [], undefined],
])('link type %i of %j', (linkType, bytes, link) => {
  expect(linkOf(linkType, Uint8Array.from(bytes))).toEqual(link);
});

test('examples/hostnames.pcap is what it is made from', async () => {
  const { stdout } = await svcplane(['get', 'services', '-f', 'examples/hostnames.yaml']);
  const clusterIP = /ClusterIP +(\S+)/.exec(stdout)?.[1] ?? '';
  expect(Uint8Array.from(readFileSync('examples/hostnames.pcap'))).toEqual(writeCapture(hostnamesCapture(clusterIP)));
});
