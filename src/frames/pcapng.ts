// pcapng (draft-ietf-opsawg-pcapng): blocks of sections. Read: enhanced, simple and old packet blocks; all others are passed over.
import type { CapturedFrame, Fail } from './captured-frame.ts';

const SECTION = 0x0a0d0d0a;
const INTERFACE = 1;
const OLD_PACKET = 2;
const SIMPLE_PACKET = 3;
const ENHANCED_PACKET = 6;
const BYTE_ORDER = 0x1a2b3c4d;
const BLOCK_MIN = 12;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_TIME_OFFSET = 14;
const SNAPLEN_MAX = 262_144;
const NANOSECONDS = 1_000_000_000n;

interface Interface {
  readonly linkType: number;
  readonly snaplen: number;
  /** Units a second. */
  readonly unitsPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

interface Time {
  readonly seconds: number;
  readonly nanoseconds: number;
}

export function* readPcapng(file: DataView, fail: Fail, cutShort: (at: number) => void): IterableIterator<CapturedFrame> {
  let isLittle = true;
  let interfaces: Interface[] = [];
  let last: Time = { seconds: 0, nanoseconds: 0 };
  let at = 0;
  while (at < file.byteLength) {
    if (at + BLOCK_MIN > file.byteLength) return cutShort(at);
    const isSection = file.getUint32(at) === SECTION;
    if (isSection) {
      if (file.getUint32(at + 8, true) !== BYTE_ORDER && file.getUint32(at + 8) !== BYTE_ORDER)
        throw fail(at + 8, 'a section has no byte-order magic');
      isLittle = file.getUint32(at + 8, true) === BYTE_ORDER;
      interfaces = [];
    }
    const kind = file.getUint32(at, isLittle);
    const length = file.getUint32(at + 4, isLittle);
    if (length < BLOCK_MIN || length % 4 !== 0) throw fail(at + 4, `a block of ${length} bytes is not possible`);
    if (at + length > file.byteLength) return cutShort(at);
    if (kind === INTERFACE) interfaces.push(readInterface(file, at, length, isLittle, fail));
    const packet = packetOf(file, at, length, kind, isLittle);
    if (packet !== undefined) {
      const source = interfaces[packet.interfaceNumber];
      if (source === undefined) throw fail(at, `a packet names interface ${packet.interfaceNumber}, which was not described`);
      const kept = kind === SIMPLE_PACKET ? Math.min(packet.wireLength, source.snaplen || packet.wireLength) : packet.kept;
      if (kept > SNAPLEN_MAX || packet.from + kept > at + length - 4)
        throw fail(at, `a packet of ${kept} bytes does not fit into its block`);
      last = packet.units === undefined ? last : timeOf(packet.units, source);
      yield {
        linkType: source.linkType,
        ...last,
        bytes: new Uint8Array(file.buffer, file.byteOffset + packet.from, kept),
        wireLength: Math.max(kept, packet.wireLength),
      };
    }
    at += length;
  }
}

interface PacketBlock {
  readonly interfaceNumber: number;
  readonly units: bigint | undefined;
  readonly from: number;
  readonly kept: number;
  readonly wireLength: number;
}

function packetOf(file: DataView, at: number, length: number, kind: number, isLittle: boolean): PacketBlock | undefined {
  if (kind === SIMPLE_PACKET && length >= 16) {
    const wireLength = file.getUint32(at + 8, isLittle);
    return { interfaceNumber: 0, units: undefined, from: at + 12, kept: wireLength, wireLength };
  }
  if ((kind !== ENHANCED_PACKET && kind !== OLD_PACKET) || length < 32) return undefined;
  return {
    interfaceNumber: kind === ENHANCED_PACKET ? file.getUint32(at + 8, isLittle) : file.getUint16(at + 8, isLittle),
    units: (BigInt(file.getUint32(at + 12, isLittle)) << 32n) | BigInt(file.getUint32(at + 16, isLittle)),
    from: at + 28,
    kept: file.getUint32(at + 20, isLittle),
    wireLength: file.getUint32(at + 24, isLittle),
  };
}

function readInterface(file: DataView, at: number, length: number, isLittle: boolean, fail: Fail): Interface {
  if (length < 20) throw fail(at, `an interface description of ${length} bytes is too short`);
  let unitsPerSecond = 1_000_000n;
  let offsetSeconds = 0n;
  const end = at + length - 4;
  let option = at + 16;
  while (option + 4 <= end) {
    const code = file.getUint16(option, isLittle);
    const size = file.getUint16(option + 2, isLittle);
    if (code === 0 || option + 4 + size > end) break;
    if (code === OPTION_TIME_RESOLUTION && size >= 1) {
      const resolution = file.getUint8(option + 4);
      unitsPerSecond = (resolution & 0x80) === 0 ? 10n ** BigInt(resolution) : 2n ** BigInt(resolution & 0x7f);
    } else if (code === OPTION_TIME_OFFSET && size === 8) {
      offsetSeconds = file.getBigInt64(option + 4, isLittle);
    }
    option += 4 + Math.ceil(size / 4) * 4;
  }
  return { linkType: file.getUint16(at + 8, isLittle), snaplen: file.getUint32(at + 12, isLittle), unitsPerSecond, offsetSeconds };
}

function timeOf(units: bigint, { unitsPerSecond, offsetSeconds }: Interface): Time {
  return {
    seconds: Number(units / unitsPerSecond + offsetSeconds),
    nanoseconds: Number(((units % unitsPerSecond) * NANOSECONDS) / unitsPerSecond),
  };
}

/** One section, one interface a link type, times in nanoseconds. */
export function writePcapng(frames: readonly CapturedFrame[], linkTypes: readonly number[]): Uint8Array {
  const blocks = [
    block(SECTION, 16, (view) => {
      view.setUint32(0, BYTE_ORDER, true);
      view.setUint16(4, 1, true);
      view.setBigInt64(8, -1n, true);
    }),
    ...linkTypes.map((linkType) =>
      block(INTERFACE, 20, (view) => {
        view.setUint16(0, linkType, true);
        view.setUint16(8, OPTION_TIME_RESOLUTION, true);
        view.setUint16(10, 1, true);
        view.setUint8(12, 9);
      }),
    ),
    ...frames.map((frame) =>
      block(ENHANCED_PACKET, 20 + Math.ceil(frame.bytes.length / 4) * 4, (view, body) => {
        const units = BigInt(frame.seconds) * NANOSECONDS + BigInt(frame.nanoseconds);
        view.setUint32(0, linkTypes.indexOf(frame.linkType), true);
        view.setUint32(4, Number(units >> 32n), true);
        view.setUint32(8, Number(units & 0xffffffffn), true);
        view.setUint32(12, frame.bytes.length, true);
        view.setUint32(16, frame.wireLength, true);
        body.set(frame.bytes, 20);
      }),
    ),
  ];
  const file = new Uint8Array(blocks.reduce((size, { length }) => size + length, 0));
  let at = 0;
  for (const one of blocks) {
    file.set(one, at);
    at += one.length;
  }
  return file;
}

function block(kind: number, bodyLength: number, fill: (view: DataView, body: Uint8Array) => void): Uint8Array {
  const whole = new Uint8Array(BLOCK_MIN + bodyLength);
  const view = new DataView(whole.buffer);
  view.setUint32(0, kind, true);
  view.setUint32(4, whole.length, true);
  view.setUint32(whole.length - 4, whole.length, true);
  fill(new DataView(whole.buffer, 8, bodyLength), whole.subarray(8, 8 + bodyLength));
  return whole;
}
