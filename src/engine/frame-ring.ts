// What both engines' frame rings are to the rest of the library: slots of frames, a record each (assembly/shared/frame-layout.ts).
import {
  KIND_BAD_CHECKSUM,
  KIND_FRAGMENT,
  KIND_MALFORMED,
  KIND_NOT_IP,
  KIND_OTHER_PROTOCOL,
  KIND_PACKET,
  KIND_RELATED,
  KIND_TRUNCATED,
  KIND_UNRELATED,
  SLOT_ALIGNMENT,
  SLOT_FRAME,
} from '../../assembly/shared/frame-layout.ts';

/** What a frame turned out to be; docs/frames.md says which ones pass. */
export type FrameKind =
  | 'packet'
  | 'related'
  | 'unrelated'
  | 'notIP'
  | 'otherProtocol'
  | 'fragment'
  | 'truncated'
  | 'malformed'
  | 'badChecksum';

export const FRAME_KINDS: Readonly<Record<FrameKind, number>> = {
  packet: KIND_PACKET,
  related: KIND_RELATED,
  unrelated: KIND_UNRELATED,
  notIP: KIND_NOT_IP,
  otherProtocol: KIND_OTHER_PROTOCOL,
  fragment: KIND_FRAGMENT,
  truncated: KIND_TRUNCATED,
  malformed: KIND_MALFORMED,
  badChecksum: KIND_BAD_CHECKSUM,
};

/** How a ring is made. */
export interface RingShape {
  readonly capacity: number;
  /** The longest frame that fits. */
  readonly frameBytes: number;
  readonly isRawIp: boolean;
  readonly passesFragments: boolean;
}

/** The memory of a ring. The arrays may move: ask again after every call. */
export interface EngineFrameRing extends RingShape {
  /** Bytes from one slot to the next. */
  readonly stride: number;
  /** Where frames leave through; undefined: they are rewritten in place. */
  readonly transmit: EngineFrameRing | undefined;
  /** All slots, one after the other; a frame begins SLOT_FRAME bytes into its slot. */
  slots(): Uint8Array;
  /** All frame records. */
  records(): Uint32Array;
  /** Frames in use: set by the caller, for a transmit ring by the engine. */
  count: number;
}

/** Frames by what they turned out to be, since the engine was made. */
export type FrameCounters = Readonly<Record<FrameKind, number>>;

/** What passed for a ServicePort as frames, in either direction; bytes are those of IP packets. */
export interface ServicePortTraffic {
  readonly packets: number;
  readonly bytes: number;
  readonly replyPackets: number;
  readonly replyBytes: number;
}

/** An odd number of cache lines, so that the headers of neighbours do not compete for the same ones. */
export function strideFor(frameBytes: number): number {
  const lines = Math.ceil((frameBytes + SLOT_FRAME) / SLOT_ALIGNMENT);
  return (lines % 2 === 0 ? lines + 1 : lines) * SLOT_ALIGNMENT;
}
