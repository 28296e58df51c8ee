// Classic pcap (draft-ietf-opsawg-pcap): a header of 24 bytes, then frames with 16 bytes each before them.
import type { CapturedFrame, Fail } from './captured-frame.ts';

const HEADER = 24;
const FRAME_HEADER = 16;
const MICROSECONDS = 0xa1b2c3d4;
const NANOSECONDS = 0xa1b23c4d;
const MAGICS = new Map([
  [MICROSECONDS, { isLittle: false, unit: 1000 }],
  [0xd4c3b2a1, { isLittle: true, unit: 1000 }],
  [NANOSECONDS, { isLittle: false, unit: 1 }],
  [0x4d3cb2a1, { isLittle: true, unit: 1 }],
]);
/** MAXIMUM_SNAPLEN of libpcap: what is longer is a broken file. */
const SNAPLEN_MAX = 262_144;
/** The upper bits of the link type field say how long a frame's checksum is. */
const LINK_TYPE = 0xffff;

/** Undefined: this is no classic pcap. */
export function readPcap(
  file: DataView,
  magic: number,
  fail: Fail,
  cutShort: (at: number) => void,
): IterableIterator<CapturedFrame> | undefined {
  const form = MAGICS.get(magic);
  if (form === undefined) return undefined;
  if (file.byteLength < HEADER) throw fail(file.byteLength, `the header of a pcap has ${HEADER} bytes`);
  const major = file.getUint16(4, form.isLittle);
  if (major !== 2) throw fail(4, `pcap version ${major} is not known, expected 2`);
  return framesOf(file, form, fail, cutShort);
}

function* framesOf(
  file: DataView,
  { isLittle, unit }: { readonly isLittle: boolean; readonly unit: number },
  fail: Fail,
  cutShort: (at: number) => void,
): IterableIterator<CapturedFrame> {
  const linkType = file.getUint32(20, isLittle) & LINK_TYPE;
  let at = HEADER;
  while (at < file.byteLength) {
    if (at + FRAME_HEADER > file.byteLength) return cutShort(at);
    const length = file.getUint32(at + 8, isLittle);
    if (length > SNAPLEN_MAX) throw fail(at + 8, `a frame of ${length} bytes is longer than any capture keeps (${SNAPLEN_MAX})`);
    const from = at + FRAME_HEADER;
    if (from + length > file.byteLength) return cutShort(at);
    yield {
      linkType,
      seconds: file.getUint32(at, isLittle),
      nanoseconds: file.getUint32(at + 4, isLittle) * unit,
      bytes: new Uint8Array(file.buffer, file.byteOffset + from, length),
      wireLength: Math.max(length, file.getUint32(at + 12, isLittle)),
    };
    at = from + length;
  }
}

export function writePcap(frames: readonly CapturedFrame[], linkType: number): Uint8Array {
  const unit = frames.some(({ nanoseconds }) => nanoseconds % 1000 !== 0) ? 1 : 1000;
  const file = new Uint8Array(frames.reduce((size, { bytes }) => size + FRAME_HEADER + bytes.length, HEADER));
  const view = new DataView(file.buffer);
  view.setUint32(0, unit === 1 ? NANOSECONDS : MICROSECONDS, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, SNAPLEN_MAX, true);
  view.setUint32(20, linkType, true);
  let at = HEADER;
  for (const { seconds, nanoseconds, bytes, wireLength } of frames) {
    view.setUint32(at, seconds, true);
    view.setUint32(at + 4, nanoseconds / unit, true);
    view.setUint32(at + 8, bytes.length, true);
    view.setUint32(at + 12, wireLength, true);
    file.set(bytes, at + FRAME_HEADER);
    at += FRAME_HEADER + bytes.length;
  }
  return file;
}
