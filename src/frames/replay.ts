// Sends the frames of a capture through a dataplane, at the capture's own pace, and keeps what leaves and what became of it.
import { formatAddress, formatEndpoint } from '../address.ts';
import type { Dataplane, FrameResult, FrameRing } from '../dataplane-types.ts';
import { type PacketHeaders, readHeaders } from '../engine/js/frame-headers.ts';
import { readTuple } from '../engine/js/frame-rewrite.ts';
import { type CapturedFrame, CaptureError } from './captured-frame.ts';
import { type IpLink, LINK_TYPES_TEXT, linkOf } from './link-types.ts';
import { type ReplaySummary, SummaryOfReplay } from './replay-summary.ts';
import { SeenFromClient, viewOf } from './seen-from-client.ts';

export interface ReplayOptions {
  /** Moves the dataplane's clock: milliseconds since the first frame. */
  readonly setTime: (ms: number) => void;
  /** As of a frame ring. Default drop. */
  readonly fragments?: 'drop' | 'pass';
}

export interface Replayed {
  /** The frames that left, rewritten, with their times. */
  readonly frames: readonly CapturedFrame[];
  readonly summary: ReplaySummary;
}

/** The longest frame that a capture keeps of what one IP packet can be. */
const FRAME_BYTES = 65_600;

/**
 * Replays a capture: one frame after the other, the clock set to its time.
 *
 * @throws CaptureError for a link type that is not known
 * @example
 * const clock = { ms: 0 };
 * const dataplane = createDataplaneSync({ now: () => clock.ms });
 * const { frames, summary } = replay(dataplane, readCapture(bytes), { setTime: (ms) => { clock.ms = ms; } });
 */
export function replay(dataplane: Dataplane, captured: Iterable<CapturedFrame>, options: ReplayOptions): Replayed {
  const { setTime, fragments = 'drop' } = options;
  const ethernet = dataplane.createFrameRing(1, { frameBytes: FRAME_BYTES, fragments });
  const raw = dataplane.createFrameRing(1, { frameBytes: FRAME_BYTES, fragments, link: 'ip' });
  const summary = new SummaryOfReplay(dataplane);
  const clients = new SeenFromClient();
  const frames: CapturedFrame[] = [];
  let first: CapturedFrame | undefined;
  for (const frame of captured) {
    first ??= frame;
    const ms = (frame.seconds - first.seconds) * 1000 + (frame.nanoseconds - first.nanoseconds) / 1e6;
    setTime(ms);
    summary.addFrame(ms);
    const link = linkOf(frame.linkType, frame.bytes);
    if (link === undefined) throw new CaptureError(`link type ${frame.linkType} is not known, expected ${LINK_TYPES_TEXT}`);
    if (link.kind === 'other') {
      frames.push(frame);
      summary.addOther();
      continue;
    }
    const left = send(dataplane, link.kind === 'ip' ? raw : ethernet, frame, link, clients, summary);
    if (left !== undefined) frames.push({ ...frame, bytes: left });
  }
  return { frames, summary: summary.result() };
}

/** The whole frame as it leaves; undefined: it does not. */
function send(
  dataplane: Dataplane,
  ring: FrameRing,
  frame: CapturedFrame,
  link: IpLink,
  clients: SeenFromClient,
  summary: SummaryOfReplay,
): Uint8Array | undefined {
  const offset = link.kind === 'ip' ? link.offset : 0;
  const captured = frame.bytes.subarray(offset);
  const wireLength = frame.wireLength - offset;
  const headers = readHeaders(viewOf(captured), wireLength, link.kind === 'ip');
  const packet = headers.kind === 'packet' ? headers.packet : undefined;
  const came = packet === undefined ? captured : clients.takeBack(captured, packet);
  ring.set(0, came, { wireLength });
  ring.count = 1;
  dataplane.processFrames(ring);
  const result = ring.result(0);
  const left = ring.frame(0);
  if (packet !== undefined) clients.learn(result, packet, came, left);
  summary.addResult(result, packet?.packetBytes ?? 0, packet === undefined ? undefined : backendOf(result, packet, came, left));
  if (!result.passes) return undefined;
  const whole = frame.bytes.slice();
  whole.set(left, offset);
  return whole;
}

/** The endpoint that a packet of a translated connection goes to or comes from. */
function backendOf(result: FrameResult, packet: PacketHeaders, came: Uint8Array, left: Uint8Array): string | undefined {
  if (result.connection === 'REPLY') {
    const { source, sourcePort } = readTuple(viewOf(came), packet);
    return formatEndpoint(formatAddress(source), sourcePort);
  }
  if (result.action !== 'DNAT') return undefined;
  const { destination, destinationPort } = readTuple(viewOf(left), packet);
  return formatEndpoint(formatAddress(destination), destinationPort);
}
