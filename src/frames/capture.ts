// Captures as tcpdump and Wireshark write them: which reader and writer a file wants.
import { type CapturedFrame, CaptureError, type Fail } from './captured-frame.ts';
import { readPcap, writePcap } from './pcap.ts';
import { readPcapng, writePcapng } from './pcapng.ts';

export interface ReadOptions {
  /** For messages: the name of the file. */
  readonly origin?: string;
  /** The file ends in the middle of a frame: what came before it was read. */
  readonly onWarning?: (message: string) => void;
}

/**
 * The frames of a capture: classic pcap with micro- or nanoseconds, of either byte order, or pcapng.
 *
 * @throws CaptureError with the file and the offset
 */
export function readCapture(file: Uint8Array, options: ReadOptions = {}): IterableIterator<CapturedFrame> {
  const { origin = 'capture', onWarning = () => {} } = options;
  const fail: Fail = (at, message) => new CaptureError(`${origin}: byte ${at}: ${message}`);
  const cutShort = (at: number): void => onWarning(`${origin}: byte ${at}: the file ends in the middle of a frame, which is left out`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const magic = view.byteLength < 4 ? 0 : view.getUint32(0);
  if (magic === 0x0a0d0d0a) return readPcapng(view, fail, cutShort);
  const frames = readPcap(view, magic, fail, cutShort);
  if (frames === undefined) throw fail(0, `is neither pcap nor pcapng (it begins with 0x${magic.toString(16).padStart(8, '0')})`);
  return frames;
}

/**
 * A capture with these frames: classic pcap, with nanoseconds when a frame needs them, or pcapng.
 *
 * @throws CaptureError when frames of several link types are to go into a classic pcap, which has one
 */
export function writeCapture(frames: readonly CapturedFrame[], format: 'pcap' | 'pcapng' = 'pcap'): Uint8Array {
  const linkTypes = [...new Set(frames.map(({ linkType }) => linkType))];
  if (format === 'pcapng') return writePcapng(frames, linkTypes);
  if (linkTypes.length > 1)
    throw new CaptureError(`frames of link types ${linkTypes.join(' and ')} do not fit into one classic pcap: write a .pcapng`);
  return writePcap(frames, linkTypes[0] ?? 1);
}
